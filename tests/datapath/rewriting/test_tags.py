"""Tags pushed and popped: VLAN, MPLS and PBB, compared with packets that scapy builds anew."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.mpls import MPLS
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1AH, Dot1Q, Ether
from scapy.packet import Packet, Raw

from sdnvirt.datapath.layout import ABSENT
from sdnvirt.datapath.rewriting.ethernet import pop_vlan, push_vlan
from sdnvirt.datapath.rewriting.mpls import payload_type, pop_mpls, push_mpls
from sdnvirt.datapath.rewriting.pbb import pop_pbb, push_pbb

MPLS_TYPE, MULTICAST, PBB_TYPE = 0x8847, 0x8848, 0x88E7


def ether(**fields: object) -> Packet:
    return Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02", **fields)


UDP4 = IP(src="10.0.0.1", dst="10.0.0.2", ttl=7) / UDP(sport=1, dport=2) / Raw(b"body")
UDP6 = IPv6(src="fd00::1", dst="fd00::2", hlim=9) / UDP(sport=1, dport=2) / Raw(b"body")
REQUEST = ARP(op=1, psrc="10.0.0.1", pdst="10.0.0.2")
FRAMES = {
    "IPv4": ether() / UDP4,
    "IPv6": ether() / UDP6,
    "ARP": ether() / REQUEST,
    "tagged": ether() / Dot1Q(vlan=5, prio=3, id=1) / UDP4,
    "twice tagged": ether() / Dot1AD(vlan=6, prio=2) / Dot1Q(vlan=5) / UDP4,
    "labelled": ether() / MPLS(label=9, cos=5, s=1, ttl=64) / UDP4,
    "in a backbone frame": ether() / Dot1AH(isid=77) / ether() / UDP4,
    "nothing known": ether(type=0x1234) / Raw(b"something"),
}


@pytest.mark.parametrize("name", ["IPv4", "IPv6", "ARP", "labelled"])
def test_push_vlan_makes_an_empty_tag(name: str) -> None:
    frame = FRAMES[name]
    expected = ether() / Dot1Q(vlan=0, prio=0) / frame.payload
    assert push_vlan(bytes(frame), 0x8100) == bytes(expected)


def test_push_vlan_copies_vlan_and_priority_of_the_outer_tag_and_nothing_else() -> None:
    frame = FRAMES["tagged"]
    outer = Dot1AD(vlan=5, prio=3, id=0, type=0x8100)
    assert push_vlan(bytes(frame), 0x88A8) == bytes(ether(type=0x88A8) / outer / frame[Dot1Q])


def test_pop_vlan_takes_the_outer_tag() -> None:
    twice = FRAMES["twice tagged"]
    assert pop_vlan(bytes(twice), 0) == bytes(ether() / twice[Dot1Q])


@pytest.mark.parametrize(("name", "ttl"), [("IPv4", 7), ("IPv6", 9), ("ARP", 0)])
@pytest.mark.parametrize("kind", [MPLS_TYPE, MULTICAST])
def test_the_first_label_has_the_ttl_of_ip_and_is_the_bottom(
    name: str, ttl: int, kind: int
) -> None:
    frame = FRAMES[name]
    expected = ether(type=kind) / MPLS(label=0, cos=0, s=1, ttl=ttl) / frame.payload
    assert push_mpls(bytes(frame), kind) == bytes(expected)


def test_a_further_label_is_copied_from_the_outer_one() -> None:
    frame = FRAMES["labelled"]
    expected = ether() / MPLS(label=9, cos=5, s=0, ttl=64) / frame.payload
    assert push_mpls(bytes(frame), MPLS_TYPE) == bytes(expected)


def test_a_label_goes_before_a_tag_whose_type_the_pop_must_know() -> None:
    """Each tagging operation adds its tag in the outermost position (5.12)."""
    tagged = bytes(FRAMES["tagged"])
    pushed = push_mpls(tagged, MPLS_TYPE)
    assert pushed == bytes(ether(type=MPLS_TYPE) / MPLS(label=0, s=1, ttl=7)) + tagged[14:]
    assert pop_mpls(pushed, 0x8100) == tagged


def test_a_label_before_a_tag_before_a_label_is_the_bottom_of_its_stack() -> None:
    labelled = bytes(ether() / Dot1Q(vlan=5) / MPLS(label=9, cos=5, s=0, ttl=64) / MPLS() / UDP4)
    pushed = push_mpls(labelled, MPLS_TYPE)
    assert pushed[:18] == bytes(ether(type=MPLS_TYPE) / MPLS(label=9, cos=5, s=1, ttl=64))


@pytest.mark.parametrize("ethertype", [0x0800, 0x8847, 0x1234])
def test_pop_mpls_takes_one_label_and_says_what_follows(ethertype: int) -> None:
    two = ether() / MPLS(label=9, s=0) / MPLS(label=8, s=1) / UDP4
    expected = bytes(ether(type=ethertype)) + bytes(MPLS(label=8, s=1) / UDP4)
    assert pop_mpls(bytes(two), ethertype) == expected
    tagged = ether() / Dot1Q(vlan=5) / FRAMES["labelled"][MPLS]
    assert pop_mpls(bytes(tagged), 0x0800) == bytes(ether() / Dot1Q(vlan=5, type=0x0800) / UDP4)


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (ether() / MPLS(s=1) / UDP4, 0x0800),
        (ether() / MPLS(s=1) / UDP6, 0x86DD),
        (ether() / MPLS(s=1) / REQUEST, ABSENT),
        (ether() / MPLS(s=1), ABSENT),
        (ether() / MPLS(s=0) / MPLS(s=1) / UDP4, MPLS_TYPE),
        (ether(type=MULTICAST) / MPLS(s=0) / MPLS(s=1) / UDP4, MULTICAST),
        (ether() / UDP4, ABSENT),
    ],
)
def test_what_follows_a_label_is_told_by_the_stack_and_by_the_first_bits(
    frame: Packet, expected: int
) -> None:
    assert payload_type(bytes(frame)) == expected


@pytest.mark.parametrize("name", ["IPv4", "IPv6", "ARP", "labelled", "nothing known"])
def test_push_pbb_puts_the_frame_into_one_with_the_same_addresses(name: str) -> None:
    frame = FRAMES[name]
    header = bytes(ether(type=PBB_TYPE)) + bytes(4)
    assert push_pbb(bytes(frame), 0) == header + bytes(frame)


def test_push_pbb_copies_the_priority_of_the_tag() -> None:
    tagged = bytes(FRAMES["tagged"])
    assert push_pbb(tagged, 0) == bytes(ether(type=PBB_TYPE)) + b"\x60\0\0\0" + tagged


def test_push_pbb_copies_the_service_of_the_outer_header() -> None:
    frame = bytes(FRAMES["in a backbone frame"])
    assert push_pbb(frame, 0) == bytes(ether(type=PBB_TYPE)) + b"\0\0\0\x4d" + frame


def test_pop_pbb_takes_the_frame_out_and_keeps_backbone_tags() -> None:
    customer = Ether(src="02:00:00:00:00:08", dst="02:00:00:00:00:09") / Dot1Q(vlan=5) / UDP4
    assert pop_pbb(bytes(ether() / Dot1AH(isid=1) / customer), 0) == bytes(customer)
    tagged = ether() / Dot1AD(vlan=7) / Dot1AH(isid=1) / customer
    expected = Ether(src=customer.src, dst=customer.dst) / Dot1AD(vlan=7) / customer.payload
    assert pop_pbb(bytes(tagged), 0) == bytes(expected)


@pytest.mark.parametrize("name", FRAMES)
def test_what_was_pushed_can_be_popped(name: str) -> None:
    data = bytes(FRAMES[name])
    assert pop_vlan(push_vlan(data, 0x8100), 0) == data
    assert pop_vlan(push_vlan(data, 0x88A8), 0) == data
    assert pop_mpls(push_mpls(data, MPLS_TYPE), FRAMES[name].type) == data
    assert pop_pbb(push_pbb(data, 0), 0) == data


@pytest.mark.parametrize("name", ["IPv4", "ARP", "nothing known"])
def test_a_tag_that_is_not_there_is_not_popped(name: str) -> None:
    data = bytes(FRAMES[name])
    assert pop_vlan(data, 0) == pop_mpls(data, 0x0800) == pop_pbb(data, 0) == data


def grown(data: bytes) -> tuple[int, ...]:
    changed = (
        push_vlan(data, 0x8100), push_mpls(data, MPLS_TYPE), push_pbb(data, 0),
        pop_vlan(data, 0), pop_mpls(data, 0x0800), pop_pbb(data, 0),
    )  # fmt: skip
    return tuple(len(frame) - len(data) for frame in changed)


KINDS = st.sampled_from((b"", b"\x08\0\x45", b"\x81\0\0\1\x88\x47", b"\x88\x47", b"\x88\xe7"))


@given(st.binary(max_size=60), KINDS)
def test_no_bytes_break_a_push_or_a_pop(data: bytes, kind: bytes) -> None:
    pushed = ((4, 4, 18), (0, 0, 0))
    sizes = grown(data[:12] + kind + data[12:])
    assert sizes[:3] in pushed
    assert all(size in (0, lost) for size, lost in zip(sizes[3:], (-4, -4, -16), strict=True))


@pytest.mark.parametrize("name", FRAMES)
def test_no_truncation_breaks_a_push_or_a_pop(name: str) -> None:
    data = bytes(FRAMES[name])
    for end in range(len(data)):
        assert grown(data[:end])[0] == (4 if end >= 14 else 0)
