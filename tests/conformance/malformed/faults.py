"""All ways to break a message in one field, and samples of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.conformance.malformed.wire import HEADER, WORD

BYTES: Final = (0x00, 0x01, 0x7F, 0xFF)
LENGTHS: Final = (0, 1, 7)
SAMPLE: Final = 15
"""Variants of each message and each kind of fault in a default run."""


@dataclass(frozen=True)
class Cut:
    """The message ends early, and its header says so or not."""

    size: int
    fits: bool

    def of(self, wire: bytes) -> bytes:
        if self.fits:
            wire = wire[:2] + WORD.pack(self.size) + wire[4:]
        return wire[: self.size]


@dataclass(frozen=True)
class Overwrite:
    """Some bytes have another value."""

    offset: int
    data: bytes

    def of(self, wire: bytes) -> bytes:
        return wire[: self.offset] + self.data + wire[self.offset + len(self.data) :]


Fault = Cut | Overwrite

IN_THE_HEADER: Final = Overwrite(2, b"\x00\x07"), Overwrite(0, b"\x7f")
"""A length that no message has, and a version that nobody speaks: in every sample."""


def overwrites(wire: bytes, offset: int, size: int) -> Iterator[Overwrite]:
    """Yield what sets a field of ``size`` bytes, which may be a length, to each value."""
    limit = (1 << 8 * size) - 1
    true = int.from_bytes(wire[offset : offset + size], "big")
    values = (*LENGTHS, true - 1, true + 1, limit, *(BYTES if size == 1 else ()))
    for value in dict.fromkeys(value & limit for value in values):
        if value != true:
            yield Overwrite(offset, value.to_bytes(size, "big"))


def faults_of(wire: bytes) -> list[Fault]:
    """Return all ways to break a message, in a fixed order."""
    found: list[Fault] = [Cut(size, False) for size in range(len(wire))]
    found += [Cut(size, True) for size in range(HEADER.size, len(wire))]
    for offset in range(len(wire)):
        found += overwrites(wire, offset, 1)
    for offset in range(0, len(wire) - 1, WORD.size):
        found += overwrites(wire, offset, WORD.size)
    return found


def kind_of(fault: Fault) -> str:
    """Return what kind of fault one is."""
    match fault:
        case Cut(_, fits):
            return "a shorter message" if fits else "a message that ends early"
        case Overwrite(_, data):
            return f"{len(data)} bytes overwritten"


def sample_of(faults: list[Fault], random: Random) -> list[Fault]:
    """Return some faults of each kind, and those which the header is to be tried with always."""
    kinds: dict[str, list[Fault]] = {}
    for fault in faults:
        kinds.setdefault(kind_of(fault), []).append(fault)
    chosen = [fault for fault in IN_THE_HEADER if fault in faults]
    for members in kinds.values():
        chosen += random.sample(members, min(SAMPLE, len(members)))
    return chosen
