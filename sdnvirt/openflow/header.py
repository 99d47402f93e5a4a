"""The header of every OpenFlow message (OpenFlow 1.3.5, 7.1.1).

::

    0        1       2        4
    version  type    length   xid
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

from sdnvirt.openflow.errors import bad_length

HEADER_SIZE: Final = 8

MESSAGE_MAX: Final = 0xFFFF
"""The longest message in bytes, header included: the length field has 16 bits."""

DESCRIBED_MAX: Final = 65_000
"""Bytes of the longest body by which something is made that other messages describe in one piece:
a flow entry or a group. What describes it, in either version, is up to 100 bytes longer."""

_LAYOUT: Final = Struct("!BBHI")


class Header(NamedTuple):
    """The fields of a header; ``length`` counts the whole message in bytes."""

    version: int
    type: int
    length: int
    xid: int


def read_header(data: bytes, start: int = 0) -> Header:
    """Return the header at ``start``.

    Raises:
        OpenFlowError: fewer than 8 bytes are left, or the length field is below 8.
    """
    if len(data) - start < HEADER_SIZE:
        raise bad_length("a message", len(data) - start)
    header = Header._make(_LAYOUT.unpack_from(data, start))
    if header.length < HEADER_SIZE:
        raise bad_length("a message", header.length)
    return header


def frame(version: int, message_type: int, xid: int, body: bytes) -> bytes:
    """Return the message that ``body`` makes with a header before it.

    A body over 65,527 bytes is the caller's mistake: multipart messages are split before.
    """
    length = HEADER_SIZE + len(body)
    assert length <= MESSAGE_MAX, f"a message of {length} bytes has no header"
    return _LAYOUT.pack(version, message_type, length, xid) + body
