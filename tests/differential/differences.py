"""Where Open vSwitch does something else than our switch, and what the specification says."""

from __future__ import annotations

from typing import Any, Final

from scapy.contrib.mpls import MPLS
from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import (
    DecMplsTtl,
    DecNwTtl,
    Group,
    Output,
    PopMpls,
    PopVlan,
    PushMpls,
    PushVlan,
    SetField,
    SetNwTtl,
)
from sdnvirt.openflow.v13.constants import OFPGC, OFPGT
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable, Instruction, WriteActions
from sdnvirt.openflow.v13.match import Match
from tests.differential.kinds import MACS, PAYLOAD


def entry(*instructions: Instruction, **match: int | tuple[int, int]) -> FlowMod:
    return FlowMod(match=Match.of(**match), instructions=instructions)


def at_once(*actions: Action, **match: int | tuple[int, int]) -> list[Message]:
    return [entry(ApplyActions(actions), **match)]


TAGGED: Final = bytes(Ether(dst="02:00:00:00:00:01") / Dot1Q(vlan=1, prio=3) / Raw(bytes(46)))


PUSH, PUSH_AGAIN = PushVlan(0x8100), PushVlan(0x88A8)
THREE_TAGS: Final = TAGGED[:12] + bytes.fromhex("88a86001 81006001") + TAGGED[12:]
ZERO_TAG: Final = TAGGED[:12] + bytes.fromhex("81000000") + TAGGED[12:]
COPIED_TAG: Final = TAGGED[:12] + bytes.fromhex("81006001") + TAGGED[12:]
UNTAGGED: Final = TAGGED[:12] + TAGGED[16:]
VLAN_7: Final = TAGGED[:14] + bytes.fromhex("6007") + TAGGED[16:]
LABEL_OUTSIDE: Final = TAGGED[:12] + bytes.fromhex("8847 00000100") + TAGGED[14:]
LABEL_INSIDE: Final = TAGGED[:16] + bytes.fromhex("8847 00000140") + TAGGED[18:]

TO: Final = Ether(src=MACS[0], dst=MACS[1])
IN_IPV6: Final = IPv6(src="fd00::1", dst="fd00::2", hlim=9, tc=0x28)
UPPER: Final = UDP(sport=1, dport=2) / PAYLOAD
ARP_REQUEST: Final = bytes(TO / ARP(psrc="10.0.0.1", pdst="10.0.0.2") / PAYLOAD)
DATAGRAM: Final = bytes(TO / IN_IPV6 / UPPER)
FRAGMENT: Final = bytes(TO / IN_IPV6 / IPv6ExtHdrFragment(m=1, id=1) / UPPER)
LATER_FRAGMENT: Final = bytes(TO / IN_IPV6 / IPv6ExtHdrFragment(offset=4, id=1, nh=17) / PAYLOAD)
EXPIRED: Final = bytes(TO / IPv6(src="fd00::1", dst="fd00::2", hlim=1) / UPPER)
ROUTING: Final = IPv6ExtHdrRouting(addresses=["fd00::9"])
ROUTED: Final = bytes(TO / IN_IPV6 / ROUTING / UPPER)
ROUTED_FROM_3: Final = bytes(
    TO / IPv6(src="fd00::3", dst="fd00::2", hlim=9, tc=0x28) / ROUTING / UPPER
)
SOURCE_AT: Final = 14 + 8
WRONG_FROM_3: Final = ROUTED[:SOURCE_AT] + ROUTED_FROM_3[SOURCE_AT : SOURCE_AT + 16] + ROUTED[38:]
TWO_LABELS: Final = bytes(TO / MPLS(label=16, s=0, ttl=9) / MPLS(label=4, s=1, ttl=8) / IN_IPV6)
HOP_BY_HOP: Final = bytes(TO / IN_IPV6 / IPv6ExtHdrHopByHop() / UPPER)


def labelled(packet: bytes, stack_entry: str, ethertype: str = "8847") -> bytes:
    """Return a packet with a label before its network header."""
    return packet[:12] + bytes.fromhex(ethertype + stack_entry) + packet[14:]


def unlabelled(packet: bytes, labels: int, ethertype: str) -> bytes:
    """Return a packet without its first labels, and with another type."""
    return packet[:12] + bytes.fromhex(ethertype) + packet[14 + 4 * labels :]


INCONSISTENT: Final = "BAD_ACTION/MATCH_INCONSISTENT"
MPLS_TYPE: Final = {"eth_type": 0x8847, "mpls_bos": 0}

DIFFERENCES: Final[dict[str, tuple[list[Message], bytes, Any, Any]]] = {
    "5.4: a packet that matches no entry of a table is dropped, whatever its action set": (
        [entry(WriteActions((Output(2),)), GotoTable(1))], TAGGED, [], [(2, TAGGED)],
    ),
    "5.12.1: a pushed tag has the VLAN and the priority of the one that was there": (
        at_once(PUSH, Output(2)), TAGGED, [(2, COPIED_TAG)], [(2, ZERO_TAG)],
    ),
    "7.2.5: a packet may have more than two tags": (
        at_once(PUSH, PUSH_AGAIN, Output(2), vlan_vid=0x1001), TAGGED,
        [(2, THREE_TAGS)], "BAD_ACTION/BAD_TAG",
    ),
    "7.2.5: the match must have what the field requires, and vlan_vid requires nothing": (
        at_once(SetField(oxm.VLAN_VID, 0x1007), Output(2)), TAGGED, [(2, VLAN_7)], INCONSISTENT,
    ),
    "6.4: a switch may leave it open whether packets of the match have a tag to pop": (
        at_once(PopVlan(), Output(2)), TAGGED, [(2, UNTAGGED)], INCONSISTENT,
    ),
    "6.4: a switch may leave it open whether packets of the match have a TTL": (
        at_once(SetNwTtl(30), Output(2)), TAGGED, [(2, TAGGED)], INCONSISTENT,
    ),
    "5.12.1: a label is pushed before all tags": (
        at_once(PushMpls(0x8847), Output(2)), TAGGED, [(2, LABEL_OUTSIDE)], [(2, LABEL_INSIDE)],
    ),
    "5.12.1: a pushed label has the TTL of IPv6, and all else of it is 0": (
        at_once(PushMpls(0x8847), Output(2), eth_type=0x86DD), DATAGRAM,
        [(2, labelled(DATAGRAM, "00000109"))], [(2, labelled(DATAGRAM, "00002509"))],
    ),
    "5.12.1: the TTL of a label is 0 where there is none to be copied": (
        at_once(PushMpls(0x8847), Output(2), eth_type=0x0806), ARP_REQUEST,
        [(2, labelled(ARP_REQUEST, "00000100"))], [(2, labelled(ARP_REQUEST, "00000140"))],
    ),
    "5.12: the outermost label is popped, and none below it": (
        at_once(PopMpls(0x86DD), Output(2), **MPLS_TYPE), TWO_LABELS,
        [(2, unlabelled(TWO_LABELS, 1, "86dd"))], [(2, unlabelled(TWO_LABELS, 2, "86dd"))],
    ),
    "7.2.5: a pushed label has the type that the action says, whatever was popped before": (
        at_once(PopMpls(0x8847), PushMpls(0x8848), Output(2), **MPLS_TYPE), TWO_LABELS,
        [(2, TWO_LABELS[:12] + bytes.fromhex("8848 00004008") + TWO_LABELS[18:])],
        [(2, TWO_LABELS[:12] + bytes.fromhex("8847 00004008") + TWO_LABELS[18:])],
    ),
    "7.2.5: to decrement a label's TTL means nothing to a packet without one": (
        [
            GroupMod(OFPGC.ADD, OFPGT.INDIRECT, 1, (Bucket(actions=(DecMplsTtl(), Output(2))),)),
            *at_once(Group(1)),
        ],
        ARP_REQUEST, [(2, ARP_REQUEST)], [],
    ),
    "RFC 8200, 8.1: the source is in the checksum at every hop of a route": (
        at_once(SetField(oxm.IPV6_SRC, 0xFD00 << 112 | 3), Output(2), eth_type=0x86DD), ROUTED,
        [(2, ROUTED_FROM_3)], [(2, WRONG_FROM_3)],
    ),
    "7.2.3.7: the protocol of a fragment is that of what is in fragments": (
        at_once(Output(2), eth_type=0x86DD, ip_proto=17), LATER_FRAGMENT,
        [(2, LATER_FRAGMENT)], [],
    ),
    "RFC 1812, 5.3.1: a packet is discarded when its TTL is over, whatever its action set": (
        [
            entry(
                ApplyActions((Output(3), DecNwTtl(), Output(4))), WriteActions((Output(2),)),
                eth_type=0x86DD,
            )
        ],
        EXPIRED, [(3, EXPIRED)], [(3, EXPIRED), (2, EXPIRED)],
    ),
    "7.3.2: nothing is special about fragments, and the first one has the ports": (
        at_once(Output(2), eth_type=0x86DD, ip_proto=17, udp_dst=2), FRAGMENT,
        [(2, FRAGMENT)], [],
    ),
    "7.2.3.7: a match may test which extension headers there are": (
        at_once(Output(2), eth_type=0x86DD, ipv6_exthdr=(0x40, 0x40)), HOP_BY_HOP,
        [(2, HOP_BY_HOP)], "BAD_MATCH/BAD_FIELD",
    ),
}  # fmt: skip
"""Section and rule of OpenFlow 1.3.5, or of an RFC, to tables, a packet, what becomes of it, and
what Open vSwitch 3.1 does with it instead."""
