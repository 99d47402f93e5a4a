"""Heads and bodies of HTTP/1.1 messages, over asyncio's streams (RFC 9112)."""

from __future__ import annotations

import http.client
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import Message
from io import BytesIO
from typing import Final

CHUNK: Final = 1 << 16
"""Bytes of a body that are read at once; also the longest head, asyncio's own limit."""

_END: Final = b"\r\n\r\n"


class HttpError(Exception):
    """A peer's message is none of HTTP, or ends too early."""


@dataclass(slots=True)
class Head:
    """The first line of a message and its fields.

    Attributes:
        first: the three parts of the first line.
        fields: the fields.
        raw: all of it as it came, the empty line included.
    """

    first: tuple[str, str, str]
    fields: Message
    raw: str

    @property
    def length(self) -> int | None:
        """The length of the body (bytes), or None if the head does not tell.

        Raises:
            HttpError: it tells no number.
        """
        told = self.fields.get("content-length")
        if told is None:
            return None
        if not told.strip().isdecimal():
            raise HttpError(f"a Content-Length of {told!r}")
        return int(told)

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks (RFC 9112, 7.1)."""
        return str(self.fields.get("transfer-encoding", "")).lower().strip() == "chunked"

    @property
    def is_last(self) -> bool:
        """Whether the connection ends behind this message (RFC 9112, 9.3)."""
        wanted = str(self.fields.get("connection", "")).lower()
        version = self.first[0] if self.first[0].startswith("HTTP/") else self.first[2]
        return wanted == "close" or (version == "HTTP/1.0" and wanted != "keep-alive")


async def read_head(reader: StreamReader) -> Head | None:
    """Return the head of the next message, or None at the end of the stream.

    Raises:
        HttpError: it is too long, has no first line, or is cut short.
        OSError: the connection is lost.
    """
    try:
        raw = await reader.readuntil(_END)
    except IncompleteReadError as error:
        if not error.partial:
            return None
        raise HttpError("a message that ends in its head") from None
    except LimitOverrunError:
        raise HttpError("a head that is too long") from None
    line, _, rest = raw.partition(b"\r\n")
    parts = line.decode("latin-1").split(" ", 2)
    if len(parts) == 2:
        parts.append("")
    if len(parts) != 3:
        raise HttpError("a first line of one word")
    try:
        fields = http.client.parse_headers(BytesIO(rest))
    except http.client.HTTPException as error:
        raise HttpError(str(error)) from None
    return Head((parts[0], parts[1], parts[2]), fields, raw.decode("latin-1"))


async def read_body(reader: StreamReader, head: Head, *, to_end: bool) -> AsyncIterator[bytes]:
    """Yield the body behind a head, piece by piece (RFC 9112, 6.3).

    Args:
        reader: the stream.
        head: the head.
        to_end: whether a body without a length goes on to the end of the stream.

    Raises:
        HttpError: it is cut short, or chunked wrongly.
        OSError: the connection is lost.
    """
    if head.is_chunked:
        while size := await _chunk_size(reader):
            async for piece in _exactly(reader, size):
                yield piece
            await reader.readline()
        while (await reader.readline()).strip():
            pass  # trailer fields
        return
    length = head.length
    if length is not None:
        async for piece in _exactly(reader, length):
            yield piece
    elif to_end:
        while data := await reader.read(CHUNK):
            yield data


async def _chunk_size(reader: StreamReader) -> int:
    line = (await reader.readline()).partition(b";")[0].strip()
    try:
        return int(line, 16)
    except ValueError:
        raise HttpError(f"a chunk of {line[:20]!r} bytes") from None


async def _exactly(reader: StreamReader, size: int) -> AsyncIterator[bytes]:
    while size > 0:
        data = await reader.read(min(size, CHUNK))
        if not data:
            raise HttpError("a body that is cut short")
        size -= len(data)
        yield data
