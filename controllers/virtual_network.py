"""Virtual networks: tenants on hypervisors, joined by tunnels, in nothing but OpenFlow 1.3.

The app reads the topology file. When the virtual switch of a hypervisor connects, it gets all its
flow entries at once, and no packet ever comes to the controller. The tunnel id of the pipeline is
the VXLAN network identifier (VNI) of the tenant network that a frame belongs to::

    table 0  CLASSIFY   Which network? By the VM's port and MAC address, or by the tunnel.
                |       Frames with a forged source address match nothing and are dropped.
                v
    table 1  RESOLVE    ARP requests become answers here, by what is asked for. DHCP discovery
                |       goes to the network's server only.
                |  \\
                |   v
                |  table 2  ANSWER   Completes an ARP answer, by who asked, and sends it back.
                v
    table 3  FORWARD    To a local port or into the tunnel to another hypervisor. Broadcasts go
                        to every member; what came out of a tunnel never goes into another.

ARP takes two tables so that n VMs need n + n entries, and not one for each pair.

Run it with a topology that has tenants::

    sdnvirt run topologies/quickstart.yaml
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from ryu import cfg
from ryu.base import app_manager
from ryu.controller import ofp_event
from ryu.controller.handler import CONFIG_DISPATCHER, set_ev_cls
from ryu.ofproto import ofproto_v1_3
from ryu.ofproto.ether import ETH_TYPE_ARP, ETH_TYPE_IP
from ryu.ofproto.inet import IPPROTO_UDP

from sdnvirt import topology

cfg.CONF.register_opts([cfg.StrOpt("topology", help="topology file")], group="sdnvirt")


class Table(IntEnum):
    """The steps of the pipeline."""

    CLASSIFY = 0
    RESOLVE = 1
    ANSWER = 2
    FORWARD = 3


class Priority(IntEnum):
    """Which entry of a table wins: the most particular one."""

    DEFAULT = 0
    NORMAL = 10
    SPECIAL = 20
    OWN = 30


class Cookie(IntEnum):
    """What an entry is for; ``dump-flows`` and explanations of packets show it."""

    FROM_VM = 0x10
    FROM_TUNNEL = 0x11
    ARP_TARGET = 0x20
    ARP_OWN_ADDRESS = 0x21
    ARP_UNKNOWN = 0x22
    DHCP_REQUEST = 0x23
    NOT_RESOLVING = 0x2F
    ARP_ASKER = 0x30
    UNICAST = 0x40
    BROADCAST_FROM_VM = 0x41
    BROADCAST_FROM_TUNNEL = 0x42
    DHCP_FROM_TUNNEL = 0x43


FROM_VM, FROM_TUNNEL = 0, 1  # metadata: where a frame came from

GROUP_ADDRESSES = ("01:00:00:00:00:00", "01:00:00:00:00:00")  # broadcast and multicast
BROADCAST = "ff:ff:ff:ff:ff:ff"

ARP_REQUEST, ARP_REPLY = 1, 2  # RFC 826
DHCP_CLIENT, DHCP_SERVER = 68, 67  # UDP ports, RFC 2131
DHCP_DISCOVERY = {
    "eth_dst": BROADCAST,
    "eth_type": ETH_TYPE_IP,
    "ip_proto": IPPROTO_UDP,
    "udp_src": DHCP_CLIENT,
    "udp_dst": DHCP_SERVER,
}


class Entry(NamedTuple):
    """A flow entry, in plain values.

    ``rewrite`` says which header fields change, ``output`` the ports that get a copy.
    """

    table: Table
    priority: Priority
    cookie: Cookie
    match: dict
    rewrite: dict | None = None
    output: tuple = ()
    metadata: int | None = None
    goto: Table | None = None


class VirtualNetwork(app_manager.RyuApp):
    """Programs the virtual switch of each hypervisor."""

    OFP_VERSIONS = (ofproto_v1_3.OFP_VERSION,)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        path = self.CONF.sdnvirt.topology
        if path is None:
            raise ValueError("no topology file; see controllers/README.md")
        self.data_centre = topology.load(path)
        self.hypervisors = {each.dpid: each for each in self.data_centre.hypervisors}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def switch_connected(self, event):
        datapath = event.msg.datapath
        hypervisor = self.hypervisors.get(datapath.id)
        if hypervisor is None:
            self.logger.info("switch %s is no hypervisor's", datapath.id)
            return
        delete_everything(datapath)
        for entry in entries(self.data_centre, hypervisor):
            install(datapath, entry)


def entries(data_centre, hypervisor) -> Iterator[Entry]:
    """Return all entries of a hypervisor's switch: those of each network with a VM on it."""
    tunnels = {tunnel.remote: tunnel.port for tunnel in hypervisor.tunnels}
    yield from every_network()
    for network in data_centre.networks:
        members = [vnic for vnic in data_centre.vnics if vnic.network == network.name]
        local = [vnic for vnic in members if vnic.hypervisor == hypervisor.name]
        if not local:
            continue
        # The port that leads to each member: its own, or the tunnel to its hypervisor.
        ports = {vnic.owner: tunnels.get(vnic.hypervisor, vnic.port) for vnic in members}
        vm_ports = [vnic.port for vnic in local]
        tunnel_ports = sorted(set(ports.values()) - set(vm_ports))
        yield from classify(network, local, tunnel_ports)
        yield from resolve_addresses(network, members, local)
        if network.dhcp is not None:
            yield from find_dhcp_server(network, local, ports[network.dhcp.function])
        yield from forward(network, members, ports, vm_ports, tunnel_ports)


def every_network() -> Iterator[Entry]:
    """What is not about ARP or DHCP is forwarded; other ARP than below is not."""
    yield Entry(
        Table.RESOLVE, Priority.DEFAULT, Cookie.NOT_RESOLVING,
        match={},
        goto=Table.FORWARD,
    )  # fmt: skip
    yield Entry(
        Table.RESOLVE, Priority.NORMAL, Cookie.ARP_UNKNOWN,
        match={"eth_type": ETH_TYPE_ARP},
    )  # fmt: skip


def classify(network, local, tunnel_ports) -> Iterator[Entry]:
    """Find the network that a frame belongs to."""
    for vnic in local:
        yield Entry(
            Table.CLASSIFY, Priority.NORMAL, Cookie.FROM_VM,
            match={"in_port": vnic.port, "eth_src": str(vnic.mac)},
            rewrite={"tunnel_id": network.vni},
            goto=Table.RESOLVE,
        )  # fmt: skip
    for port in tunnel_ports:
        yield Entry(
            Table.CLASSIFY, Priority.NORMAL, Cookie.FROM_TUNNEL,
            match={"in_port": port, "tunnel_id": network.vni},
            metadata=FROM_TUNNEL,
            goto=Table.FORWARD,
        )  # fmt: skip


def resolve_addresses(network, members, local) -> Iterator[Entry]:
    """Answer ARP requests for members, except for the asker's own address.

    A host asks for its own address to find out that nobody else has it (RFC 5227); silence is the
    answer that it hopes for.
    """
    for vnic in members:
        yield Entry(
            Table.RESOLVE, Priority.SPECIAL, Cookie.ARP_TARGET,
            match={
                "tunnel_id": network.vni,
                "eth_type": ETH_TYPE_ARP,
                "arp_op": ARP_REQUEST,
                "arp_tpa": str(vnic.address),
            },
            rewrite={
                "arp_op": ARP_REPLY,
                "eth_src": str(vnic.mac),
                "arp_sha": str(vnic.mac),
                "arp_spa": str(vnic.address),
            },
            goto=Table.ANSWER,
        )  # fmt: skip
    for vnic in local:
        yield Entry(
            Table.RESOLVE, Priority.OWN, Cookie.ARP_OWN_ADDRESS,
            match={
                "in_port": vnic.port,
                "eth_type": ETH_TYPE_ARP,
                "arp_tpa": str(vnic.address),
            },
        )  # fmt: skip
        yield Entry(
            Table.ANSWER, Priority.NORMAL, Cookie.ARP_ASKER,
            match={"in_port": vnic.port, "eth_type": ETH_TYPE_ARP},
            rewrite={
                "eth_dst": str(vnic.mac),
                "arp_tha": str(vnic.mac),
                "arp_tpa": str(vnic.address),
            },
            output=(ofproto_v1_3.OFPP_IN_PORT,),
        )  # fmt: skip


def find_dhcp_server(network, local, port) -> Iterator[Entry]:
    """Take discovery to the network's DHCP server, here or behind a tunnel, and to nobody else."""
    of_network = {"tunnel_id": network.vni, **DHCP_DISCOVERY}
    yield Entry(
        Table.RESOLVE, Priority.SPECIAL, Cookie.DHCP_REQUEST,
        match=of_network,
        output=(port,),
    )  # fmt: skip
    if any(vnic.owner == network.dhcp.function for vnic in local):
        yield Entry(
            Table.FORWARD, Priority.SPECIAL, Cookie.DHCP_FROM_TUNNEL,
            match={"metadata": FROM_TUNNEL, **of_network},
            output=(port,),
        )  # fmt: skip


def forward(network, members, ports, vm_ports, tunnel_ports) -> Iterator[Entry]:
    """Send a frame to its destination; a frame is never sent back to the port it came from."""
    for vnic in members:
        port = ports[vnic.owner]
        match = {"tunnel_id": network.vni, "eth_dst": str(vnic.mac)}
        if port in tunnel_ports:
            match["metadata"] = FROM_VM
        yield Entry(
            Table.FORWARD, Priority.NORMAL, Cookie.UNICAST,
            match=match,
            output=(port,),
        )  # fmt: skip
    broadcast = {"tunnel_id": network.vni, "eth_dst": GROUP_ADDRESSES}
    yield Entry(
        Table.FORWARD, Priority.NORMAL, Cookie.BROADCAST_FROM_VM,
        match={"metadata": FROM_VM, **broadcast},
        output=(*vm_ports, *tunnel_ports),
    )  # fmt: skip
    yield Entry(
        Table.FORWARD, Priority.NORMAL, Cookie.BROADCAST_FROM_TUNNEL,
        match={"metadata": FROM_TUNNEL, **broadcast},
        output=tuple(vm_ports),
    )  # fmt: skip


def install(datapath, entry):
    """Install a flow entry in a switch."""
    ofproto, parser = datapath.ofproto, datapath.ofproto_parser
    actions = [
        parser.OFPActionSetField(**{name: value}) for name, value in (entry.rewrite or {}).items()
    ]
    actions += [parser.OFPActionOutput(port) for port in entry.output]
    instructions = []
    if actions:
        instructions.append(parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions))
    if entry.metadata is not None:
        every_bit = (1 << 64) - 1
        instructions.append(parser.OFPInstructionWriteMetadata(entry.metadata, every_bit))
    if entry.goto is not None:
        instructions.append(parser.OFPInstructionGotoTable(entry.goto))
    datapath.send_msg(
        parser.OFPFlowMod(
            datapath,
            cookie=entry.cookie,
            table_id=entry.table,
            priority=entry.priority,
            match=parser.OFPMatch(**entry.match),
            instructions=instructions,
        )
    )


def delete_everything(datapath):
    """Delete all flow entries of a switch, whoever installed them."""
    ofproto, parser = datapath.ofproto, datapath.ofproto_parser
    datapath.send_msg(
        parser.OFPFlowMod(
            datapath,
            command=ofproto.OFPFC_DELETE,
            table_id=ofproto.OFPTT_ALL,
            out_port=ofproto.OFPP_ANY,
            out_group=ofproto.OFPG_ANY,
            match=parser.OFPMatch(),
        )
    )
