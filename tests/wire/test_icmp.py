"""ICMP messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP

from sdnvirt.addresses import Ipv4
from sdnvirt.errors import TruncatedError, WireError
from sdnvirt.wire.checksum import ChecksumError
from sdnvirt.wire.icmp import (
    CODES,
    Icmp,
    IcmpType,
    Redirect,
    TimeExceeded,
    Unreachable,
    quote,
)
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet

BYTE = st.integers(0, 255)
DATA = st.binary(max_size=60)
MESSAGES = st.builds(Icmp, BYTE, BYTE, st.integers(0, 0xFFFFFFFF), DATA)

GATEWAY = Ipv4("10.0.0.254")
PACKET = Ipv4Packet(Ipv4("10.0.0.1"), Ipv4("10.0.0.2"), IpProtocol.UDP, bytes(1000))


@given(MESSAGES)
def test_what_is_emitted_parses_to_the_same_message(message: Icmp) -> None:
    assert Icmp.parse(message.emit()) == message


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), DATA)
def test_echoes_are_those_of_scapy(identifier: int, sequence: int, data: bytes) -> None:
    request = Icmp.echo_request(identifier, sequence, data)
    reply = Icmp.echo_reply(request)
    assert request.emit() == bytes(ICMP(type=8, id=identifier, seq=sequence) / data)
    assert reply.emit() == bytes(ICMP(type=0, id=identifier, seq=sequence) / data)
    assert (reply.identifier, reply.sequence, reply.payload) == (identifier, sequence, data)


QUOTED = PACKET.emit()[:548]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Icmp.unreachable(Unreachable.PORT, PACKET.emit()), ICMP(type=3, code=3)),
        (
            Icmp.fragmentation_needed(1450, PACKET.emit()),
            ICMP(type=3, code=4, nexthopmtu=1450),
        ),
        (Icmp.time_exceeded(TimeExceeded.IN_TRANSIT, PACKET.emit()), ICMP(type=11, code=0)),
        (
            Icmp.redirect(Redirect.HOST, GATEWAY, PACKET.emit()),
            ICMP(type=5, code=1, gw=str(GATEWAY)),
        ),
        (Icmp.parameter_problem(20, PACKET.emit()), ICMP(type=12, code=0, ptr=20)),
    ],
)
def test_errors_are_those_of_scapy(ours: Icmp, theirs: ICMP) -> None:
    assert ours.is_error
    assert ours.emit() == bytes(theirs / QUOTED)


def test_the_meaning_of_the_second_half_of_the_header() -> None:
    assert Icmp.fragmentation_needed(1450, b"").next_hop_mtu == 1450
    assert Icmp.redirect(Redirect.HOST, GATEWAY, b"").gateway == GATEWAY
    assert Icmp.parameter_problem(20, b"").pointer == 20


def test_an_error_quotes_as_much_as_fits_576_bytes() -> None:
    error = Icmp.unreachable(Unreachable.PORT, PACKET.emit())
    carrier = Ipv4Packet(PACKET.dst, PACKET.src, IpProtocol.ICMP, error.emit())
    assert len(carrier.emit()) == 576
    assert quote(b"short") == b"short"


def test_the_quoted_packet_can_be_read_though_it_is_cut() -> None:
    quoted = Icmp.unreachable(Unreachable.PORT, PACKET.emit()).quoted_packet()
    assert (quoted.src, quoted.dst, quoted.protocol) == (PACKET.src, PACKET.dst, IpProtocol.UDP)
    assert quoted.payload == bytes(528)


def test_a_cut_header_is_truncated() -> None:
    data = Icmp.echo_request(1, 1, b"").emit()
    for length in range(len(data)):
        with pytest.raises(TruncatedError):
            Icmp.parse(data[:length])


@given(MESSAGES, st.data())
def test_any_corrupted_byte_fails_the_checksum(message: Icmp, data: st.DataObject) -> None:
    corrupted = bytearray(message.emit())
    corrupted[data.draw(st.integers(0, len(corrupted) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ChecksumError):
        Icmp.parse(bytes(corrupted))


@given(st.binary(max_size=40))
def test_any_quoted_bytes_are_a_packet_or_a_wire_error(data: bytes) -> None:
    try:
        quoted = Icmp.unreachable(Unreachable.HOST, data).quoted_packet()
    except WireError:
        return
    assert data[12:16] == quoted.src


def test_only_errors_are_errors() -> None:
    assert [kind for kind in IcmpType if Icmp(kind, 0, 0, b"").is_error] == [3, 4, 5, 11, 12]
    assert set(CODES) <= {3, 4, 5, 11, 12}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Icmp.echo_request(1, 2, b"abcd"), "ICMP echo request, id 1, seq 2, length 12"),
        (Icmp.unreachable(Unreachable.PORT, b""), "ICMP destination unreachable port, length 8"),
        (
            Icmp.fragmentation_needed(1450, b""),
            "ICMP destination unreachable fragmentation needed, mtu 1450, length 8",
        ),
        (
            Icmp.redirect(Redirect.HOST, GATEWAY, b""),
            "ICMP redirect host to 10.0.0.254, length 8",
        ),
        (Icmp.parameter_problem(20, b""), "ICMP parameter problem pointer 20, length 8"),
        (Icmp(3, 77, 0, b""), "ICMP destination unreachable code 77, length 8"),
        (Icmp(99, 1, 0, b""), "ICMP type 99, code 1, length 8"),
    ],
)
def test_text(message: Icmp, text: str) -> None:
    assert str(message) == text
