"""Parts of fields, which most of Nicira's actions are about: ``NXM_NX_REG0[0..15]``."""

from __future__ import annotations

from typing import Final, NamedTuple

from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse
from sdnvirt.openflow.v13.oxm import HEADER_SIZE, OxmField

IN_PORT_NXM: Final = bytes((0, 0, 0, 2))
"""The header of NXM_OF_IN_PORT, 16 bits: the lower half of OpenFlow 1.3's, read by learning."""

_OFFSET_SHIFT: Final = 6
"""Offset and width share 16 bits: the lower six hold the width less one."""


class Subfield(NamedTuple):
    """Some bits of a field.

    Attributes:
        field: the field.
        offset: the lowest bit, 0 for the field's lowest.
        bits: how many there are, 1 or more.
    """

    field: OxmField
    offset: int
    bits: int

    @property
    def mask(self) -> int:
        """The bits within the field."""
        return ((1 << self.bits) - 1) << self.offset

    def of(self, value: int) -> int:
        """Return these bits of a value of the field."""
        return (value & self.mask) >> self.offset

    def into(self, value: int, bits: int) -> int:
        """Return a value of the field with these bits replaced."""
        return value & ~self.mask | bits << self.offset

    @property
    def ofs_nbits(self) -> int:
        """Offset and width as most actions hold them."""
        return self.offset << _OFFSET_SHIFT | self.bits - 1

    def __str__(self) -> str:
        name = field_name(self.field)
        if self.offset == 0 and self.bits == self.field.bits:
            return f"{name}[]"
        if self.bits == 1:
            return f"{name}[{self.offset}]"
        return f"{name}[{self.offset}..{self.offset + self.bits - 1}]"


def field_name(field: OxmField) -> str:
    """Return a field's name as Open vSwitch prints it in actions."""
    if field in nxm.NXM_0_NUMBERS:
        return f"NXM_OF_{nxm.NXM_0_NUMBERS[field][1]}"
    if field in nxm.NXM_1_NUMBERS:
        return f"NXM_NX_{nxm.NXM_1_NUMBERS[field][1]}"
    if isinstance(field, nxm.NxmField):
        return f"NXM_NX_{field.name.upper()}"
    return f"OXM_OF_{field.name.upper()}"


def hexadecimal(number: int) -> str:
    """Return a number as Open vSwitch prints it, 0 without the prefix."""
    return f"{number:#x}" if number else "0"


def field_at(data: bytes, start: int) -> OxmField:
    """Return the field whose header stands at ``start``.

    Raises:
        OpenFlowError: there is no such field (OFPBAC_BAD_SET_TYPE).
    """
    header = data[start : start + HEADER_SIZE]
    if header == IN_PORT_NXM:
        return oxm.IN_PORT
    field, masked = nxm.KNOWN_HEADERS.get(header, (None, False))
    if field is None or masked:
        raise refuse(OFPBAC.BAD_SET_TYPE, f"no field has the header {header.hex()}")
    return field


def subfield(field: OxmField, offset: int, bits: int) -> Subfield:
    """Return some bits of a field.

    Raises:
        OpenFlowError: the field does not have them (OFPBAC_BAD_SET_ARGUMENT).
    """
    if bits < 1 or offset + bits > field.bits:
        detail = f"{field.name} has no bits {offset} to {offset + bits - 1}"
        raise refuse(OFPBAC.BAD_SET_ARGUMENT, detail)
    return Subfield(field, offset, bits)


def unpack_subfield(field: OxmField, ofs_nbits: int) -> Subfield:
    """Return the bits of a field that an action's ``ofs_nbits`` names."""
    return subfield(field, ofs_nbits >> _OFFSET_SHIFT, (ofs_nbits & 0x3F) + 1)
