"""Queues by where packets come in: what enters by port N leaves through queue N.

The switch finds the way itself, as an Ethernet bridge does (the port NORMAL); the app only decides
through which queue of the outgoing port a frame leaves. It asks the switch which queues there are.
A port that has no queue N, where another has, sends the frame without one. All of it is known when
a switch connects, so there is no packet-in at all.
"""

from ryu.base import app_manager
from ryu.controller import ofp_event
from ryu.controller.handler import CONFIG_DISPATCHER, MAIN_DISPATCHER, set_ev_cls
from ryu.ofproto import ofproto_v1_3

OTHERS = 0
"""Priority of the entry for frames that no queue is meant for."""

QUEUED = 1
"""Priority of the entries that set a queue."""


class IngressQueues(app_manager.RyuApp):
    """Lets every switch bridge, and gives it an entry for each of its queues."""

    OFP_VERSIONS = (ofproto_v1_3.OFP_VERSION,)

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def switch_connected(self, event):
        datapath = event.msg.datapath
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        self.install(datapath, OTHERS, parser.OFPMatch(), [])
        datapath.send_msg(parser.OFPQueueGetConfigRequest(datapath, ofproto.OFPP_ANY))

    @set_ev_cls(ofp_event.EventOFPQueueGetConfigReply, [CONFIG_DISPATCHER, MAIN_DISPATCHER])
    def queues_told(self, event):
        datapath = event.msg.datapath
        parser = datapath.ofproto_parser
        for number in sorted({queue.queue_id for queue in event.msg.queues}):
            match = parser.OFPMatch(in_port=number)
            self.install(datapath, QUEUED, match, [parser.OFPActionSetQueue(number)])

    def install(self, datapath, priority, match, actions):
        """Install an entry that does something with a frame before the switch bridges it."""
        ofproto, parser = datapath.ofproto, datapath.ofproto_parser
        normal = parser.OFPActionOutput(ofproto.OFPP_NORMAL)
        apply = parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, [*actions, normal])
        datapath.send_msg(
            parser.OFPFlowMod(datapath, priority=priority, match=match, instructions=[apply])
        )
