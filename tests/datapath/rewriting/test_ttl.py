"""The time to live, set and copied, compared with packets that scapy builds anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrHopByHop
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Raw

from sdnvirt.datapath.rewriting.mpls import mpls_ttl_of, set_mpls_ttl
from sdnvirt.datapath.rewriting.ttl import copy_ttl_in, copy_ttl_out, set_ttl, ttl_of

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")


def ip4(ttl: int, **fields: object) -> Packet:
    return IP(src="10.0.0.1", dst="10.0.0.2", ttl=ttl, **fields)


def ip6(ttl: int, **fields: object) -> Packet:
    return IPv6(src="fd00::1", dst="fd00::2", hlim=ttl, **fields)


IPV4_PACKETS = {
    "TCP": ETHER / ip4(7) / TCP(),
    "UDP behind a tag": ETHER / Dot1Q(vlan=5) / ip4(7) / UDP(),
    "with options": ETHER / ip4(7, options=b"\x01" * 8) / ICMP(),
    "a fragment": ETHER / ip4(7, frag=8, proto=6) / Raw(b"more"),
}
IPV6_PACKETS = {
    "TCP": ETHER / ip6(7) / TCP(),
    "UDP behind a tag": ETHER / Dot1Q(vlan=5) / ip6(7) / UDP(),
    "with extensions": ETHER / ip6(7) / IPv6ExtHdrHopByHop() / TCP(),
}


@pytest.mark.parametrize("ttl", [0, 1, 6, 255])
@pytest.mark.parametrize("name", IPV4_PACKETS)
def test_the_ttl_is_set_with_its_checksum(name: str, ttl: int) -> None:
    packet = IPV4_PACKETS[name].copy()
    before = bytes(packet)
    assert ttl_of(before) == packet[IP].ttl
    packet[IP].ttl = ttl
    assert set_ttl(before, ttl) == bytes(packet)


@pytest.mark.parametrize("name", IPV6_PACKETS)
def test_the_hop_limit_is_set(name: str) -> None:
    packet = IPV6_PACKETS[name].copy()
    before = bytes(packet)
    assert ttl_of(before) == 7
    packet[IPv6].hlim = 200
    assert set_ttl(before, 200) == bytes(packet)


@pytest.mark.parametrize("packet", [ETHER / ARP(), ETHER / MPLS(s=1) / ip4(7)], ids=["ARP", "MPLS"])
def test_what_is_not_ip_has_no_ttl_of_ip(packet: Packet) -> None:
    data = bytes(packet)
    assert ttl_of(data) is None
    assert set_ttl(data, 3) == data


@pytest.mark.parametrize("tags", [[], [Dot1Q(vlan=5)]])
@pytest.mark.parametrize("ttl", [0, 1, 255])
def test_the_ttl_of_the_outermost_label_is_set(tags: list[Packet], ttl: int) -> None:
    def packet(outer: int) -> bytes:
        stack = ETHER
        for tag in tags:
            stack = stack / tag
        return bytes(stack / MPLS(s=0, ttl=outer) / MPLS(s=1, ttl=5) / ip4(6))

    assert mpls_ttl_of(packet(64)) == 64
    assert set_mpls_ttl(packet(64), ttl) == packet(ttl)


def test_what_has_no_label_has_no_ttl_of_one() -> None:
    data = bytes(IPV4_PACKETS["TCP"])
    assert mpls_ttl_of(data) is None
    assert set_mpls_ttl(data, 3) == data


STACKS = {
    "MPLS and MPLS": lambda a, b: ETHER / MPLS(s=0, ttl=a) / MPLS(s=1, ttl=b) / ip4(99) / UDP(),
    "MPLS and IPv4": lambda a, b: ETHER / MPLS(s=1, ttl=a) / ip4(b) / UDP(),
    "MPLS and IPv6": lambda a, b: ETHER / MPLS(s=1, ttl=a) / ip6(b) / UDP(),
    "behind a tag": lambda a, b: ETHER / Dot1Q(vlan=5) / MPLS(s=1, ttl=a) / ip4(b) / UDP(),
    "IPv4 in IPv4": lambda a, b: ETHER / ip4(a) / ip4(b) / UDP(),
    "IPv6 in IPv4": lambda a, b: ETHER / ip4(a) / ip6(b) / UDP(),
    "IPv4 in IPv6": lambda a, b: ETHER / ip6(a) / ip4(b) / UDP(),
    "IPv6 in IPv6": lambda a, b: ETHER / ip6(a) / IPv6ExtHdrHopByHop() / ip6(b) / UDP(),
}


@pytest.mark.parametrize("name", STACKS)
def test_the_ttl_is_copied_between_the_outermost_header_and_the_next(name: str) -> None:
    stack = STACKS[name]
    assert copy_ttl_out(bytes(stack(64, 32)), 0) == bytes(stack(32, 32))
    assert copy_ttl_in(bytes(stack(64, 32)), 0) == bytes(stack(64, 64))


@pytest.mark.parametrize(
    "packet",
    [
        ETHER / ip4(7) / UDP(),
        ETHER / ARP(),
        ETHER / MPLS(s=1, ttl=9) / ARP(),
        ETHER / MPLS(s=0, ttl=9),
        ETHER / ip4(7, frag=3, proto=4) / ip4(9),
    ],
    ids=["IP alone", "ARP", "MPLS with ARP", "MPLS cut short", "a later fragment"],
)
def test_without_a_second_ttl_nothing_is_copied(packet: Packet) -> None:
    data = bytes(packet)
    assert copy_ttl_out(data, 0) == copy_ttl_in(data, 0) == data


@given(
    st.binary(max_size=80),
    st.sampled_from((b"", b"\x08\0\x45", b"\x86\xdd\x60", b"\x88\x47", b"\x88\x47\0\0\1\x40\x45")),
)
def test_no_bytes_break_a_change_of_the_ttl(data: bytes, kind: bytes) -> None:
    data = data[:12] + kind + data[12:]
    for rewrite in (set_ttl, set_mpls_ttl, copy_ttl_in, copy_ttl_out):
        assert len(rewrite(data, 9)) == len(data)


@pytest.mark.parametrize("name", STACKS)
def test_no_truncation_breaks_a_change_of_the_ttl(name: str) -> None:
    data = bytes(STACKS[name](64, 32))
    for end in range(len(data)):
        for rewrite in (set_ttl, set_mpls_ttl, copy_ttl_in, copy_ttl_out):
            assert len(rewrite(data[:end], 9)) == end
