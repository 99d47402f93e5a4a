"""A small universe of packets, matches, actions and flow mods, in which much meets."""

from __future__ import annotations

from itertools import product

from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from sdnvirt.datapath.consistency import check_consistent
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import DecNwTtl, Output, PopVlan, PushVlan, SetField, SetNwTtl
from sdnvirt.openflow.v13.constants import OFPFC, OFPFF, OFPG, OFPMC, OFPMF, OFPP, OFPTT
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    GotoTable,
    Instruction,
    Meter,
    WriteActions,
    WriteMetadata,
)
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.meters import DropBand, DscpRemarkBand, MeterMod

PORTS = (1, 2, 3, OFPP.LOCAL)


def _packets() -> list[bytes]:
    macs = ("02:00:00:00:00:01", "02:00:00:00:00:02")
    ethers = [Ether(src=src, dst=dst) for src, dst in product(macs, macs)]
    tags = [[], [Dot1Q(vlan=1)], [Dot1Q(vlan=2, prio=3)], [Dot1AD(vlan=1), Dot1Q(vlan=2)]]
    ips = [IP(src="10.0.0.1", dst=f"10.0.0.{n}", ttl=ttl) for n in (1, 2) for ttl in (1, 2, 64)]
    uppers = [
        UDP(sport=1, dport=2), UDP(sport=1, dport=2) / Raw(b"other payload"),
        UDP(sport=2, dport=1, chksum=0), TCP(sport=1, dport=2), TCP(sport=1, dport=2, seq=9),
        ICMP(type=8, seq=1), ICMP(type=8, seq=2), ICMP(type=0),
    ]  # fmt: skip
    networks = [ip / upper for ip, upper in product(ips, uppers)]
    networks += [IP(src="10.0.0.1", dst="10.0.0.2", frag=3, ttl=2, proto=17) / Raw(b"12345678")]
    networks += [IP(src="10.0.0.1", dst="10.0.0.2", options=b"\x01" * 4) / UDP(sport=1, dport=2)]
    networks += [IPv6(src="fd::1", dst="fd::2", hlim=h) / UDP(sport=1, dport=2) for h in (1, 9)]
    networks += [ARP(op=op, psrc="10.0.0.1", pdst="10.0.0.2") for op in (1, 2)]
    found = []
    for number, (ether, stack, network) in enumerate(product(ethers, tags, networks)):
        if number % 7 == 0:  # a spread of all combinations
            packet = ether.copy()
            for layer in (*stack, network):
                packet = packet / layer.copy()
            found.append(bytes(packet))
    return found + [found[0][:n] for n in (5, 14, 20, 33, 36)] + [bytes(60)]


def _coloured() -> list[bytes]:
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    dscps = (10, 12, 14, 18, 0)
    found = [ether / IP(tos=dscp << 2 | 1, ttl=2) / UDP(sport=1, dport=2) for dscp in dscps]
    found += [ether / IPv6(tc=dscp << 2) / UDP(sport=1, dport=2) for dscp in dscps]
    found.append(ether / Dot1Q(vlan=1) / IP(tos=10 << 2) / ICMP(type=8))
    return [bytes(packet) for packet in found]


PACKETS = st.sampled_from(_packets())
COLOURED = st.sampled_from(_coloured())
IN_PORTS = st.sampled_from(PORTS)
TUNNELS = st.sampled_from((0, 0, 0, 7, 7, (1 << 32 | 2) << 64 | 7, (1 << 32 | 3) << 64 | 7))
IP_TYPE = {"eth_type": 0x0800}
MATCHES = st.sampled_from([
    Match.of(**tests)
    for tests in (
        {}, {}, {"in_port": 1}, {"eth_dst": 0x020000000001}, {"eth_dst": 0x020000000002},
        {"eth_dst": 0x020000000001, "in_port": 1}, {"eth_dst": (0x020000000000, 0xFF0000000000)},
        {"vlan_vid": 0}, {"vlan_vid": 0x1001}, {"vlan_vid": (0x1000, 0x1000)},
        {"vlan_vid": 0x1002, "vlan_pcp": 3}, {"tunnel_id": 7}, {"metadata": 1},
        {"tun_ipv4_dst": 2}, {"tun_ipv4_src": 1, "tunnel_id": 7},
        {"metadata": (2, 2)}, {"eth_type": 0x0806}, {"eth_type": 0x0806, "arp_op": 1}, IP_TYPE,
        {**IP_TYPE, "ipv4_dst": 0x0A000002}, {**IP_TYPE, "ipv4_dst": (0x0A000000, 0xFFFFFF00)},
        {**IP_TYPE, "ip_proto": 17}, {**IP_TYPE, "ip_proto": 17, "udp_dst": 2},
        {**IP_TYPE, "ip_proto": 6, "tcp_src": 1}, {**IP_TYPE, "ip_proto": 1, "icmpv4_type": 8},
        {"eth_type": 0x86DD}, {**IP_TYPE, "ip_dscp": 12},
    )
])  # fmt: skip
COLOURS = st.builds(
    Match.of,
    eth_type=st.sampled_from((0x0800, 0x0800, 0x86DD)),
    ip_dscp=st.sampled_from((10, 12, 14)),
)
ACTIONS = st.sampled_from((
    *(Output(n) for n in (*PORTS, 9)), Output(OFPP.FLOOD), Output(OFPP.ALL), Output(OFPP.IN_PORT),
    Output(OFPP.CONTROLLER), Output(OFPP.CONTROLLER, 64), PushVlan(0x8100), PushVlan(0x88A8),
    PopVlan(), DecNwTtl(), SetNwTtl(2), SetField(oxm.TUNNEL_ID, 7), SetField(nxm.TUN_IPV4_DST, 2),
    SetField(oxm.VLAN_VID, 0x1001),
    SetField(oxm.ETH_DST, 0x020000000001), SetField(oxm.IPV4_DST, 0x0A000002),
    SetField(oxm.IP_DSCP, 10), SetField(oxm.UDP_DST, 2), SetField(oxm.ARP_OP, 1),
    SetField(oxm.ICMPV4_TYPE, 8),
))  # fmt: skip
ACTION_LISTS = st.lists(ACTIONS, max_size=4).map(tuple)
OUT_LISTS = st.lists(ACTIONS | st.just(Output(OFPP.TABLE)), max_size=4).map(tuple)


def fitting(match: Match, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """The actions without those that cannot stand where they do, for packets of that match."""
    kept: tuple[Action, ...] = ()
    for action in actions:
        try:
            check_consistent(match, (ApplyActions((*kept, action)),))
        except OpenFlowError:
            continue
        kept += (action,)
    return kept


METERS = st.integers(1, 2)
BANDS = st.builds(DropBand, st.integers(1, 3), burst_size=st.integers(1, 3)) | st.builds(
    DscpRemarkBand, st.integers(1, 3), burst_size=st.integers(1, 3), prec_level=st.integers(1, 2)
)
METER_MODS = st.builds(
    MeterMod,
    st.just(OFPMC.ADD),
    st.sampled_from((OFPMF.PKTPS, OFPMF.PKTPS, OFPMF.KBPS)).map(OFPMF.BURST.__or__),
    METERS,
    st.lists(BANDS, max_size=3).map(tuple),
)


@st.composite
def flow_mods(draw: st.DrawFn, command: st.SearchStrategy[int]) -> FlowMod:
    table_id = draw(st.sampled_from((0, 0, 0, 1, 2)))
    match = draw(MATCHES)
    instructions: list[Instruction] = []
    if draw(st.integers(0, 2)) == 0:
        instructions.append(Meter(draw(METERS)))
    if draw(st.booleans()):
        instructions.append(ApplyActions(fitting(match, draw(ACTION_LISTS))))
    if draw(st.integers(0, 4)) == 0:
        instructions.append(ClearActions())
    if draw(st.integers(0, 2)) == 0:
        instructions.append(WriteActions(fitting(match, draw(ACTION_LISTS))))
    if draw(st.integers(0, 3)) == 0:
        instructions.append(WriteMetadata(draw(st.integers(0, 3)), draw(st.integers(1, 3))))
    if table_id < 2 and draw(st.booleans()):
        instructions.append(GotoTable(draw(st.integers(table_id + 1, 3))))
    chosen = draw(command)
    if chosen in (OFPFC.DELETE, OFPFC.DELETE_STRICT) and draw(st.booleans()):
        table_id = OFPTT.ALL
    return FlowMod(
        cookie=draw(st.integers(0, 3)),
        cookie_mask=draw(st.sampled_from((0, 0, 1, 3))),
        table_id=table_id,
        command=chosen,
        idle_timeout=draw(st.sampled_from((0, 0, 1, 2))),
        hard_timeout=draw(st.sampled_from((0, 0, 2, 3))),
        priority=draw(st.integers(0, 2)),
        out_port=draw(st.sampled_from((OFPP.ANY, OFPP.ANY, OFPP.ANY, 2))),
        out_group=OFPG.ANY,
        flags=draw(st.sampled_from((0, 1, 1, 1 | OFPFF.RESET_COUNTS, OFPFF.CHECK_OVERLAP))),
        match=match,
        instructions=tuple(instructions),
    )


CHANGES = st.sampled_from((
    OFPFC.MODIFY, OFPFC.MODIFY_STRICT, OFPFC.DELETE, OFPFC.DELETE_STRICT, OFPFC.DELETE_STRICT,
))  # fmt: skip
