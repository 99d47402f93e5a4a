"""Multipart messages: questions and answers too long for one message (OpenFlow 1.3.5, 7.3.5).

::

    0      2       4
    kind   flags   zeros, then entries of the one class that the kind has in each direction

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
from sdnvirt.openflow.v13.constants import OFPMP, OFPMPF, OFPT
from sdnvirt.openflow.v13.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v13.experimenter import ExperimenterMultipart
from sdnvirt.openflow.v13.features import Desc
from sdnvirt.openflow.v13.flow import AggregateStats, FlowStats, FlowStatsRequest
from sdnvirt.openflow.v13.groups import GroupDesc, GroupFeatures, GroupStats, GroupStatsRequest
from sdnvirt.openflow.v13.meters import MeterConfig, MeterFeatures, MeterRequest, MeterStats
from sdnvirt.openflow.v13.ports import PortDesc, PortStats, PortStatsRequest
from sdnvirt.openflow.v13.queues import QueueStats, QueueStatsRequest
from sdnvirt.openflow.v13.table_features import TableFeatures
from sdnvirt.openflow.v13.tables import TableStats

_HEADER: Final = Struct("!HH4x")


class Body(NamedTuple):
    """What a body of some kind is made of: the class of its entries, and whether there is one."""

    entry: type[Structure] | None
    single: bool = False


_NOTHING: Final = Body(None)

REQUESTS: Final[dict[int, Body]] = {
    OFPMP.DESC: _NOTHING,
    OFPMP.FLOW: Body(FlowStatsRequest, single=True),
    OFPMP.AGGREGATE: Body(FlowStatsRequest, single=True),
    OFPMP.TABLE: _NOTHING,
    OFPMP.PORT_STATS: Body(PortStatsRequest, single=True),
    OFPMP.QUEUE: Body(QueueStatsRequest, single=True),
    OFPMP.GROUP: Body(GroupStatsRequest, single=True),
    OFPMP.GROUP_DESC: _NOTHING,
    OFPMP.GROUP_FEATURES: _NOTHING,
    OFPMP.METER: Body(MeterRequest, single=True),
    OFPMP.METER_CONFIG: Body(MeterRequest, single=True),
    OFPMP.METER_FEATURES: _NOTHING,
    OFPMP.TABLE_FEATURES: Body(TableFeatures),
    OFPMP.PORT_DESC: _NOTHING,
    OFPMP.EXPERIMENTER: Body(ExperimenterMultipart, single=True),
}
"""The body of each kind of request."""

REPLIES: Final[dict[int, Body]] = {
    OFPMP.DESC: Body(Desc, single=True),
    OFPMP.FLOW: Body(FlowStats),
    OFPMP.AGGREGATE: Body(AggregateStats, single=True),
    OFPMP.TABLE: Body(TableStats),
    OFPMP.PORT_STATS: Body(PortStats),
    OFPMP.QUEUE: Body(QueueStats),
    OFPMP.GROUP: Body(GroupStats),
    OFPMP.GROUP_DESC: Body(GroupDesc),
    OFPMP.GROUP_FEATURES: Body(GroupFeatures, single=True),
    OFPMP.METER: Body(MeterStats),
    OFPMP.METER_CONFIG: Body(MeterConfig),
    OFPMP.METER_FEATURES: Body(MeterFeatures, single=True),
    OFPMP.TABLE_FEATURES: Body(TableFeatures),
    OFPMP.PORT_DESC: Body(PortDesc),
    OFPMP.EXPERIMENTER: Body(ExperimenterMultipart, single=True),
}
"""The body of each kind of reply."""


@dataclass(frozen=True, slots=True)
class Multipart(Message):
    """A multipart message.

    Attributes:
        kind: one of OFPMP.
        entries: of the class that the table of bodies names for the kind.
        more: whether another message with the same xid continues this one.
    """

    kind: int
    entries: tuple[Structure, ...] = ()
    more: bool = False

    BODIES: ClassVar[dict[int, Body]]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _HEADER.size:
            raise bad_length("a multipart message", end - start)
        kind, flags = _HEADER.unpack_from(data, start)
        body = cls.BODIES.get(kind)
        if body is None:
            raise refuse(OFPBRC.BAD_MULTIPART, f"no multipart message has the type {kind}")
        first = start + _HEADER.size
        more = bool(flags & OFPMPF.MORE)
        if body.entry is None:
            if first != end:
                raise bad_length(f"a multipart request for {OFPMP(kind).name}", end - start)
            return cls(kind, (), more)
        entries = take_all(body.entry, data, first, end)
        if body.single and len(entries) != 1:
            raise bad_length(f"a multipart message of {OFPMP(kind).name}", end - start)
        return cls(kind, entries, more)

    def pack(self) -> bytes:
        flags = OFPMPF.MORE if self.more else 0
        return _HEADER.pack(self.kind, flags) + b"".join([one.pack() for one in self.entries])


@dataclass(frozen=True, slots=True)
class MultipartRequest(Multipart):
    """A question; see :class:`Multipart`."""

    TYPE: ClassVar[int] = OFPT.MULTIPART_REQUEST
    BODIES: ClassVar[dict[int, Body]] = REQUESTS


@dataclass(frozen=True, slots=True)
class MultipartReply(Multipart):
    """An answer; see :class:`Multipart`."""

    TYPE: ClassVar[int] = OFPT.MULTIPART_REPLY
    BODIES: ClassVar[dict[int, Body]] = REPLIES


def split(message: Multipart) -> Iterator[Multipart]:
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
