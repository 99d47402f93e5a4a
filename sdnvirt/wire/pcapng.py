"""Blocks of a pcapng capture (draft-ietf-opsawg-pcapng): one section, its interfaces, its packets.

Only the writing side exists, and it is pure: the caller gets bytes and keeps the file. Nothing of
the machine or its clock is in them, so that equal runs make equal captures. The blocks are little
endian, which readers learn from the section header (section 4.1).
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final

LINKTYPE_ETHERNET: Final = 1
"""Frames begin with an Ethernet header (the registry of link types)."""

_NO_SNAPLEN: Final = 0
"""Frames are captured whole, whatever their length (section 4.2)."""

_SECTION_HEADER_BLOCK: Final = 0x0A0D0D0A
_INTERFACE_DESCRIPTION_BLOCK: Final = 1
_ENHANCED_PACKET_BLOCK: Final = 6

_BYTE_ORDER_MAGIC: Final = 0x1A2B3C4D
_VERSION: Final = (1, 0)
_UNKNOWN_LENGTH: Final = 0xFFFFFFFFFFFFFFFF
"""Length of a section whose end is not known when it begins (section 4.1)."""

_OPT_END: Final = 0
_OPT_COMMENT: Final = 1
_SHB_HARDWARE: Final = 2
_SHB_OS: Final = 3
_SHB_USERAPPL: Final = 4
_IF_NAME: Final = 2
_IF_DESCRIPTION: Final = 3
_IF_TSRESOL: Final = 9
_EPB_FLAGS: Final = 2
"""Option codes; apart from the first two each counts within its block only (section 3.5)."""

_NANOSECONDS: Final = 9
"""Timestamps count 10**-9 seconds (if_tsresol, section 4.2)."""

_BLOCK_FRAME_LENGTH: Final = 12
"""Block type and the total length at either end (section 3.1)."""

_HEAD: Final = struct.Struct("<II")
_SECTION: Final = struct.Struct("<IHHQ")
_INTERFACE: Final = struct.Struct("<HxxI")
_PACKET: Final = struct.Struct("<IIIII")
_OPTION: Final = struct.Struct("<HH")
_U32: Final = struct.Struct("<I")


class Direction(IntEnum):
    """Which way a frame went at its interface (epb_flags, section 4.3.1)."""

    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


def section_header(
    application: str = "", hardware: str = "", os: str = "", comment: str = ""
) -> bytes:
    """Return the block that begins a capture.

    Args:
        application: what writes the capture; like the others left out if empty.
        hardware: what the capture is taken on.
        os: the operating system there.
        comment: words for the reader, up to 65535 bytes of UTF-8.
    """
    body = _SECTION.pack(_BYTE_ORDER_MAGIC, *_VERSION, _UNKNOWN_LENGTH)
    options = (
        _text(_OPT_COMMENT, comment)
        + _text(_SHB_HARDWARE, hardware)
        + _text(_SHB_OS, os)
        + _text(_SHB_USERAPPL, application)
    )
    return _block(_SECTION_HEADER_BLOCK, body, options)


def interface_description(name: str, description: str = "") -> bytes:
    """Return the block that adds an Ethernet interface; the first of a section has the number 0.

    Args:
        name: the interface's name.
        description: more words about it, left out if empty.
    """
    options = (
        _text(_IF_NAME, name)
        + _text(_IF_DESCRIPTION, description)
        + _option(_IF_TSRESOL, bytes([_NANOSECONDS]))
    )
    body = _INTERFACE.pack(LINKTYPE_ETHERNET, _NO_SNAPLEN)
    return _block(_INTERFACE_DESCRIPTION_BLOCK, body, options)


def enhanced_packet(
    interface: int,
    time_ns: int,
    frame: bytes,
    direction: Direction = Direction.UNKNOWN,
    comment: str = "",
) -> bytes:
    """Return the block of one captured frame.

    Args:
        interface: number of the interface, counted from 0 in the order of their descriptions.
        time_ns: when it was captured, in nanoseconds from the zero of the capture's clock.
        frame: the whole frame, without its check sequence.
        direction: which way it went.
        comment: words for the reader, up to 65535 bytes of UTF-8; left out if empty.
    """
    length = len(frame)
    body = _PACKET.pack(interface, time_ns >> 32, time_ns & 0xFFFFFFFF, length, length)
    options = _text(_OPT_COMMENT, comment)
    if direction is not Direction.UNKNOWN:
        options += _option(_EPB_FLAGS, _U32.pack(direction))
    return _block(_ENHANCED_PACKET_BLOCK, body + _padded(frame), options)


def _block(block_type: int, body: bytes, options: bytes) -> bytes:
    """Return a block; the body is padded already, and the options lack only their end."""
    if options:
        options += _OPTION.pack(_OPT_END, 0)
    length = _BLOCK_FRAME_LENGTH + len(body) + len(options)
    return _HEAD.pack(block_type, length) + body + options + _U32.pack(length)


def _text(code: int, text: str) -> bytes:
    return _option(code, text.encode()) if text else b""


def _option(code: int, value: bytes) -> bytes:
    return _OPTION.pack(code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    """Return the bytes, filled up with zeros to a multiple of 32 bits (section 3.1)."""
    return data + b"\0" * (-len(data) % 4)
