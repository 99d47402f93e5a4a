"""Statistics messages: questions, and answers that may need several messages.

OpenFlow 1.0.0, 5.3.5::

    0      2
    kind   flags   entries of the one class that the kind has in each direction

Every body is a tuple of entries: none, one, or as many as there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from struct import Struct
from typing import ClassVar, Final, NamedTuple, Self

from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.header import HEADER_SIZE, MESSAGE_MAX
from sdnvirt.openflow.record import Message, Structure, take_all
from sdnvirt.openflow.v10.constants import OFPSF, OFPST, OFPT
from sdnvirt.openflow.v10.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v10.features import Desc, TableStats
from sdnvirt.openflow.v10.flow import AggregateStats, FlowStats, FlowStatsRequest
from sdnvirt.openflow.v10.ports import PortStats, PortStatsRequest
from sdnvirt.openflow.v10.queues import QueueStats, QueueStatsRequest
from sdnvirt.openflow.v10.vendor import VendorStats

_HEADER: Final = Struct("!HH")


class Body(NamedTuple):
    """What a body of some kind is made of: the class of its entries, and whether there is one."""

    entry: type[Structure] | None
    single: bool = False


_NOTHING: Final = Body(None)

REQUESTS: Final[dict[int, Body]] = {
    OFPST.DESC: _NOTHING,
    OFPST.FLOW: Body(FlowStatsRequest, single=True),
    OFPST.AGGREGATE: Body(FlowStatsRequest, single=True),
    OFPST.TABLE: _NOTHING,
    OFPST.PORT: Body(PortStatsRequest, single=True),
    OFPST.QUEUE: Body(QueueStatsRequest, single=True),
    OFPST.VENDOR: Body(VendorStats, single=True),
}
"""The body of each kind of request."""

REPLIES: Final[dict[int, Body]] = {
    OFPST.DESC: Body(Desc, single=True),
    OFPST.FLOW: Body(FlowStats),
    OFPST.AGGREGATE: Body(AggregateStats, single=True),
    OFPST.TABLE: Body(TableStats),
    OFPST.PORT: Body(PortStats),
    OFPST.QUEUE: Body(QueueStats),
    OFPST.VENDOR: Body(VendorStats, single=True),
}
"""The body of each kind of reply."""


@dataclass(frozen=True, slots=True)
class Stats(Message):
    """A statistics message.

    Attributes:
        kind: one of OFPST.
        entries: of the class that the table of bodies names for the kind.
        more: whether another message with the same xid continues this one; of replies only.
    """

    kind: int
    entries: tuple[Structure, ...] = ()
    more: bool = False

    BODIES: ClassVar[dict[int, Body]]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _HEADER.size:
            raise bad_length("a statistics message", end - start)
        kind, flags = _HEADER.unpack_from(data, start)
        body = cls.BODIES.get(kind)
        if body is None:
            raise refuse(OFPBRC.BAD_STAT, f"no statistics have the type {kind}")
        first = start + _HEADER.size
        more = bool(flags & OFPSF.REPLY_MORE)
        if body.entry is None:
            if first != end:
                raise bad_length(f"a request for {OFPST(kind).name} statistics", end - start)
            return cls(kind, (), more)
        entries = take_all(body.entry, data, first, end)
        if body.single and len(entries) != 1:
            raise bad_length(f"a message of {OFPST(kind).name} statistics", end - start)
        return cls(kind, entries, more)

    def pack(self) -> bytes:
        flags = OFPSF.REPLY_MORE if self.more else 0
        return _HEADER.pack(self.kind, flags) + b"".join([one.pack() for one in self.entries])


@dataclass(frozen=True, slots=True)
class StatsRequest(Stats):
    """A question; see :class:`Stats`."""

    TYPE: ClassVar[int] = OFPT.STATS_REQUEST
    BODIES: ClassVar[dict[int, Body]] = REQUESTS


@dataclass(frozen=True, slots=True)
class StatsReply(Stats):
    """An answer; see :class:`Stats`."""

    TYPE: ClassVar[int] = OFPT.STATS_REPLY
    BODIES: ClassVar[dict[int, Body]] = REPLIES


def split(message: Stats) -> Iterator[Stats]:
    """Yield messages that each fit the length field and together say what ``message`` says."""
    room = MESSAGE_MAX - HEADER_SIZE - _HEADER.size
    batch: list[Structure] = []
    size = 0
    for entry in message.entries:
        length = len(entry.pack())
        if batch and size + length > room:
            yield replace(message, entries=tuple(batch), more=True)
            batch, size = [], 0
        batch.append(entry)
        size += length
    yield replace(message, entries=tuple(batch))
