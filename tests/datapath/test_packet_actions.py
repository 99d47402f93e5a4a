"""Actions on tags and times to live in the pipeline: their order, and what an expired TTL does."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPR
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable, WriteActions
from sdnvirt.openflow.v13.match import Match

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")


def ip(ttl: int) -> Any:
    return IP(src="10.0.0.1", dst="10.0.0.2", ttl=ttl) / UDP(sport=1, dport=2)


def test_the_action_set_pops_then_pushes_mpls_pbb_and_vlan_then_sets(driver: Any) -> None:
    driver.mod(
        WriteActions((
            act.Output(2), act.SetField(oxm.PBB_ISID, 5), act.PushVlan(0x88A8), act.PushPbb(0x88E7),
            act.PushMpls(0x8847), act.SetField(oxm.VLAN_VID, 0x1007), act.PopVlan(),
        )),
        match=Match.of(vlan_vid=0x1003),
    )  # fmt: skip
    [(port, data)] = driver.send(bytes(ETHER / Dot1Q(vlan=3) / ip(9)))
    customer = bytes(ETHER / MPLS(label=0, s=1, ttl=9) / ip(9))
    service = b"\x88\xa8\0\x07" + b"\x88\xe7\0\0\0\x05"
    assert (port, data) == (2, customer[:12] + service + customer)


def test_the_action_set_copies_ttl_in_before_the_pop_and_out_before_the_decrement(
    driver: Any,
) -> None:
    actions = (act.DecNwTtl(), act.PopMpls(0x0800), act.CopyTtlIn(), act.Output(2))
    driver.mod(WriteActions(actions), match=Match.of(eth_type=0x8847))
    frame = bytes(ETHER / MPLS(label=9, s=1, ttl=40) / ip(9))
    assert driver.send(frame) == [(2, bytes(ETHER / ip(39)))]
    actions = (act.DecMplsTtl(), act.CopyTtlOut(), act.PushMpls(0x8847), act.Output(2))
    driver.mod(WriteActions(actions), match=Match.of(eth_type=0x8847))
    top = MPLS(label=9, s=0, ttl=39)
    assert driver.send(frame) == [(2, bytes(ETHER / top / MPLS(label=9, s=1, ttl=40) / ip(9)))]


@pytest.mark.parametrize("ttl", [0, 1])
@pytest.mark.parametrize(
    ("action", "packet"),
    [
        (act.DecMplsTtl(), lambda ttl: ETHER / MPLS(s=1, ttl=ttl) / ip(9)),
        (act.DecNwTtl(), lambda ttl: ETHER / ip(ttl)),
        (act.DecNwTtl(), lambda ttl: ETHER / Dot1Q(vlan=5) / IPv6(hlim=ttl) / UDP()),
    ],
    ids=["MPLS", "IPv4", "IPv6"],
)
def test_an_expired_ttl_goes_to_the_controller_and_no_further(
    driver: Any, action: Action, packet: Any, ttl: int
) -> None:
    driver.apply(act.Output(3), action, act.Output(2), cookie=7)
    frame = bytes(packet(ttl))
    (before, (punt, data)) = driver.send(frame)
    assert before == (3, frame)
    assert (punt.reason, punt.cookie, data) == (OFPR.INVALID_TTL, 7, frame)
    assert driver.send(bytes(packet(2))) == [(3, bytes(packet(2))), (2, bytes(packet(1)))]


def test_a_label_is_swapped_and_its_packet_routed_on(driver: Any) -> None:
    swap = (act.SetField(oxm.MPLS_LABEL, 20), act.SetField(oxm.MPLS_TC, 3), act.DecMplsTtl())
    driver.apply(*swap, act.Output(2), match=Match.of(eth_type=0x8847, mpls_label=10))
    sent = driver.send(bytes(ETHER / MPLS(label=10, s=1, ttl=64) / ip(9)))
    assert sent == [(2, bytes(ETHER / MPLS(label=20, cos=3, s=1, ttl=63) / ip(9)))]


def test_what_a_pop_uncovers_is_matched_by_later_tables(driver: Any) -> None:
    driver.mod(ApplyActions((act.PopMpls(0x0800),)), GotoTable(1), match=Match.of(eth_type=0x8847))
    driver.mod(ApplyActions((act.PopPbb(),)), GotoTable(1), match=Match.of(eth_type=0x88E7))
    driver.to(2, table_id=1, match=Match.of(eth_type=0x0800, ip_proto=17, udp_dst=2))
    inner = bytes(ETHER / ip(9))
    assert driver.send(bytes(ETHER / MPLS(label=9, s=1, ttl=4) / ip(9))) == [(2, inner)]
    assert driver.send(inner[:12] + b"\x88\xe7\0\0\0\x05" + inner) == [(2, inner)]


def test_what_does_not_apply_to_a_packet_leaves_it_as_it_was(driver: Any) -> None:
    driver.apply(
        act.PopVlan(), act.DecNwTtl(), act.SetNwTtl(3), act.CopyTtlIn(), act.CopyTtlOut(),
        act.DecMplsTtl(), act.SetMplsTtl(3), act.SetField(oxm.VLAN_VID, 0x1005), act.PopPbb(),
        act.Output(2),
    )  # fmt: skip
    frame = bytes(ETHER / ARP())
    assert driver.send(frame) == [(2, frame)]
