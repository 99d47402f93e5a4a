"""Explanations name the entry that nearly matched, and the field that differed."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from sdnvirt.frame import Frame
from sdnvirt.openflow.v13.match import Match

FRAME = (
    Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    / IP(src="10.0.0.1", dst="10.0.0.2")
    / UDP(sport=5, dport=53)
).build()


def near(driver: Any) -> list[str]:
    return [line for line in driver.datapath.explain(1, Frame(FRAME)) if "nearly" in line]


def test_one_field_that_differs_is_named(driver: Any) -> None:
    driver.to(2, priority=20, match=Match.of(eth_type=0x0800, ip_proto=17, udp_dst=54))
    assert near(driver) == [
        "  (priority 20, eth_type=0x0800,ip_proto=17,udp_dst=54 nearly matched: udp_dst, "
        "the packet has 53)"
    ]


def test_a_field_that_the_packet_does_not_have_differs_too(driver: Any) -> None:
    driver.to(2, match=Match.of(vlan_vid=(0x1000, 0x1000), eth_type=0x0800))
    assert near(driver) == [
        "  (priority 32768, eth_type=0x0800,vlan_vid=0x1000/0x1000 nearly matched: vlan_vid, "
        "the packet has 0x0)"
    ]


def test_two_fields_are_not_near_and_the_highest_priority_counts(driver: Any) -> None:
    driver.to(2, priority=30, match=Match.of(in_port=2, eth_type=0x86DD))
    driver.to(2, priority=20, match=Match.of(in_port=2))
    driver.to(2, priority=10, match=Match.of(in_port=3))
    assert near(driver) == ["  (priority 20, in_port=2 nearly matched: in_port, the packet has 1)"]


def test_what_would_not_have_won_is_not_told(driver: Any) -> None:
    driver.to(3, priority=20, match=Match.of(in_port=1))
    driver.to(2, priority=10, match=Match.of(in_port=2))
    assert near(driver) == []
