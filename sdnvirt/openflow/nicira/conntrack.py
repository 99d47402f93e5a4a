"""Nicira's actions on connections: tracking, marks and address translation (ovs-actions(7))."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import ClassVar, Final, NamedTuple, Self

from sdnvirt.openflow.element import pack_all, take_elements
from sdnvirt.openflow.nicira.action import HEADER, FixedNiciraAction, NiciraAction
from sdnvirt.openflow.nicira.actions import RegLoad, RegLoad2
from sdnvirt.openflow.nicira.constants import NICIRA, NO_TABLE, NXAST, NXCT, NXNAT
from sdnvirt.openflow.nicira.subfield import Subfield, field_at, unpack_subfield
from sdnvirt.openflow.v13.actions import SetField
from sdnvirt.openflow.v13.constants import OFPAT
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse

_CT: Final = Struct("!H4sHB3xH")
_NAT: Final = Struct("!2xHH")
_IMMEDIATE: Final = bytes(4)

_SIZES: Final = (4, 4, 16, 16, 2, 2)
"""Bytes of the ends of ranges, in the order of their bits: IPv4, IPv6, ports; lowest, highest."""


class Range(NamedTuple):
    """Numbers from the first to the last, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Nat(NiciraAction):
    """Translate addresses and ports within a connection tracking action.

    Attributes:
        flags: NXNAT bits; with neither SRC nor DST, what the connection has already is applied.
        ipv4, ipv6, ports: what the new ones are taken from, or None.
    """

    flags: int = 0
    ipv4: Range | None = None
    ipv6: Range | None = None
    ports: Range | None = None

    SUBTYPE: ClassVar[int] = NXAST.NAT

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        at = start + _NAT.size
        if at > end:
            raise refuse(OFPBAC.BAD_LEN, f"Nat with {end - start} bytes of arguments")
        flags, present = _NAT.unpack_from(data, start)
        cls.check_size(
            start, end, _NAT.size + sum(n for bit, n in enumerate(_SIZES) if present >> bit & 1)
        )
        ends: list[int | None] = []
        for bit, size in enumerate(_SIZES):
            if present >> bit & 1:
                ends.append(int.from_bytes(data[at : at + size], "big"))
                at += size
            else:
                ends.append(None)
        if present >> len(_SIZES):
            raise refuse(OFPBAC.BAD_ARGUMENT, f"unknown ranges {present:#x}")
        return cls(flags, _range(*ends[0:2]), _range(*ends[2:4]), _range(*ends[4:6]))

    def pack_body(self) -> bytes:
        present, packed = 0, []
        for kind, numbers in enumerate((self.ipv4, self.ipv6, self.ports)):
            if numbers is None:
                continue
            size = _SIZES[2 * kind]
            present |= 1 << 2 * kind
            packed.append(numbers.first.to_bytes(size, "big"))
            if numbers.last != numbers.first:
                present |= 2 << 2 * kind
                packed.append(numbers.last.to_bytes(size, "big"))
        return _NAT.pack(self.flags, present) + b"".join(packed)

    def __str__(self) -> str:
        if not self.flags & (NXNAT.SRC | NXNAT.DST):
            return "nat"
        parts = []
        if self.ipv4 is not None:
            parts.append("-".join(str(IPv4Address(n)) for n in dict.fromkeys(self.ipv4)))
        if self.ipv6 is not None:
            parts.append("-".join(f"[{IPv6Address(n)}]" for n in dict.fromkeys(self.ipv6)))
        text = "src" if self.flags & NXNAT.SRC else "dst"
        if parts:
            text += f"={parts[0]}"
        if self.ports is not None:
            text += ":" + "-".join(map(str, dict.fromkeys(self.ports)))
        for flag in (NXNAT.PERSISTENT, NXNAT.PROTO_HASH, NXNAT.PROTO_RANDOM):
            if self.flags & flag:
                text += f",{_NAT_WORDS[flag]}"
        return f"nat({text})"


_ALGS: Final = {21: "ftp", 69: "tftp"}
_NAT_WORDS: Final = {
    NXNAT.PERSISTENT: "persistent", NXNAT.PROTO_HASH: "hash", NXNAT.PROTO_RANDOM: "random",
}  # fmt: skip


def _range(first: int | None = None, last: int | None = None) -> Range | None:
    if first is None:
        if last is not None:
            raise refuse(OFPBAC.BAD_ARGUMENT, "a range has an end and no beginning")
        return None
    if last is not None and last < first:
        raise refuse(OFPBAC.BAD_ARGUMENT, "a range ends before it begins")
    return Range(first, first if last is None else last)


Nested = Nat | RegLoad | RegLoad2 | SetField
"""Actions that may stand within a connection tracking action."""

_NESTED: Final[dict[int, type[Nested]]] = {
    NXAST.NAT: Nat, NXAST.REG_LOAD: RegLoad, NXAST.REG_LOAD2: RegLoad2,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Conntrack(NiciraAction):
    """Look the packet's connection up, and perhaps remember it.

    Attributes:
        flags: NXCT bits.
        zone: number of the zone of connections, or the 16 bits of a field that hold it.
        table_id: table where a copy of the packet goes on, knowing its connection's state, or
            ``constants.NO_TABLE``.
        alg: port of the application whose data connections are expected, 0 for none.
        actions: address translation, and values for the connection's mark and label.
    """

    flags: int = 0
    zone: int | Subfield = 0
    table_id: int = NO_TABLE
    alg: int = 0
    actions: tuple[Nested, ...] = ()

    SUBTYPE: ClassVar[int] = NXAST.CT

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _CT.size:
            raise refuse(OFPBAC.BAD_LEN, f"Conntrack with {end - start} bytes of arguments")
        flags, source, given, table_id, alg = _CT.unpack_from(data, start)
        zone: int | Subfield = given
        if source != _IMMEDIATE:
            zone = unpack_subfield(field_at(data, start + 2), given)
            if zone.bits != 16:
                raise refuse(OFPBAC.BAD_SET_ARGUMENT, f"a zone has 16 bits, {zone} has not")
        nested = take_elements(NiciraAction.FAMILY, data, start + _CT.size, end, _nested_class)
        return cls(flags, zone, table_id, alg, nested)

    def pack_body(self) -> bytes:
        source, given = _IMMEDIATE, self.zone
        if isinstance(given, Subfield):
            source, given = given.field.header, given.ofs_nbits
        head = _CT.pack(self.flags, source, given, self.table_id, self.alg)
        return head + pack_all(self.actions)

    def __str__(self) -> str:
        parts = []
        if self.flags & NXCT.COMMIT:
            parts.append("commit")
        if self.flags & NXCT.FORCE:
            parts.append("force")
        if self.table_id != NO_TABLE:
            parts.append(f"table={self.table_id}")
        if self.zone:
            parts.append(f"zone={self.zone}")
        if self.alg:
            parts.append(f"alg={_ALGS.get(self.alg, self.alg)}")
        parts += [str(one) for one in self.actions if isinstance(one, Nat)]
        values = [str(one) for one in self.actions if not isinstance(one, Nat)]
        if values:
            parts.append(f"exec({','.join(values)})")
        return f"ct({','.join(parts)})"


def _nested_class(kind: int, data: bytes, start: int, end: int) -> type[Nested]:
    """Return the class of an action within a connection tracking action."""
    if kind == OFPAT.SET_FIELD:
        return SetField
    if kind == OFPAT.EXPERIMENTER and end - start >= HEADER.size:
        _, _, experimenter, subtype = HEADER.unpack_from(data, start)
        known = _NESTED.get(subtype)
        if experimenter == NICIRA and known is not None:
            return known
    raise refuse(OFPBAC.BAD_ARGUMENT, f"no action of type {kind} may stand within ct")


@dataclass(frozen=True, slots=True)
class ConntrackClear(FixedNiciraAction):
    """Forget what connection tracking said of the packet."""

    SUBTYPE: ClassVar[int] = NXAST.CT_CLEAR
    LAYOUT: ClassVar[Struct] = Struct("!6x")

    def __str__(self) -> str:
        return "ct_clear"
