"""A token bucket: an average rate that bursts may pass (RFC 2697 has the picture of it)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdnvirt.devices.disciplines.fifo import Discipline, Fifo, Place
from sdnvirt.devices.figures import check, whole
from sdnvirt.devices.transmitter import ps_per_byte
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame

_FIGURES: Final = {"rate_bps": whole("bits a second", 1), "burst_bytes": whole("bytes", 1)}


@dataclass(frozen=True, slots=True)
class TokenBucket(Discipline):
    """A token bucket that holds back what is too fast.

    Attributes:
        rate_bps: bits a second in the long run, from 1.
        burst_bytes: what may go at once after a rest, from 1; a larger frame never goes.

    Raises:
        UserError: a figure is none of these.
    """

    rate_bps: int
    burst_bytes: int

    def __post_init__(self) -> None:
        check(self, _FIGURES)

    def queue(self, place: Place) -> TokenBucketQueue:
        """Return a new, empty queue, whose bucket is full."""
        return TokenBucketQueue(self, place)


class TokenBucketQueue(Fifo):
    """A queue whose frames wait for tokens.

    The tokens are kept as the time since which they have been gathering: a byte is the time that
    it takes at the bucket's rate, and the bucket holds the time of a burst.
    """

    __slots__ = ("_bucket", "_burst_ps", "_ps_per_byte", "_since_ps")

    def __init__(self, bucket: TokenBucket, place: Place) -> None:
        super().__init__(place)
        self._bucket = bucket
        self._ps_per_byte = ps_per_byte(bucket.rate_bps)
        self._burst_ps = bucket.burst_bytes * self._ps_per_byte
        self._since_ps = -self._burst_ps

    def admit(self, frame: Frame, now: int) -> None:
        """Append a frame, or lose it if it does not fit the queue or never will the bucket."""
        burst = self._bucket.burst_bytes
        if frame.size > burst:
            self._place.lose(frame, DropReason.OVER_BURST, f"{frame.size} B > {burst} B")
            return
        super().admit(frame, now)

    def ready_ps(self) -> int | None:
        """Return when there will be tokens for the first frame."""
        if not self:
            return None
        return max(0, self._since_ps + self._head().size * self._ps_per_byte)

    def take(self, start_ps: int, until_ps: int) -> Frame | None:
        """Take the first frame and its tokens."""
        frame = super().take(start_ps, until_ps)
        assert frame is not None
        full_ps = start_ps - self._burst_ps  # what has gathered longer ran over
        self._since_ps = max(self._since_ps, full_ps) + frame.size * self._ps_per_byte
        return frame
