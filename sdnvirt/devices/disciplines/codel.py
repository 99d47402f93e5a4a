"""Controlled delay: frames are lost when they wait too long for too long (RFC 8289).

A queue may hold a burst, but not stand: once every frame of an interval has waited longer than the
target, one is lost, then others in ever shorter intervals until the wait falls below the target.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final

from sdnvirt.devices.disciplines.ecn import marked
from sdnvirt.devices.disciplines.fifo import Discipline, Fifo, Place
from sdnvirt.devices.figures import check, whole
from sdnvirt.devices.transmitter import PS_PER_NS
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame

TARGET_NS: Final = 5_000_000
INTERVAL_NS: Final = 100_000_000
"""What the RFC recommends for the internet (RFC 8289, 4.3 and 4.4)."""

_RECENT_INTERVALS: Final = 16
"""Who begins to lose again within so many intervals goes on where it left off (5.5)."""

_ROOT_BITS: Final = 32
"""Binary digits of the square root behind its point: integers, so that all machines agree."""

_FIGURES: Final = {
    "target_ns": whole("nanoseconds", 1),
    "interval_ns": whole("nanoseconds", 1),
}


@dataclass(frozen=True, slots=True)
class CoDel(Discipline):
    """Controlled delay.

    Attributes:
        target_ns: how long frames may always have to wait, from 1.
        interval_ns: how long they may have to wait longer than that, from 1; a round trip time.
        ecn: whether packets that are ECN-capable are marked and kept.

    Raises:
        UserError: a figure is none of these.
    """

    target_ns: int = TARGET_NS
    interval_ns: int = INTERVAL_NS
    ecn: bool = False

    def __post_init__(self) -> None:
        check(self, _FIGURES)

    def queue(self, place: Place) -> CoDelQueue:
        """Return a new, empty queue."""
        return CoDelQueue(self, place)


class CoDelQueue(Fifo):
    """A queue with controlled delay; the names are those of RFC 8289, section 5."""

    __slots__ = (
        "_codel", "_count", "_drop_next", "_dropping", "_first_above", "_largest", "_last_count",
    )  # fmt: skip

    def __init__(self, codel: CoDel, place: Place) -> None:
        super().__init__(place)
        self._codel = codel
        self._first_above = 0  # when the wait will have been too long for an interval; 0: it is not
        self._drop_next = 0
        self._count = 0
        self._last_count = 0
        self._dropping = False
        self._largest = 0

    def admit(self, frame: Frame, now: int) -> None:
        """Append a frame, or lose it if it does not fit."""
        self._largest = max(self._largest, frame.size)
        super().admit(frame, now)

    def take(self, start_ps: int, until_ps: int) -> Frame | None:
        """Take the first frame that is not given up; None if all were."""
        now = start_ps // PS_PER_NS
        frame, late = self._first(now)
        if not late:
            self._dropping = False
        elif not self._dropping:
            self._begin(now)
            return self._give_up(frame, now)[0]
        while self._dropping and now >= self._drop_next:
            self._count += 1
            frame, late, kept = self._give_up(frame, now)
            if late or kept:
                self._drop_next = self._control_law(self._drop_next)
            else:
                self._dropping = False
            if kept:
                break
        return frame

    def _begin(self, now: int) -> None:
        self._dropping = True
        lost_before = self._count - self._last_count
        recent = now - self._drop_next < _RECENT_INTERVALS * self._codel.interval_ns
        self._count = lost_before if lost_before > 1 and recent else 1
        self._last_count = self._count
        self._drop_next = self._control_law(now)

    def _give_up(self, frame: Frame | None, now: int) -> tuple[Frame | None, bool, bool]:
        """Mark the frame or lose it; return what goes now, if that is late, if it was marked."""
        assert frame is not None, "only a frame can be late"
        kept = marked(frame) if self._codel.ecn else None
        if kept is not None:
            return kept, True, True
        waited = f"more than {self._codel.target_ns} ns"
        self._place.lose(frame, DropReason.STANDING_QUEUE, waited)
        return *self._first(now), False

    def _first(self, now: int) -> tuple[Frame | None, bool]:
        """Take the first frame, and tell whether frames have waited too long for too long."""
        if not self:
            self._first_above = 0
            return None, False
        arrived, frame = self._pop(now)
        if now - arrived < self._codel.target_ns or self.waiting_bytes <= self._largest:
            self._first_above = 0
            return frame, False
        if not self._first_above:
            self._first_above = now + self._codel.interval_ns
            return frame, False
        return frame, now >= self._first_above

    def _control_law(self, time: int) -> int:
        root = isqrt(self._count << 2 * _ROOT_BITS)
        return time + (self._codel.interval_ns << _ROOT_BITS) // root
