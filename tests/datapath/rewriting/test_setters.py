"""Each field that can be set, compared with packets that scapy builds anew."""

from __future__ import annotations

from collections.abc import Callable
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
    ICMPv6NDOptSrcLLAddr,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    in6_chksum,
)
from scapy.layers.l2 import ARP, Dot1AD, Dot1AH, Dot1Q, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.packet import Packet, Raw
from scapy.utils import checksum

from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.oxm import OxmField
from sdnvirt.wire.checksum import update_checksum16


def _mac(value: int) -> str:
    return value.to_bytes(6, "big").hex(":")


def _ip(value: int) -> str:
    return str(ip_address(value))


def _ip6(value: int) -> str:
    return str(ip_address(value.to_bytes(16, "big")))


def _same(value: int) -> int:
    return value


def _in_tos(keep: int, shift: int) -> Callable[[int, int], int]:
    return lambda old, value: old & keep | value << shift


ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
V4 = IP(src="10.0.0.1", dst="10.0.0.2", tos=0x55, ttl=7)
V6 = IPv6(src="fd00::1", dst="fd00::2", tc=0x55, fl=0xABCDE, hlim=7)
BODY = Raw(b"an odd body")
IPV4_PACKETS = {
    "TCP": ETHER / V4 / TCP(sport=1, dport=2) / BODY,
    "UDP": ETHER / V4 / UDP(sport=1, dport=2) / BODY,
    "UDP without checksum": ETHER / V4 / UDP(sport=1, dport=2, chksum=0) / BODY,
    "ICMP": ETHER / V4 / ICMP(type=8, code=1, id=3) / BODY,
    "with options": ETHER / V4.__class__(src="10.0.0.1", options=b"\x01" * 8) / TCP() / BODY,
    "SCTP": ETHER / V4 / SCTP(sport=1, dport=2) / SCTPChunkData(data=b"data"),
    "tagged": ETHER / Dot1Q(vlan=5, prio=2, id=1) / V4 / UDP() / BODY,
    "twice tagged": ETHER / Dot1AD(vlan=6, id=1) / Dot1Q(vlan=5) / V4 / TCP() / BODY,
    "of another protocol": ETHER / V4.__class__(src="10.0.0.1", proto=47) / BODY,
}
IPV6_PACKETS = {
    "TCP": ETHER / V6 / TCP(sport=1, dport=2) / BODY,
    "UDP": ETHER / V6 / UDP(sport=1, dport=2) / BODY,
    "ICMPv6": ETHER / V6 / ICMPv6EchoRequest(id=3) / BODY,
    "SCTP": ETHER / V6 / SCTP(sport=1, dport=2) / SCTPChunkData(data=b"data"),
    "tagged": ETHER / Dot1Q(vlan=5) / V6 / TCP() / BODY,
    "with extensions": ETHER / V6 / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / UDP() / BODY,
    "routed": ETHER / V6 / IPv6ExtHdrRouting(addresses=["fd00::9"], segleft=1) / TCP() / BODY,
    "routed to its end": ETHER / V6 / IPv6ExtHdrRouting(addresses=["fd00::9"]) / TCP() / BODY,
}
SOLICITATION = ETHER / V6 / ICMPv6ND_NS(tgt="fd00::3")
ADVERTISEMENT = ETHER / Dot1Q(vlan=5) / V6 / ICMPv6ND_NA(tgt="fd00::3")
SOLICITATIONS = {
    "with an address": SOLICITATION / ICMPv6NDOptSrcLLAddr(lladdr="02:00:00:00:00:01"),
    "with another first": SOLICITATION / ICMPv6NDOptDstLLAddr() / ICMPv6NDOptSrcLLAddr(),
}
ADVERTISEMENTS = {
    "with an address": ADVERTISEMENT / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:01"),
    "with another first": ADVERTISEMENT / ICMPv6NDOptSrcLLAddr() / ICMPv6NDOptDstLLAddr(),
}
MESSAGES = {"solicitation": SOLICITATION, "its option": SOLICITATIONS["with an address"]}
LABELLED = {
    "one label": ETHER / MPLS(label=9, cos=5, s=1, ttl=64) / V4 / UDP() / BODY,
    "two labels": ETHER / MPLS(label=9, s=0) / MPLS(label=8, s=1) / V6 / UDP() / BODY,
    "a label behind a tag": ETHER / Dot1Q(vlan=5) / MPLS(label=9, s=1) / V4 / UDP() / BODY,
}
BACKBONE = {
    "PBB": ETHER / Dot1AH(isid=1, prio=5) / ETHER / V4 / UDP() / BODY,
    "tagged PBB": ETHER / Dot1AD(vlan=5) / Dot1AH(isid=1) / ETHER / V4 / UDP() / BODY,
}
ARPS = {
    "request": ETHER / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2"),
    "tagged": ETHER / Dot1Q(vlan=5) / ARP(op=2, psrc="10.0.0.1", pdst="10.0.0.2") / Raw(bytes(9)),
}
TAGGED = {"tagged": IPV4_PACKETS["tagged"], "twice tagged": IPV4_PACKETS["twice tagged"]}
ANY = {
    **LABELLED,
    **BACKBONE,
    **{f"NS {k}": p for k, p in SOLICITATIONS.items()},
    **{f"NA {k}": p for k, p in ADVERTISEMENTS.items()},
    **{f"IPv6 {k}": p for k, p in IPV6_PACKETS.items()},
    **{f"IPv4 {k}": p for k, p in IPV4_PACKETS.items()},
    **{f"ARP {k}": p for k, p in ARPS.items()},
}


def _with(packets: dict[str, Packet], layer: type[Packet]) -> dict[str, Packet]:
    return {name: packet for name, packet in packets.items() if layer in packet}


SETS: dict[
    OxmField, tuple[dict[str, Packet], type[Packet] | None, str, Callable[[int], object]]
] = {
    oxm.ETH_DST: (ANY, Ether, "dst", _mac),
    oxm.ETH_SRC: (ANY, Ether, "src", _mac),
    oxm.VLAN_VID: (TAGGED, None, "vlan", lambda value: value & 0xFFF),
    oxm.VLAN_PCP: (TAGGED, None, "prio", _same),
    oxm.ARP_OP: (ARPS, ARP, "op", _same),
    oxm.ARP_SHA: (ARPS, ARP, "hwsrc", _mac),
    oxm.ARP_SPA: (ARPS, ARP, "psrc", _ip),
    oxm.ARP_THA: (ARPS, ARP, "hwdst", _mac),
    oxm.ARP_TPA: (ARPS, ARP, "pdst", _ip),
    oxm.IPV4_SRC: (IPV4_PACKETS, IP, "src", _ip),
    oxm.IPV4_DST: (IPV4_PACKETS, IP, "dst", _ip),
    oxm.IPV6_SRC: (IPV6_PACKETS, IPv6, "src", _ip6),
    oxm.IPV6_DST: (IPV6_PACKETS, IPv6, "dst", _ip6),
    oxm.TCP_SRC: (_with(IPV4_PACKETS, TCP) | _with(IPV6_PACKETS, TCP), TCP, "sport", _same),
    oxm.TCP_DST: (_with(IPV4_PACKETS, TCP) | _with(IPV6_PACKETS, TCP), TCP, "dport", _same),
    oxm.UDP_SRC: (_with(IPV4_PACKETS, UDP) | _with(IPV6_PACKETS, UDP), UDP, "sport", _same),
    oxm.UDP_DST: (_with(IPV4_PACKETS, UDP) | _with(IPV6_PACKETS, UDP), UDP, "dport", _same),
    oxm.SCTP_SRC: (_with(IPV4_PACKETS, SCTP) | _with(IPV6_PACKETS, SCTP), SCTP, "sport", _same),
    oxm.SCTP_DST: (_with(IPV4_PACKETS, SCTP) | _with(IPV6_PACKETS, SCTP), SCTP, "dport", _same),
    oxm.IPV6_FLABEL: (IPV6_PACKETS, IPv6, "fl", _same),
    oxm.IPV6_ND_TARGET: (MESSAGES, ICMPv6ND_NS, "tgt", _ip6),
    oxm.IPV6_ND_SLL: (SOLICITATIONS, ICMPv6NDOptSrcLLAddr, "lladdr", _mac),
    oxm.IPV6_ND_TLL: (ADVERTISEMENTS, ICMPv6NDOptDstLLAddr, "lladdr", _mac),
    oxm.MPLS_LABEL: (LABELLED, MPLS, "label", _same),
    oxm.MPLS_TC: (LABELLED, MPLS, "cos", _same),
    oxm.MPLS_BOS: (LABELLED, MPLS, "s", _same),
    oxm.PBB_ISID: (BACKBONE, Dot1AH, "isid", _same),
}
IN_ICMP = {oxm.ICMPV4_TYPE: 0, oxm.ICMPV4_CODE: 1}
IN_ICMPV6 = {oxm.ICMPV6_TYPE: 0, oxm.ICMPV6_CODE: 1}
WHAT_FOLLOWS = {oxm.ETH_TYPE, oxm.IP_PROTO}
IN_TRAFFIC_CLASS = {oxm.IP_DSCP: _in_tos(0x03, 2), oxm.IP_ECN: _in_tos(0xFC, 0)}


def outer_tag(packet: Packet) -> Packet:
    return packet[Ether].payload


def test_every_setter_is_tested_here() -> None:
    others = IN_ICMP.keys() | IN_ICMPV6.keys() | IN_TRAFFIC_CLASS.keys() | WHAT_FOLLOWS
    assert SETS.keys() | others == SETTERS.keys()


def test_every_field_can_be_set_but_those_of_the_pipeline_and_the_pseudo_field() -> None:
    pipeline = {oxm.IN_PORT, oxm.IN_PHY_PORT, oxm.METADATA, oxm.TUNNEL_ID}
    assert set(oxm.FIELDS) - SETTERS.keys() == pipeline | {oxm.IPV6_EXTHDR}


@pytest.mark.parametrize("field", SETS, ids=lambda field: field.name)
@given(data=st.data())
def test_set_field_gives_the_packet_that_scapy_builds_with_that_value(
    field: OxmField, data: st.DataObject
) -> None:
    packets, layer, name, written = SETS[field]
    packet = packets[data.draw(st.sampled_from(sorted(packets)))]
    value = data.draw(st.integers(0, field.limit))
    expected = packet.copy()
    setattr(outer_tag(expected) if layer is None else expected[layer], name, written(value))
    assert SETTERS[field](bytes(packet), value) == bytes(expected)


@pytest.mark.parametrize("field", IN_ICMP, ids=lambda field: field.name)
@pytest.mark.parametrize("body", [b"\0" * 6, b"even body!", b"an odd body"])
@given(before=st.integers(0, 255), after=st.integers(0, 255))
def test_type_and_code_of_icmp_are_set_with_its_checksum(
    field: OxmField, body: bytes, before: int, after: int
) -> None:
    def packet(value: int) -> bytes:
        head = bytearray(b"\x08\x05\0\0")
        head[IN_ICMP[field]] = value
        summed = checksum(bytes(head) + body).to_bytes(2, "big")
        return bytes(ETHER / V4.__class__(src="10.0.0.1", proto=1) / Raw(head[:2] + summed + body))

    assert SETTERS[field](packet(before), after) == packet(after)


@pytest.mark.parametrize("field", IN_ICMPV6, ids=lambda field: field.name)
@given(before=st.integers(0, 255), after=st.integers(0, 255), body=st.binary(max_size=30))
def test_type_and_code_of_icmpv6_are_set_with_its_checksum(
    field: OxmField, before: int, after: int, body: bytes
) -> None:
    def packet(value: int) -> bytes:
        message = bytearray(b"\x80\x05\0\0" + body)
        message[IN_ICMPV6[field]] = value
        ip = IPv6(src="fd00::1", dst="fd00::2", nh=58)
        message[2:4] = in6_chksum(58, ip, bytes(message)).to_bytes(2, "big")
        return bytes(ETHER / ip / Raw(bytes(message)))

    assert SETTERS[field](packet(before), after) == packet(after)


@pytest.mark.parametrize("name", [*IPV4_PACKETS, *LABELLED, *BACKBONE])
def test_the_type_behind_the_tags_is_set_and_nothing_else(name: str) -> None:
    packet = (IPV4_PACKETS | LABELLED | BACKBONE)[name]
    expected = Ether(bytes(packet))
    tagged = (layer for layer in layers(expected) if isinstance(layer, Dot1Q | Dot1AD))
    last = [expected, *tagged][-1]
    last.type = 0x1234
    assert SETTERS[oxm.ETH_TYPE](bytes(packet), 0x1234) == bytes(expected)


@pytest.mark.parametrize("name", [*IPV4_PACKETS, *(f"6 {name}" for name in IPV6_PACKETS)])
@given(protocol=st.integers(0, 255))
def test_the_protocol_is_set_in_the_last_header_before_it(name: str, protocol: int) -> None:
    six = name.startswith("6 ")
    packet = IPV6_PACKETS[name[2:]] if six else IPV4_PACKETS[name]
    expected = Ether(bytes(packet))  # with its checksums, which scapy would make for TCP again
    if six:
        last = [layer for layer in layers(expected) if "nh" in layer.fields][-1]
        old, last.nh = last.nh, protocol
    else:
        old, expected[IP].proto, expected[IP].chksum = expected[IP].proto, protocol, None
    for layer, field in ((TCP, "chksum"), (UDP, "chksum"), (ICMPv6EchoRequest, "cksum")):
        if layer in expected and getattr(expected[layer], field):
            summed = update_checksum16(getattr(expected[layer], field), old, protocol)
            setattr(expected[layer], field, summed or (0xFFFF if layer is UDP else 0))
    assert SETTERS[oxm.IP_PROTO](bytes(packet), protocol) == bytes(expected)


def layers(packet: Packet) -> list[Packet]:
    found = []
    while packet:
        found.append(packet)
        packet = packet.payload
    return found


@pytest.mark.parametrize("field", IN_TRAFFIC_CLASS, ids=lambda field: field.name)
@pytest.mark.parametrize("name", [*IPV4_PACKETS, *(f"6 {name}" for name in IPV6_PACKETS)])
def test_dscp_and_ecn_are_set_and_leave_each_other_alone(field: OxmField, name: str) -> None:
    six = name.startswith("6 ")
    packet = IPV6_PACKETS[name[2:]] if six else IPV4_PACKETS[name]
    for value in {0, 1, field.limit}:
        expected = packet.copy()
        if six:
            expected[IPv6].tc = IN_TRAFFIC_CLASS[field](packet[IPv6].tc, value)
        else:
            expected[IP].tos = IN_TRAFFIC_CLASS[field](packet[IP].tos, value)
        assert SETTERS[field](bytes(packet), value) == bytes(expected)


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF))
def test_a_udp_checksum_that_becomes_zero_is_sent_as_ones(port: int, address: int) -> None:
    packet = ETHER / V4 / UDP(sport=port, dport=2) / BODY
    # The source port that makes the checksum come out as zero: what is missing to 0xffff.
    checksum = UDP(bytes(packet)[34:]).chksum
    to_zero = (port + checksum) % 0xFFFF
    data = SETTERS[oxm.UDP_SRC](bytes(packet), to_zero)
    assert data[40:42] == b"\xff\xff"
    again = SETTERS[oxm.IPV4_DST](data, address)
    packet[UDP].sport, packet[IP].dst = to_zero, _ip(address)
    assert again == bytes(packet)


def test_a_wrong_checksum_stays_wrong() -> None:
    packet = ETHER / IP(src="10.0.0.1", dst="10.0.0.2", chksum=1) / TCP(chksum=1)
    right = ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / TCP()
    for wrong_at in (24, 50):
        wrong, good = (
            SETTERS[oxm.IPV4_SRC](bytes(one), 0x0A000009)[wrong_at : wrong_at + 2]
            for one in (packet, right)
        )
        assert wrong != good


ABSENT = [
    (oxm.VLAN_VID, IPV4_PACKETS["TCP"]),
    (oxm.ARP_OP, IPV4_PACKETS["TCP"]),
    (oxm.IPV4_SRC, IPV6_PACKETS["TCP"]),
    (oxm.IPV4_SRC, ARPS["request"]),
    (oxm.IPV6_DST, IPV4_PACKETS["TCP"]),
    (oxm.IP_DSCP, ARPS["request"]),
    (oxm.TCP_SRC, IPV4_PACKETS["UDP"]),
    (oxm.UDP_DST, IPV4_PACKETS["TCP"]),
    (oxm.UDP_DST, ETHER / IP(frag=8) / UDP()),
    (oxm.ICMPV4_TYPE, IPV4_PACKETS["UDP"]),
    (oxm.ICMPV4_TYPE, ETHER / IPv6(nh=1) / Raw(b"12345678")),
    (oxm.ICMPV6_TYPE, ETHER / IP(proto=58) / Raw(b"12345678")),
    (oxm.SCTP_DST, IPV4_PACKETS["UDP"]),
    (oxm.IPV6_FLABEL, IPV4_PACKETS["UDP"]),
    (oxm.IP_PROTO, ARPS["request"]),
    (oxm.IPV6_ND_TARGET, IPV6_PACKETS["ICMPv6"]),
    (oxm.IPV6_ND_SLL, SOLICITATION),
    (oxm.IPV6_ND_SLL, ADVERTISEMENTS["with another first"]),
    (oxm.IPV6_ND_TLL, SOLICITATIONS["with another first"]),
    (oxm.MPLS_LABEL, IPV4_PACKETS["UDP"]),
    (oxm.PBB_ISID, IPV4_PACKETS["UDP"]),
    (oxm.IPV4_SRC, LABELLED["one label"]),
    (oxm.IPV4_SRC, BACKBONE["PBB"]),
]


@pytest.mark.parametrize(("field", "packet"), ABSENT, ids=lambda one: getattr(one, "name", ""))
def test_a_field_that_the_packet_does_not_have_is_left_alone(
    field: OxmField, packet: Packet
) -> None:
    assert SETTERS[field](bytes(packet), 1) == bytes(packet)


def test_an_address_in_a_later_fragment_touches_no_transport_checksum() -> None:
    data = bytes(ETHER / IP(src="10.0.0.1", frag=8, proto=6) / Raw(b"\xee" * 24))
    changed = SETTERS[oxm.IPV4_SRC](data, 0x0A000009)
    assert changed[34:] == data[34:]
    assert changed[26:30] == b"\x0a\0\0\x09"


def test_the_payload_of_an_unusual_protocol_is_no_transport_header() -> None:
    data = bytes(ETHER / IP(src="10.0.0.1", proto=58) / Raw(b"\xee" * 24))
    assert SETTERS[oxm.IPV4_SRC](data, 0x0A000009)[34:] == data[34:]


def test_the_checksum_of_sctp_leaves_out_the_padding_of_the_frame() -> None:
    packet = IPV4_PACKETS["SCTP"].copy()
    data = SETTERS[oxm.SCTP_SRC](bytes(packet) + bytes(range(20)), 77)
    packet[SCTP].sport = 77
    assert data == bytes(packet) + bytes(range(20))


def test_a_wrong_checksum_of_sctp_stays_wrong() -> None:
    packet = IPV4_PACKETS["SCTP"].copy()
    packet[SCTP].chksum = 1
    data = SETTERS[oxm.SCTP_SRC](bytes(packet), 77)
    packet[SCTP].sport, packet[SCTP].chksum = 77, None
    assert data[:42] == bytes(packet)[:42]
    assert data[42:46] != bytes(packet)[42:46]


def test_the_checksum_of_sctp_in_a_fragment_is_left_alone() -> None:
    packet = IPV4_PACKETS["SCTP"].copy()
    packet[IP].flags = "MF"
    data = bytes(packet)
    assert SETTERS[oxm.SCTP_SRC](data, 77) == data[:34] + b"\0\x4d" + data[36:]


KINDS = st.sampled_from(
    (b"", b"\x08\x00\x45", b"\x08\x00\x4f", b"\x86\xdd\x60", b"\x08\x06", b"\x81\0\0\1\x08\0\x45")
)


@given(st.binary(max_size=120), KINDS, st.sampled_from(sorted(SETTERS)), st.data())
def test_no_bytes_break_a_rewrite(
    data: bytes, kind: bytes, field: OxmField, draw: st.DataObject
) -> None:
    data = data[:12] + kind + data[12:]
    changed = SETTERS[field](data, draw.draw(st.integers(0, field.limit)))
    assert len(changed) == len(data)


@pytest.mark.parametrize("name", ANY)
def test_no_truncation_breaks_a_rewrite(name: str) -> None:
    whole = bytes(ANY[name])
    for end in range(len(whole)):
        for field, setter in SETTERS.items():
            assert len(setter(whole[:end], field.limit)) == end
