"""What actions do to packets, compared with packets that scapy builds anew."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw
from scapy.utils import checksum

from sdnvirt.datapath.rewrite import SETTERS, pop_vlan, push_vlan, set_ttl, ttl_of
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.oxm import OxmField


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
    "tagged": ETHER / Dot1Q(vlan=5, prio=2, id=1) / V4 / UDP() / BODY,
    "twice tagged": ETHER / Dot1AD(vlan=6, id=1) / Dot1Q(vlan=5) / V4 / TCP() / BODY,
    "of another protocol": ETHER / V4.__class__(src="10.0.0.1", proto=47) / BODY,
}
IPV6_PACKETS = {
    "TCP": ETHER / V6 / TCP(sport=1, dport=2) / BODY,
    "UDP": ETHER / V6 / UDP(sport=1, dport=2) / BODY,
    "ICMPv6": ETHER / V6 / ICMPv6EchoRequest(id=3) / BODY,
    "tagged": ETHER / Dot1Q(vlan=5) / V6 / TCP() / BODY,
}
ARPS = {
    "request": ETHER / ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2"),
    "tagged": ETHER / Dot1Q(vlan=5) / ARP(op=2, psrc="10.0.0.1", pdst="10.0.0.2") / Raw(bytes(9)),
}
TAGGED = {"tagged": IPV4_PACKETS["tagged"], "twice tagged": IPV4_PACKETS["twice tagged"]}
ANY = {
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
}
IN_ICMP = {oxm.ICMPV4_TYPE: 0, oxm.ICMPV4_CODE: 1}
IN_TRAFFIC_CLASS = {oxm.IP_DSCP: _in_tos(0x03, 2), oxm.IP_ECN: _in_tos(0xFC, 0)}


def outer_tag(packet: Packet) -> Packet:
    return packet[Ether].payload


def test_every_setter_is_tested_here() -> None:
    assert SETS.keys() | IN_ICMP.keys() | IN_TRAFFIC_CLASS.keys() == SETTERS.keys()


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


def test_what_is_not_ip_has_no_ttl() -> None:
    data = bytes(ARPS["request"])
    assert ttl_of(data) is None
    assert set_ttl(data, 3) == data


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


def test_push_vlan_makes_an_empty_tag_or_copies_the_outer_one() -> None:
    untagged = IPV4_PACKETS["TCP"]
    tagged = ETHER / Dot1Q(vlan=5, prio=3) / V4 / TCP(sport=1, dport=2) / BODY
    assert push_vlan(bytes(untagged), 0x8100) == bytes(
        ETHER / Dot1Q(vlan=0, prio=0) / V4 / TCP(sport=1, dport=2) / BODY
    )
    assert push_vlan(bytes(tagged), 0x88A8) == bytes(
        Ether(src=ETHER.src, dst=ETHER.dst, type=0x88A8)
        / Dot1AD(vlan=5, prio=3, type=0x8100)
        / tagged[Dot1Q]
    )


@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize("tpid", [0x8100, 0x88A8])
def test_pop_vlan_undoes_push_vlan(name: str, tpid: int) -> None:
    data = bytes(ANY[name])
    assert pop_vlan(push_vlan(data, tpid), 0) == data


def test_pop_vlan_takes_the_outer_tag() -> None:
    twice = IPV4_PACKETS["twice tagged"]
    assert pop_vlan(bytes(twice), 0) == bytes(ETHER / twice[Dot1Q])
    untagged = bytes(IPV4_PACKETS["TCP"])
    assert pop_vlan(untagged, 0) == untagged


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
    assert len(set_ttl(data, 9)) == len(data)
    assert push_vlan(data, 0x8100) == data or len(push_vlan(data, 0x8100)) == len(data) + 4
    assert pop_vlan(data, 0) == data or len(pop_vlan(data, 0)) == len(data) - 4


@pytest.mark.parametrize("name", ANY)
def test_no_truncation_breaks_a_rewrite(name: str) -> None:
    whole = bytes(ANY[name])
    for end in range(len(whole)):
        for field, setter in SETTERS.items():
            assert len(setter(whole[:end], field.limit)) == end
