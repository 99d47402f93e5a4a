"""Congestion control: how much may be on the way (RFC 5681), and NewReno's rules for it.

A strategy decides the congestion window and the slow start threshold, and nothing else. What is
lost, and what is sent again in its place, is found by :mod:`sdnvirt.host.tcp.sender`, the same
for all strategies. Everything is in bytes and integers, so that a run is the same on any machine.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

INITIAL_SEGMENTS: Final = 10
INITIAL_BYTES: Final = 14600
"""The initial window: ten segments, and 14,600 bytes unless two segments are more (RFC 6928)."""

MIN_SEGMENTS: Final = 2
"""The slow start threshold is never below two segments (RFC 5681, equation 4)."""

_UNLIMITED: Final = 1 << 40
"""The threshold before the first loss, "arbitrarily high" (RFC 5681, 3.1): 1 TiB."""


class CongestionControl(ABC):
    """What a strategy is told, and what is read from it.

    Attributes:
        mss: bytes of a full segment's data.
        cwnd: the congestion window, bytes.
        ssthresh: the slow start threshold, bytes.
    """

    __slots__ = ("cwnd", "mss", "ssthresh")

    def __init__(self, mss: int) -> None:
        self.mss = mss
        self.ssthresh = _UNLIMITED
        self.cwnd = self.initial_window()

    @property
    def has_threshold(self) -> bool:
        """Whether there was a sign of congestion, from which the threshold comes."""
        return self.ssthresh < _UNLIMITED

    def initial_window(self) -> int:
        """Return the window that a connection begins with (RFC 6928, section 2)."""
        return min(INITIAL_SEGMENTS * self.mss, max(2 * self.mss, INITIAL_BYTES))

    def acknowledged(self, count: int, now: int, rtt_ns: int) -> None:
        """New data were acknowledged, outside fast recovery, with the window in full use.

        Args:
            count: how many bytes.
            now: the time (ns).
            rtt_ns: the smoothed round trip.
        """
        if self.cwnd < self.ssthresh:
            self.cwnd += count if count < self.mss else self.mss  # RFC 5681, equation 2
        else:
            self.avoid_congestion(count, now, rtt_ns)

    @abstractmethod
    def avoid_congestion(self, count: int, now: int, rtt_ns: int) -> None:
        """Open the window above the threshold; arguments as of :meth:`acknowledged`."""

    @abstractmethod
    def reduce(self, flight: int, now: int) -> None:
        """Set the threshold after a sign of congestion, with so many bytes on the way."""

    def congested(self, flight: int, now: int) -> None:
        """A segment was lost or marked: go on with less (RFC 5681, 3.2; RFC 3168, 6.1.2)."""
        self.reduce(flight, now)
        self.cwnd = self.ssthresh

    def timed_out(self, flight: int, now: int, again: bool) -> None:
        """The retransmission timer expired: begin anew from one segment (RFC 5681, 3.1).

        Args:
            flight: bytes on the way.
            now: the time (ns).
            again: whether it did so before for the same data; then the threshold stays.
        """
        if not again:
            self.reduce(flight, now)
        self.cwnd = self.mss

    def restarted(self) -> None:
        """Nothing was sent for longer than the timeout (RFC 5681, 4.1)."""
        self.cwnd = min(self.cwnd, self.initial_window())

    def resize(self, mss: int) -> None:
        """Go on with another segment size; the window keeps its bytes, two segments at least."""
        self.mss = mss
        self.cwnd = max(self.cwnd, MIN_SEGMENTS * mss)


class NewReno(CongestionControl):
    """One segment more a round trip, one half at a loss (RFC 5681; recovery of RFC 6582)."""

    __slots__ = ("_counted",)

    def __init__(self, mss: int) -> None:
        super().__init__(mss)
        self._counted = 0

    def avoid_congestion(self, count: int, now: int, rtt_ns: int) -> None:
        # By bytes, as RFC 5681, 3.1 recommends: delayed acknowledgements do not slow it down.
        self._counted += count
        if self._counted >= self.cwnd:
            self._counted -= self.cwnd
            self.cwnd += self.mss

    def reduce(self, flight: int, now: int) -> None:
        self._counted = 0
        # In whole segments: a part of one could not be sent, but its round would have to pass.
        self.ssthresh = max(flight // (2 * self.mss), MIN_SEGMENTS) * self.mss
