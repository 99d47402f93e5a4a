"""Flow entries: the message that changes them, that they are gone, and their statistics.

OpenFlow 1.0.0, 5.3.3 (flow mod), 5.3.5 (statistics) and 5.4.2 (flow removed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar, Final

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.header import DESCRIBED_MAX
from sdnvirt.openflow.layout import Layout
from sdnvirt.openflow.record import Part, Record, RecordMessage, SizedRecord, nested
from sdnvirt.openflow.v10.actions import ACTION_LIST
from sdnvirt.openflow.v10.constants import (
    ALL_TABLES,
    DEFAULT_PRIORITY,
    NO_BUFFER,
    OFPFC,
    OFPFF,
    OFPP,
    OFPT,
)
from sdnvirt.openflow.v10.error_codes import OFPFMFC, refuse
from sdnvirt.openflow.v10.match import ALL_PACKETS, Match

_MATCH: Final = nested(Match)
_LAST_COMMAND: Final = max(OFPFC)
_ALL_FLAGS: Final = sum(OFPFF)


@dataclass(frozen=True, slots=True)
class FlowMod(RecordMessage):
    """Add, change or delete flow entries (ofp_flow_mod).

    Attributes:
        cookie: the controller's mark for the entry.
        command: one of OFPFC.
        idle_timeout: seconds without a packet after which the entry goes; 0 for never.
        hard_timeout: seconds after which the entry goes; 0 for never.
        priority: without a meaning if the match has no wildcards.
        buffer_id: buffered packet to which the new entry applies, or NO_BUFFER.
        out_port: delete only entries that output to this port, OFPP.NONE for all.
        flags: bits of OFPFF.
    """

    match: Match = ALL_PACKETS
    cookie: int = 0
    command: int = OFPFC.ADD
    idle_timeout: int = 0
    hard_timeout: int = 0
    priority: int = DEFAULT_PRIORITY
    buffer_id: int = NO_BUFFER
    out_port: int = OFPP.NONE
    flags: int = 0
    actions: tuple[Action, ...] = ()

    TYPE: ClassVar[int] = OFPT.FLOW_MOD
    LAYOUT: ClassVar[Layout] = Layout(_MATCH, "QHHHHIHH")
    TAIL: ClassVar[tuple[Part, ...]] = (ACTION_LIST,)
    NOUN: ClassVar[str] = "a flow mod"
    MOST: ClassVar[int] = DESCRIBED_MAX

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        command, flags = values[2], values[8]
        if command > _LAST_COMMAND:
            raise refuse(OFPFMFC.BAD_COMMAND, f"no flow mod command {command}")
        if flags & ~_ALL_FLAGS:
            # There is no code for this; the other codes say even less.
            raise refuse(OFPFMFC.UNSUPPORTED, f"no flow mod flags {flags:#x}")


@dataclass(frozen=True, slots=True)
class FlowRemoved(RecordMessage):
    """A flow entry whose flags asked for it is gone (ofp_flow_removed).

    Attributes:
        reason: one of OFPRR.
        duration_sec: seconds that the entry lived, and ``duration_nsec`` the nanoseconds beyond.
        idle_timeout: seconds, as the flow mod gave it.
        packet_count: packets that it matched, as ``byte_count`` their bytes.
    """

    match: Match
    cookie: int
    priority: int
    reason: int
    duration_sec: int
    duration_nsec: int
    idle_timeout: int
    packet_count: int
    byte_count: int

    TYPE: ClassVar[int] = OFPT.FLOW_REMOVED
    LAYOUT: ClassVar[Layout] = Layout(_MATCH, "QHBxIIH2xQQ")
    NOUN: ClassVar[str] = "a flow removed message"


@dataclass(frozen=True, slots=True)
class FlowStatsRequest(Record):
    """Which flow entries a request for statistics is about (ofp_flow_stats_request).

    Attributes:
        table_id: the table, ALL_TABLES or EMERGENCY_TABLE.
        out_port: only entries that output to this port, OFPP.NONE for all.
    """

    match: Match = ALL_PACKETS
    table_id: int = ALL_TABLES
    out_port: int = OFPP.NONE

    LAYOUT: ClassVar[Layout] = Layout(_MATCH, "BxH")
    NOUN: ClassVar[str] = "a flow statistics request"


@dataclass(frozen=True, slots=True)
class FlowStats(SizedRecord):
    """A flow entry as its switch describes it (ofp_flow_stats).

    Attributes:
        duration_sec: seconds since it was added, and ``duration_nsec`` the nanoseconds beyond.
        idle_timeout: seconds, as the flow mod gave it; so ``hard_timeout``.
        packet_count: packets that it matched, as ``byte_count`` their bytes.
    """

    table_id: int
    match: Match
    duration_sec: int
    duration_nsec: int
    priority: int
    idle_timeout: int
    hard_timeout: int
    cookie: int
    packet_count: int
    byte_count: int
    actions: tuple[Action, ...] = ()

    LAYOUT: ClassVar[Layout] = Layout("HBx", _MATCH, "IIHHH6xQQQ")
    TAIL: ClassVar[tuple[Part, ...]] = (ACTION_LIST,)
    NOUN: ClassVar[str] = "flow statistics"


@dataclass(frozen=True, slots=True)
class AggregateStats(Record):
    """The sums over the flow entries that a request is about (ofp_aggregate_stats_reply)."""

    packet_count: int
    byte_count: int
    flow_count: int

    LAYOUT: ClassVar[Struct] = Struct("!QQI4x")
