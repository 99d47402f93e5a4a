"""Nicira's actions on registers and fields, and those that say where a packet goes.

ovs-actions(7); of the layouts that Open vSwitch has, those that Ryu sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.nicira.action import FixedNiciraAction, NiciraAction
from sdnvirt.openflow.nicira.constants import IN_PORT, NXAST, SAME_TABLE
from sdnvirt.openflow.nicira.fields import KNOWN_HEADERS
from sdnvirt.openflow.nicira.subfield import (
    Subfield,
    field_at,
    hexadecimal,
    subfield,
    unpack_subfield,
)
from sdnvirt.openflow.v13.constants import OFPCML, OFPR, named
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse
from sdnvirt.openflow.v13.oxm import HEADER_SIZE, OxmField

_LOAD: Final = Struct("!H4sQ")
_MOVE: Final = Struct("!HHH4s4s")
_OUTPUT_REG: Final = Struct("!H4sH6x")
_OUTPUT_REG2: Final = Struct("!HH4s6x")


@dataclass(frozen=True, slots=True)
class RegLoad(NiciraAction):
    """Give some bits of a field a value."""

    dst: Subfield
    value: int

    SUBTYPE: ClassVar[int] = NXAST.REG_LOAD

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        cls.check_size(start, end, _LOAD.size)
        ofs_nbits, _, value = _LOAD.unpack_from(data, start)
        dst = unpack_subfield(field_at(data, start + 2), ofs_nbits)
        if value >> dst.bits:
            raise refuse(OFPBAC.BAD_ARGUMENT, f"{value:#x} does not fit into {dst}")
        return cls(dst, value)

    def pack_body(self) -> bytes:
        return _LOAD.pack(self.dst.ofs_nbits, self.dst.field.header, self.value)

    def __str__(self) -> str:
        return f"load:{hexadecimal(self.value)}->{self.dst}"


@dataclass(frozen=True, slots=True)
class RegLoad2(NiciraAction):
    """Give the bits of a field that a mask names a value; without a mask, all of them."""

    field: OxmField
    value: int
    mask: int | None = None

    SUBTYPE: ClassVar[int] = NXAST.REG_LOAD2

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        payload = start + HEADER_SIZE
        field, masked = KNOWN_HEADERS.get(data[start:payload], (None, False))
        if field is None:
            detail = f"no field has the header {data[start:payload].hex()}"
            raise refuse(OFPBAC.BAD_SET_TYPE, detail)
        cls.check_size(start, end, HEADER_SIZE + field.size * (2 if masked else 1))
        stop = payload + field.size
        value = int.from_bytes(data[payload:stop], "big")
        mask = int.from_bytes(data[stop : stop + field.size], "big") if masked else None
        if value & ~(field.limit if mask is None else mask) or (mask or 0) > field.limit:
            raise refuse(OFPBAC.BAD_SET_ARGUMENT, f"{field.name} cannot be {value:#x}")
        return cls(field, value, mask)

    def pack_body(self) -> bytes:
        size = self.field.size
        if self.mask is None:
            return self.field.header + self.value.to_bytes(size, "big")
        both = self.value << 8 * size | self.mask
        return self.field.masked_header + both.to_bytes(2 * size, "big")

    def __str__(self) -> str:
        return f"set_field:{self.field.text(self.value, self.mask)}->{self.field.name}"


@dataclass(frozen=True, slots=True)
class RegMove(NiciraAction):
    """Copy some bits of a field to as many of another."""

    src: Subfield
    dst: Subfield

    SUBTYPE: ClassVar[int] = NXAST.REG_MOVE

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        cls.check_size(start, end, _MOVE.size)
        bits, src_offset, dst_offset, _, _ = _MOVE.unpack_from(data, start)
        src = subfield(field_at(data, start + 6), src_offset, bits)
        return cls(src, subfield(field_at(data, start + 10), dst_offset, bits))

    def pack_body(self) -> bytes:
        src, dst = self.src, self.dst
        return _MOVE.pack(src.bits, src.offset, dst.offset, src.field.header, dst.field.header)

    def __str__(self) -> str:
        return f"move:{self.src}->{self.dst}"


@dataclass(frozen=True, slots=True)
class OutputReg(NiciraAction):
    """Send the packet out of the port whose number some bits of a field hold.

    Attributes:
        src: where the number is.
        max_len: bytes that a packet-in may carry when the port is OFPP.CONTROLLER.
    """

    src: Subfield
    max_len: int

    SUBTYPE: ClassVar[int] = NXAST.OUTPUT_REG

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        cls.check_size(start, end, _OUTPUT_REG.size)
        ofs_nbits, _, max_len = _OUTPUT_REG.unpack_from(data, start)
        return cls(unpack_subfield(field_at(data, start + 2), ofs_nbits), max_len)

    def pack_body(self) -> bytes:
        return _OUTPUT_REG.pack(self.src.ofs_nbits, self.src.field.header, self.max_len)

    def __str__(self) -> str:
        return f"output:{self.src}"


@dataclass(frozen=True, slots=True)
class OutputReg2(OutputReg):
    """The same in the layout that has room for longer field headers."""

    SUBTYPE: ClassVar[int] = NXAST.OUTPUT_REG2

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        cls.check_size(start, end, _OUTPUT_REG2.size)
        ofs_nbits, max_len, _ = _OUTPUT_REG2.unpack_from(data, start)
        return cls(unpack_subfield(field_at(data, start + 4), ofs_nbits), max_len)

    def pack_body(self) -> bytes:
        return _OUTPUT_REG2.pack(self.src.ofs_nbits, self.max_len, self.src.field.header)

    __str__ = OutputReg.__str__


@dataclass(frozen=True, slots=True)
class ResubmitTable(FixedNiciraAction):
    """Look the packet up in a table, execute what is found there, and go on behind this action.

    Attributes:
        in_port: port that the look-up takes for the ingress port, or ``constants.IN_PORT``.
        table_id: the table, or ``constants.SAME_TABLE``.
    """

    in_port: int = IN_PORT
    table_id: int = SAME_TABLE

    SUBTYPE: ClassVar[int] = NXAST.RESUBMIT_TABLE
    LAYOUT: ClassVar[Struct] = Struct("!HB3x")

    def __str__(self) -> str:
        return _resubmit_text(self.in_port, self.table_id)


@dataclass(frozen=True, slots=True)
class Resubmit(FixedNiciraAction):
    """Look the packet up again in the same table, as if it had arrived at a port."""

    in_port: int

    SUBTYPE: ClassVar[int] = NXAST.RESUBMIT
    LAYOUT: ClassVar[Struct] = Struct("!H4x")

    def __str__(self) -> str:
        return _resubmit_text(self.in_port, SAME_TABLE)


def _resubmit_text(in_port: int, table_id: int) -> str:
    if table_id == SAME_TABLE and in_port != IN_PORT:
        return f"resubmit:{in_port}"
    port = "" if in_port == IN_PORT else str(in_port)
    table = "" if table_id == SAME_TABLE else str(table_id)
    return f"resubmit({port},{table})"


@dataclass(frozen=True, slots=True)
class SetTunnel(FixedNiciraAction):
    """Give the packet a tunnel id of at most 32 bits."""

    tunnel_id: int

    SUBTYPE: ClassVar[int] = NXAST.SET_TUNNEL
    LAYOUT: ClassVar[Struct] = Struct("!2xI")

    def __str__(self) -> str:
        return f"set_tunnel:{hexadecimal(self.tunnel_id)}"


@dataclass(frozen=True, slots=True)
class SetTunnel64(FixedNiciraAction):
    """Give the packet a tunnel id of at most 64 bits."""

    tunnel_id: int

    SUBTYPE: ClassVar[int] = NXAST.SET_TUNNEL64
    LAYOUT: ClassVar[Struct] = Struct("!6xQ")

    def __str__(self) -> str:
        return f"set_tunnel64:{hexadecimal(self.tunnel_id)}"


@dataclass(frozen=True, slots=True)
class Exit(FixedNiciraAction):
    """Execute no more actions, neither here nor where the packet was resubmitted."""

    SUBTYPE: ClassVar[int] = NXAST.EXIT
    LAYOUT: ClassVar[Struct] = Struct("!6x")

    def __str__(self) -> str:
        return "exit"


@dataclass(frozen=True, slots=True)
class Controller(FixedNiciraAction):
    """Hand the packet to the controller with this reason.

    Attributes:
        max_len: bytes that the packet-in may carry.
        controller_id: which controller, 0 for those that did not choose an id.
        reason: one of OFPR.
    """

    max_len: int
    controller_id: int
    reason: int

    SUBTYPE: ClassVar[int] = NXAST.CONTROLLER
    LAYOUT: ClassVar[Struct] = Struct("!HHBx")

    def __str__(self) -> str:
        if self.reason == OFPR.ACTION and not self.controller_id:
            return f"CONTROLLER:{self.max_len}"
        parts = []
        if self.reason != OFPR.ACTION:
            parts.append(f"reason={named(self.reason, OFPR).lower()}")
        if self.max_len != OFPCML.NO_BUFFER:
            parts.append(f"max_len={self.max_len}")
        if self.controller_id:
            parts.append(f"id={self.controller_id}")
        return f"controller({','.join(parts)})"


@dataclass(frozen=True, slots=True)
class Note(NiciraAction):
    """Do nothing; the data is the controller's."""

    data: bytes

    SUBTYPE: ClassVar[int] = NXAST.NOTE

    @classmethod
    def unpack_body(cls, data: bytes, start: int, end: int) -> Self:
        return cls(data[start:end])

    def pack_body(self) -> bytes:
        return self.data

    def __str__(self) -> str:
        return f"note:{self.data.hex('.')}"
