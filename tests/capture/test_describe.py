"""Frames in one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.igmp import IGMP
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6MLReport,
    ICMPv6ND_NS,
    IPv6,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN

from sdnvirt.capture.describe import describe

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
PACKET = IP(src="10.0.0.1", dst="10.0.0.2")
PACKET6 = IPv6(src="2001:db8::1", dst="2001:db8::2")


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (
            ETHER / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2"),
            "ARP, Request who-has 10.0.0.2 tell 10.0.0.1",
        ),
        (
            ETHER / PACKET / ICMP(type=8, id=7, seq=2) / b"abc",
            "10.0.0.1 > 10.0.0.2: ICMP echo request, id 7, seq 2, length 11",
        ),
        (
            ETHER / PACKET / UDP(sport=5, dport=6) / b"abc",
            "10.0.0.1.5 > 10.0.0.2.6: UDP, length 3",
        ),
        (
            ETHER / PACKET / TCP(sport=5, dport=80, flags="PA", seq=7, ack=8, window=9) / b"abc",
            "10.0.0.1.5 > 10.0.0.2.80: TCP [P.], seq 7, ack 8, win 9, length 3",
        ),
        (
            ETHER / Dot1Q(vlan=10) / PACKET / UDP(sport=5, dport=6),
            "vlan 10, 10.0.0.1.5 > 10.0.0.2.6: UDP, length 0",
        ),
        (
            ETHER / PACKET / UDP(sport=5, dport=4789) / VXLAN(vni=70001, flags=8)
            / ETHER / PACKET / UDP(sport=1, dport=2),
            "10.0.0.1.5 > 10.0.0.2.4789: VXLAN, vni 70001: 10.0.0.1.1 > 10.0.0.2.2: UDP, length 0",
        ),
        (ETHER / PACKET / b"", "10.0.0.1 > 10.0.0.2: IP protocol 0"),
        (
            ETHER / PACKET / IGMP(type=0x16, gaddr="239.1.2.3"),
            "10.0.0.1 > 10.0.0.2: igmp report v2 239.1.2.3",
        ),
        (
            ETHER / PACKET6 / UDP(sport=5, dport=6) / b"abc",
            "2001:db8::1.5 > 2001:db8::2.6: UDP, length 3",
        ),
        (
            ETHER / PACKET6 / ICMPv6EchoRequest(id=7, seq=2, data=b"abc"),
            "2001:db8::1 > 2001:db8::2: ICMP6 echo request, id 7, seq 2, length 11",
        ),
        (
            ETHER / PACKET6 / ICMPv6ND_NS(tgt="2001:db8::2"),
            "2001:db8::1 > 2001:db8::2: ICMP6 neighbour solicitation, who has 2001:db8::2",
        ),
        (
            ETHER / PACKET6 / ICMPv6MLReport(mladdr="ff05::1"),
            "2001:db8::1 > 2001:db8::2: ICMP6 multicast listener report ff05::1",
        ),
        (
            ETHER / PACKET6 / IPv6ExtHdrFragment(m=1, id=1) / b"8 bytes.",
            "2001:db8::1 > 2001:db8::2: fragment",
        ),
        (
            Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02", type=0x88CC) / b"x",
            "02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype 0x88cc",
        ),
    ],
)  # fmt: skip
def test_a_frame_in_one_line(frame: Ether, line: str) -> None:
    assert describe(frame.build()) == line


@given(st.binary(max_size=100))
def test_any_bytes_are_one_line(data: bytes) -> None:
    assert len(describe(data).splitlines()) == 1


def test_a_tower_of_tags_is_cut_off() -> None:
    tower = bytes(12) + b"\x81\x00\x00\x05" * 2000 + b"\x08\x00"
    assert describe(tower) == "vlan 5, " * 8 + "7982 B more"
