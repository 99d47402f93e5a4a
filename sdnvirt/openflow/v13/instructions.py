"""Instructions: what a flow entry has done with the packets it matches (OpenFlow 1.3.5, 7.2.4).

::

    0      2        4
    type   length   arguments, up to a multiple of 8 bytes
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.action import Action, actions_text, pack_actions
from sdnvirt.openflow.record import filling
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.constants import OFPIT
from sdnvirt.openflow.v13.error_codes import OFPBIC, refuse

_HEADER: Final = Struct("!HH")
_ACTIONS: Final = Struct("!HH4x")
_GOTO_TABLE: Final = Struct("!HHB3x")
_WRITE_METADATA: Final = Struct("!HH4xQQ")
_METER: Final = Struct("!HHI")
_EXPERIMENTER: Final = Struct("!HHI")

MIN_SIZE: Final = 8
"""Bytes of the shortest instruction; all are multiples of it."""

REMEMBERED: Final = 4_096
"""Different instructions that are remembered, about 2 MB; switches have fewer than this in use."""

ALL_METADATA: Final = (1 << 64) - 1


class Instruction:
    """An instruction; ``TYPE`` is its OFPIT number. Its text is what ovs-ofctl prints."""

    __slots__ = ()

    TYPE: ClassVar[int]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        """Return the instruction that is ``data[start:end]``, whose type was checked.

        Raises:
            OpenFlowError: it breaks the specification (OFPET_BAD_INSTRUCTION or BAD_ACTION).
        """
        raise NotImplementedError

    def pack(self) -> bytes:
        """Return the instruction's bytes, header and padding included."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class GotoTable(Instruction):
    """Continue with a later table."""

    table_id: int

    TYPE: ClassVar[int] = OFPIT.GOTO_TABLE

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        _check_size(cls, end - start, _GOTO_TABLE)
        return cls(_GOTO_TABLE.unpack_from(data, start)[2])

    def pack(self) -> bytes:
        return _GOTO_TABLE.pack(self.TYPE, _GOTO_TABLE.size, self.table_id)

    def __str__(self) -> str:
        return f"goto_table:{self.table_id}"


@dataclass(frozen=True, slots=True)
class WriteMetadata(Instruction):
    """Set the bits of the metadata that the mask names."""

    metadata: int
    metadata_mask: int = ALL_METADATA

    TYPE: ClassVar[int] = OFPIT.WRITE_METADATA

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        _check_size(cls, end - start, _WRITE_METADATA)
        _, _, metadata, metadata_mask = _WRITE_METADATA.unpack_from(data, start)
        return cls(metadata, metadata_mask)

    def pack(self) -> bytes:
        return _WRITE_METADATA.pack(
            self.TYPE, _WRITE_METADATA.size, self.metadata, self.metadata_mask
        )

    def __str__(self) -> str:
        mask = "" if self.metadata_mask == ALL_METADATA else f"/{self.metadata_mask:#x}"
        return f"write_metadata:{self.metadata:#x}{mask}"


@dataclass(frozen=True, slots=True)
class WriteActions(Instruction):
    """Merge actions into the action set, which is executed when the pipeline ends."""

    actions: tuple[Action, ...] = ()

    TYPE: ClassVar[int] = OFPIT.WRITE_ACTIONS

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        return cls(unpack_actions(data, start + _ACTIONS.size, end))

    def pack(self) -> bytes:
        return _pack_actions(self.TYPE, self.actions)

    def __str__(self) -> str:
        return f"write_actions({actions_text(self.actions)})"


@dataclass(frozen=True, slots=True)
class ApplyActions(Instruction):
    """Execute actions at once, in order."""

    actions: tuple[Action, ...] = ()

    TYPE: ClassVar[int] = OFPIT.APPLY_ACTIONS

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        return cls(unpack_actions(data, start + _ACTIONS.size, end))

    def pack(self) -> bytes:
        return _pack_actions(self.TYPE, self.actions)

    def __str__(self) -> str:
        return actions_text(self.actions)


@dataclass(frozen=True, slots=True)
class ClearActions(Instruction):
    """Empty the action set."""

    TYPE: ClassVar[int] = OFPIT.CLEAR_ACTIONS

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        _check_size(cls, end - start, _ACTIONS)
        return cls()

    def pack(self) -> bytes:
        return _ACTIONS.pack(self.TYPE, _ACTIONS.size)

    def __str__(self) -> str:
        return "clear_actions"


@dataclass(frozen=True, slots=True)
class Meter(Instruction):
    """Pass the packet through a meter, which may drop it."""

    meter_id: int

    TYPE: ClassVar[int] = OFPIT.METER

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        _check_size(cls, end - start, _METER)
        return cls(_METER.unpack_from(data, start)[2])

    def pack(self) -> bytes:
        return _METER.pack(self.TYPE, _METER.size, self.meter_id)

    def __str__(self) -> str:
        return f"meter:{self.meter_id}"


@dataclass(frozen=True, slots=True)
class ExperimenterInstruction(Instruction):
    """An instruction that is not the specification's.

    Attributes:
        experimenter: who defines it.
        data: its arguments, a multiple of 8 bytes.
    """

    experimenter: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPIT.EXPERIMENTER

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        (_, _, experimenter) = _EXPERIMENTER.unpack_from(data, start)
        return cls(experimenter, data[start + _EXPERIMENTER.size : end])

    def pack(self) -> bytes:
        length = _EXPERIMENTER.size + len(self.data)
        return _EXPERIMENTER.pack(self.TYPE, length, self.experimenter) + self.data

    def __str__(self) -> str:
        return f"experimenter:{self.experimenter:#x}({self.data.hex()})"


INSTRUCTIONS: Final[dict[int, type[Instruction]]] = {
    instruction.TYPE: instruction
    for instruction in (
        GotoTable, WriteMetadata, WriteActions, ApplyActions, ClearActions, Meter,
        ExperimenterInstruction,
    )
}  # fmt: skip
"""The class of each instruction type."""


def _check_size(instruction: type[Instruction], size: int, layout: Struct) -> None:
    if size != layout.size:
        raise refuse(OFPBIC.BAD_LEN, f"{instruction.__name__} cannot have {size} bytes")


def _pack_actions(kind: int, actions: tuple[Action, ...]) -> bytes:
    packed = pack_actions(actions)
    return _ACTIONS.pack(kind, _ACTIONS.size + len(packed)) + packed


def unpack_instructions(data: bytes, start: int, end: int) -> tuple[Instruction, ...]:
    """Return the instructions that fill ``data[start:end]``, in the order given.

    Equal bytes give the same objects for as long as they are remembered: many entries of a table do
    the same to their packets, and share what says so.

    Raises:
        OpenFlowError: one of them breaks the specification (OFPET_BAD_INSTRUCTION or
            BAD_ACTION), or a type stands twice, which section 5.9 forbids.
    """
    return _unpack(data[start:end])


@lru_cache(maxsize=REMEMBERED)
def _unpack(data: bytes) -> tuple[Instruction, ...]:
    start, end = 0, len(data)
    found: dict[int, Instruction] = {}
    while start < end:
        if end - start < MIN_SIZE:
            raise refuse(OFPBIC.BAD_LEN, f"an instruction cannot have {end - start} bytes")
        kind, length = _HEADER.unpack_from(data, start)
        if length < MIN_SIZE or length % 8 or length > end - start:
            raise refuse(OFPBIC.BAD_LEN, f"an instruction of {length} bytes in {end - start}")
        instruction = INSTRUCTIONS.get(kind)
        if instruction is None:
            raise refuse(OFPBIC.UNKNOWN_INST, f"no instruction has the type {kind}")
        if kind in found:
            raise refuse(OFPBIC.UNSUP_INST, f"{instruction.__name__} stands twice")
        found[kind] = instruction.unpack(data, start, start + length)
        start += length
    return tuple(found.values())


def pack_instructions(instructions: Iterable[Instruction]) -> bytes:
    """Return instructions as bytes, one behind the other."""
    return b"".join([instruction.pack() for instruction in instructions])


INSTRUCTION_LIST: Final = filling(unpack_instructions, pack_instructions)
"""The part of a structure that is a list of instructions."""


def instructions_text(instructions: Iterable[Instruction]) -> str:
    """Return instructions as ovs-ofctl prints them, or ``drop`` for none."""
    return ",".join(map(str, instructions)) or "drop"
