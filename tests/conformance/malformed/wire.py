"""The bytes of messages, as far as all versions have them in common."""

from __future__ import annotations

from struct import Struct
from typing import Final

from sdnvirt.openflow.v10.constants import OFPT as OFPT10
from sdnvirt.openflow.v13.constants import OFPT

HEADER: Final = Struct("!BBHI")
WORD: Final = Struct("!H")
BARRIER_XID: Final = 0xBA55BA55
BARRIERS: Final = {
    1: (OFPT10.BARRIER_REQUEST, OFPT10.BARRIER_REPLY),
    4: (OFPT.BARRIER_REQUEST, OFPT.BARRIER_REPLY),
}
HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY = 0, 1, 2, 3


def messages_of(stream: bytes) -> tuple[list[bytes], bytes]:
    """Return the messages that a stream is cut into, and the rest that is none, or not yet."""
    found = []
    while len(stream) >= HEADER.size:
        length = WORD.unpack_from(stream, 2)[0]
        if not HEADER.size <= length <= len(stream):
            break
        found.append(stream[:length])
        stream = stream[length:]
    return found, stream


def hello(version: int) -> bytes:
    return HEADER.pack(version, HELLO, HEADER.size, 1)


def barrier(version: int) -> bytes:
    return HEADER.pack(version, BARRIERS[version][0], HEADER.size, BARRIER_XID)
