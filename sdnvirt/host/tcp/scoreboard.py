"""Which of the bytes on the way the peer has, by its selective acknowledgements.

RFC 2018; what follows for the rest is RFC 6675, section 4. Numbers are unwrapped.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final

from sdnvirt.host.tcp.sequence import unwrap
from sdnvirt.wire.tcp import SackBlocks

DUPLICATES: Final = 3
"""Segments that came behind one that did not, until it is taken for lost (RFC 6675, DupThresh)."""

MAX_RANGES: Final = 1024
"""Ranges that are remembered. Every second segment of the greatest send buffer's 1,448 makes 724;
a peer that tells of single bytes must not make each acknowledgement costly."""


_NOTHING_LOST: Final = -(1 << 62)
"""Before every sequence number."""


class Scoreboard:
    """Disjoint ranges of bytes that the peer has beyond its cumulative acknowledgement.

    Attributes:
        total: how many bytes they are.
    """

    __slots__ = ("_ends", "_starts", "total")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.total = 0

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def highest(self) -> int:
        """The number behind the last byte that the peer has; there must be a range."""
        return self._ends[-1]

    def record(self, blocks: SackBlocks, una: int, nxt: int) -> bool:
        """Take the blocks of a segment; return whether they told anything new.

        Those that are not between what is acknowledged and what was sent are duplicates
        (RFC 2883) or lies, and are ignored (RFC 6675, section 5).
        """
        before = self.total
        for first, behind in blocks:
            start, end = unwrap(first, una), unwrap(behind, una)
            if una < start < end <= nxt:
                self._add(start, end)
        return self.total > before

    def _add(self, start: int, end: int) -> None:
        starts, ends = self._starts, self._ends
        low = bisect_left(ends, start)
        high = bisect_right(starts, end)
        if low == high and len(starts) >= MAX_RANGES:
            return
        if low < high:
            start, end = min(start, starts[low]), max(end, ends[high - 1])
        known = sum(ends[low:high]) - sum(starts[low:high])
        starts[low:high] = [start]
        ends[low:high] = [end]
        self.total += end - start - known

    def forget(self, una: int) -> int:
        """Drop what is acknowledged for good, as it is before ``una``; return how many bytes."""
        starts, ends = self._starts, self._ends
        before = self.total
        gone = bisect_right(ends, una)
        self.total -= sum(ends[:gone]) - sum(starts[:gone])
        del starts[:gone], ends[:gone]
        if starts and starts[0] < una:
            self.total -= una - starts[0]
            starts[0] = una
        return before - self.total

    def clear(self) -> None:
        """Forget everything: after a timeout the peer may have, too (RFC 2018, section 8)."""
        self._starts.clear()
        self._ends.clear()
        self.total = 0

    def missing(self, start: int, end: int) -> int:
        """Return how many bytes from ``start`` to before ``end`` the peer is not known to have."""
        if start >= end:
            return 0
        starts, ends = self._starts, self._ends
        low, high = bisect_right(ends, start), bisect_left(starts, end)
        if low == high:
            return end - start
        known = sum(ends[low:high]) - sum(starts[low:high])
        # The first and the last range may reach beyond.
        beyond = max(start - starts[low], 0) + max(ends[high - 1] - end, 0)
        return end - start - known + beyond

    def hole(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the first run of bytes from ``start`` to before ``end`` that is missing."""
        n = bisect_right(self._starts, start)
        if n and self._ends[n - 1] > start:
            start = self._ends[n - 1]
        if start >= end:
            return None
        return start, min(end, self._starts[n]) if n < len(self._starts) else end

    def lost_edge(self, mss: int) -> int:
        """Return the number before which everything missing is lost (RFC 6675, IsLost).

        Lost is what has three ranges above it, or more than two segments' worth of bytes.
        """
        sacked = 0
        for count, n in enumerate(range(len(self._starts) - 1, -1, -1), 1):
            sacked += self._ends[n] - self._starts[n]
            if count >= DUPLICATES or sacked > (DUPLICATES - 1) * mss:
                return self._starts[n]
        return _NOTHING_LOST
