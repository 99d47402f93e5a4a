"""Instructions: what a flow entry has done with the packets it matches (OpenFlow 1.3.5, 7.2.4).

::

    0      2        4
    type   length   arguments, up to a multiple of 8 bytes
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.action import Action, actions_text
from sdnvirt.openflow.element import (
    DataElement,
    Element,
    Family,
    FixedElement,
    pack_all,
    remembered,
    take_elements,
)
from sdnvirt.openflow.record import filling
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.constants import OFPIT
from sdnvirt.openflow.v13.error_codes import OFPBIC, refuse

_ACTIONS: Final = Struct("!HH4x")

ALL_METADATA: Final = (1 << 64) - 1


class Instruction(Element):
    """An instruction; ``TYPE`` is its OFPIT number. Its text is what ovs-ofctl prints."""

    __slots__ = ()

    FAMILY: ClassVar[Family] = Family(
        "an instruction", 8, 8, lambda detail: refuse(OFPBIC.BAD_LEN, detail)
    )


@dataclass(frozen=True, slots=True)
class GotoTable(FixedElement, Instruction):
    """Continue with a later table (ofp_instruction_goto_table)."""

    table_id: int

    TYPE: ClassVar[int] = OFPIT.GOTO_TABLE
    LAYOUT: ClassVar[Struct] = Struct("!HHB3x")

    def __str__(self) -> str:
        return f"goto_table:{self.table_id}"


@dataclass(frozen=True, slots=True)
class WriteMetadata(FixedElement, Instruction):
    """Set the bits of the metadata that the mask names (ofp_instruction_write_metadata)."""

    metadata: int
    metadata_mask: int = ALL_METADATA

    TYPE: ClassVar[int] = OFPIT.WRITE_METADATA
    LAYOUT: ClassVar[Struct] = Struct("!HH4xQQ")

    def __str__(self) -> str:
        mask = "" if self.metadata_mask == ALL_METADATA else f"/{self.metadata_mask:#x}"
        return f"write_metadata:{self.metadata:#x}{mask}"


@dataclass(frozen=True, slots=True)
class _Actions(Instruction):
    actions: tuple[Action, ...] = ()

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        return cls(unpack_actions(data, start + _ACTIONS.size, end))

    def pack(self) -> bytes:
        packed = pack_all(self.actions)
        return _ACTIONS.pack(self.TYPE, _ACTIONS.size + len(packed)) + packed


@dataclass(frozen=True, slots=True)
class WriteActions(_Actions):
    """Merge actions into the action set, which is executed when the pipeline ends."""

    TYPE: ClassVar[int] = OFPIT.WRITE_ACTIONS

    def __str__(self) -> str:
        return f"write_actions({actions_text(self.actions)})"


@dataclass(frozen=True, slots=True)
class ApplyActions(_Actions):
    """Execute actions at once, in order."""

    TYPE: ClassVar[int] = OFPIT.APPLY_ACTIONS

    def __str__(self) -> str:
        return actions_text(self.actions)


@dataclass(frozen=True, slots=True)
class ClearActions(FixedElement, Instruction):
    """Empty the action set."""

    TYPE: ClassVar[int] = OFPIT.CLEAR_ACTIONS
    LAYOUT: ClassVar[Struct] = _ACTIONS

    def __str__(self) -> str:
        return "clear_actions"


@dataclass(frozen=True, slots=True)
class Meter(FixedElement, Instruction):
    """Pass the packet through a meter, which may drop it (ofp_instruction_meter)."""

    meter_id: int

    TYPE: ClassVar[int] = OFPIT.METER
    LAYOUT: ClassVar[Struct] = Struct("!HHI")

    def __str__(self) -> str:
        return f"meter:{self.meter_id}"


@dataclass(frozen=True, slots=True)
class ExperimenterInstruction(DataElement, Instruction):
    """An instruction that is not the specification's (ofp_instruction_experimenter).

    Attributes:
        experimenter: who defines it.
        data: its arguments, a multiple of 8 bytes.
    """

    experimenter: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPIT.EXPERIMENTER
    LAYOUT: ClassVar[Struct] = Struct("!HHI")

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


@remembered
def unpack_instructions(data: bytes, start: int, end: int) -> tuple[Instruction, ...]:
    """Return the instructions that fill ``data[start:end]``, in the order given.

    Raises:
        OpenFlowError: one of them breaks the specification (OFPET_BAD_INSTRUCTION or
            BAD_ACTION), or a type stands twice.
    """
    seen: set[int] = set()

    def class_of(kind: int, _data: bytes, _start: int, _end: int) -> type[Instruction]:
        instruction = INSTRUCTIONS.get(kind)
        if instruction is None:
            raise refuse(OFPBIC.UNKNOWN_INST, f"no instruction has the type {kind}")
        if kind in seen:
            raise refuse(OFPBIC.UNSUP_INST, f"{instruction.__name__} stands twice")
        seen.add(kind)
        return instruction

    return take_elements(Instruction.FAMILY, data, start, end, class_of)


INSTRUCTION_LIST: Final = filling(unpack_instructions, pack_all)
"""The part of a structure that is a list of instructions."""


def instructions_text(instructions: Iterable[Instruction]) -> str:
    """Return instructions as ovs-ofctl prints them, or ``drop`` for none."""
    return ",".join(map(str, instructions)) or "drop"
