"""ICMPv6 messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6PacketTooBig,
    ICMPv6ParamProblem,
    ICMPv6TimeExceeded,
    IPv6,
)

from sdnvirt.addresses import Ipv6
from sdnvirt.errors import TruncatedError, WireError
from sdnvirt.wire.checksum import ChecksumError
from sdnvirt.wire.icmpv6 import (
    Icmpv6,
    Icmpv6Type,
    ParameterProblem,
    TimeExceeded,
    Unreachable,
)
from sdnvirt.wire.ipv6 import Ipv6Packet

A, B = Ipv6("2001:db8::1"), Ipv6("2001:db8::2")
ADDRESS = st.binary(min_size=16, max_size=16).map(Ipv6)
BYTE, WORD = st.integers(0, 255), st.integers(0, 2**32 - 1)
MESSAGES = st.builds(Icmpv6, BYTE, BYTE, WORD, st.binary(max_size=80))
PACKET = Ipv6Packet(B, A, 17, bytes(2000)).emit()


@given(MESSAGES, ADDRESS, ADDRESS)
def test_what_is_emitted_parses_to_the_same_message(message, src, dst) -> None:
    assert Icmpv6.parse(message.emit(src, dst), src, dst) == message


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Icmpv6.echo_request(7, 9, b"data"), ICMPv6EchoRequest(id=7, seq=9, data=b"data")),
        (Icmpv6.unreachable(Unreachable.PORT, PACKET), ICMPv6DestUnreach(code=4) / PACKET[:1232]),
        (Icmpv6.packet_too_big(1400, PACKET), ICMPv6PacketTooBig(mtu=1400) / PACKET[:1232]),
        (
            Icmpv6.time_exceeded(TimeExceeded.REASSEMBLY, PACKET),
            ICMPv6TimeExceeded(code=1) / PACKET[:1232],
        ),
        (
            Icmpv6.parameter_problem(ParameterProblem.OPTION, 42, PACKET),
            ICMPv6ParamProblem(code=2, ptr=42) / PACKET[:1232],
        ),
    ],
)
def test_bytes_are_those_of_scapy(ours, theirs) -> None:
    packet = bytes(IPv6(src=str(A), dst=str(B)) / theirs)
    assert ours.emit(A, B) == packet[40:]
    assert len(packet) <= 1280


def test_a_reply_mirrors_its_request() -> None:
    request = Icmpv6.echo_request(7, 9, b"data")
    reply = Icmpv6.echo_reply(request)
    assert (reply.type, reply.identifier, reply.sequence) == (Icmpv6Type.ECHO_REPLY, 7, 9)
    assert reply.payload == b"data"


def test_errors_quote_the_packet() -> None:
    error = Icmpv6.packet_too_big(1400, PACKET)
    assert error.is_error
    assert error.next_hop_mtu == 1400
    assert error.quoted_packet().src == B
    assert len(error.quoted_packet().payload) == 1280 - 40 - 8 - 40
    assert Icmpv6.parameter_problem(ParameterProblem.FIELD, 4, PACKET).pointer == 4
    assert not Icmpv6.echo_request(1, 1, b"").is_error


@given(MESSAGES, st.data())
def test_any_corrupted_byte_is_noticed(message, data) -> None:
    corrupted = bytearray(message.emit(A, B))
    at = data.draw(st.integers(0, len(corrupted) - 1))
    corrupted[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ChecksumError):
        Icmpv6.parse(bytes(corrupted), A, B)


def test_other_addresses_fail_the_checksum() -> None:
    with pytest.raises(ChecksumError):
        Icmpv6.parse(Icmpv6.echo_request(1, 2, b"x").emit(A, B), A, A)


def test_a_message_without_a_whole_header_is_truncated() -> None:
    for length in range(8):
        with pytest.raises(TruncatedError):
            Icmpv6.parse(bytes(length), A, B)


@given(st.binary(max_size=80))
def test_any_quoted_bytes_are_a_packet_or_a_wire_error(data: bytes) -> None:
    try:
        Icmpv6(1, 0, 0, data).quoted_packet()
    except WireError:
        return


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Icmpv6.echo_request(1, 2, b"x"), "ICMP6 echo request, id 1, seq 2, length 9"),
        (Icmpv6(1, 4, 0, b""), "ICMP6 destination unreachable port, length 8"),
        (Icmpv6(1, 99, 0, b""), "ICMP6 destination unreachable code 99, length 8"),
        (Icmpv6(2, 0, 1400, b""), "ICMP6 packet too big, mtu 1400, length 8"),
        (Icmpv6(4, 1, 40, b""), "ICMP6 parameter problem next header at 40, length 8"),
        (Icmpv6(200, 1, 0, b""), "ICMP6 type 200, code 1, length 8"),
    ],
)
def test_text(message, text) -> None:
    assert str(message) == text
