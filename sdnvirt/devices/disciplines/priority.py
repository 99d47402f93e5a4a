"""Strict priority: what is more important always goes first (IEEE 802.1Q, 8.6.8.1).

The priority of a tagged frame is that of its outer tag (PCP, 0 to 7); of an untagged IP packet, the
class selector of its DSCP (RFC 2474, 4.2.2.1), 0 to 7; of all others 0. A higher number goes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdnvirt.datapath.layout import ABSENT, layout
from sdnvirt.datapath.rewriting.ip import traffic_class
from sdnvirt.devices.disciplines.fifo import Discipline, Fifo, Place, Queue
from sdnvirt.frame import Frame

PRIORITIES: Final = 8
"""Priority code points of a tag, and class selectors of a DSCP: three bits."""

_TOP_BITS: Final = 5
"""Where the three bits of a priority begin in the octet that holds them."""


@dataclass(frozen=True, slots=True)
class StrictPriority(Discipline):
    """Eight queues; each holds the link's queue_bytes."""

    def queue(self, place: Place) -> PriorityQueue:
        """Return new, empty queues."""
        return PriorityQueue(place)


def priority_of(data: bytes) -> int:
    """Return the priority of a frame, 0 to 7."""
    where = layout(data)
    if where.vlan != ABSENT:
        return data[where.vlan] >> _TOP_BITS
    if where.protocol != ABSENT:
        return traffic_class(data, where) >> _TOP_BITS
    return 0


class PriorityQueue(Queue):
    """Queues that take turns by priority."""

    __slots__ = ("_queues",)

    def __init__(self, place: Place) -> None:
        self._queues = tuple(Fifo(place) for _ in range(PRIORITIES))

    def __len__(self) -> int:
        """How many frames wait."""
        return sum(map(len, self._queues))

    def admit(self, frame: Frame, now: int) -> None:
        """Append a frame to the queue of its priority, or lose it if it does not fit there."""
        self._queues[priority_of(frame.data)].admit(frame, now)

    def ready_ps(self) -> int | None:
        """A frame that waits may go at once."""
        return 0 if any(self._queues) else None

    def take(self, start_ps: int, until_ps: int) -> Frame | None:
        """Take the first frame of the highest priority."""
        queue = next(queue for queue in reversed(self._queues) if queue)
        return queue.take(start_ps, until_ps)

    def drain(self) -> list[Frame]:
        """Take all frames, the most important first."""
        return [frame for queue in reversed(self._queues) for frame in queue.drain()]
