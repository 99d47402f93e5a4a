"""Random early detection: frames are lost before the queue is full (Floyd and Jacobson 1993).

The average length of the queue decides, so that bursts pass and a standing queue does not. With
ECN, packets whose transport understands it are marked instead (RFC 3168, 5 and 7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdnvirt.devices.disciplines.ecn import marked
from sdnvirt.devices.disciplines.fifo import Discipline, Fifo, Place
from sdnvirt.devices.figures import SHARE, check, whole
from sdnvirt.devices.transmitter import PS_PER_NS, ps_per_byte
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame

WEIGHT: Final = 0.002
"""What a frame's arrival counts in the average: its authors' recommendation."""

TYPICAL_BYTES: Final = 1_000
"""While the queue is empty the average falls as if frames of this size had found it so."""

_FORGOTTEN: Final = 1 << 14
"""After so many of them nothing is left: 0.998 to that power is below 10^-14."""

_FIGURES: Final = {"min_bytes": whole("bytes", 0), "probability": SHARE}


@dataclass(frozen=True, slots=True)
class Red(Discipline):
    """Random early detection.

    Attributes:
        min_bytes: below this average length, nothing is lost early.
        max_bytes: from this average length on, every frame is; above ``min_bytes``.
        probability: share that is lost or marked just below ``max_bytes``, 0 to 1.
        ecn: whether packets that are ECN-capable are marked and kept.

    Raises:
        UserError: a figure is none of these.
    """

    min_bytes: int = 30_000
    max_bytes: int = 90_000
    probability: float = 0.1
    ecn: bool = False

    def __post_init__(self) -> None:
        check(self, _FIGURES)
        check(self, {"max_bytes": whole("bytes", self.min_bytes + 1)})

    def queue(self, place: Place) -> RedQueue:
        """Return a new, empty queue."""
        return RedQueue(self, place)


class RedQueue(Fifo):
    """A queue with random early detection.

    Attributes:
        average_bytes: the average length, moving with each arrival.
    """

    __slots__ = ("_empty_since", "_red", "_since_last", "_typical_ps", "average_bytes")

    def __init__(self, red: Red, place: Place) -> None:
        super().__init__(place)
        self._red = red
        self._typical_ps = max(1, TYPICAL_BYTES * ps_per_byte(place.rate_bps))
        self._empty_since = 0
        self._since_last = -1  # frames since the last one that was lost or marked
        self.average_bytes = 0.0

    def admit(self, frame: Frame, now: int) -> None:
        """Append a frame, mark it first, or lose it."""
        self._average(now)
        red = self._red
        if self.average_bytes >= red.max_bytes:
            self._since_last = 0
            self._lose(frame)
            return
        if self.average_bytes < red.min_bytes:
            self._since_last = -1
        elif self._is_chosen():
            self._since_last = 0
            kept = marked(frame) if red.ecn else None
            if kept is None:
                self._lose(frame)
                return
            frame = kept
        super().admit(frame, now)

    def take(self, start_ps: int, until_ps: int) -> Frame | None:
        """Take the first frame."""
        frame = super().take(start_ps, until_ps)
        if not self:
            self._empty_since = start_ps // PS_PER_NS
        return frame

    def _average(self, now: int) -> None:
        if self:
            self.average_bytes += WEIGHT * (self.waiting_bytes - self.average_bytes)
            return
        idle_ps = (now - self._empty_since) * PS_PER_NS
        self.average_bytes *= _power(1 - WEIGHT, min(idle_ps // self._typical_ps, _FORGOTTEN))

    def _is_chosen(self) -> bool:
        """Whether it is this frame's lot; the lots are drawn so that they spread evenly."""
        self._since_last += 1
        red = self._red
        share = (self.average_bytes - red.min_bytes) / (red.max_bytes - red.min_bytes)
        probability = red.probability * share
        left = 1 - self._since_last * probability
        return left <= 0 or self._place.stream.random() < probability / left

    def _lose(self, frame: Frame) -> None:
        detail = f"average {round(self.average_bytes)} B"
        self._place.lose(frame, DropReason.EARLY_DROP, detail)


def _power(base: float, exponent: int) -> float:
    """Return a power by multiplication, whose rounding is the same on every machine."""
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= base
        base *= base
        exponent >>= 1
    return result
