"""The flow key covers what a walk may look at, or the walk says that it looked deeper."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NS,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1AH, Dot1Q, Ether
from scapy.packet import Packet, Raw

from sdnvirt.datapath.actions import RULES
from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.rewriting.mpls import mpls_ttl_of
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.datapath.rewriting.ttl import ttl_of
from sdnvirt.datapath.walk import Walk
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPR
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable
from sdnvirt.openflow.v13.match import Match
from sdnvirt.wire.flowkey import KEY_BYTES, flow_key

BODY = Raw(bytes(range(40)))
TCP4 = IP(src="10.0.0.1", dst="10.0.0.2", ttl=7) / TCP(sport=1, dport=2) / BODY
TCP6 = IPv6(src="fd00::1", dst="fd00::2", hlim=7) / TCP(sport=1, dport=2) / BODY
ECHO6 = IPv6(src="fd00::1", dst="fd00::2") / ICMPv6EchoRequest(id=1, seq=1) / BODY
FRAMES = [
    bytes(packet)
    for packet in (
        Ether() / TCP4,
        Ether() / IP() / ICMP() / BODY,
        Ether() / IP(proto=47) / BODY,
        Ether() / IP(ttl=7) / TCP4,
        Ether() / TCP6,
        Ether() / ECHO6,
        Ether() / IPv6() / ICMPv6ND_NS() / ICMPv6NDOptSrcLLAddr(),
        Ether() / IPv6() / IPv6ExtHdrHopByHop() / UDP() / BODY,
        Ether() / ARP() / BODY,
        Ether() / Dot1Q(vlan=5) / TCP4,
        Ether() / Dot1AD(vlan=6) / Dot1Q(vlan=5) / ECHO6,
        Ether() / MPLS(s=1, ttl=9) / TCP4,
        Ether() / MPLS(s=0, ttl=9) / MPLS(s=1, ttl=8) / ECHO6,
        Ether() / Dot1Q(vlan=5) / MPLS(s=1, ttl=9) / TCP6,
        Ether() / Dot1AH(isid=7) / Ether() / TCP4,
        Ether() / Dot1AD(vlan=5) / Dot1AH(isid=7) / Ether() / Dot1Q(vlan=6) / ECHO6,
    )
]
TYPES = st.sampled_from((0x0800, 0x0806, 0x86DD, 0x8100, 0x8847, 0x88E7))
ACTIONS = st.one_of(
    st.sampled_from(
        (
            act.PushVlan(0x8100), act.PopVlan(), act.PushMpls(0x8847), act.PushPbb(0x88E7),
            act.PopPbb(), act.CopyTtlIn(), act.CopyTtlOut(), act.DecMplsTtl(), act.DecNwTtl(),
            act.SetMplsTtl(3), act.SetNwTtl(3),
        )
    ),
    st.builds(act.PopMpls, TYPES),
    st.builds(act.SetField, st.just(oxm.ETH_TYPE), TYPES),
    st.builds(act.SetField, st.just(oxm.IP_PROTO), st.sampled_from((1, 4, 6, 17, 41, 58, 132))),
    st.builds(act.SetField, st.just(oxm.ICMPV6_TYPE), st.sampled_from((128, 135, 136))),
    st.builds(act.SetField, st.sampled_from(sorted(SETTERS)), st.integers(0, 1)),
)  # fmt: skip


@st.composite
def twins(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A frame, and another with the same key: every byte may differ that the key leaves out."""
    one = draw(st.sampled_from(FRAMES))
    noise = draw(st.binary(min_size=len(one), max_size=len(one)))
    other = bytearray(one)
    for at, byte in enumerate(noise):
        before = other[at]
        other[at] = byte
        if flow_key(bytes(other)) != flow_key(one):
            other[at] = before
    more = draw(st.binary(max_size=9))
    longer = bytes(other) + more
    return one, longer if flow_key(longer) == flow_key(one) else bytes(other)


def seen(walk: Walk) -> tuple[Any, ...]:
    """What later tables and actions can tell of the packet."""
    return walk.fields, ttl_of(walk.data), mpls_ttl_of(walk.data), walk.stopped


@settings(max_examples=6 * settings().max_examples)
@given(twins(), st.lists(ACTIONS, max_size=5))
def test_packets_with_one_key_look_alike_after_any_actions_or_the_walk_looked_deeper(
    pair: tuple[bytes, bytes], actions: list[Action]
) -> None:
    datapath = Datapath()
    datapath.set_port(1, True)
    one, other = (Walk(datapath.state, 1, Frame(data)) for data in pair)
    for action in actions:
        if one.stopped:
            break
        for walk in (one, other):
            RULES[type(action)].execute(walk, action)
        assert one.deep == other.deep
        if one.deep:
            break
        assert seen(one) == seen(other)


def test_most_actions_do_not_look_deeper() -> None:
    datapath = Datapath()
    datapath.set_port(1, True)
    actions = (
        act.PushMpls(0x8847), act.SetField(oxm.MPLS_LABEL, 5), act.DecMplsTtl(), act.CopyTtlIn(),
        act.PopMpls(0x0800), act.PushVlan(0x8100), act.SetField(oxm.VLAN_VID, 0x1005),
        act.PopVlan(), act.PushPbb(0x88E7), act.PopPbb(), act.SetField(oxm.TCP_DST, 80),
    )  # fmt: skip
    walk = Walk(datapath.state, 1, Frame(bytes(Ether() / TCP4)))
    for action in actions:
        RULES[type(action)].execute(walk, action)
    assert not walk.deep
    assert walk.fields[oxm.TCP_DST] == 80


UDP4 = IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=1, dport=2) / BODY


@pytest.mark.parametrize(
    ("packet", "relabel", "ethertype"),
    [
        (Ether() / UDP4, act.SetField(oxm.ETH_TYPE, 0x0806), 0x0800),
        (Ether() / MPLS(s=1) / UDP4, act.PopMpls(0x0806), 0x8847),
    ],
    ids=["set-field", "pop"],
)
def test_frames_that_differ_only_behind_the_key_are_told_apart_once_they_are_relabelled(
    driver: Any, packet: Packet, relabel: Action, ethertype: int
) -> None:
    """ARP's sender is where IPv4 has its checksum, which is not in the key."""
    driver.mod(ApplyActions((relabel,)), GotoTable(1), match=Match.of(eth_type=ethertype))
    for checksum in (1, 2):
        sender = (checksum << 16, 0xFFFF << 16)
        driver.to(checksum + 1, table_id=1, match=Match.of(eth_type=0x0806, arp_sha=sender))

    def frame(checksum: int) -> bytes:
        copy = packet.copy()
        copy[IP].chksum = checksum
        return bytes(copy)

    assert flow_key(frame(1)) == flow_key(frame(2))
    for checksum in (1, 2, 1, 2):
        assert [port for port, _ in driver.send(frame(checksum))] == [checksum + 1]
    assert sum(packets for _, packets, _ in driver.counters()) == 8


def test_packets_in_packets_are_told_apart_by_a_ttl_that_is_copied(driver: Any) -> None:
    driver.apply(act.CopyTtlOut(), act.DecNwTtl(), act.Output(2), match=Match.of(eth_type=0x0800))
    dies, lives = (bytes(Ether() / IP(ttl=64) / IP(ttl=ttl) / UDP()) for ttl in (1, 9))
    assert flow_key(dies) == flow_key(lives)
    for _ in range(2):
        assert [port for port, _ in driver.send(lives)] == [2]
        [(punt, _)] = driver.send(dies)
        assert punt.reason == OFPR.INVALID_TTL


def test_a_deep_decision_still_rests_on_the_beginning_only() -> None:
    data = bytes(Ether() / TCP4) + bytes(200)
    changed = data[:KEY_BYTES] + b"x" * (len(data) - KEY_BYTES)
    datapath = Datapath()
    datapath.set_port(1, True)
    walks = [Walk(datapath.state, 1, Frame(frame)) for frame in (data, changed)]
    for walk in walks:
        for action in (act.SetField(oxm.ETH_TYPE, 0x86DD), act.SetField(oxm.ETH_TYPE, 0x88E7)):
            RULES[type(action)].execute(walk, action)
    assert seen(walks[0]) == seen(walks[1])


@pytest.mark.parametrize("frame", FRAMES, ids=lambda data: Ether(data).summary()[:40])
def test_a_frame_goes_the_same_way_again(driver: Any, frame: bytes) -> None:
    driver.apply(act.DecMplsTtl(), act.DecNwTtl(), act.Output(2), match=Match())
    assert driver.send(frame) == driver.send(frame)
