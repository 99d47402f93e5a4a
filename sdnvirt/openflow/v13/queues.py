"""Queues: configuration and statistics (OpenFlow 1.3.5, 7.2.2, 7.3.5.8 and 7.3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from sdnvirt.openflow.element import (
    DataElement,
    Element,
    Family,
    FixedElement,
    pack_all,
    take_elements,
)
from sdnvirt.openflow.errors import BAD_LENGTH, BAD_REQUEST, OpenFlowError, bad_length
from sdnvirt.openflow.record import (
    Part,
    Record,
    RecordMessage,
    SizedRecord,
    filling,
    many,
)
from sdnvirt.openflow.v13.constants import OFPP, OFPQT, OFPT, QUEUE_ALL


class _Property(Element):
    __slots__ = ()

    FAMILY: ClassVar[Family] = Family(
        "a queue property", 16, 1, lambda detail: OpenFlowError(BAD_REQUEST, BAD_LENGTH, detail)
    )


@dataclass(frozen=True, slots=True)
class MinRate(FixedElement, _Property):
    """The bandwidth that a queue is sure of, in tenths of a percent of the link's.

    ofp_queue_prop_min_rate.
    """

    rate: int

    TYPE: ClassVar[int] = OFPQT.MIN_RATE
    LAYOUT: ClassVar[Struct] = Struct("!HH4xH6x")


@dataclass(frozen=True, slots=True)
class MaxRate(FixedElement, _Property):
    """The bandwidth that a queue never passes, in tenths of a percent of the link's.

    ofp_queue_prop_max_rate.
    """

    rate: int

    TYPE: ClassVar[int] = OFPQT.MAX_RATE
    LAYOUT: ClassVar[Struct] = Struct("!HH4xH6x")


@dataclass(frozen=True, slots=True)
class ExperimenterQueueProperty(DataElement, _Property):
    """A property that is not the specification's (ofp_queue_prop_experimenter)."""

    experimenter: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPQT.EXPERIMENTER
    LAYOUT: ClassVar[Struct] = Struct("!HH4xI4x")


QueueProperty = MinRate | MaxRate | ExperimenterQueueProperty

_CLASSES: Final[dict[int, type[QueueProperty]]] = {
    OFPQT.MIN_RATE: MinRate,
    OFPQT.MAX_RATE: MaxRate,
    OFPQT.EXPERIMENTER: ExperimenterQueueProperty,
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
