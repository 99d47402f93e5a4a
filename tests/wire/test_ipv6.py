"""IPv6 packets and their extension headers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    HBHOptUnknown,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    RouterAlert,
)

from sdnvirt.addresses import Ipv6
from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.ipv6 import EXTENSION_LIMIT, HEADER_LENGTH, HeaderTemplate, Ipv6Packet
from sdnvirt.wire.ipv6_extensions import (
    OPTION_LIMIT,
    ROUTER_ALERT_MLD,
    Extension,
    ExtensionType,
    Fragment,
    Option,
    Options,
    Routing,
    UnknownOption,
)

A, B = Ipv6("2001:db8::1"), Ipv6("2001:db8::2")
ADDRESS = st.binary(min_size=16, max_size=16).map(Ipv6)
OPTION = st.builds(Option, st.integers(2, 255), st.binary(max_size=12)) | st.just(Option(0))


def options(kind: ExtensionType) -> st.SearchStrategy[Extension]:
    return st.lists(OPTION, max_size=4).map(lambda some: Options.padded(kind, *some))


ROUTING = st.builds(
    Routing,
    st.integers(0, 255),
    st.integers(0, 255),
    st.integers(0, 3).map(lambda n: bytes(4 + 8 * n)),
)
PART = st.builds(
    Fragment, st.integers(1, 0x1FFF).map(lambda n: 8 * n), st.booleans(), st.integers(0, 2**32 - 1)
)
MIDDLE = st.lists(options(ExtensionType.DESTINATION) | ROUTING, max_size=3)
CHAINS = st.builds(
    lambda first, middle, last: (*first, *middle, *last),
    st.lists(options(ExtensionType.HOP_BY_HOP), max_size=1),
    MIDDLE,
    st.lists(PART, max_size=1),
)
PACKETS = st.builds(
    Ipv6Packet,
    src=ADDRESS,
    dst=ADDRESS,
    protocol=st.sampled_from([6, 17, 58, 59, 200]),
    payload=st.binary(max_size=60),
    hop_limit=st.integers(0, 255),
    dscp=st.integers(0, 63),
    ecn=st.integers(0, 3),
    flow_label=st.integers(0, 0xFFFFF),
    extensions=CHAINS,
)
PACKET = Ipv6Packet(A, B, IpProtocol.UDP, b"12345678")


@given(PACKETS, st.binary(max_size=20))
def test_what_is_emitted_parses_to_the_same_packet_with_or_without_padding(packet, padding) -> None:
    data = packet.emit()
    assert Ipv6Packet.parse(data + padding) == packet
    assert packet.length == len(data)


@given(PACKETS.map(lambda packet: replace(packet, extensions=())))
def test_bytes_are_those_of_scapy(packet) -> None:
    theirs = IPv6(
        src=str(packet.src), dst=str(packet.dst), nh=packet.protocol, hlim=packet.hop_limit,
        tc=packet.dscp << 2 | packet.ecn, fl=packet.flow_label,
    )  # fmt: skip
    assert packet.emit() == bytes(theirs / packet.payload)


def test_extension_headers_are_those_of_scapy() -> None:
    chain = (
        Options.padded(ExtensionType.HOP_BY_HOP, ROUTER_ALERT_MLD),
        Options.padded(ExtensionType.DESTINATION, Option(0x1E, b"abc")),
        Routing(253, 1, bytes(4) + A),
        Fragment(1480, True, 77),
    )
    theirs = (
        IPv6(src=str(A), dst=str(B))
        / IPv6ExtHdrHopByHop(options=[RouterAlert()])
        / IPv6ExtHdrDestOpt(options=[HBHOptUnknown(otype=0x1E, optdata=b"abc")])
        / IPv6ExtHdrRouting(type=253, addresses=[str(A)], segleft=1)
        / IPv6ExtHdrFragment(offset=185, m=1, id=77, nh=17)
        / b"payload!"
    )
    ours = replace(PACKET, payload=b"payload!", extensions=chain).emit()
    dissected = IPv6(ours)
    assert dissected[IPv6ExtHdrHopByHop].options[0].otype == 5
    assert bytes(dissected[IPv6ExtHdrDestOpt].options[0])[:5] == b"\x1e\x03abc"
    assert dissected[IPv6ExtHdrRouting].addresses == [str(A)]
    assert (dissected[IPv6ExtHdrFragment].offset, dissected[IPv6ExtHdrFragment].id) == (185, 77)
    assert bytes(dissected[IPv6ExtHdrFragment].payload) == b"payload!"
    assert Ipv6Packet.parse(bytes(theirs)).fragment == chain[-1]


@given(PACKETS)
def test_a_cut_packet_is_truncated(packet) -> None:
    data = packet.emit()
    for length in range(len(data)):
        with pytest.raises(TruncatedError):
            Ipv6Packet.parse(data[:length])


@given(st.binary(max_size=120), st.sampled_from([0, 43, 44, 60, 17]))
def test_any_bytes_are_a_packet_or_a_wire_error(body: bytes, protocol: int) -> None:
    data = bytes((0x60, 0, 0, 0, 0, len(body), protocol, 64)) + A + B + body
    for parse in (Ipv6Packet.parse, Ipv6Packet.parse_quoted):
        try:
            packet = parse(data)
        except WireError:
            continue
        again = packet.emit()
        assert len(again) == len(data)
        assert Ipv6Packet.parse(again) == packet


@given(st.binary(max_size=60))
def test_rubbish_is_a_wire_error_or_a_packet(data: bytes) -> None:
    for parse in (Ipv6Packet.parse, Ipv6Packet.parse_quoted):
        try:
            parse(data)
        except WireError:
            continue


def test_another_version_is_malformed() -> None:
    with pytest.raises(MalformedError, match="version 4"):
        Ipv6Packet.parse(b"\x45" + PACKET.emit()[1:])


def test_hop_by_hop_options_stand_first_or_nowhere() -> None:
    first = Options.padded(ExtensionType.HOP_BY_HOP)
    second = Options.padded(ExtensionType.DESTINATION)
    right = replace(PACKET, extensions=(first, second))
    assert Ipv6Packet.parse(right.emit()) == right
    assert right.protocol_offset == HEADER_LENGTH + 8
    wrong = Ipv6Packet.parse(replace(PACKET, extensions=(second, first)).emit())
    assert wrong.protocol == ExtensionType.HOP_BY_HOP
    assert wrong.extensions == (second,)
    assert wrong.protocol_offset == HEADER_LENGTH
    assert PACKET.protocol_offset == 6


def test_the_number_of_headers_and_options_is_bounded() -> None:
    header = Options.padded(ExtensionType.DESTINATION)
    most = replace(PACKET, extensions=(header,) * EXTENSION_LIMIT)
    assert Ipv6Packet.parse(most.emit()) == most
    with pytest.raises(MalformedError, match="headers"):
        Ipv6Packet.parse(replace(PACKET, extensions=(header,) * (EXTENSION_LIMIT + 1)).emit())
    crowd = Options.padded(ExtensionType.DESTINATION, *[Option(0)] * (OPTION_LIMIT + 1))
    with pytest.raises(MalformedError, match="options"):
        Ipv6Packet.parse(replace(PACKET, extensions=(crowd,)).emit())


def test_an_option_may_not_leave_its_header() -> None:
    header = Options.padded(ExtensionType.DESTINATION, Option(9))
    data = bytearray(replace(PACKET, extensions=(header,)).emit())
    data[HEADER_LENGTH + 3] = 200
    with pytest.raises(TruncatedError):
        Ipv6Packet.parse(bytes(data))


def test_a_part_is_a_fragment_and_a_whole_one_is_not() -> None:
    whole = replace(PACKET, extensions=(Fragment(0, False, 1),))
    assert not whole.is_fragment
    assert whole.fragment is None
    assert Ipv6Packet.parse(whole.emit()) == whole
    for part in (Fragment(0, True, 1), Fragment(8, False, 1)):
        fragment = replace(PACKET, protocol=ExtensionType.DESTINATION, extensions=(part,))
        parsed = Ipv6Packet.parse(fragment.emit())  # what is behind it is not looked at
        assert parsed == fragment
        assert parsed.fragment == part


@pytest.mark.parametrize(
    ("kind", "action"),
    [(0x05, UnknownOption.SKIP), (0x45, UnknownOption.DISCARD), (0x85, UnknownOption.REPORT),
     (0xC5, UnknownOption.REPORT_UNLESS_MULTICAST)],
)  # fmt: skip
def test_an_option_says_what_to_do_if_it_is_unknown(kind, action) -> None:
    assert Option(kind).if_unknown == action


def test_a_quoted_packet_keeps_what_is_left_of_its_payload() -> None:
    data = PACKET.emit()
    assert Ipv6Packet.parse_quoted(data[:-4]) == replace(PACKET, payload=b"1234")
    assert Ipv6Packet.parse_quoted(data + b"padding") == PACKET
    with pytest.raises(TruncatedError):
        Ipv6Packet.parse_quoted(data[:39])


def test_text() -> None:
    assert str(PACKET) == "2001:db8::1 > 2001:db8::2: UDP, hlim 64, length 48"
    part = replace(PACKET, extensions=(Fragment(8, True, 1),), protocol=200)
    text = "2001:db8::1 > 2001:db8::2: next header 200, hlim 64, offset 8+, length 56"
    assert str(part) == text


@given(PACKETS)
def test_the_usual_packet_is_emitted_alike(packet: Ipv6Packet) -> None:
    usual = Ipv6Packet(
        packet.src, packet.dst, packet.protocol, packet.payload, packet.hop_limit, packet.dscp,
        packet.ecn,
    )  # fmt: skip
    assert usual.emit() == HeaderTemplate(packet.src, packet.dst).packet(
        packet.protocol, packet.payload, packet.hop_limit, packet.dscp << 2 | packet.ecn, 7
    )
