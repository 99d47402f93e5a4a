"""Match fields of a frame, compared with what scapy dissects."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.layers.l2 import ARP, LLC, SNAP, STP, Dot1AD, Dot1AH, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP
from scapy.packet import Packet, Raw

from sdnvirt.datapath.fields import MATCHABLE, packet_fields
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPIEH
from sdnvirt.openflow.v13.oxm import OxmField

MACS = st.integers(0, (1 << 48) - 1).map(lambda n: n.to_bytes(6, "big").hex(":"))
IPV4S = st.integers(0, (1 << 32) - 1).map(lambda n: str(ip_address(n)))
IPV6S = st.integers(1 << 120, (1 << 128) - 1).map(lambda n: str(ip_address(n)))
BYTE = st.integers(0, 255)
PORT = st.integers(0, 65535)

TAGS = st.lists(
    st.builds(
        lambda kind, vlan, prio, dei: kind(vlan=vlan, prio=prio, id=dei),
        st.sampled_from((Dot1Q, Dot1AD)),
        st.integers(0, 4095),
        st.integers(0, 7),
        st.integers(0, 1),
    ),
    max_size=2,
)
ARPS = st.builds(
    lambda op, sha, spa, tha, tpa: ARP(op=op, hwsrc=sha, psrc=spa, hwdst=tha, pdst=tpa),
    PORT, MACS, IPV4S, MACS, IPV4S,
)  # fmt: skip
TRANSPORTS = st.one_of(
    st.builds(lambda a, b: TCP(sport=a, dport=b), PORT, PORT),
    st.builds(lambda a, b: UDP(sport=a, dport=b), PORT, PORT),
    st.builds(lambda a, b: SCTP(sport=a, dport=b), PORT, PORT),
)
IPV4_PACKETS = st.builds(
    lambda src, dst, tos, ttl, options, upper: (
        IP(src=src, dst=dst, tos=tos, ttl=ttl, options=b"\x01" * 4 * options) / upper
    ),
    IPV4S, IPV4S, BYTE, BYTE, st.integers(0, 10),
    TRANSPORTS | st.builds(lambda t, c: ICMP(type=t, code=c), BYTE, BYTE),
)  # fmt: skip
EXTENSIONS = st.lists(
    st.sampled_from((
        IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrFragment(offset=0, m=1),
    )),
    max_size=2,
)  # fmt: skip
MESSAGES = st.builds(
    lambda message, target, others, option, mac: _stack(
        [message(tgt=target), *[ICMPv6NDOptMTU()] * others, option(lladdr=mac)]
    ),
    st.sampled_from((ICMPv6ND_NS, ICMPv6ND_NA)),
    IPV6S,
    st.integers(0, 2),
    st.sampled_from((ICMPv6NDOptSrcLLAddr, ICMPv6NDOptDstLLAddr)),
    MACS,
)
IPV6_PACKETS = st.builds(
    lambda src, dst, tc, label, hops, extensions, upper: _stack(
        [IPv6(src=src, dst=dst, tc=tc, fl=label, hlim=hops), *extensions, upper]
    ),
    IPV6S, IPV6S, BYTE, st.integers(0, (1 << 20) - 1), BYTE, EXTENSIONS,
    TRANSPORTS | st.builds(lambda c: ICMPv6EchoRequest(code=c), BYTE) | MESSAGES,
)  # fmt: skip
OTHERS = st.just(Raw(b"\x26\x26\x03" + bytes(40)))
LABELS = st.lists(
    st.builds(
        lambda label, tc, ttl: MPLS(label=label, cos=tc, ttl=ttl),
        st.integers(0, (1 << 20) - 1),
        st.integers(0, 7),
        BYTE,
    ),
    min_size=1,
    max_size=3,
)
MPLS_PACKETS = st.builds(
    lambda labels, upper: _labelled(labels) / upper, LABELS, IPV4_PACKETS | IPV6_PACKETS
)
PBB_PACKETS = st.builds(
    lambda service, prio, src, upper: Dot1AH(isid=service, prio=prio) / Ether(src=src) / upper,
    st.integers(0, (1 << 24) - 1), st.integers(0, 7), MACS, IPV4_PACKETS | ARPS,
)  # fmt: skip
PAYLOADS = {
    "ARP": ARPS, "IPv4": IPV4_PACKETS, "IPv6": IPV6_PACKETS, "MPLS": MPLS_PACKETS,
    "PBB": PBB_PACKETS, "other": OTHERS,
}  # fmt: skip


def _labelled(labels: list[Packet]) -> Packet:
    for label in labels:
        label.s = int(label is labels[-1])
    return _stack(labels)


def _stack(layers: list[Packet]) -> Packet:
    packet = layers[0]
    for layer in layers[1:]:
        packet = packet / layer.copy()
    return packet


def number(mac: str) -> int:
    return int(mac.replace(":", ""), 16)


def dissected(data: bytes) -> dict[OxmField, int]:
    """The fields of the headers as scapy finds them."""
    packet = Ether(data)
    ether = packet[Ether]
    inner = packet.getlayer(MPLS) or packet.getlayer(Dot1AH)
    if inner is not None:
        inner.remove_payload()
    tags = [layer for layer in _layers(packet) if isinstance(layer, Dot1Q | Dot1AD)]
    ethertype = tags[-1].type if tags else ether.type
    fields = {
        oxm.ETH_DST: number(ether.dst),
        oxm.ETH_SRC: number(ether.src),
        oxm.ETH_TYPE: ethertype if ethertype >= 0x600 else 0x05FF,  # else it is a length
        oxm.VLAN_VID: 0x1000 | tags[0].vlan if tags else 0,
    }
    if tags:
        fields[oxm.VLAN_PCP] = tags[0].prio
    if MPLS in packet:
        label = packet[MPLS]
        fields |= {oxm.MPLS_LABEL: label.label, oxm.MPLS_TC: label.cos, oxm.MPLS_BOS: label.s}
    if Dot1AH in packet:
        fields[oxm.PBB_ISID] = packet[Dot1AH].isid
    if ARP in packet:
        arp = packet[ARP]
        fields |= {
            oxm.ARP_OP: arp.op,
            oxm.ARP_SPA: int(ip_address(arp.psrc)),
            oxm.ARP_TPA: int(ip_address(arp.pdst)),
            oxm.ARP_SHA: number(arp.hwsrc),
            oxm.ARP_THA: number(arp.hwdst),
        }
    if IP in packet:
        ip = packet[IP]
        fields |= {
            oxm.IP_DSCP: ip.tos >> 2,
            oxm.IP_ECN: ip.tos & 3,
            oxm.IP_PROTO: ip.proto,
            oxm.IPV4_SRC: int(ip_address(ip.src)),
            oxm.IPV4_DST: int(ip_address(ip.dst)),
        }
    if IPv6 in packet:
        ip = packet[IPv6]
        numbers = [layer.nh for layer in _layers(packet) if "nh" in layer.fields]
        letters = "".join(LETTERS[number] for number in numbers[:-1])
        fields |= {
            oxm.IP_DSCP: ip.tc >> 2,
            oxm.IP_ECN: ip.tc & 3,
            oxm.IP_PROTO: numbers[-1],
            oxm.IPV6_SRC: int(ip_address(ip.src)),
            oxm.IPV6_DST: int(ip_address(ip.dst)),
            oxm.IPV6_FLABEL: ip.fl,
            oxm.IPV6_EXTHDR: extension_bits(letters),
        }
    for layer, src, dst, names in (
        (TCP, oxm.TCP_SRC, oxm.TCP_DST, ("sport", "dport")),
        (UDP, oxm.UDP_SRC, oxm.UDP_DST, ("sport", "dport")),
        (SCTP, oxm.SCTP_SRC, oxm.SCTP_DST, ("sport", "dport")),
        (ICMP, oxm.ICMPV4_TYPE, oxm.ICMPV4_CODE, ("type", "code")),
        (ICMPv6EchoRequest, oxm.ICMPV6_TYPE, oxm.ICMPV6_CODE, ("type", "code")),
        (ICMPv6ND_NS, oxm.ICMPV6_TYPE, oxm.ICMPV6_CODE, ("type", "code")),
        (ICMPv6ND_NA, oxm.ICMPV6_TYPE, oxm.ICMPV6_CODE, ("type", "code")),
    ):
        if layer in packet:
            fields[src] = getattr(packet[layer], names[0])
            fields[dst] = getattr(packet[layer], names[1])
    for message, option, field in (
        (ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, oxm.IPV6_ND_SLL),
        (ICMPv6ND_NA, ICMPv6NDOptDstLLAddr, oxm.IPV6_ND_TLL),
    ):
        if message in packet:
            fields[oxm.IPV6_ND_TARGET] = int(ip_address(packet[message].tgt))
            if option in packet:
                fields[field] = number(packet[option].lladdr)
    return fields


LETTERS = {0: "H", 43: "R", 44: "F", 50: "E", 51: "A", 59: "N", 60: "D"}
BITS = {
    "H": OFPIEH.HOP, "R": OFPIEH.ROUTER, "F": OFPIEH.FRAG, "E": OFPIEH.ESP, "A": OFPIEH.AUTH,
    "N": OFPIEH.NONEXT, "D": OFPIEH.DEST,
}  # fmt: skip


def extension_bits(letters: str) -> int:
    """The pseudo field of extension headers given by their letters (RFC 8200, 4.1)."""
    bits = sum(BITS[letter] for letter in set(letters) - {"H"})
    if letters.startswith("H"):
        bits |= OFPIEH.HOP  # "as the first extension header"
    if not re.fullmatch("H?D?R*F*A*ED*N?|H?D?R*F*A*D*N?", letters):
        bits |= OFPIEH.UNSEQ
    if any(letters.count(letter) > (2 if letter == "D" else 1) for letter in letters):
        bits |= OFPIEH.UNREP
    return int(bits)


def _layers(packet: Packet) -> list[Packet]:
    found = []
    while packet:
        found.append(packet)
        packet = packet.payload
    return found


@pytest.mark.parametrize("kind", PAYLOADS)
@given(src=MACS, dst=MACS, tags=TAGS, draw=st.data())
def test_the_fields_of_a_frame_are_those_that_scapy_dissects(
    kind: str, src: str, dst: str, tags: list[Packet], draw: st.DataObject
) -> None:
    data = bytes(_stack([Ether(src=src, dst=dst), *tags, draw.draw(PAYLOADS[kind])]))
    pipeline = {oxm.IN_PORT: 3, oxm.IN_PHY_PORT: 3, oxm.TUNNEL_ID: 100, oxm.METADATA: 5}
    blank = dict.fromkeys(nxm.FIELDS, 0)
    assert packet_fields(data, 3, 100, 5) == pipeline | blank | dissected(data)


def test_every_matchable_field_is_read_from_some_packet() -> None:
    ether = Ether() / Dot1Q()
    uppers = (TCP(), UDP(), SCTP())
    packets = [ether / ARP(), ether / IP() / ICMP(), ether / IPv6() / ICMPv6EchoRequest()]
    packets += [ether / IP() / upper for upper in uppers]
    packets += [ether / IPv6() / ICMPv6ND_NS() / ICMPv6NDOptSrcLLAddr()]
    packets += [ether / IPv6() / ICMPv6ND_NA() / ICMPv6NDOptDstLLAddr()]
    packets += [ether / MPLS(), ether / Dot1AH()]
    read = {field for packet in packets for field in packet_fields(bytes(packet), 1, 0, 0)}
    assert read == MATCHABLE | set(nxm.FIELDS)


def names(data: bytes) -> set[str]:
    return {field.name for field in packet_fields(data, 1, 0, 0) if field not in nxm.FIELDS}


PIPELINE = {"in_port", "in_phy_port", "metadata", "tunnel_id"}
ETHERNET = PIPELINE | {"eth_dst", "eth_src", "eth_type", "vlan_vid"}
IPV4 = ETHERNET | {"ip_dscp", "ip_ecn", "ip_proto", "ipv4_src", "ipv4_dst"}
IPV6 = ETHERNET | {
    "ip_dscp", "ip_ecn", "ip_proto", "ipv6_src", "ipv6_dst", "ipv6_flabel", "ipv6_exthdr",
}  # fmt: skip
ND = IPV6 | {"icmpv6_type", "icmpv6_code"}


@pytest.mark.parametrize(
    ("packet", "length", "expected"),
    [
        (Ether() / IP() / TCP(), 13, PIPELINE),
        (Ether() / IP() / TCP(), 14, ETHERNET),
        (Ether() / IP() / TCP(), 33, ETHERNET),
        (Ether() / IP() / TCP(), 37, IPV4),
        (Ether() / IP() / TCP(), 38, IPV4 | {"tcp_src", "tcp_dst"}),
        (Ether() / IPv6() / UDP(), 53, ETHERNET),
        (Ether() / IPv6() / UDP(), 57, IPV6),
        (Ether() / IPv6() / UDP(), 58, IPV6 | {"udp_src", "udp_dst"}),
        (Ether() / IPv6() / ICMPv6ND_NS() / ICMPv6NDOptSrcLLAddr(), 77, ND),
        (Ether() / IPv6() / ICMPv6ND_NS() / ICMPv6NDOptSrcLLAddr(), 85, ND | {"ipv6_nd_target"}),
        (Ether() / MPLS() / IP(), 17, ETHERNET),
        (Ether() / MPLS() / IP(), 18, ETHERNET | {"mpls_label", "mpls_tc", "mpls_bos"}),
        (Ether() / Dot1AH() / Ether(), 17, ETHERNET),
        (Ether() / Dot1AH() / Ether(), 18, ETHERNET | {"pbb_isid"}),
        (Ether() / Dot1Q() / ARP(), 17, ETHERNET),
        (Ether() / Dot1Q() / ARP(), 45, ETHERNET | {"vlan_pcp"}),
    ],
)
def test_a_header_that_is_cut_short_counts_as_absent(
    packet: Packet, length: int, expected: set[str]
) -> None:
    assert names(bytes(packet)[:length]) == expected


@pytest.mark.parametrize("fragment", [{"flags": "MF", "frag": 8}, {"frag": 8}])
def test_a_fragment_behind_the_first_has_no_ports(fragment: dict[str, object]) -> None:
    assert names(bytes(Ether() / IP(**fragment) / UDP())) == IPV4
    later = Ether() / IPv6() / IPv6ExtHdrFragment(offset=1, nh=17) / UDP()
    assert names(bytes(later)) == IPV6


NUMBERS = {letter: number for number, letter in LETTERS.items()}


def chained(letters: str, upper: int) -> bytes:
    """An IPv6 packet with shortest extension headers before a TCP header."""
    numbers = [NUMBERS[letter] for letter in letters] + [upper]
    headers = b"".join(bytes((following,)) + bytes(7) for following in numbers[1:])
    body = headers + b"\0\x01\0\x02" + bytes(16)
    length = len(body).to_bytes(2, "big")
    head = b"\x60\0\0\0" + length + bytes((numbers[0], 64)) + bytes(32)
    return bytes(12) + b"\x86\xdd" + head + body


@given(st.text("HRFAD", max_size=6))
def test_extension_headers_are_told_with_their_repeats_and_their_order(letters: str) -> None:
    fields = packet_fields(chained(letters, 6), 1, 0, 0)
    assert fields[oxm.IPV6_EXTHDR] == extension_bits(letters)
    assert fields[oxm.IP_PROTO] == 6
    assert (fields[oxm.TCP_SRC], fields[oxm.TCP_DST]) == (1, 2)


@pytest.mark.parametrize(
    ("letters", "bits"),
    [
        ("", 0),
        ("HA", OFPIEH.HOP | OFPIEH.AUTH),
        ("HDRFAD", OFPIEH.HOP | OFPIEH.DEST | OFPIEH.ROUTER | OFPIEH.FRAG | OFPIEH.AUTH),
        ("DD", OFPIEH.DEST),
        ("DDD", OFPIEH.DEST | OFPIEH.UNREP),
        ("RR", OFPIEH.ROUTER | OFPIEH.UNREP),
        ("FR", OFPIEH.FRAG | OFPIEH.ROUTER | OFPIEH.UNSEQ),
        ("DH", OFPIEH.DEST | OFPIEH.UNSEQ),
        ("RFR", OFPIEH.FRAG | OFPIEH.ROUTER | OFPIEH.UNSEQ | OFPIEH.UNREP),
        ("E", OFPIEH.ESP),
        ("HN", OFPIEH.HOP | OFPIEH.NONEXT),
    ],
)
def test_the_bits_of_extension_headers(letters: str, bits: int) -> None:
    assert packet_fields(chained(letters, 6), 1, 0, 0)[oxm.IPV6_EXTHDR] == bits


@pytest.mark.parametrize(("letter", "protocol"), [("E", 50), ("N", 59)])
def test_nothing_is_read_behind_ciphertext_and_behind_the_last_header(
    letter: str, protocol: int
) -> None:
    fields = packet_fields(chained("H" + letter, 6), 1, 0, 0)
    assert fields[oxm.IP_PROTO] == protocol
    assert oxm.TCP_SRC not in fields


def test_options_of_neighbour_discovery_end_with_the_packet() -> None:
    message = Ether() / IPv6() / ICMPv6ND_NS()
    padded = bytes(message) + bytes(ICMPv6NDOptSrcLLAddr())
    assert "ipv6_nd_sll" not in names(padded)
    assert "ipv6_nd_sll" in names(bytes(message / ICMPv6NDOptSrcLLAddr()))


def test_an_option_of_length_zero_ends_neighbour_discovery() -> None:
    data = bytes(Ether() / IPv6() / ICMPv6ND_NS() / Raw(bytes(8)) / ICMPv6NDOptSrcLLAddr())
    assert names(data) == ND | {"ipv6_nd_target"}


@pytest.mark.parametrize("kind", [0x8847, 0x8848])
def test_the_outermost_label_is_read_and_nothing_behind_it(kind: int) -> None:
    stack = MPLS(label=9, cos=5, s=0) / MPLS(label=8, s=1) / IP()
    fields = packet_fields(bytes(Ether(type=kind) / stack), 1, 0, 0)
    assert fields[oxm.ETH_TYPE] == kind
    assert (fields[oxm.MPLS_LABEL], fields[oxm.MPLS_TC], fields[oxm.MPLS_BOS]) == (9, 5, 0)
    assert oxm.IP_PROTO not in fields


def test_the_first_fragment_has_ports() -> None:
    assert names(bytes(Ether() / IP(flags="MF") / UDP())) == IPV4 | {"udp_src", "udp_dst"}


@pytest.mark.parametrize(
    ("payload", "ethertype"),
    [
        (LLC() / STP(), 0x05FF),
        (LLC() / SNAP(code=0x0800) / IP(src="10.0.0.1", proto=1) / ICMP(type=8), 0x0800),
        (LLC() / SNAP(OUI=0x00000C, code=0x2000) / Raw(b"discovery"), 0x05FF),
        (Raw(b"\xaa\xaa\x03\0\0\0\x08"), 0x05FF),
    ],
)
@pytest.mark.parametrize("tag", [b"", b"\x81\0\0\x07"])
def test_frames_with_a_length_have_the_type_behind_it_or_one_that_says_none(
    payload: Packet, ethertype: int, tag: bytes
) -> None:
    data = bytes(Dot3() / payload)
    fields = packet_fields(data[:12] + tag + data[12:], 1, 0, 0)
    assert fields[oxm.ETH_TYPE] == ethertype
    assert fields.get(oxm.ICMPV4_TYPE) == (8 if ICMP in payload else None)


def test_a_wrong_version_or_header_length_leaves_ethernet_only() -> None:
    data = bytearray(bytes(Ether() / IP() / UDP()))
    for first in (0x55, 0x44, 0x00):
        data[14] = first
        assert names(bytes(data)) == ETHERNET


@given(st.binary(max_size=300), st.sampled_from((b"", b"\x08\x00\x45", b"\x86\xdd\x60", b"\x81\0")))
def test_any_bytes_have_fields_and_no_field_exceeds_its_width(data: bytes, kind: bytes) -> None:
    fields = packet_fields(data[:12] + kind + data[12:], 1, 0, 0)
    assert all(0 <= value <= field.limit for field, value in fields.items())
    assert fields.keys() <= MATCHABLE | nxm.MATCHABLE
