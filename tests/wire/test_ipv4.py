"""IPv4 packets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP

from sdnvirt.addresses import Ipv4
from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire.checksum import ChecksumError, internet_checksum
from sdnvirt.wire.ipv4 import HEADER_LENGTH, HeaderTemplate, IpProtocol, Ipv4Packet

IPV4 = st.binary(min_size=4, max_size=4).map(Ipv4)
NO_OPERATION = b"\x01"
PACKETS = st.builds(
    Ipv4Packet,
    src=IPV4,
    dst=IPV4,
    protocol=st.integers(0, 255),
    payload=st.binary(max_size=60),
    ttl=st.integers(0, 255),
    dscp=st.integers(0, 63),
    ecn=st.integers(0, 3),
    identification=st.integers(0, 0xFFFF),
    dont_fragment=st.booleans(),
    more_fragments=st.booleans(),
    fragment_offset=st.integers(0, 0x1FFF).map(lambda units: units * 8),
    options=st.integers(0, 10).map(lambda words: NO_OPERATION * 4 * words),
)

PACKET = Ipv4Packet(Ipv4("10.0.0.1"), Ipv4("10.0.0.2"), IpProtocol.UDP, b"12345678")


def with_byte(packet: Ipv4Packet, offset: int, value: int) -> bytes:
    """The packet with one header byte replaced and the checksum made right again."""
    data = bytearray(packet.emit())
    data[offset] = value
    data[10:12] = b"\0\0"
    data[10:12] = internet_checksum(bytes(data[:HEADER_LENGTH])).to_bytes(2, "big")
    return bytes(data)


@given(PACKETS, st.binary(max_size=20))
def test_what_is_emitted_parses_to_the_same_packet_with_or_without_padding(
    packet: Ipv4Packet, padding: bytes
) -> None:
    assert Ipv4Packet.parse(packet.emit() + padding) == packet


@given(PACKETS)
def test_bytes_are_those_of_scapy(packet: Ipv4Packet) -> None:
    theirs = IP(
        src=str(packet.src),
        dst=str(packet.dst),
        proto=packet.protocol,
        ttl=packet.ttl,
        tos=packet.dscp << 2 | packet.ecn,
        id=packet.identification,
        flags=packet.dont_fragment << 1 | packet.more_fragments,
        frag=packet.fragment_offset // 8,
        options=packet.options,
    )
    assert packet.emit() == bytes(theirs / packet.payload)


def test_a_cut_packet_is_truncated() -> None:
    data = PACKET.emit()
    for length in range(len(data)):
        with pytest.raises(TruncatedError):
            Ipv4Packet.parse(data[:length])


@given(PACKETS, st.integers(0, 19), st.integers(1, 255))
def test_any_corrupted_header_byte_is_noticed(packet: Ipv4Packet, offset: int, mask: int) -> None:
    data = bytearray(packet.emit())
    data[offset] ^= mask
    with pytest.raises(WireError):
        Ipv4Packet.parse(bytes(data))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_a_wire_error(data: bytes) -> None:
    try:
        packet = Ipv4Packet.parse(data)
    except WireError:
        return
    assert data.startswith(packet.emit())


def test_a_wrong_checksum_has_its_own_error() -> None:
    data = bytearray(PACKET.emit())
    data[10] ^= 1
    with pytest.raises(ChecksumError):
        Ipv4Packet.parse(bytes(data))


@pytest.mark.parametrize(
    ("offset", "value", "why"),
    [
        (0, 0x65, "version 6"),
        (0, 0x44, "16 bytes"),
        (0, 0x48, "32 bytes in a packet of 28"),
        (3, 19, "packet of 19"),
        (6, 0x80, "reserved flag"),
    ],
)
def test_what_rfc_791_does_not_allow_is_malformed(offset: int, value: int, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        Ipv4Packet.parse(with_byte(PACKET, offset, value))


def test_a_quoted_packet_keeps_what_is_left_of_its_payload() -> None:
    data = PACKET.emit()
    assert Ipv4Packet.parse_quoted(data[:-4]) == replace(PACKET, payload=b"1234")
    assert Ipv4Packet.parse_quoted(data + b"padding") == PACKET
    with pytest.raises(TruncatedError):
        Ipv4Packet.parse_quoted(replace(PACKET, options=NO_OPERATION * 4).emit()[:22])
    with pytest.raises(ChecksumError):
        Ipv4Packet.parse_quoted(data[:8] + b"\0" + data[9:])


def test_first_middle_and_last_fragments_are_fragments() -> None:
    assert not PACKET.is_fragment
    assert replace(PACKET, more_fragments=True).is_fragment
    assert replace(PACKET, more_fragments=True, fragment_offset=8).is_fragment
    assert replace(PACKET, fragment_offset=8).is_fragment


def test_text() -> None:
    assert str(PACKET) == "10.0.0.1 > 10.0.0.2: UDP, ttl 64, length 28"
    first = replace(PACKET, more_fragments=True, protocol=200)
    assert str(first) == "10.0.0.1 > 10.0.0.2: protocol 200, ttl 64, offset 0+, length 28"


@given(PACKETS)
def test_the_usual_packet_is_emitted_alike(packet: Ipv4Packet) -> None:
    usual = Ipv4Packet(
        packet.src, packet.dst, packet.protocol, packet.payload, packet.ttl, packet.dscp,
        packet.ecn, packet.identification, dont_fragment=True,
    )  # fmt: skip
    tos = packet.dscp << 2 | packet.ecn
    assert usual.emit() == HeaderTemplate(packet.src, packet.dst).packet(
        packet.protocol, packet.payload, packet.ttl, tos, packet.identification | 7 << 16
    )
