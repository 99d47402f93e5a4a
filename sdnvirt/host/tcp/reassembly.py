"""The bytes that have arrived: in order until they are read, and beyond gaps (RFC 9293, 3.10.7.4).

Who calls it keeps within the window, which bounds the bytes; the number of gaps is bounded here.
Where segments overlap, bytes that wait beyond a gap stay as they came first, unless the gap is
filled by a segment that has them, too. Honest peers send the same bytes again, so it is one.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from sdnvirt.wire.tcp import MAX_SACK_BLOCKS, SackBlocks

MAX_BLOCKS: Final = 1024
"""Stretches beyond gaps that are kept: every second segment of the default window's 1,448 makes
724. A peer that sends single bytes could otherwise make each of them cost a hundred."""


class ReceiveBuffer:
    """A stretch of the stream that is received, by unwrapped sequence numbers.

    Attributes:
        nxt: the next number expected; all before it has arrived.
        unread: bytes in order that wait for the owner.
        gaps: where gaps end, in order: the first number of each stretch beyond one.
    """

    __slots__ = ("_blocks", "_chunks", "_recent", "gaps", "nxt", "unread")

    def __init__(self, nxt: int) -> None:
        self.nxt = nxt
        self.unread = 0
        self._chunks: list[bytes] = []
        self.gaps: list[int] = []
        self._blocks: list[bytearray] = []
        self._recent: list[int] = []
        """A number in each of the blocks that the last segments went to, the latest first."""

    def insert(self, start: int, data: bytes) -> bool:
        """Keep the bytes of a segment that ends behind ``nxt``; return whether that was possible.

        Args:
            start: sequence number of the first byte.
            data: the bytes, one at least.
        """
        if start > self.nxt:
            return self._keep(start, data)
        if start < self.nxt:
            data = data[self.nxt - start :]
        self.append(data)
        while self.gaps and self.gaps[0] <= self.nxt:
            known = self.nxt - self.gaps.pop(0)
            block = self._blocks.pop(0)
            if known < len(block):
                self.append(bytes(block[known:]))
        return True

    def read(self) -> list[bytes]:
        """Take everything that waits in order."""
        chunks, self._chunks = self._chunks, []
        self.unread = 0
        return chunks

    def sack(self, count: int) -> SackBlocks:
        """Return up to ``count`` blocks beyond the first gap, the latest first (RFC 2018, 4)."""
        starts, blocks = self.gaps, self._blocks
        found = []
        for number in self._recent[:count]:
            n = bisect_right(starts, number) - 1
            if n >= 0 and number < starts[n] + len(blocks[n]):
                found.append((starts[n], starts[n] + len(blocks[n])))
        return tuple(found)

    def append(self, data: bytes) -> None:
        """Keep bytes that begin at ``nxt``, with no gaps behind."""
        size = len(data)
        self._chunks.append(data)
        self.nxt += size
        self.unread += size

    def _keep(self, start: int, data: bytes) -> bool:
        """Put bytes beyond a gap into the block that they touch, or into a new one."""
        starts, blocks = self.gaps, self._blocks
        n = bisect_right(starts, start) - 1
        if n >= 0 and starts[n] + len(blocks[n]) >= start:
            blocks[n] += data[starts[n] + len(blocks[n]) - start :]
        elif len(starts) >= MAX_BLOCKS:
            return False
        else:
            n += 1
            starts.insert(n, start)
            blocks.insert(n, bytearray(data))
        self._join(n)
        first, behind = starts[n], starts[n] + len(blocks[n])
        others = [number for number in self._recent if not first <= number < behind]
        self._recent = [first, *others][:MAX_SACK_BLOCKS]
        return True

    def _join(self, n: int) -> None:
        """Take the blocks that a block has grown into out of the lists, and add what they have."""
        starts, block = self.gaps, self._blocks[n]
        end = starts[n] + len(block)
        last = n + 1
        while last < len(starts) and starts[last] <= end:
            block += self._blocks[last][end - starts[last] :]
            end = starts[n] + len(block)
            last += 1
        del starts[n + 1 : last], self._blocks[n + 1 : last]
