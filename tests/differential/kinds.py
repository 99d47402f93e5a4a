"""Packets of one kind (IPv4 and ARP, IPv6, or MPLS), and matches and actions that fit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet, Raw

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import (
    DecMplsTtl,
    DecNwTtl,
    PopMpls,
    PopVlan,
    PushMpls,
    PushVlan,
    SetField,
    SetMplsTtl,
    SetNwTtl,
)

Match_ = dict[str, int | tuple[int, int]]


@dataclass(frozen=True)
class Kind:
    """Packets, and what is done to them.

    Attributes:
        packets: the packets.
        matches: matches, as arguments of Match.of; beside these there are ANY_MATCHES.
        sets: actions that change a header and leave what headers there are.
        applied: such as change that; only applied at once, never written.
        pushes: actions that belong together, see DIFFERENCES; a packet goes through them once.
    """

    packets: list[bytes]
    matches: tuple[Match_, ...]
    sets: tuple[Action, ...]
    applied: tuple[Action, ...]
    pushes: tuple[tuple[Action, ...], ...]


MACS: Final = ("02:00:00:00:00:01", "02:00:00:00:00:02")
TAGS: Final = ([], [Dot1Q(vlan=1)], [Dot1Q(vlan=2, prio=3)])
PAYLOAD: Final = Raw(bytes(18))


def frames(tags: Sequence[list[Packet]], networks: Sequence[Packet]) -> list[bytes]:
    """Return each packet behind each stack of tags, to either address."""
    found = []
    for number, (dst, stack, network) in enumerate(product(MACS, tags, networks)):
        packet = Ether(src=MACS[number % 2], dst=dst)
        for layer in (*stack, network):
            packet = packet / layer.copy()
        found.append(bytes(packet))
    return found


ANY_MATCHES: Final[tuple[Match_, ...]] = (
    {}, {}, {}, {"in_port": 1}, {"in_port": 2}, {"eth_dst": 0x020000000001},
    {"eth_src": 0x020000000002}, {"eth_dst": (0x020000000000, 0xFF0000000003)},
    {"metadata": 1}, {"metadata": (2, 2)}, {"vlan_vid": 0},
)  # fmt: skip
TAG_MATCHES: Final[tuple[Match_, ...]] = (
    {"vlan_vid": 0x1001}, {"vlan_vid": (0x1000, 0x1000)}, {"vlan_vid": 0x1002, "vlan_pcp": 3},
)  # fmt: skip
TAG_ACTIONS: Final = (
    SetField(oxm.VLAN_VID, 0x1001), SetField(oxm.VLAN_VID, 0x1064), SetField(oxm.VLAN_PCP, 5),
    PopVlan(),
)  # fmt: skip
TAG_PUSHES: Final = tuple(
    (PushVlan(tag), SetField(oxm.VLAN_VID, 0x1007), SetField(oxm.VLAN_PCP, 1))
    for tag in (0x8100, 0x88A8)
)
ADDRESS_SETS: Final = (SetField(oxm.ETH_DST, 0x020000000001), SetField(oxm.ETH_SRC, 0x020000000009))
IP_SETS: Final = (
    SetNwTtl(30), DecNwTtl(), SetField(oxm.IP_DSCP, 1), SetField(oxm.IP_ECN, 2),
    SetField(oxm.UDP_DST, 2), SetField(oxm.UDP_SRC, 7), SetField(oxm.TCP_SRC, 1),
    SetField(oxm.TCP_DST, 9), SetField(oxm.SCTP_SRC, 1), SetField(oxm.SCTP_DST, 9),
)  # fmt: skip

IPV4, ARP_TYPE, IPV6 = {"eth_type": 0x0800}, {"eth_type": 0x0806}, {"eth_type": 0x86DD}


def of_transports(network: Match_) -> tuple[Match_, ...]:
    """Return matches on what any version of IP carries."""
    return tuple(
        {**network, **test}
        for test in (
            {"ip_dscp": 1}, {"ip_ecn": 2}, {"ip_proto": 17}, {"ip_proto": 6}, {"ip_proto": 132},
            {"ip_proto": 17, "udp_dst": 2}, {"ip_proto": 17, "udp_src": 2},
            {"ip_proto": 6, "tcp_src": 1}, {"ip_proto": 6, "tcp_dst": 1},
            {"ip_proto": 132, "sctp_src": 1}, {"ip_proto": 132, "sctp_dst": 9},
        )
    )  # fmt: skip


def _ipv4() -> Kind:
    ips = [IP(src="10.0.0.1", dst=f"10.0.{n}.2", ttl=64, tos=6 * n) for n in (0, 1)]
    uppers = (
        UDP(sport=1, dport=2), UDP(sport=2, dport=1, chksum=0), TCP(sport=1, dport=2), ICMP(),
        ICMP(type=3, code=1), SCTP(sport=1, dport=2, tag=1),
    )  # fmt: skip
    networks = [ip / upper / PAYLOAD for ip, upper in product(ips, uppers)]
    networks.append(ips[0].copy() / PAYLOAD)
    networks[-1].frag, networks[-1].proto = 4, 17
    networks += [ARP(op=op, psrc="10.0.0.1", pdst="10.0.0.2") / PAYLOAD for op in (1, 2)]
    return Kind(
        packets=frames(TAGS, networks),
        matches=(
            *TAG_MATCHES, IPV4, IPV4, {**IPV4, "vlan_vid": 0x1001}, *of_transports(IPV4),
            {**IPV4, "ipv4_dst": 0x0A000002}, {**IPV4, "ipv4_dst": (0x0A000100, 0xFFFFFF00)},
            {**IPV4, "ip_proto": 1, "icmpv4_type": 3}, {**IPV4, "ip_proto": 1, "icmpv4_code": 0},
            ARP_TYPE, {**ARP_TYPE, "arp_op": 1}, {**ARP_TYPE, "arp_tpa": 0x0A000002},
        ),
        sets=(
            *ADDRESS_SETS, *IP_SETS, SetField(oxm.IPV4_DST, 0x0A000002),
            SetField(oxm.IPV4_SRC, 0x0A000909), SetField(oxm.ARP_OP, 1),
            SetField(oxm.ARP_SPA, 0x0A000707), SetField(oxm.ARP_THA, 0x020000000007),
            SetField(oxm.ICMPV4_CODE, 3),
        ),
        applied=TAG_ACTIONS,
        pushes=TAG_PUSHES,
    )  # fmt: skip


FD00_1, FD00_2 = 0xFD00 << 112 | 1, 0xFD00 << 112 | 2
UPPER_HALF: Final = (1 << 128) - (1 << 64)


def _ipv6() -> Kind:
    ips = [
        IPv6(src="fd00::1", dst="fd00::2", hlim=64),
        IPv6(src="fd00::1", dst="fd00:0:0:1::2", hlim=99, tc=6, fl=0x12345),
    ]
    uppers = [UDP(sport=1, dport=2), TCP(sport=1, dport=2), SCTP(sport=1, dport=2, tag=1)]
    networks = [ip / upper / PAYLOAD for ip, upper in product(ips, uppers)]
    networks += [ip / ICMPv6EchoRequest(data=bytes(18)) for ip in ips]
    sll, tll = ICMPv6NDOptSrcLLAddr(lladdr=MACS[0]), ICMPv6NDOptDstLLAddr(lladdr=MACS[1])
    networks += [
        IPv6(src="fd00::1", dst="ff02::1:ff00:2", hlim=255) / ICMPv6ND_NS(tgt="fd00::2") / sll,
        IPv6(src="fd00::2", dst="fd00::1", hlim=255) / ICMPv6ND_NA(tgt="fd00::2") / tll,
        IPv6(src="fd00::1", dst="fd00::2", hlim=255) / ICMPv6ND_NS(tgt="fd00::1"),
    ]
    for extensions in (
        IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt(),
        IPv6ExtHdrRouting(addresses=["fd00::9"], segleft=0),
    ):  # fmt: skip
        networks += [ips[0] / extensions / upper / PAYLOAD for upper in uppers[:2]]
    icmp = {**IPV6, "ip_proto": 58}
    return Kind(
        packets=frames(TAGS[:2], networks),
        matches=(
            *TAG_MATCHES, IPV6, IPV6, IPV6, {**IPV6, "vlan_vid": 0x1001}, *of_transports(IPV6),
            {**IPV6, "ipv6_dst": FD00_2}, {**IPV6, "ipv6_src": FD00_1},
            {**IPV6, "ipv6_dst": (0xFD00 << 112, UPPER_HALF)},
            {**IPV6, "ipv6_flabel": 0x12345}, {**IPV6, "ipv6_flabel": (0x00005, 0x0000F)},
            icmp, {**icmp, "icmpv6_type": 128}, {**icmp, "icmpv6_code": 0},
            {**icmp, "icmpv6_type": 135}, {**icmp, "icmpv6_type": 136},
            {**icmp, "icmpv6_type": 135, "ipv6_nd_target": FD00_2},
            {**icmp, "icmpv6_type": 136, "ipv6_nd_target": FD00_2},
            {**icmp, "icmpv6_type": 135, "ipv6_nd_sll": 0x020000000001},
            {**icmp, "icmpv6_type": 136, "ipv6_nd_tll": 0x020000000002},
        ),
        sets=(
            *ADDRESS_SETS, *IP_SETS, SetField(oxm.IPV6_DST, FD00_2),
            SetField(oxm.IPV6_SRC, 0xFD00 << 112 | 0x909), SetField(oxm.IPV6_FLABEL, 0x12345),
            SetField(oxm.ICMPV6_CODE, 3), SetField(oxm.IPV6_ND_TARGET, FD00_1),
            SetField(oxm.IPV6_ND_SLL, 0x020000000009), SetField(oxm.IPV6_ND_TLL, 0x020000000008),
        ),
        applied=TAG_ACTIONS,
        pushes=TAG_PUSHES,
    )  # fmt: skip


LABEL_OF: Final = {4: 0x0800, 6: 0x86DD, 7: 0x0806}
"""Label to the type of what is below it, as far as the packets go that are made here: what is
popped off must be known, see DIFFERENCES."""


def _mpls() -> Kind:
    below = {
        4: IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1, dport=2) / PAYLOAD,
        6: IPv6(src="fd00::1", dst="fd00::2") / TCP(sport=1, dport=2) / PAYLOAD,
        7: ARP(psrc="10.0.0.1", pdst="10.0.0.2") / PAYLOAD,
    }
    stacks = [[packet] for packet in below.values()]
    for number, packet in below.items():
        bottom = MPLS(label=number, cos=number & 1, s=1, ttl=64 + number)
        stacks += [[bottom, packet], [MPLS(label=16, cos=5, s=0, ttl=99), bottom, packet]]
    packets = []
    for dst, stack in product(MACS, stacks):
        packet = Ether(src=MACS[0], dst=dst)
        for layer in stack:
            packet = packet / layer.copy()
        packets.append(bytes(packet))
    label = {"eth_type": 0x8847}
    bottom = {**label, "mpls_bos": 1}
    return Kind(
        packets=packets,
        matches=(
            IPV4, IPV6, ARP_TYPE, {**IPV4, "ipv4_dst": 0x0A000002}, {**IPV6, "ip_proto": 6},
            label, label, label, {"eth_type": 0x8848}, bottom, {**label, "mpls_bos": 0},
            {**label, "mpls_bos": 0}, {**label, "mpls_label": 16}, {**label, "mpls_tc": 5},
            {**label, "mpls_tc": 1}, *({**bottom, "mpls_label": number} for number in LABEL_OF),
            *({**bottom, "mpls_label": number} for number in LABEL_OF),
        ),
        sets=(
            *ADDRESS_SETS, SetField(oxm.MPLS_TC, 5), SetField(oxm.MPLS_TC, 2), SetMplsTtl(30),
            DecMplsTtl(), SetNwTtl(30), DecNwTtl(), SetField(oxm.IPV4_DST, 0x0A000002),
            SetField(oxm.IPV6_DST, FD00_2), SetField(oxm.MPLS_LABEL, 16),
        ),
        applied=(PopMpls(0x8847), *(PopMpls(ethertype) for ethertype in LABEL_OF.values())),
        pushes=tuple(
            (PushMpls(ethertype), SetField(oxm.MPLS_LABEL, 16), SetField(oxm.MPLS_TC, 3),
             SetMplsTtl(64))
            for ethertype in (0x8847, 0x8848)
        ),
    )  # fmt: skip


KINDS: Final = {"IPv4": _ipv4(), "IPv6": _ipv6(), "MPLS": _mpls()}
