"""Cuts a stream of bytes into JSON-RPC messages, which nothing separates (RFC 7047, 4).

A message is an object, so it ends where its outermost brace closes. Lengths and depth are bounded
before anything is decoded.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from sdnvirt.errors import MalformedError

MESSAGE_LIMIT: Final = 1 << 20
"""Bytes of one message; ovs-vsctl's are below 10,000."""

DEPTH_LIMIT: Final = 64
"""Objects and arrays within each other; those of the RFC are at most ten deep, and a decoder that
recurses must not be led too far."""

_MARK: Final = re.compile(rb'[{}\[\]"]')
_STRING_END: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_SPACE: Final = b" \t\r\n"


class MessageStream:
    """The bytes of one connection that have not made a whole message yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0  # up to here the buffer is known to hold no end of a message
        self._depth = 0

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take bytes; return the messages that they complete, in order.

        Raises:
            MalformedError: these are no JSON objects, or one is too long or too deep.
        """
        self._buffer += data
        messages: list[dict[str, Any]] = []
        while (end := self._find_end()) is not None:
            messages.append(_decode(bytes(self._buffer[:end])))
            del self._buffer[:end]
            self._at = 0
        if len(self._buffer) > MESSAGE_LIMIT:
            raise MalformedError(f"a message of more than {MESSAGE_LIMIT} bytes")
        return messages

    def _find_end(self) -> int | None:
        """Return where the first message ends, or None if it does not yet."""
        buffer = self._buffer
        if not self._depth:
            start = 0
            while start < len(buffer) and buffer[start] in _SPACE:
                start += 1
            del buffer[:start]
            if buffer and buffer[0] != ord("{"):
                raise MalformedError("a message is a JSON object")
        while (mark := _MARK.search(buffer, self._at)) is not None:
            character = mark[0]
            if character == b'"':
                string = _STRING_END.match(buffer, mark.end())
                if string is None:
                    self._at = mark.start()
                    return None
                self._at = string.end()
                continue
            self._at = mark.end()
            self._depth += 1 if character in b"{[" else -1
            if self._depth > DEPTH_LIMIT:
                raise MalformedError(f"a message of more than {DEPTH_LIMIT} levels")
            if not self._depth:
                return self._at
        self._at = len(buffer)
        return None


def encode(message: dict[str, Any]) -> bytes:
    """Return a message as bytes; ASCII, which whatever a client made us keep can be written in."""
    return json.dumps(message, separators=(",", ":")).encode("ascii")


def _decode(data: bytes) -> dict[str, Any]:
    def refuse(name: str) -> None:
        raise MalformedError(f"{name} is no JSON")

    try:
        message = json.loads(data, parse_constant=refuse)
    except ValueError as error:
        raise MalformedError(str(error)) from None
    assert isinstance(message, dict)
    return message
