"""VLAN tags: 802.1Q and 802.1ad, pushed, read, changed and popped."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether

from sdnvirt.addresses import BROADCAST, Mac
from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire.dot1q import VlanTag, is_tagged, outer_tag, outer_vid, pop_tag, push_tag, retag
from sdnvirt.wire.ethernet import Ethernet, EtherType

VID = st.integers(0, 4095)
TAGS = st.builds(VlanTag, VID, st.integers(0, 7), st.booleans(), st.sampled_from([0x8100, 0x88A8]))
PAYLOAD = st.binary(max_size=40)

A = Mac("02:00:00:00:00:01")


def untagged(payload: bytes = b"payload") -> bytes:
    return Ethernet(BROADCAST, A, EtherType.IPV4, payload).emit()


@given(TAGS)
def test_what_is_emitted_parses_to_the_same_tag(tag: VlanTag) -> None:
    assert VlanTag.parse(tag.emit()) == tag


@given(TAGS, PAYLOAD)
def test_a_pushed_tag_is_the_outer_tag_and_pops_off_again(tag: VlanTag, payload: bytes) -> None:
    frame = untagged(payload)
    tagged = push_tag(frame, tag)
    assert (is_tagged(frame), outer_tag(frame), outer_vid(frame)) == (False, None, None)
    assert (is_tagged(tagged), outer_tag(tagged), outer_vid(tagged)) == (True, tag, tag.vid)
    assert pop_tag(tagged) == frame


@given(TAGS, TAGS, PAYLOAD)
def test_tags_stack(inner: VlanTag, outer: VlanTag, payload: bytes) -> None:
    once = push_tag(untagged(payload), inner)
    twice = push_tag(once, outer)
    assert outer_tag(twice) == outer
    assert pop_tag(twice) == once


@given(TAGS, VID, PAYLOAD)
def test_retagging_changes_the_vlan_only(tag: VlanTag, vid: int, payload: bytes) -> None:
    frame = untagged(payload)
    assert retag(push_tag(frame, tag), vid) == push_tag(frame, replace(tag, vid=vid))


@given(TAGS, TAGS, PAYLOAD)
def test_bytes_are_those_of_scapy(inner: VlanTag, outer: VlanTag, payload: bytes) -> None:
    inner, outer = replace(inner, tpid=0x8100), replace(outer, tpid=0x88A8)
    theirs = (
        Ether(dst=str(BROADCAST), src=str(A), type=0x88A8)
        / Dot1AD(vlan=outer.vid, prio=outer.pcp, dei=outer.dei, type=0x8100)
        / Dot1Q(vlan=inner.vid, prio=inner.pcp, dei=inner.dei, type=0x0800)
        / payload
    )
    assert push_tag(push_tag(untagged(payload), inner), outer) == bytes(theirs)


def test_a_cut_header_is_truncated() -> None:
    tagged = push_tag(untagged(b""), VlanTag(7))
    for length in range(len(tagged)):
        frame = tagged[:length]
        for read in (is_tagged, outer_tag, outer_vid, pop_tag):
            with pytest.raises(TruncatedError):
                read(frame)
        with pytest.raises(TruncatedError):
            retag(frame, 1)
    with pytest.raises(TruncatedError):
        push_tag(untagged(b"")[:13], VlanTag(7))


def test_an_untagged_frame_has_no_tag_to_pop_or_change() -> None:
    with pytest.raises(MalformedError):
        pop_tag(untagged())
    with pytest.raises(MalformedError):
        retag(untagged(), 1)


@given(st.binary(max_size=6))
def test_any_bytes_are_a_tag_or_a_wire_error(data: bytes) -> None:
    for begin in (b"", b"\x81\x00"):
        try:
            tag = VlanTag.parse(begin + data)
        except WireError:
            continue
        assert (begin + data).startswith(tag.emit())


def test_text() -> None:
    assert str(VlanTag(7, 3)) == "802.1Q vlan 7, p 3"
    assert str(VlanTag(7, dei=True, tpid=EtherType.QINQ)) == "802.1Q-QinQ vlan 7, p 0, DEI"
