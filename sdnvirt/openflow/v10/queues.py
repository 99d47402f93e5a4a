"""Queues: configuration and statistics (OpenFlow 1.0.0, 5.2.2, 5.3.4 and 5.3.5)."""

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
from sdnvirt.openflow.v10.constants import OFPP, OFPQT, OFPT, QUEUE_ALL

_PROPERTY: Final = Struct("!HH4x")
_RATE: Final = Struct("!HH4xH6x")


@dataclass(frozen=True, slots=True)
class NoProperty:
    """A property that says nothing (OFPQT_NONE)."""

    def pack(self) -> bytes:
        """Return the property's bytes."""
        return _PROPERTY.pack(OFPQT.NONE, _PROPERTY.size)


@dataclass(frozen=True, slots=True)
class MinRate:
    """The bandwidth that a queue is sure of, in tenths of a percent of the link's."""

    rate: int

    def pack(self) -> bytes:
        """Return the property's bytes."""
        return _RATE.pack(OFPQT.MIN_RATE, _RATE.size, self.rate)


QueueProperty = NoProperty | MinRate


def _unpack_properties(data: bytes, start: int, end: int) -> tuple[QueueProperty, ...]:
    properties: list[QueueProperty] = []
    while start < end:
        if end - start < _PROPERTY.size:
            raise bad_length("a queue property", end - start)
        kind, length = _PROPERTY.unpack_from(data, start)
        if length > end - start:
            raise bad_length("a queue property", length)
        if kind == OFPQT.NONE and length == _PROPERTY.size:
            properties.append(NoProperty())
        elif kind == OFPQT.MIN_RATE and length == _RATE.size:
            properties.append(MinRate(_RATE.unpack_from(data, start)[2]))
        else:
            raise bad_length(f"a queue property of type {kind}", length)
        start += length
    return tuple(properties)


_PROPERTIES: Final = filling(_unpack_properties, pack_all)


@dataclass(frozen=True, slots=True)
class PacketQueue(SizedRecord):
    """A queue of a port and its properties (ofp_packet_queue)."""

    queue_id: int
    properties: tuple[QueueProperty, ...] = ()

    LAYOUT: ClassVar[Struct] = Struct("!IH2x")
    LENGTH_AT: ClassVar[int] = 1
    TAIL: ClassVar[tuple[Part, ...]] = (_PROPERTIES,)
    NOUN: ClassVar[str] = "a queue"


@dataclass(frozen=True, slots=True)
class QueueGetConfigRequest(RecordMessage):
    """Which queues has this port?"""

    port: int

    TYPE: ClassVar[int] = OFPT.QUEUE_GET_CONFIG_REQUEST
    LAYOUT: ClassVar[Struct] = Struct("!H2x")


@dataclass(frozen=True, slots=True)
class QueueGetConfigReply(RecordMessage):
    """The queues of the port that was asked for."""

    port: int
    queues: tuple[PacketQueue, ...] = ()

    TYPE: ClassVar[int] = OFPT.QUEUE_GET_CONFIG_REPLY
    LAYOUT: ClassVar[Struct] = Struct("!H6x")
    TAIL: ClassVar[tuple[Part, ...]] = (many(PacketQueue),)
    NOUN: ClassVar[str] = "a queue configuration"


@dataclass(frozen=True, slots=True)
class QueueStatsRequest(Record):
    """The queue whose statistics are asked for; OFPP.ALL and QUEUE_ALL for all.

    ofp_queue_stats_request.
    """

    port_no: int = OFPP.ALL
    queue_id: int = QUEUE_ALL

    LAYOUT: ClassVar[Struct] = Struct("!H2xI")


@dataclass(frozen=True, slots=True)
class QueueStats(Record):
    """The counters of a queue (ofp_queue_stats)."""

    port_no: int
    queue_id: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int

    LAYOUT: ClassVar[Struct] = Struct("!H2xIQQQ")
