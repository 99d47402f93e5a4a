"""Queues: configuration and statistics (OpenFlow 1.0.0, 5.2.2, 5.3.4 and 5.3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from sdnvirt.openflow.element import Element, Family, FixedElement, pack_all, take_elements
from sdnvirt.openflow.errors import BAD_LENGTH, BAD_REQUEST, OpenFlowError, bad_length
from sdnvirt.openflow.record import (
    Part,
    Record,
    RecordMessage,
    SizedRecord,
    filling,
    many,
)
from sdnvirt.openflow.v10.constants import OFPP, OFPQT, OFPT, QUEUE_ALL


class _Property(Element):
    __slots__ = ()

    FAMILY: ClassVar[Family] = Family(
        "a queue property", 8, 1, lambda detail: OpenFlowError(BAD_REQUEST, BAD_LENGTH, detail)
    )


@dataclass(frozen=True, slots=True)
class NoProperty(FixedElement, _Property):
    """A property that says nothing (OFPQT_NONE)."""

    TYPE: ClassVar[int] = OFPQT.NONE
    LAYOUT: ClassVar[Struct] = Struct("!HH4x")


@dataclass(frozen=True, slots=True)
class MinRate(FixedElement, _Property):
    """The bandwidth that a queue is sure of, in tenths of a percent of the link's.

    ofp_queue_prop_min_rate.
    """

    rate: int

    TYPE: ClassVar[int] = OFPQT.MIN_RATE
    LAYOUT: ClassVar[Struct] = Struct("!HH4xH6x")


QueueProperty = NoProperty | MinRate

_CLASSES: Final[dict[int, type[QueueProperty]]] = {
    OFPQT.NONE: NoProperty,
    OFPQT.MIN_RATE: MinRate,
}


def _class_of(kind: int, _data: bytes, start: int, end: int) -> type[QueueProperty]:
    known = _CLASSES.get(kind)
    if known is None:
        raise bad_length(f"a queue property of type {kind}", end - start)
    return known


def _unpack_properties(data: bytes, start: int, end: int) -> tuple[QueueProperty, ...]:
    return take_elements(_Property.FAMILY, data, start, end, _class_of)


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
