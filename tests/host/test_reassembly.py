"""Reassembly as a machine, for any order of fragments and for hostile ones."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.reassembly import (
    FRAGMENT_LIMIT,
    PACKET_LIMIT,
    TIMEOUT_NS,
    Duplicate,
    Expired,
    Part,
    Reassembler,
    Refused,
    Waiting,
    Whole,
)

A, B = Ipv4("10.0.0.1"), Ipv4("10.0.0.2")
KEY = (A, B, 17, 1)


def cut(payload: bytes, size: int) -> list[Part[int]]:
    places = range(0, len(payload), size)
    return [
        Part(at, at + size < len(payload), payload[at : at + size], index)
        for index, at in enumerate(places)
    ]


@given(st.binary(min_size=1, max_size=400), st.integers(1, 8), st.randoms(use_true_random=False))
def test_fragments_in_any_order_are_the_packet(payload, units, shuffler: random.Random) -> None:
    parts = cut(payload, 8 * units)
    shuffler.shuffle(parts)
    machine: Reassembler[int] = Reassembler()
    *before, last = parts
    for part in before:
        assert machine.add(KEY, part, 0) == Waiting()
    assert len(machine) == len(before)
    assert machine.add(KEY, last, 0) == Whole(payload, [part.token for part in parts], 0)
    assert (len(machine), machine.next_timeout()) == (0, NEVER)


def test_packets_are_told_apart() -> None:
    machine: Reassembler[int] = Reassembler()
    first, last = cut(b"x" * 16, 8)
    assert machine.add(KEY, first, 0) == Waiting()
    assert machine.add((A, B, 17, 2), last, 0) == Waiting()
    assert machine.add((B, A, 17, 1), last, 0) == Waiting()
    assert isinstance(machine.add(KEY, last, 0), Whole)


def test_a_repetition_is_a_duplicate() -> None:
    machine: Reassembler[int] = Reassembler()
    first, last = cut(b"x" * 16, 8)
    machine.add(KEY, first, 0)
    assert machine.add(KEY, first, 0) == Duplicate()
    assert isinstance(machine.add(KEY, last, 0), Whole)


MISFITS = {
    "overlapping": Part(8, True, bytes(16), 9),
    "the same place, other bytes": Part(16, True, b"evil" * 4, 9),
    "inside another": Part(24, True, bytes(8), 9),
    "beyond the end": Part(64, True, bytes(8), 9),
    "another end": Part(48, False, bytes(8), 9),
    "an end before others": Part(8, False, bytes(8), 9),
    "no multiple of 8": Part(0, True, bytes(12), 9),
    "nothing": Part(0, True, b"", 9),
    "longer than a packet can be": Part(0xFFF8, False, bytes(16), 9),
}


@pytest.mark.parametrize("misfit", MISFITS.values(), ids=MISFITS)
def test_a_misfit_ends_the_packet(misfit: Part[int]) -> None:
    machine: Reassembler[int] = Reassembler()
    machine.add(KEY, Part(16, True, b"good" * 4, 0), 0)
    machine.add(KEY, Part(56, False, bytes(8), 1), 0)
    assert machine.add(KEY, misfit, 0) == Refused([0, 1])
    assert len(machine) == 0


def test_a_packet_that_is_not_whole_in_time_is_given_up() -> None:
    machine: Reassembler[int] = Reassembler()
    first, last = cut(b"x" * 16, 8)
    machine.add(KEY, first, 5)
    machine.add((A, B, 17, 2), last, 7)
    assert machine.next_timeout() == 5 + TIMEOUT_NS
    assert machine.tick(4 + TIMEOUT_NS) == []
    assert machine.tick(7 + TIMEOUT_NS) == [
        Expired([0], first=0, timed_out=True), Expired([1], first=None, timed_out=True),
    ]  # fmt: skip


def test_a_flood_of_first_fragments_costs_bounded_memory() -> None:
    machine: Reassembler[int] = Reassembler()
    given_up = 0
    for number in range(3 * PACKET_LIMIT):
        machine.add((A, B, 17, number), Part(0, True, bytes(8), number), number)
        surplus = machine.overflow()
        if surplus is not None:
            assert surplus == Expired([given_up], first=given_up, timed_out=False)
            given_up += 1
    assert (len(machine), given_up) == (PACKET_LIMIT, 2 * PACKET_LIMIT)


def test_a_packet_has_so_many_fragments_and_no_more() -> None:
    machine: Reassembler[int] = Reassembler()
    for number in range(FRAGMENT_LIMIT):
        assert machine.add(KEY, Part(8 * number, True, bytes(8), number), 0) == Waiting()
    last = Part(8 * FRAGMENT_LIMIT, False, b"x", 0)
    assert machine.add(KEY, last, 0) == Refused(list(range(FRAGMENT_LIMIT)))


@given(
    st.lists(
        st.builds(
            Part, st.integers(0, 12).map(lambda unit: 8 * unit), st.booleans(),
            st.integers(0, 4).map(lambda units: bytes(8 * units)), st.integers(0, 99),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_whatever_comes_every_token_is_held_or_comes_back_once(parts) -> None:
    machine: Reassembler[int] = Reassembler()
    taken = returned = 0
    for part in parts:
        match machine.add(KEY, part, 0):
            case Whole(payload, tokens, _):
                taken += 1
                returned += len(tokens)
                assert len(payload) % 8 == 0
            case Refused(tokens):
                returned += len(tokens)
            case Waiting():
                taken += 1
            case Duplicate():
                pass
        assert len(machine) == taken - returned
