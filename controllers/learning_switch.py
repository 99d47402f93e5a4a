"""A learning switch: every OpenFlow 1.3 switch becomes an Ethernet bridge.

A switch sends the frames it has no flow entry for to this app. The app remembers on which port it
last saw each source address. When it knows where a frame has to go, it installs a flow entry, so
that the rest of the conversation stays in the switch; when it does not, the frame is flooded.

Entries match both addresses and the input port. So the first frame of a host that has moved to
another port comes here again, and the app can correct what other hosts use to reach it.
"""

from ryu.base import app_manager
from ryu.controller import ofp_event
from ryu.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from ryu.lib.packet.ethernet import ethernet
from ryu.ofproto import ofproto_v1_3

# Priorities of flow entries, from what matches everything to what matches least.
TABLE_MISS = 0
CONVERSATION = 10
REFUSED = 20

IDLE_TIMEOUT = 60  # seconds without a frame after which a conversation is forgotten

# Link-local protocols such as LLDP and spanning tree; a bridge never forwards
# them (IEEE 802.1Q-2018, 8.6.3).
RESERVED_ADDRESSES = ("01:80:c2:00:00:00", "ff:ff:ff:ff:ff:f0")

# Broadcast and multicast: nobody sends from them, so what claims to is never learned.
GROUP_ADDRESSES = ("01:00:00:00:00:00", "01:00:00:00:00:00")


class LearningSwitch(app_manager.RyuApp):
    """Learns where hosts are, separately for every switch."""

    OFP_VERSIONS = (ofproto_v1_3.OFP_VERSION,)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tables = {}  # datapath id -> {MAC address -> port}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def switch_connected(self, event):
        datapath = event.msg.datapath
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        self.tables[datapath.id] = {}
        self.delete(datapath, parser.OFPMatch())
        ask = parser.OFPActionOutput(ofproto.OFPP_CONTROLLER, ofproto.OFPCML_NO_BUFFER)
        self.install(datapath, TABLE_MISS, parser.OFPMatch(), [ask])
        self.install(datapath, REFUSED, parser.OFPMatch(eth_dst=RESERVED_ADDRESSES), [])
        self.install(datapath, REFUSED, parser.OFPMatch(eth_src=GROUP_ADDRESSES), [])

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def frame_without_entry(self, event):
        message = event.msg
        datapath = message.datapath
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        in_port = message.match["in_port"]
        frame, _, _ = ethernet.parser(message.data)
        table = self.tables[datapath.id]

        if table.get(frame.src, in_port) != in_port:  # the host has moved
            self.delete(datapath, parser.OFPMatch(eth_dst=frame.src))
        table[frame.src] = in_port

        # Broadcasts are never in the table: no frame comes from there.
        out_port = table.get(frame.dst, ofproto.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(out_port)]
        if out_port == in_port:
            actions = []  # both ends are on the same side: the receiver has it already
        if out_port != ofproto.OFPP_FLOOD:
            match = parser.OFPMatch(in_port=in_port, eth_src=frame.src, eth_dst=frame.dst)
            self.install(datapath, CONVERSATION, match, actions, IDLE_TIMEOUT)
        self.send(message, in_port, actions)

    @set_ev_cls(ofp_event.EventOFPPortStatus, MAIN_DISPATCHER)
    def port_changed(self, event):
        message = event.msg
        datapath, port = message.datapath, message.desc
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        gone = message.reason == ofproto.OFPPR_DELETE
        if gone or port.state & ofproto.OFPPS_LINK_DOWN:
            table = self.tables[datapath.id]
            for address in [mac for mac, where in table.items() if where == port.port_no]:
                del table[address]
            self.delete(datapath, parser.OFPMatch(), out_port=port.port_no)

    def install(self, datapath, priority, match, actions, idle_timeout=0):
        """Install a flow entry; without actions it drops."""
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        apply = parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)
        datapath.send_msg(
            parser.OFPFlowMod(
                datapath,
                priority=priority,
                match=match,
                instructions=[apply] if actions else [],
                idle_timeout=idle_timeout,
            )
        )

    def delete(self, datapath, match, out_port=ofproto_v1_3.OFPP_ANY):
        """Delete the flow entries that a match covers, or only those that use a port."""
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        datapath.send_msg(
            parser.OFPFlowMod(
                datapath,
                command=ofproto.OFPFC_DELETE,
                table_id=ofproto.OFPTT_ALL,
                match=match,
                out_port=out_port,
                out_group=ofproto.OFPG_ANY,
            )
        )

    def send(self, message, in_port, actions):
        """Send the frame of a packet-in on its way; without actions, drop it."""
        datapath = message.datapath
        buffered = message.buffer_id != datapath.ofproto.OFP_NO_BUFFER
        if not actions and not buffered:
            return
        datapath.send_msg(
            datapath.ofproto_parser.OFPPacketOut(
                datapath,
                buffer_id=message.buffer_id,
                in_port=in_port,
                actions=actions,
                data=None if buffered else message.data,
            )
        )
