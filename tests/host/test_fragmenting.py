"""Cutting packets: what routers and senders make of one, and that it can be put together again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.host.families import FAMILIES, Fields
from sdnvirt.host.fragmenting import cut_packet
from sdnvirt.host.reassembly import Part, Reassembler, Whole
from sdnvirt.wire.ipv4 import Ipv4Packet
from sdnvirt.wire.ipv4_options import Ipv4Option, emit_options, parse_options
from sdnvirt.wire.ipv6 import Ipv6Packet

A, B = Ipv4("10.0.0.1"), Ipv4("10.0.0.2")
A6, B6 = Ipv6("2001:db8::1"), Ipv6("2001:db8::2")
ALERT, ROUTE = Ipv4Option(148, b"\0\0"), Ipv4Option(7, b"\x04\0\0\0\0\0")
PACKET = Ipv4Packet(A, B, 17, b"", ttl=9, dscp=46, ecn=1, identification=77)


def joined(packets: list[Ipv4Packet]) -> bytes | None:
    """Put fragments together; None if they do not fit."""
    machine: Reassembler[int] = Reassembler()
    for number, one in enumerate(packets):
        part = Part(one.fragment_offset, one.more_fragments, one.payload, number)
        outcome = machine.add((A, B, 17, 1), part, 0)
    return outcome.payload if isinstance(outcome, Whole) else None


@given(st.binary(min_size=1, max_size=3000), st.integers(68, 1500), st.integers(68, 1500))
def test_a_packet_that_is_cut_twice_can_be_joined(payload: bytes, first: int, second: int) -> None:
    packet = replace(PACKET, payload=payload)
    once = [Ipv4Packet.parse(data) for data in cut_packet(packet, first)]
    pieces = [data for one in once for data in cut_packet(one, second)]
    assert all(len(data) <= second for data in pieces)
    packets = [Ipv4Packet.parse(data) for data in pieces]
    if len(packets) == 1:
        assert packets == [packet]
    elif len(packets) <= 128:
        assert joined(packets) == payload
    same = {replace(one, payload=b"", more_fragments=False, fragment_offset=0) for one in packets}
    assert same == {PACKET}


def test_later_fragments_carry_the_options_that_say_so() -> None:
    packet = replace(PACKET, payload=bytes(200), options=emit_options((ALERT, ROUTE)))
    first, *later = [Ipv4Packet.parse(data) for data in cut_packet(packet, 120)]
    assert parse_options(first.options) == (ALERT, ROUTE)
    assert [parse_options(one.options) for one in later] == [(ALERT,)] * len(later)
    assert joined([first, *later]) == packet.payload


@given(st.integers(1, 9000), st.integers(1280, 1500))
def test_senders_of_ipv6_cut_to_the_path_mtu(size: int, mtu: int) -> None:
    fields = Fields(A6, B6, 17, 64, 0, 0, 5, True, False)
    pieces = list(FAMILIES[Ipv6].fragments(fields, bytes(size), mtu))
    assert all(len(data) <= mtu for data in pieces)
    fragments = [Ipv6Packet.parse(data) for data in pieces]
    assert sum(len(one.payload) for one in fragments) == size
    assert {one.extensions[-1].identification for one in fragments} == {5}
    assert [one.extensions[-1].more for one in fragments] == [True] * (len(pieces) - 1) + [False]


def test_what_must_not_be_cut_is_not() -> None:
    with pytest.raises(AssertionError):
        cut_packet(replace(PACKET, dont_fragment=True, payload=bytes(99)), 68)
