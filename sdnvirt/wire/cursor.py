"""The bounded cursor through which variable-length formats are parsed.

It reads big-endian integers ("network byte order", RFC 791, appendix B) and runs of bytes, and
never past its end: a nested length becomes a narrowed cursor, which cannot reach what lies behind.
Formats of one fixed layout check the length once and unpack with :mod:`struct` instead.
"""

from __future__ import annotations

from sdnvirt.errors import TruncatedError


class Cursor:
    """A place in some bytes that moves forward as values are read, up to a fixed end."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        """Stand at ``start`` of the bytes.

        Args:
            data: the bytes to read.
            start: offset of the first byte to read.
            end: offset behind the last byte that may be read; the end of the data if None.

        Raises:
            TruncatedError: the data do not hold the bytes from ``start`` to ``end``.
        """
        self._data = data
        self._position = start
        self._end = len(data) if end is None else end
        if not 0 <= start <= self._end <= len(data):
            raise TruncatedError(f"{len(data)} bytes do not hold offsets {start} to {self._end}")

    @property
    def remaining(self) -> int:
        """The number of bytes that can still be read."""
        return self._end - self._position

    @property
    def at_end(self) -> bool:
        """Whether everything has been read."""
        return self._position == self._end

    def u8(self) -> int:
        """Read an 8-bit integer, or raise TruncatedError."""
        return self._data[self._advance(1)]

    def u16(self) -> int:
        """Read a 16-bit big-endian integer, or raise TruncatedError."""
        return int.from_bytes(self.take(2), "big")

    def u32(self) -> int:
        """Read a 32-bit big-endian integer, or raise TruncatedError."""
        return int.from_bytes(self.take(4), "big")

    def u64(self) -> int:
        """Read a 64-bit big-endian integer, or raise TruncatedError."""
        return int.from_bytes(self.take(8), "big")

    def take(self, count: int) -> bytes:
        """Read exactly ``count`` bytes, or raise TruncatedError."""
        start = self._advance(count)
        return self._data[start : self._position]

    def rest(self) -> bytes:
        """Read all bytes up to the end; none are left behind."""
        return self.take(self.remaining)

    def narrow(self, count: int) -> Cursor:
        """Step over the next ``count`` bytes and return a cursor bounded to them.

        Raises:
            TruncatedError: fewer bytes than that are left.
        """
        start = self._advance(count)
        return Cursor(self._data, start, self._position)

    def _advance(self, count: int) -> int:
        """Step over ``count`` bytes and return the offset of the first of them."""
        start = self._position
        if not 0 <= count <= self._end - start:
            raise TruncatedError(f"{count} bytes needed, {self._end - start} left")
        self._position = start + count
        return start
