"""The flow key: equal for frames that no flow table can tell apart, different for all others."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1AH, Dot1Q, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet, Raw

from sdnvirt.datapath.fields import packet_fields
from sdnvirt.datapath.layout import layout
from sdnvirt.wire.flowkey import KEY_BYTES, deep_key, flow_key

TAG_TYPES = (0x8100, 0x88A8)
SMALL = st.sampled_from((0, 1, 6, 17, 58, 132, 255))


def ipv4(protocol: int, options: int, fragment: int, ttl: int, payload: bytes) -> bytes:
    head = bytes((0x45 + options, 0, 0, 20 + len(payload), 7, 7))
    head += fragment.to_bytes(2, "big") + bytes((ttl, protocol, 0, 0))
    return head + b"\x0a\0\0\x01\x0a\0\0\x02" + b"\x01" * 4 * options + payload


def ipv6(chain: list[tuple[int, bytes]], protocol: int, hops: int, payload: bytes) -> bytes:
    """An IPv6 packet with extension headers, each given by its number and its 7 last bytes."""
    numbers = [number for number, _ in chain] + [protocol]
    body = b"".join(
        bytes((following,)) + rest for following, (_, rest) in zip(numbers[1:], chain, strict=True)
    )
    head = b"\x60\0\0\0" + (len(body) + len(payload)).to_bytes(2, "big")
    return head + bytes((numbers[0], hops)) + b"\xfd" + b"\0" * 31 + body + payload


PAYLOADS = st.binary(max_size=24)
PROTOCOLS = st.sampled_from((1, 2, 6, 17, 58, 132))
EXTENSIONS = st.tuples(st.sampled_from((0, 43, 44, 60)), st.binary(min_size=7, max_size=7))
NETWORK = st.one_of(
    st.tuples(
        st.just(0x0800),
        st.builds(
            ipv4,
            PROTOCOLS,
            st.integers(0, 3),
            st.sampled_from((0, 0, 0, 0x4000, 0x2000, 0x2003, 5)),
            SMALL,
            PAYLOADS,
        ),
    ),
    st.tuples(
        st.just(0x86DD),
        st.builds(ipv6, st.lists(EXTENSIONS, max_size=3), PROTOCOLS, SMALL, PAYLOADS),
    ),
    st.tuples(st.just(0x0806), st.binary(min_size=20, max_size=40)),
    st.tuples(
        st.sampled_from((0x8847, 0x8848)),
        st.builds(
            lambda labels, inner: labels + inner,
            st.sampled_from((b"\0\0\x31\x40", b"\0\0\x30\x40\0\0\x21\x07", b"\0\0\x30\x40")),
            st.builds(ipv4, PROTOCOLS, st.integers(0, 1), st.sampled_from((0, 5)), SMALL, PAYLOADS)
            | st.builds(ipv6, st.just([]), PROTOCOLS, SMALL, PAYLOADS)
            | PAYLOADS,
        ),
    ),
    st.tuples(
        st.just(0x88E7),
        st.builds(
            lambda tag, kind, inner: tag + bytes(12) + kind + inner,
            st.binary(min_size=4, max_size=4),
            st.sampled_from((b"\x08\0", b"\x81\0\0\x05\x08\0", b"\x88\xe7")),
            st.builds(ipv4, PROTOCOLS, st.just(0), st.just(0), SMALL, PAYLOADS),
        ),
    ),
    st.tuples(st.sampled_from((0x88CC, 0x0026, 0x8847, 0x0800, 0x86DD)), PAYLOADS),
)
TAGS = st.lists(st.tuples(st.sampled_from(TAG_TYPES), st.integers(0, 0xFFFF)), max_size=3)


def ethernet(tags: list[tuple[int, int]], network: tuple[int, bytes]) -> bytes:
    head = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01"
    for kind, control in tags:
        head += kind.to_bytes(2, "big") + control.to_bytes(2, "big")
    return head + network[0].to_bytes(2, "big") + network[1]


WELL_FORMED = st.builds(ethernet, TAGS, NETWORK)
FRAMES = st.one_of(
    WELL_FORMED,
    st.builds(lambda data, end: data[:end], WELL_FORMED, st.integers(0, 90)),
    st.binary(max_size=160),
)
TUNNELS = st.sampled_from((0, 0, 1, 100, (1 << 64) - 1, 1 << 64, 1 << 64 | 100, (1 << 128) - 1))


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two frames that differ by a few bytes, at one place or at the end."""
    one = draw(FRAMES)
    assume(one)
    other = bytearray(one)
    for _ in range(draw(st.integers(0, 2))):
        other[draw(st.integers(0, len(one) - 1))] ^= draw(st.integers(1, 255))
    end = draw(st.sampled_from((len(one), len(one), len(one) - 1, len(one) + 1)))
    return one, bytes(other[:end]).ljust(end, b"\xaa")


@settings(max_examples=12 * settings().max_examples)
@given(neighbours())
def test_frames_with_equal_keys_have_equal_fields_and_headers_at_equal_places(
    pair: tuple[bytes, bytes],
) -> None:
    one, other = pair
    if flow_key(one) == flow_key(other):
        assert packet_fields(one, 1, 0, 0) == packet_fields(other, 1, 0, 0)
        assert layout(one[:KEY_BYTES]) == layout(other[:KEY_BYTES])


@given(neighbours(), TUNNELS, TUNNELS)
def test_the_tunnel_id_is_part_of_the_key(
    pair: tuple[bytes, bytes], one_id: int, other_id: int
) -> None:
    one, other = pair
    equal = flow_key(one, one_id) == flow_key(other, other_id)
    assert equal == (flow_key(one) == flow_key(other) and one_id == other_id)


@settings(max_examples=6 * settings().max_examples)
@given(FRAMES, FRAMES, TUNNELS, TUNNELS)
def test_frames_of_different_shapes_never_have_equal_keys(
    one: bytes, other: bytes, one_id: int, other_id: int
) -> None:
    def shape(data: bytes, tunnel_id: int) -> tuple[object, ...]:
        return layout(data[:KEY_BYTES]), tunnel_id, data[:12]

    if shape(one, one_id) != shape(other, other_id):
        assert flow_key(one, one_id) != flow_key(other, other_id)


# What the usual flows share, and what tells them apart


def _ether() -> Packet:
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")


def _ip(**fields: object) -> Packet:
    return IP(src="10.0.0.1", dst="10.0.0.2", **fields)


def _tagged(**fields: object) -> Packet:
    return _ether() / Dot1Q(vlan=7, prio=1, **fields)


BASES: dict[str, Packet] = {
    "TCP": _ether() / _ip() / TCP(sport=1000, dport=80) / Raw(b"first"),
    "UDP": _ether() / _ip() / UDP(sport=1000, dport=53) / Raw(b"first"),
    "SCTP": _ether() / _ip() / SCTP(sport=1000, dport=53) / Raw(b"first"),
    "ICMP": _ether() / _ip() / ICMP(type=8, id=1, seq=1) / Raw(b"first"),
    "GRE": _ether() / _ip(proto=47) / Raw(b"first"),
    "IPv6 TCP": _ether() / IPv6(src="fd::1", dst="fd::2") / TCP(sport=1000) / Raw(b"first"),
    "IPv6 UDP": _ether() / IPv6(src="fd::1", dst="fd::2") / UDP(sport=1000) / Raw(b"first"),
    "ICMPv6": _ether() / IPv6(src="fd::1", dst="fd::2") / ICMPv6EchoRequest(id=1) / Raw(b"first"),
    "two tags": _ether() / Dot1AD(vlan=9) / Dot1Q(vlan=7) / _ip() / TCP(dport=80) / Raw(b"first"),
    "MPLS": _ether() / MPLS(label=3, s=1) / _ip() / TCP(dport=80) / Raw(b"first"),
    "MPLS IPv6": _ether() / MPLS(s=0) / MPLS(s=1) / IPv6(src="fd::1") / UDP() / Raw(b"first"),
    "tagged MPLS": _tagged() / MPLS(label=3, s=1) / _ip() / ICMP(id=1) / Raw(b"first"),
    "PBB": _ether() / Dot1AH(isid=3) / _tagged() / _ip() / TCP(dport=80) / Raw(b"first"),
    "tagged PBB": _ether() / Dot1AD(vlan=9) / Dot1AH() / _ether() / _ip() / TCP() / Raw(b"first"),
    "PBB MPLS": _ether() / Dot1AH() / _ether() / MPLS(s=1) / _ip() / UDP() / Raw(b"first"),
    "ARP": _ether() / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2") / Raw(b"first"),
    "tagged TCP": _tagged() / _ip() / TCP(sport=1000, dport=80) / Raw(b"first"),
    "tagged ICMP": _tagged() / _ip() / ICMP(type=8, id=1, seq=1) / Raw(b"first"),
    "tagged GRE": _tagged() / _ip(proto=47) / Raw(b"first"),
    "tagged IPv6": _tagged() / IPv6(src="fd::1", dst="fd::2") / UDP(sport=9) / Raw(b"first"),
    "tagged ARP": _tagged() / ARP(op=1, psrc="10.0.0.1") / Raw(b"first"),
}


def _changed(packet: Packet, layer: type[Packet], field: str, value: object) -> bytes:
    """The packet's bytes with one field changed, lengths and checksums made right."""
    copy = packet.copy()
    setattr(copy[layer], field, value)
    return bytes(copy)


MATCHED = [
    (name, layer, field, value)
    for name, packet in BASES.items()
    for layer, field, value in (
        (Ether, "src", "02:00:00:00:00:09"),
        (Ether, "dst", "02:00:00:00:00:09"),
        (Dot1Q, "vlan", 8),
        (Dot1Q, "prio", 2),
        (IP, "src", "10.0.0.9"),
        (IP, "dst", "10.0.0.9"),
        (IP, "tos", 4),
        (IP, "tos", 1),
        (IP, "ttl", 9),
        (IP, "proto", 99),
        (IP, "flags", "MF"),
        (IP, "frag", 1),
        (IPv6, "src", "fd::9"),
        (IPv6, "dst", "fd::9"),
        (IPv6, "tc", 4),
        (IPv6, "fl", 5),
        (IPv6, "nh", 99),
        (IPv6, "hlim", 9),
        (TCP, "sport", 9),
        (TCP, "dport", 9),
        (UDP, "sport", 10),
        (UDP, "dport", 9),
        (SCTP, "sport", 9),
        (SCTP, "dport", 9),
        (ICMP, "type", 0),
        (ICMP, "code", 3),
        (ICMPv6EchoRequest, "type", 129),
        (ICMPv6EchoRequest, "code", 3),
        (Dot1AD, "vlan", 8),
        (MPLS, "label", 4),
        (MPLS, "cos", 4),
        (MPLS, "ttl", 4),
        (Dot1AH, "isid", 4),
        (Dot1AH, "prio", 4),
        (ARP, "op", 2),
        (ARP, "psrc", "10.0.0.9"),
        (ARP, "pdst", "10.0.0.9"),
        (ARP, "hwsrc", "02:00:00:00:00:09"),
        (ARP, "hwdst", "02:00:00:00:00:09"),
    )
    if layer in packet
]
UNMATCHED = [
    (name, layer, field, value)
    for name, packet in BASES.items()
    for layer, field, value in (
        (Raw, "load", b"something else, and longer"),
        (IP, "id", 77),
        (IP, "flags", "DF"),
        (IP, "chksum", 77),
        (TCP, "seq", 77),
        (TCP, "ack", 77),
        (TCP, "flags", "A"),
        (TCP, "chksum", 77),
        (UDP, "chksum", 77),
        (ICMPv6EchoRequest, "seq", 77),
        (ICMPv6EchoRequest, "id", 77),
        (ICMPv6EchoRequest, "cksum", 77),
        (ICMP, "seq", 77),
        (ICMP, "id", 77),
    )
    if layer in packet
]


@pytest.mark.parametrize(("name", "layer", "field", "value"), MATCHED)
def test_a_field_that_a_match_or_an_action_depends_on_changes_the_key(
    name: str, layer: type[Packet], field: str, value: object
) -> None:
    packet = BASES[name]
    assert flow_key(_changed(packet, layer, field, value)) != flow_key(bytes(packet))


@pytest.mark.parametrize(("name", "layer", "field", "value"), UNMATCHED)
def test_what_differs_between_packets_of_one_flow_does_not_change_the_key(
    name: str, layer: type[Packet], field: str, value: object
) -> None:
    packet = BASES[name]
    assert flow_key(_changed(packet, layer, field, value)) == flow_key(bytes(packet))


def test_neighbour_discovery_is_known_by_more_than_its_type() -> None:
    one, other = (_ether() / IPv6() / ICMPv6ND_NS(tgt=f"fd::{n}") for n in (1, 2))
    assert flow_key(bytes(one)) != flow_key(bytes(other))


@pytest.mark.parametrize("name", BASES)
def test_the_deep_key_is_longer_than_the_key_of_any_usual_shape(name: str) -> None:
    data = bytes(BASES[name])
    assert len(flow_key(data, 1)) < len(deep_key(data))


@pytest.mark.parametrize("depth", [2, 500])
def test_a_backbone_frame_in_a_backbone_frame_is_unusual(depth: int) -> None:
    data = (bytes(12) + b"\x88\xe7" + bytes(4)) * depth + bytes(40)
    assert flow_key(data) == deep_key(data)


@pytest.mark.parametrize("name", BASES)
def test_padding_of_a_short_frame_does_not_change_the_key(name: str) -> None:
    data = bytes(BASES[name])
    assert flow_key(data + bytes(20)) == flow_key(data)


@pytest.mark.parametrize(
    "cut", [lambda data: data[:KEY_BYTES], lambda data: data + b"more"], ids=["shorter", "longer"]
)
def test_an_unusual_frame_is_known_by_its_beginning_and_its_length(
    cut: Callable[[bytes], bytes],
) -> None:
    data = bytes(Ether() / IP(options=b"\x01" * 8) / UDP() / Raw(bytes(200)))
    later = data[:KEY_BYTES] + data[KEY_BYTES:].replace(b"\0", b"\x01")
    assert flow_key(later) == flow_key(data)
    assert flow_key(cut(data)) != flow_key(data)
