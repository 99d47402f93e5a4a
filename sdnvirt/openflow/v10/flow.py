"""Flow entries: the message that changes them, that they are gone, and their statistics.

OpenFlow 1.0.0, 5.3.3 (flow mod), 5.3.5 (statistics) and 5.4.2 (flow removed).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.action import Action, pack_actions
from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import Message, Record
from sdnvirt.openflow.v10.actions import unpack_actions
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

_FLOW_MOD: Final = Struct("!QHHHHIHH")
_FLOW_REMOVED: Final = Struct("!QHBxIIH2xQQ")
_REQUEST: Final = Struct("!BxH")
_STATS: Final = Struct("!HBx")
_COUNTERS: Final = Struct("!IIHHH6xQQQ")

_LAST_COMMAND: Final = max(OFPFC)
_ALL_FLAGS: Final = sum(OFPFF)


@dataclass(frozen=True, slots=True)
class FlowMod(Message):
    """Add, change or delete flow entries.

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

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        match, middle = Match.take(data, start, end)
        first = middle + _FLOW_MOD.size
        if first > end:
            raise bad_length("a flow mod", end - start)
        fixed = _FLOW_MOD.unpack_from(data, middle)
        command, flags = fixed[1], fixed[7]
        if command > _LAST_COMMAND:
            raise refuse(OFPFMFC.BAD_COMMAND, f"no flow mod command {command}")
        if flags & ~_ALL_FLAGS:
            # There is no code for this; the other codes say even less.
            raise refuse(OFPFMFC.UNSUPPORTED, f"no flow mod flags {flags:#x}")
        make: Callable[..., Self] = cls
        return make(match, *fixed, unpack_actions(data, first, end))

    def pack(self) -> bytes:
        fixed = _FLOW_MOD.pack(
            self.cookie,
            self.command,
            self.idle_timeout,
            self.hard_timeout,
            self.priority,
            self.buffer_id,
            self.out_port,
            self.flags,
        )
        return self.match.pack() + fixed + pack_actions(self.actions)


@dataclass(frozen=True, slots=True)
class FlowRemoved(Message):
    """A flow entry whose flags asked for it is gone.

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

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        match, middle = Match.take(data, start, end)
        if middle + _FLOW_REMOVED.size != end:
            raise bad_length("a flow removed message", end - start)
        return cls(match, *_FLOW_REMOVED.unpack_from(data, middle))

    def pack(self) -> bytes:
        return self.match.pack() + _FLOW_REMOVED.pack(
            self.cookie,
            self.priority,
            self.reason,
            self.duration_sec,
            self.duration_nsec,
            self.idle_timeout,
            self.packet_count,
            self.byte_count,
        )


@dataclass(frozen=True, slots=True)
class FlowStatsRequest:
    """Which flow entries a request for statistics is about.

    Attributes:
        table_id: the table, ALL_TABLES or EMERGENCY_TABLE.
        out_port: only entries that output to this port, OFPP.NONE for all.
    """

    match: Match = ALL_PACKETS
    table_id: int = ALL_TABLES
    out_port: int = OFPP.NONE

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the request at ``start`` and the offset behind it."""
        match, middle = Match.take(data, start, end)
        stop = middle + _REQUEST.size
        if stop > end:
            raise bad_length("a flow statistics request", end - start)
        return cls(match, *_REQUEST.unpack_from(data, middle)), stop

    def pack(self) -> bytes:
        """Return the request's bytes."""
        return self.match.pack() + _REQUEST.pack(self.table_id, self.out_port)


@dataclass(frozen=True, slots=True)
class FlowStats:
    """A flow entry as its switch describes it.

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

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the statistics at ``start`` and the offset behind them."""
        if end - start < _STATS.size:
            raise bad_length("flow statistics", end - start)
        length, table_id = _STATS.unpack_from(data, start)
        stop = start + length
        if length < _STATS.size or stop > end:
            raise bad_length("flow statistics", length)
        match, middle = Match.take(data, start + _STATS.size, stop)
        first = middle + _COUNTERS.size
        if first > stop:
            raise bad_length("flow statistics", length)
        counters = _COUNTERS.unpack_from(data, middle)
        actions = unpack_actions(data, first, stop)
        make: Callable[..., Self] = cls
        return make(table_id, match, *counters, actions), stop

    def pack(self) -> bytes:
        """Return the statistics' bytes."""
        counters = _COUNTERS.pack(
            self.duration_sec,
            self.duration_nsec,
            self.priority,
            self.idle_timeout,
            self.hard_timeout,
            self.cookie,
            self.packet_count,
            self.byte_count,
        )
        rest = self.match.pack() + counters + pack_actions(self.actions)
        return _STATS.pack(_STATS.size + len(rest), self.table_id) + rest


@dataclass(frozen=True, slots=True)
class AggregateStats(Record):
    """The sums over the flow entries that a request is about."""

    packet_count: int
    byte_count: int
    flow_count: int

    LAYOUT: ClassVar[Struct] = Struct("!QQI4x")
