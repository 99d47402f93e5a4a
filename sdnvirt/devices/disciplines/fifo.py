"""What queue disciplines have in common: frames in order of arrival, within a number of bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from sdnvirt.devices.transmitter import PS_PER_NS
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame

Lose = Callable[[Frame, DropReason, str], None]
"""Enters in the ledger that a frame was lost, with the figures that belong to the reason."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a queue stands.

    Attributes:
        queue_bytes: bytes that may wait, without the frame that is being sent.
        rate_bps: bits a second of the transmitter, or None for unlimited.
        lose: takes the frames that the queue gives up.
        stream: random stream of this queue alone.
    """

    queue_bytes: int
    rate_bps: int | None
    lose: Lose
    stream: Random


class Queue(ABC):
    """Frames that wait, as a discipline has it; the backlog of a transmitter.

    A queue only ever loses frames by its :class:`Place`, never silently.
    """

    @abstractmethod
    def __len__(self) -> int:
        """How many frames wait."""

    @abstractmethod
    def admit(self, frame: Frame, now: int) -> None:
        """Let a frame wait, or lose it; ``now`` in ns."""

    @abstractmethod
    def ready_ps(self) -> int | None:
        """Return from when on a frame may go, 0 for at once; None if no frame waits."""

    @abstractmethod
    def take(self, start_ps: int, until_ps: int) -> Frame | None:
        """Take the frame whose turn it is; see :class:`~sdnvirt.devices.transmitter.Backlog`."""

    @abstractmethod
    def drain(self) -> list[Frame]:
        """Take all frames that wait, in the order in which they arrived."""


class Discipline(ABC):
    """What a queue of a link is like."""

    __slots__ = ()

    @abstractmethod
    def queue(self, place: Place) -> Queue:
        """Return a new, empty queue."""


class Fifo(Queue):
    """First in, first out; what does not fit is lost at the tail."""

    __slots__ = ("_bytes", "_place", "_waiting")

    def __init__(self, place: Place) -> None:
        self._place = place
        self._waiting: deque[tuple[int, Frame]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        """How many frames wait."""
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """How many bytes wait."""
        return self._bytes

    def admit(self, frame: Frame, now: int) -> None:
        """Append a frame, or lose it if it does not fit."""
        if self._bytes + frame.size > self._place.queue_bytes:
            self._place.lose(frame, DropReason.QUEUE_FULL, f"{self._place.queue_bytes} B")
            return
        self._waiting.append((now, frame))
        self._bytes += frame.size

    def ready_ps(self) -> int | None:
        """A frame that waits may go at once."""
        return 0 if self._waiting else None

    def take(self, start_ps: int, until_ps: int) -> Frame | None:
        """Take the first frame."""
        return self._pop(start_ps // PS_PER_NS)[1]

    def drain(self) -> list[Frame]:
        """Take all frames."""
        frames = [frame for _, frame in self._waiting]
        self._waiting.clear()
        self._bytes = 0
        return frames

    def _pop(self, _now: int) -> tuple[int, Frame]:
        """Take the first frame, and the time (ns) at which it came."""
        arrived, frame = self._waiting.popleft()
        self._bytes -= frame.size
        return arrived, frame

    def _head(self) -> Frame:
        return self._waiting[0][1]
