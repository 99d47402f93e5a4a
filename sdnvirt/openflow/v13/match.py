"""The flow match: OXM fields with values and masks (OpenFlow 1.3.5, 7.2.3).

::

    0          2         4
    type = 1   length    OXM fields, then zeros up to a multiple of 8 (not counted in length)

A match is kept in one form, so that equal matches compare equal: fields in the order of their
headers (in which what is required stands before what requires it), a mask of all ones as no mask,
and a field with a mask of all zeros left out (7.2.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from struct import Struct
from typing import Final, NamedTuple

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira.fields import KNOWN_HEADERS, KNOWN_NAMES, field_like
from sdnvirt.openflow.record import Part
from sdnvirt.openflow.v13.constants import OFPMT
from sdnvirt.openflow.v13.error_codes import OFPBMC, refuse
from sdnvirt.openflow.v13.oxm import HEADER_SIZE, OxmField

_HEADER: Final = Struct("!HH")
_BY_HEADER: Final = attrgetter("field.header")
_OXM: Final = OFPMT.OXM.to_bytes(2, "big")
_PADDING: Final = tuple(bytes(-length % 8) for length in range(8))
"""What follows a match whose length modulo 8 is so much."""


class OxmMatch(NamedTuple):
    """A field of a match: ``packet & mask == value``, or ``packet == value`` without a mask."""

    field: OxmField
    value: int
    mask: int | None = None

    def __str__(self) -> str:
        return f"{self.field.name}={self.field.text(self.value, self.mask)}"


@dataclass(frozen=True, slots=True)
class Match:
    """Which packets a flow entry is for; without fields, all.

    Attributes:
        fields: the fields in the order of their headers, each at most once.
    """

    fields: tuple[OxmMatch, ...] = ()

    @classmethod
    def of(cls, **values: int | bytes | tuple[int | bytes, int | bytes]) -> Match:
        """Return the match of fields given by name.

        Args:
            values: for each field a value, or a pair of value and mask; addresses may be the
                bytes that they are, such as a Mac.

        Raises:
            OpenFlowError: the match breaks a rule of the specification.
            KeyError: there is no field of that name.
        """
        found: dict[OxmField, OxmMatch] = {}
        for field in sorted(KNOWN_NAMES[name] for name in values):
            given = values[field.name]
            if isinstance(given, tuple):
                _admit(found, field, _number_of(given[0]), _number_of(given[1]))
            else:
                _admit(found, field, _number_of(given), None)
        return cls(_canonical(found))

    def pack(self) -> bytes:
        """Return the match's bytes, padding included."""
        fields = pack_fields(self.fields)
        length = _HEADER.size + len(fields)
        return _OXM + length.to_bytes(2, "big") + fields + _PADDING[length % 8]

    def __str__(self) -> str:
        """Return the fields as ovs-ofctl prints them, or ``*`` for all packets."""
        return ",".join(map(str, self.fields)) or "*"


ALL_PACKETS: Final = Match()
"""The match without fields."""


def _number_of(value: int | bytes) -> int:
    return value if isinstance(value, int) else int.from_bytes(value, "big")


def pack_fields(fields: tuple[OxmMatch, ...]) -> bytes:
    """Return OXM fields as bytes, one behind the other."""
    parts = []
    for field, value, mask in fields:
        if mask is None:
            parts.append(field.header + value.to_bytes(field.size, "big"))
        else:
            both = value << 8 * field.size | mask
            parts.append(field.masked_header + both.to_bytes(2 * field.size, "big"))
    return b"".join(parts)


def take_match(data: bytes, start: int, end: int) -> tuple[Match, int]:
    """Return the match at ``start`` and the offset behind its padding.

    Raises:
        OpenFlowError: the match breaks a rule of the specification (OFPET_BAD_MATCH).
    """
    if end - start < _HEADER.size:
        raise refuse(OFPBMC.BAD_LEN, f"a match cannot have {end - start} bytes")
    kind, length = _HEADER.unpack_from(data, start)
    if kind != OFPMT.OXM:
        raise refuse(OFPBMC.BAD_TYPE, f"matches of type {kind} are not OXM")
    stop = start + (length + 7) // 8 * 8
    if length < _HEADER.size or stop > end:
        raise refuse(OFPBMC.BAD_LEN, f"a match of {length} bytes in {end - start}")
    return Match(_take_fields(data, start + _HEADER.size, start + length)), stop


MATCH: Final = Part(take_match, Match.pack)
"""The part of a structure that is a match."""


def _take_fields(data: bytes, start: int, end: int) -> tuple[OxmMatch, ...]:
    found: dict[OxmField, OxmMatch] = {}
    while start < end:
        payload = start + HEADER_SIZE
        known = KNOWN_HEADERS.get(data[start:payload]) if payload <= end else None
        if known is None:
            raise header_error(data, start, end)
        field, masked = known
        stop = payload + field.size
        value = int.from_bytes(data[payload:stop], "big")
        mask = None
        if masked:
            mask = int.from_bytes(data[stop : stop + field.size], "big")
            stop += field.size
        if stop > end:
            raise refuse(OFPBMC.BAD_LEN, f"{field.name} reaches past the end of the match")
        _admit(found, field, value, mask)
        start = stop
    return _canonical(found)


def header_error(data: bytes, start: int, end: int) -> OpenFlowError:
    """Return what is wrong with an OXM header that is not one of the table's."""
    if end - start < HEADER_SIZE:
        return refuse(OFPBMC.BAD_LEN, f"an OXM header cannot have {end - start} bytes")
    header = data[start : start + HEADER_SIZE]
    field = field_like(header)
    if field is None:
        oxm_class, number = int.from_bytes(header[:2], "big"), header[2] >> 1
        return refuse(OFPBMC.BAD_FIELD, f"no field {number} of class {oxm_class:#06x}")
    if header[2] & 1 and not field.maskable:
        return refuse(OFPBMC.BAD_MASK, f"{field.name} cannot be masked")
    return refuse(OFPBMC.BAD_LEN, f"{field.name} cannot have {header[3]} bytes")


def _admit(found: dict[OxmField, OxmMatch], field: OxmField, value: int, mask: int | None) -> None:
    """Add a field to those found before it, if the rules of 7.2.3 allow it."""
    if field in found:
        raise refuse(OFPBMC.DUP_FIELD, f"{field.name} stands twice in the match")
    if value > field.limit:
        raise refuse(OFPBMC.BAD_VALUE, f"{field.name} {value:#x} has over {field.bits} bits")
    if mask is not None:
        if not field.maskable or mask > field.limit:
            raise refuse(OFPBMC.BAD_MASK, f"{field.name} cannot have the mask {mask:#x}")
        if value & ~mask:
            raise refuse(OFPBMC.BAD_WILDCARDS, f"{field.name}: the mask leaves out value bits")
        if mask == field.limit:
            mask = None
    needed = field.requires
    if needed is not None:
        given = found.get(needed.field)
        if given is None or given.value & needed.bits not in needed.values:
            raise refuse(OFPBMC.BAD_PREREQ, f"{field.name} without its {needed.field.name}")
    found[field] = OxmMatch(field, value, mask)


def _canonical(found: dict[OxmField, OxmMatch]) -> tuple[OxmMatch, ...]:
    return tuple(sorted([one for one in found.values() if one.mask != 0], key=_BY_HEADER))
