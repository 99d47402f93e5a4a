"""Structures that are declared by layout and tail: what is read, written and refused."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.layout import MAC, Layout, text, words
from sdnvirt.openflow.record import (
    BYTES,
    Message,
    Record,
    RecordMessage,
    SizedRecord,
    many,
    nested,
)


@dataclass(frozen=True, slots=True)
class Pair(Record):
    first: int
    second: int

    LAYOUT: ClassVar[Struct] = Struct("!BxH")


@dataclass(frozen=True, slots=True)
class Thing(SizedRecord):
    number: int
    pairs: tuple[Pair, ...] = ()

    LAYOUT: ClassVar[Struct] = Struct("!HH4x")
    LENGTH_AT: ClassVar[int] = 1
    TAIL = (many(Pair),)
    NOUN: ClassVar[str] = "a thing"


@dataclass(frozen=True, slots=True)
class Told(RecordMessage):
    mac: Mac
    name: str
    pair: Pair
    numbers: tuple[int, int]
    data: bytes = b""

    TYPE: ClassVar[int] = 99
    LAYOUT: ClassVar[Layout] = Layout(MAC, "2x", text(4), nested(Pair), words(2))
    TAIL = (BYTES,)


PAIR = Pair(1, 2)
TOLD = Told(Mac(5), "abc", PAIR, (7, 8), b"rest")


def test_a_layout_stands_in_the_order_of_its_parts():
    wire = TOLD.pack()
    assert wire.hex(" ", -4) == ("00000000 00050000 61626300 01000002 00000007 00000008 72657374")
    assert Told.unpack(wire, 0, len(wire)) == TOLD


def test_a_text_is_cut_so_that_a_zero_ends_it_and_any_bytes_survive():
    layout = Layout(text(4))
    assert layout.pack("abcdef") == b"abc\0"
    (strange,) = layout.unpack_from(b"\xff\xfe\0x", 0)
    assert layout.pack(strange) == b"\xff\xfe\0\0"


def test_a_sized_record_counts_itself_wherever_its_length_stands():
    thing = Thing(9, (PAIR, PAIR))
    wire = thing.pack()
    assert wire[:4] == bytes((0, 9, 0, 16))
    assert Thing.take(b"??" + wire + b"??", 2, 20) == (thing, 18)


@pytest.mark.parametrize(
    ("length", "end", "told"),
    [(16, 7, 7), (7, 16, 7), (17, 16, 17), (10, 16, 2)],
)
def test_a_length_that_cannot_be_is_refused(length, end, told):
    wire = bytearray(Thing(9, (PAIR, PAIR)).pack())
    wire[2:4] = length.to_bytes(2, "big")
    with pytest.raises(OpenFlowError, match=f"cannot have {told} bytes"):
        Thing.take(bytes(wire), 0, end)


@pytest.mark.parametrize("size", [0, 3])
def test_a_record_never_reads_past_its_end(size):
    with pytest.raises(OpenFlowError, match=f"Pair cannot have {size} bytes"):
        Pair.take(bytes(9), 2, 2 + size)


def test_a_message_without_reading_or_writing_is_none():
    @dataclass(frozen=True, slots=True)
    class Half(Message):
        def pack(self):
            return b""

    with pytest.raises(TypeError, match="unpack"):
        Half()
