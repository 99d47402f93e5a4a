"""Nicira's learn action: a flow entry made from the packet at hand (ovs-actions(7)).

::

    0              2              4          6        14      16         18
    idle timeout   hard timeout   priority   cookie   flags   table, -   idle, hard after FIN

Specifications of what the entry matches and does follow, each with a header: bit 13 says whether
the source is a number, bits 12 and 11 what it is for, bits 9 to 0 how many bits it has. Sixteen
bits of zeros are padding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from typing import ClassVar, Final, NamedTuple, Self

from sdnvirt.openflow.nicira.action import NiciraAction
from sdnvirt.openflow.nicira.constants import NXAST, NXLEARN
from sdnvirt.openflow.nicira.subfield import Subfield, field_at, hexadecimal, subfield
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse
from sdnvirt.openflow.v13.oxm import Form

_LEARN: Final = Struct("!HHHQHBxHH")
_SPEC: Final = Struct("!H")
_SUBFIELD: Final = Struct("!4sH")
_NUMBER: Final = 1 << 13
_PURPOSE_SHIFT: Final = 11
_KNOWN_BITS: Final = 0x3BFF

SPECS_MAX: Final = 1_000
"""Specifications of one action. Each makes up to 48 bytes of the entry that is learned, which
must be told in one message of 64 KiB."""


class Purpose(IntEnum):
    """What a specification is for."""

    MATCH = 0
    LOAD = 1
    OUTPUT = 2


class Spec(NamedTuple):
    """A part of the entry to be learned.

    Attributes:
        purpose: whether it is something to match, to load or to output to.
        src: bits of the packet's fields, or a number.
        dst: the bits to match or to load; None for an output.
        bits: how many bits it is about.
    """

    purpose: Purpose
    src: Subfield | int
    dst: Subfield | None
    bits: int

    def pack(self) -> bytes:
        """Return the specification's bytes."""
        header = self.purpose << _PURPOSE_SHIFT | self.bits
        if isinstance(self.src, Subfield):
            packed = _SPEC.pack(header) + _SUBFIELD.pack(self.src.field.header, self.src.offset)
        else:
            number = self.src.to_bytes(_number_size(self.bits), "big")
            packed = _SPEC.pack(header | _NUMBER) + number
        if self.dst is not None:
            packed += _SUBFIELD.pack(self.dst.field.header, self.dst.offset)
        return packed

    def __str__(self) -> str:
        if self.purpose is Purpose.OUTPUT:
            return f"output:{self.src}"
        assert self.dst is not None
        src = str(self.src) if isinstance(self.src, Subfield) else hexadecimal(self.src)
        if self.purpose is Purpose.LOAD:
            return f"load:{src}->{self.dst}"
        if self.src == self.dst:
            return str(self.dst)
        whole = self.dst.offset == 0 and self.dst.bits == self.dst.field.bits
        if whole and isinstance(self.src, int):
            field = self.dst.field
            plain = field.form in (Form.ETHER_TYPE, Form.HEX)
            return f"{field.name}={src if plain else field.text(self.src)}"
        return f"{self.dst}={src}"


def _number_size(bits: int) -> int:
    return (bits + 15) // 16 * 2


@dataclass(frozen=True, slots=True)
class Learn(NiciraAction):
    """Add a flow entry, or refresh it if it is there.

    Attributes:
        idle_timeout, hard_timeout: seconds, 0 for never.
        priority: of the entry.
        cookie: of the entry.
        flags: NXLEARN bits.
        table_id: where the entry goes.
        fin_idle_timeout, fin_hard_timeout: timeouts once a TCP connection ends, 0 for the same.
        specs: what the entry matches and does.
    """

    idle_timeout: int
    hard_timeout: int
    priority: int
    cookie: int
    flags: int
    table_id: int
    fin_idle_timeout: int
    fin_hard_timeout: int
    specs: tuple[Spec, ...] = ()

    SUBTYPE: ClassVar[int] = NXAST.LEARN

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        at = start + _LEARN.size
        if at > end:
            raise refuse(OFPBAC.BAD_LEN, f"Learn with {end - start} bytes of arguments")
        make: Callable[..., Self] = cls
        specs: list[Spec] = []
        while end - at >= _SPEC.size:
            if data[at : at + _SPEC.size] == b"\0\0":
                break
            if len(specs) == SPECS_MAX:
                raise refuse(OFPBAC.TOO_MANY, f"Learn with over {SPECS_MAX} specifications")
            spec, at = _take_spec(data, at, end)
            specs.append(spec)
        if any(data[at:end]) or end - at >= 8:
            raise refuse(OFPBAC.BAD_LEN, f"{end - at} bytes behind the last specification")
        return make(*_LEARN.unpack_from(data, start), tuple(specs))

    def pack_body(self) -> bytes:
        head = _LEARN.pack(
            self.idle_timeout, self.hard_timeout, self.priority, self.cookie, self.flags,
            self.table_id, self.fin_idle_timeout, self.fin_hard_timeout,
        )  # fmt: skip
        return head + b"".join([spec.pack() for spec in self.specs])

    def __str__(self) -> str:
        parts = [f"table={self.table_id}"]
        timeouts = ("idle_timeout", "hard_timeout", "fin_idle_timeout", "fin_hard_timeout")
        parts += [f"{name}={getattr(self, name)}" for name in timeouts if getattr(self, name)]
        if self.priority != _DEFAULT_PRIORITY:
            parts.append(f"priority={self.priority}")
        if self.flags & NXLEARN.SEND_FLOW_REM:
            parts.append("send_flow_rem")
        if self.cookie:
            parts.append(f"cookie={self.cookie:#x}")
        return f"learn({','.join([*parts, *map(str, self.specs)])})"


_DEFAULT_PRIORITY: Final = 0x8000


def _take_spec(data: bytes, at: int, end: int) -> tuple[Spec, int]:
    """Return the specification at an offset, and the offset behind it."""
    (header,) = _SPEC.unpack_from(data, at)
    bits, kind = header & 0x3FF, header >> _PURPOSE_SHIFT & 3
    at += _SPEC.size
    if header & ~_KNOWN_BITS or kind not in _PURPOSES or not bits:
        raise refuse(OFPBAC.BAD_ARGUMENT, f"no specification has the header {header:#06x}")
    purpose = Purpose(kind)
    src: Subfield | int
    if header & _NUMBER:
        size = _number_size(bits)
        _check_room(end - at, size)
        src = int.from_bytes(data[at : at + size], "big")
        at += size
        if src >> bits:
            raise refuse(OFPBAC.BAD_ARGUMENT, f"{src:#x} has more than {bits} bits")
    else:
        src, at = _take_subfield(data, at, end, bits)
    dst = None
    if purpose is not Purpose.OUTPUT:
        dst, at = _take_subfield(data, at, end, bits)
    return Spec(purpose, src, dst, bits), at


_PURPOSES: Final = frozenset(Purpose)


def _take_subfield(data: bytes, at: int, end: int, bits: int) -> tuple[Subfield, int]:
    _check_room(end - at, _SUBFIELD.size)
    _, offset = _SUBFIELD.unpack_from(data, at)
    return subfield(field_at(data, at), offset, bits), at + _SUBFIELD.size


def _check_room(room: int, needed: int) -> None:
    if room < needed:
        raise refuse(OFPBAC.BAD_LEN, f"a specification of {needed} bytes or more in {room}")
