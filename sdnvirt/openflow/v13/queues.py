"""Queues: configuration and statistics (OpenFlow 1.3.5, 7.2.2, 7.3.5.8 and 7.3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from sdnvirt.openflow.element import pack_all
from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import (
    Part,
    Record,
    RecordMessage,
    SizedRecord,
    filling,
    many,
)
from sdnvirt.openflow.v13.constants import OFPP, OFPQT, OFPT, QUEUE_ALL

_PROPERTY: Final = Struct("!HH4x")
_RATE: Final = Struct("!HH4xH6x")
_EXPERIMENTER: Final = Struct("!HH4xI4x")


@dataclass(frozen=True, slots=True)
class MinRate:
    """The bandwidth that a queue is sure of, in tenths of a percent of the link's."""

    rate: int

    def pack(self) -> bytes:
        """Return the property's bytes."""
        return _RATE.pack(OFPQT.MIN_RATE, _RATE.size, self.rate)


@dataclass(frozen=True, slots=True)
class MaxRate:
    """The bandwidth that a queue never passes, in tenths of a percent of the link's."""

    rate: int

    def pack(self) -> bytes:
        """Return the property's bytes."""
        return _RATE.pack(OFPQT.MAX_RATE, _RATE.size, self.rate)


@dataclass(frozen=True, slots=True)
class ExperimenterQueueProperty:
    """A property that is not the specification's."""

    experimenter: int
    data: bytes = b""

    def pack(self) -> bytes:
        """Return the property's bytes."""
        length = _EXPERIMENTER.size + len(self.data)
        return _EXPERIMENTER.pack(OFPQT.EXPERIMENTER, length, self.experimenter) + self.data


QueueProperty = MinRate | MaxRate | ExperimenterQueueProperty


def _unpack_properties(data: bytes, start: int, end: int) -> tuple[QueueProperty, ...]:
    properties: list[QueueProperty] = []
    while start < end:
        if end - start < _RATE.size:
            raise bad_length("a queue property", end - start)
        kind, length = _PROPERTY.unpack_from(data, start)
        stop = start + length
        if length < _RATE.size or stop > end:
            raise bad_length("a queue property", length)
        if kind == OFPQT.EXPERIMENTER:
            experimenter = _EXPERIMENTER.unpack_from(data, start)[2]
            rest = data[start + _EXPERIMENTER.size : stop]
            properties.append(ExperimenterQueueProperty(experimenter, rest))
        elif kind in (OFPQT.MIN_RATE, OFPQT.MAX_RATE) and length == _RATE.size:
            rate = _RATE.unpack_from(data, start)[2]
            properties.append(MinRate(rate) if kind == OFPQT.MIN_RATE else MaxRate(rate))
        else:
            raise bad_length(f"a queue property of type {kind}", length)
        start = stop
    return tuple(properties)


_PROPERTIES: Final = filling(_unpack_properties, pack_all)


@dataclass(frozen=True, slots=True)
class PacketQueue(SizedRecord):
    """A queue of a port and its properties (ofp_packet_queue)."""

    queue_id: int
    port: int
    properties: tuple[QueueProperty, ...] = ()

    LAYOUT: ClassVar[Struct] = Struct("!IIH6x")
    LENGTH_AT: ClassVar[int] = 2
    TAIL: ClassVar[tuple[Part, ...]] = (_PROPERTIES,)
    NOUN: ClassVar[str] = "a queue"


@dataclass(frozen=True, slots=True)
class QueueGetConfigRequest(RecordMessage):
    """Which queues has this port, or every port with OFPP.ANY?"""

    port: int = OFPP.ANY

    TYPE: ClassVar[int] = OFPT.QUEUE_GET_CONFIG_REQUEST
    LAYOUT: ClassVar[Struct] = Struct("!I4x")


@dataclass(frozen=True, slots=True)
class QueueGetConfigReply(RecordMessage):
    """The queues that were asked for."""

    port: int
    queues: tuple[PacketQueue, ...] = ()

    TYPE: ClassVar[int] = OFPT.QUEUE_GET_CONFIG_REPLY
    LAYOUT: ClassVar[Struct] = Struct("!I4x")
    TAIL: ClassVar[tuple[Part, ...]] = (many(PacketQueue),)
    NOUN: ClassVar[str] = "a queue configuration"


@dataclass(frozen=True, slots=True)
class QueueStatsRequest(Record):
    """The queue whose statistics are asked for; OFPP.ANY and QUEUE_ALL for all.

    ofp_queue_stats_request.
    """

    port_no: int = OFPP.ANY
    queue_id: int = QUEUE_ALL

    LAYOUT: ClassVar[Struct] = Struct("!II")


@dataclass(frozen=True, slots=True)
class QueueStats(Record):
    """The counters of a queue (ofp_queue_stats)."""

    port_no: int
    queue_id: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    duration_sec: int
    duration_nsec: int

    LAYOUT: ClassVar[Struct] = Struct("!IIQQQII")
