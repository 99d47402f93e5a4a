"""UDP datagrams over both versions of IP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire.checksum import ChecksumError
from sdnvirt.wire.udp import HEADER_LENGTH, Udp

PORT = st.integers(0, 0xFFFF)
IPV4 = st.binary(min_size=4, max_size=4).map(Ipv4)
IPV6 = st.binary(min_size=16, max_size=16).map(Ipv6)
DATAGRAMS = st.builds(Udp, PORT, PORT, st.binary(max_size=60))

A, B = Ipv4("10.0.0.1"), Ipv4("10.0.0.2")
DATAGRAM = Udp(4000, 53, b"question")


@given(DATAGRAMS, IPV4, IPV4, st.binary(max_size=8))
def test_what_is_emitted_parses_to_the_same_datagram(
    datagram: Udp, src: Ipv4, dst: Ipv4, behind: bytes
) -> None:
    assert Udp.parse(datagram.emit(src, dst) + behind, src, dst) == datagram
    assert Udp.parse(datagram.emit_without_checksum() + behind, src, dst) == datagram


@given(DATAGRAMS, IPV4, IPV4)
def test_bytes_are_those_of_scapy(datagram: Udp, src: Ipv4, dst: Ipv4) -> None:
    ip = IP(src=str(src), dst=str(dst), proto=17)
    udp = UDP(sport=datagram.src_port, dport=datagram.dst_port)
    assert datagram.emit(src, dst) == bytes(ip / udp / datagram.payload)[20:]


@given(DATAGRAMS, IPV6, IPV6)
def test_bytes_over_ipv6_are_those_of_scapy(datagram: Udp, src: Ipv6, dst: Ipv6) -> None:
    ip = IPv6(src=str(src), dst=str(dst), nh=17)
    udp = UDP(sport=datagram.src_port, dport=datagram.dst_port)
    data = datagram.emit(src, dst)
    assert data == bytes(ip / udp / datagram.payload)[40:]
    assert Udp.parse(data, src, dst) == datagram


def test_ipv6_demands_a_checksum() -> None:
    a, b = Ipv6("2001:db8::1"), Ipv6("2001:db8::2")
    with pytest.raises(ChecksumError):
        Udp.parse(DATAGRAM.emit_without_checksum(), a, b)


def test_a_checksum_of_zero_is_sent_as_all_ones() -> None:
    partial = Udp(0, 0, b"\0\0").emit(A, B)
    datagram = Udp(0, 0, partial[6:8])  # the checksum as data makes the sum 65535
    data = datagram.emit(A, B)
    assert data[6:8] == b"\xff\xff"
    assert Udp.parse(data, A, B) == datagram


def test_a_cut_datagram_is_truncated() -> None:
    data = DATAGRAM.emit(A, B)
    for length in range(len(data)):
        with pytest.raises(TruncatedError):
            Udp.parse(data[:length], A, B)


@pytest.mark.parametrize("length", range(HEADER_LENGTH))
def test_a_length_below_the_header_is_malformed(length: int) -> None:
    data = DATAGRAM.emit(A, B)
    with pytest.raises(MalformedError):
        Udp.parse(data[:5] + bytes([length]) + data[6:], A, B)


def test_other_addresses_fail_the_checksum() -> None:
    with pytest.raises(ChecksumError):
        Udp.parse(DATAGRAM.emit(A, B), A, A)


@given(DATAGRAMS, st.data())
def test_any_corrupted_byte_is_noticed_or_removes_the_checksum(
    datagram: Udp, data: st.DataObject
) -> None:
    corrupted = bytearray(datagram.emit(A, B))
    offsets = [n for n in range(len(corrupted)) if n not in (4, 5)]  # a length cuts, see above
    corrupted[data.draw(st.sampled_from(offsets))] ^= data.draw(st.integers(1, 255))
    try:
        Udp.parse(bytes(corrupted), A, B)
    except WireError:
        return
    assert corrupted[6:8] == b"\0\0"


def test_text() -> None:
    assert str(DATAGRAM) == "UDP, 4000 > 53, length 8"
