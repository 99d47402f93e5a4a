"""The bytes that an owner has written and the peer has not acknowledged, by sequence number."""

from __future__ import annotations

from typing import Final

_SLACK: Final = 64 * 1024
"""Acknowledged bytes that may stay before the rest is moved up, so that moving is seldom."""


class SendBuffer:
    """A bounded stretch of the stream that is sent.

    Attributes:
        capacity: bytes that it holds at most.
        start: sequence number of the first byte held.
        end: sequence number behind the last one.
    """

    __slots__ = ("_data", "_first", "capacity", "end", "start")

    def __init__(self, start: int, capacity: int) -> None:
        self.capacity = capacity
        self.start = self.end = self._first = start
        self._data = bytearray()
        """From ``_first`` on, which is at most ``start``."""

    @property
    def free(self) -> int:
        """How many bytes it could take now."""
        return self.capacity - (self.end - self.start)

    def append(self, data: bytes) -> int:
        """Take bytes, as many as there is room for; return how many."""
        accepted = min(len(data), self.free)
        self._data += data if accepted == len(data) else memoryview(data)[:accepted]
        self.end += accepted
        return accepted

    def slice(self, start: int, end: int) -> bytes:
        """Return the bytes of these sequence numbers, which must be held."""
        first = self._first
        return bytes(self._data[start - first : end - first])

    def release(self, start: int) -> None:
        """Forget what is before a sequence number, because the peer has it."""
        self.start = start
        if start - self._first >= _SLACK or start == self.end:
            del self._data[: start - self._first]
            self._first = start
