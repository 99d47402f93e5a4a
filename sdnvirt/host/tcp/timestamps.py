"""Timestamps of one connection: round trips, and segments that come too late (RFC 7323, 3 to 5)."""

from __future__ import annotations

from typing import Final

from sdnvirt.host.tcp.sequence import MASK, unwrap
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.tcp import Timestamp

TICK_NS: Final = NS_PER_S // 1000
"""The clock's tick: 1 ms, the fastest that RFC 7323, 5.4 allows."""

OUTDATED_NS: Final = 24 * 86400 * NS_PER_S
"""After so long without a segment the peer's clock may have wrapped (RFC 7323, 5.5): 24 days."""


_HALF: Final = MASK >> 1


class Timestamps:
    """Both clocks of a connection that uses timestamps."""

    __slots__ = ("_offset", "_recent", "_recent_ns")

    def __init__(self, offset: int, value: int, now: int) -> None:
        """Begin with the peer's SYN.

        Args:
            offset: added to our clock, so that it does not tell how long the host has run.
            value: the peer's clock.
            now: the time (ns).
        """
        self._offset = offset
        self._recent = value
        self._recent_ns = now

    def pair(self, now: int) -> Timestamp:
        """Return what a segment sent now carries."""
        return (now // TICK_NS + self._offset) & MASK, self._recent & MASK

    def follow(self, timestamp: Timestamp, echo: bool, now: int) -> bool:
        """Return whether a segment fits that is the next expected.

        Args:
            timestamp: what it carries.
            echo: whether it is to be echoed, as of :meth:`heard`.
            now: the time (ns).
        """
        ahead = (timestamp[0] - self._recent) & MASK
        if ahead > _HALF:
            return False
        if echo:
            self._recent += ahead
            self._recent_ns = now
        return True

    def is_stale(self, timestamp: Timestamp, now: int) -> bool:
        """Whether a segment is older than what has arrived (PAWS; RFC 7323, 5.3, R1)."""
        if unwrap(timestamp[0], self._recent) >= self._recent:
            return False
        return now - self._recent_ns <= OUTDATED_NS

    def is_newer(self, timestamp: Timestamp) -> bool:
        """Whether a segment is later than what has arrived, by the peer's clock."""
        return unwrap(timestamp[0], self._recent) > self._recent

    def heard(self, timestamp: Timestamp, now: int) -> None:
        """Take the peer's clock from a segment that is to be echoed (RFC 7323, 4.3)."""
        self._recent = unwrap(timestamp[0], self._recent)
        self._recent_ns = now

    def round_trip(self, timestamp: Timestamp, now: int) -> int | None:
        """Return the round trip (ns) by what the peer echoes, or None if that is no time of ours.

        The clock's tick is coarse, so this serves only what could not be timed otherwise.
        """
        ticks = (clock(self._offset, now) - timestamp[1]) & MASK
        return ticks * TICK_NS if timestamp[1] and ticks < _HALF else None


def clock(offset: int, now: int) -> int:
    """Return our clock as it stands in a segment sent at a time (ns)."""
    return (now // TICK_NS + offset) & MASK
