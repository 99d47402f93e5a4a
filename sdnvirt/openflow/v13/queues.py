"""Queues: configuration and statistics (OpenFlow 1.3.5, 7.2.2, 7.3.5.8 and 7.3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import FixedMessage, Message, Record, take_all
from sdnvirt.openflow.v13.constants import OFPP, OFPQT, OFPT, QUEUE_ALL

_REPLY: Final = Struct("!I4x")
_QUEUE: Final = Struct("!IIH6x")
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


@dataclass(frozen=True, slots=True)
class PacketQueue:
    """A queue of a port and its properties."""

    queue_id: int
    port: int
    properties: tuple[QueueProperty, ...] = ()

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the queue at ``start`` and the offset behind it."""
        if end - start < _QUEUE.size:
            raise bad_length("a queue", end - start)
        queue_id, port, length = _QUEUE.unpack_from(data, start)
        stop = start + length
        if length < _QUEUE.size or stop > end:
            raise bad_length("a queue", length)
        return cls(queue_id, port, _unpack_properties(data, start + _QUEUE.size, stop)), stop

    def pack(self) -> bytes:
        """Return the queue's bytes."""
        properties = b"".join([one.pack() for one in self.properties])
        return _QUEUE.pack(self.queue_id, self.port, _QUEUE.size + len(properties)) + properties


@dataclass(frozen=True, slots=True)
class QueueGetConfigRequest(FixedMessage):
    """Which queues has this port, or every port with OFPP.ANY?"""

    port: int = OFPP.ANY

    TYPE: ClassVar[int] = OFPT.QUEUE_GET_CONFIG_REQUEST
    LAYOUT: ClassVar[Struct] = Struct("!I4x")


@dataclass(frozen=True, slots=True)
class QueueGetConfigReply(Message):
    """The queues that were asked for."""

    port: int
    queues: tuple[PacketQueue, ...] = ()

    TYPE: ClassVar[int] = OFPT.QUEUE_GET_CONFIG_REPLY

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _REPLY.size:
            raise bad_length("a queue configuration", end - start)
        (port,) = _REPLY.unpack_from(data, start)
        return cls(port, take_all(PacketQueue, data, start + _REPLY.size, end))

    def pack(self) -> bytes:
        return _REPLY.pack(self.port) + b"".join([queue.pack() for queue in self.queues])


@dataclass(frozen=True, slots=True)
class QueueStatsRequest(Record):
    """The queue whose statistics are asked for; OFPP.ANY and QUEUE_ALL for all."""

    port_no: int = OFPP.ANY
    queue_id: int = QUEUE_ALL

    LAYOUT: ClassVar[Struct] = Struct("!II")


@dataclass(frozen=True, slots=True)
class QueueStats(Record):
    """The counters of a queue."""

    port_no: int
    queue_id: int
    tx_bytes: int
    tx_packets: int
    tx_errors: int
    duration_sec: int
    duration_nsec: int

    LAYOUT: ClassVar[Struct] = Struct("!IIQQQII")
