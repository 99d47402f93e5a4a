"""Flow entries: the message that changes them, that they are gone, and their statistics.

OpenFlow 1.3.5, 7.3.4.1 (flow mod), 7.4.2 (flow removed), 7.3.5.2 and 7.3.5.3 (statistics).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import Message, Record
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
from sdnvirt.openflow.v13.instructions import (
    Instruction,
    pack_instructions,
    unpack_instructions,
)
from sdnvirt.openflow.v13.match import ALL_PACKETS, Match, take_match

_FLOW_MOD: Final = Struct("!QQBBHHHIIIH2x")
_FLOW_REMOVED: Final = Struct("!QHBBIIHHQQ")
_FLOW_STATS_REQUEST: Final = Struct("!B3xII4xQQ")
_FLOW_STATS: Final = Struct("!HBxIIHHHH4xQQQ")

_LAST_COMMAND: Final = max(OFPFC)
_ALL_FLAGS: Final = sum(OFPFF)


@dataclass(frozen=True, slots=True)
class FlowMod(Message):
    """Add, change or delete flow entries.

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

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _FLOW_MOD.size:
            raise bad_length("a flow mod", end - start)
        fixed = _FLOW_MOD.unpack_from(data, start)
        command, flags = fixed[3], fixed[10]
        if command > _LAST_COMMAND:
            raise refuse(OFPFMFC.BAD_COMMAND, f"no flow mod command {command}")
        if flags & ~_ALL_FLAGS:
            raise refuse(OFPFMFC.BAD_FLAGS, f"no flow mod flags {flags:#x}")
        match, stop = take_match(data, start + _FLOW_MOD.size, end)
        make: Callable[..., Self] = cls
        return make(*fixed, match, unpack_instructions(data, stop, end))

    def pack(self) -> bytes:
        fixed = _FLOW_MOD.pack(
            self.cookie,
            self.cookie_mask,
            self.table_id,
            self.command,
            self.idle_timeout,
            self.hard_timeout,
            self.priority,
            self.buffer_id,
            self.out_port,
            self.out_group,
            self.flags,
        )
        return fixed + self.match.pack() + pack_instructions(self.instructions)


@dataclass(frozen=True, slots=True)
class FlowRemoved(Message):
    """A flow entry whose flags asked for it is gone.

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

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _FLOW_REMOVED.size:
            raise bad_length("a flow removed message", end - start)
        match, stop = take_match(data, start + _FLOW_REMOVED.size, end)
        if stop != end:
            raise bad_length("a flow removed message", end - start)
        make: Callable[..., Self] = cls
        return make(*_FLOW_REMOVED.unpack_from(data, start), match)

    def pack(self) -> bytes:
        fixed = _FLOW_REMOVED.pack(
            self.cookie,
            self.priority,
            self.reason,
            self.table_id,
            self.duration_sec,
            self.duration_nsec,
            self.idle_timeout,
            self.hard_timeout,
            self.packet_count,
            self.byte_count,
        )
        return fixed + self.match.pack()


@dataclass(frozen=True, slots=True)
class FlowStatsRequest:
    """Which flow entries a request for statistics is about; the fields are those of a flow mod."""

    table_id: int = OFPTT.ALL
    out_port: int = OFPP.ANY
    out_group: int = OFPG.ANY
    cookie: int = 0
    cookie_mask: int = 0
    match: Match = ALL_PACKETS

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the request at ``start`` and the offset behind it."""
        if end - start < _FLOW_STATS_REQUEST.size:
            raise bad_length("a flow statistics request", end - start)
        match, stop = take_match(data, start + _FLOW_STATS_REQUEST.size, end)
        make: Callable[..., Self] = cls
        return make(*_FLOW_STATS_REQUEST.unpack_from(data, start), match), stop

    def pack(self) -> bytes:
        """Return the request's bytes."""
        fixed = _FLOW_STATS_REQUEST.pack(
            self.table_id, self.out_port, self.out_group, self.cookie, self.cookie_mask
        )
        return fixed + self.match.pack()


@dataclass(frozen=True, slots=True)
class FlowStats:
    """A flow entry as its switch describes it.

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

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the statistics at ``start`` and the offset behind them."""
        if end - start < _FLOW_STATS.size:
            raise bad_length("flow statistics", end - start)
        length, *fixed = _FLOW_STATS.unpack_from(data, start)
        stop = start + length
        if length < _FLOW_STATS.size or stop > end:
            raise bad_length("flow statistics", length)
        match, rest = take_match(data, start + _FLOW_STATS.size, stop)
        instructions = unpack_instructions(data, rest, stop)
        make: Callable[..., Self] = cls
        return make(*fixed, match, instructions), stop

    def pack(self) -> bytes:
        """Return the statistics' bytes."""
        rest = self.match.pack() + pack_instructions(self.instructions)
        fixed = _FLOW_STATS.pack(
            _FLOW_STATS.size + len(rest),
            self.table_id,
            self.duration_sec,
            self.duration_nsec,
            self.priority,
            self.idle_timeout,
            self.hard_timeout,
            self.flags,
            self.cookie,
            self.packet_count,
            self.byte_count,
        )
        return fixed + rest


@dataclass(frozen=True, slots=True)
class AggregateStats(Record):
    """The sums over the flow entries that a request is about."""

    packet_count: int
    byte_count: int
    flow_count: int

    LAYOUT: ClassVar[Struct] = Struct("!QQI4x")
