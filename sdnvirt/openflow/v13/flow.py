"""Flow entries: the message that changes them, that they are gone, and their statistics.

OpenFlow 1.3.5, 7.3.4.1 (flow mod), 7.4.2 (flow removed), 7.3.5.2 and 7.3.5.3 (statistics).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar, Final

from sdnvirt.openflow.header import DESCRIBED_MAX
from sdnvirt.openflow.record import Part, Record, RecordMessage, SizedRecord
from sdnvirt.openflow.v13.constants import (
    DEFAULT_PRIORITY,
    NO_BUFFER,
    OFPFC,
    OFPFF,
    OFPG,
    OFPP,
    OFPT,
    OFPTT,
)
from sdnvirt.openflow.v13.error_codes import OFPFMFC, refuse
from sdnvirt.openflow.v13.instructions import INSTRUCTION_LIST, Instruction
from sdnvirt.openflow.v13.match import ALL_PACKETS, MATCH, Match

_LAST_COMMAND: Final = max(OFPFC)
_ALL_FLAGS: Final = sum(OFPFF)


@dataclass(frozen=True, slots=True)
class FlowMod(RecordMessage):
    """Add, change or delete flow entries (ofp_flow_mod).

    Attributes:
        cookie: the controller's mark for the entry; ``cookie_mask`` says which bits of it
            restrict what is changed or deleted.
        table_id: the table, or OFPTT.ALL to delete from all.
        command: one of OFPFC.
        idle_timeout: seconds without a packet after which the entry goes; 0 for never.
        hard_timeout: seconds after which the entry goes; 0 for never.
        buffer_id: buffered packet to which the new entry applies, or NO_BUFFER.
        out_port: delete only entries that output to this port, OFPP.ANY for all.
        out_group: delete only entries that use this group, OFPG.ANY for all.
        flags: bits of OFPFF.
    """

    cookie: int = 0
    cookie_mask: int = 0
    table_id: int = 0
    command: int = OFPFC.ADD
    idle_timeout: int = 0
    hard_timeout: int = 0
    priority: int = DEFAULT_PRIORITY
    buffer_id: int = NO_BUFFER
    out_port: int = OFPP.ANY
    out_group: int = OFPG.ANY
    flags: int = 0
    match: Match = ALL_PACKETS
    instructions: tuple[Instruction, ...] = ()

    TYPE: ClassVar[int] = OFPT.FLOW_MOD
    LAYOUT: ClassVar[Struct] = Struct("!QQBBHHHIIIH2x")
    TAIL: ClassVar[tuple[Part, ...]] = (MATCH, INSTRUCTION_LIST)
    NOUN: ClassVar[str] = "a flow mod"
    MOST: ClassVar[int] = DESCRIBED_MAX

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        command, flags = values[3], values[10]
        if command > _LAST_COMMAND:
            raise refuse(OFPFMFC.BAD_COMMAND, f"no flow mod command {command}")
        if flags & ~_ALL_FLAGS:
            raise refuse(OFPFMFC.BAD_FLAGS, f"no flow mod flags {flags:#x}")


@dataclass(frozen=True, slots=True)
class FlowRemoved(RecordMessage):
    """A flow entry whose flags asked for it is gone (ofp_flow_removed).

    Attributes:
        reason: one of OFPRR.
        duration_sec: seconds that the entry lived, and ``duration_nsec`` the nanoseconds beyond.
        idle_timeout: seconds, as the flow mod gave it; so ``hard_timeout``.
        packet_count: packets that it matched; all ones if not counted. So ``byte_count``.
    """

    cookie: int
    priority: int
    reason: int
    table_id: int
    duration_sec: int
    duration_nsec: int
    idle_timeout: int
    hard_timeout: int
    packet_count: int
    byte_count: int
    match: Match = ALL_PACKETS

    TYPE: ClassVar[int] = OFPT.FLOW_REMOVED
    LAYOUT: ClassVar[Struct] = Struct("!QHBBIIHHQQ")
    TAIL: ClassVar[tuple[Part, ...]] = (MATCH,)
    NOUN: ClassVar[str] = "a flow removed message"


@dataclass(frozen=True, slots=True)
class FlowStatsRequest(Record):
    """Which flow entries a request for statistics is about (ofp_flow_stats_request).

    The fields are those of a flow mod.
    """

    table_id: int = OFPTT.ALL
    out_port: int = OFPP.ANY
    out_group: int = OFPG.ANY
    cookie: int = 0
    cookie_mask: int = 0
    match: Match = ALL_PACKETS

    LAYOUT: ClassVar[Struct] = Struct("!B3xII4xQQ")
    TAIL: ClassVar[tuple[Part, ...]] = (MATCH,)
    NOUN: ClassVar[str] = "a flow statistics request"


@dataclass(frozen=True, slots=True)
class FlowStats(SizedRecord):
    """A flow entry as its switch describes it (ofp_flow_stats).

    Attributes:
        duration_sec: seconds since it was added, and ``duration_nsec`` the nanoseconds beyond.
        idle_timeout: seconds, as the flow mod gave it; so ``hard_timeout``.
        packet_count: packets that it matched; all ones if not counted. So ``byte_count``.
    """

    table_id: int
    duration_sec: int
    duration_nsec: int
    priority: int
    idle_timeout: int
    hard_timeout: int
    flags: int
    cookie: int
    packet_count: int
    byte_count: int
    match: Match = ALL_PACKETS
    instructions: tuple[Instruction, ...] = ()

    LAYOUT: ClassVar[Struct] = Struct("!HBxIIHHHH4xQQQ")
    TAIL: ClassVar[tuple[Part, ...]] = (MATCH, INSTRUCTION_LIST)
    NOUN: ClassVar[str] = "flow statistics"


@dataclass(frozen=True, slots=True)
class AggregateStats(Record):
    """The sums over the flow entries that a request is about (ofp_aggregate_stats_reply)."""

    packet_count: int
    byte_count: int
    flow_count: int

    LAYOUT: ClassVar[Struct] = Struct("!QQI4x")
