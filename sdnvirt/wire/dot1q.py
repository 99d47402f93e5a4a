"""VLAN tags in Ethernet frames (IEEE 802.1Q, 9.3 to 9.6; service tags of 802.1ad).

Bridges tag and untag every frame that they forward, so the functions work on the frame's bytes
with slices and build a :class:`VlanTag` only where all of a tag is wanted. The outer tag is the
one that directly follows the source address.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire.ethernet import HEADER_LENGTH, EtherType

TAG_LENGTH: Final = 4
"""Tag protocol identifier and tag control information, 16 bits each."""

_TPIDS: Final = (EtherType.VLAN.to_bytes(2, "big"), EtherType.QINQ.to_bytes(2, "big"))
"""Customer tag and service tag (802.1Q, table 9-1)."""

_TAG: Final = 12
_CONTROL: Final = 14
_BEHIND: Final = 16
"""Offsets of the outer tag, of its control information, and of what follows it."""

_VID_MASK: Final = 0x0FFF
_DEI: Final = 0x1000
_PCP_SHIFT: Final = 13

_LAYOUT: Final = struct.Struct("!HH")


@dataclass(frozen=True, slots=True)
class VlanTag:
    """A VLAN tag.

    Attributes:
        vid: VLAN identifier, 12 bits; 0 for a tag that carries a priority only.
        pcp: priority code point, 3 bits.
        dei: whether the frame may be dropped first.
        tpid: tag protocol identifier, 0x8100 or 0x88a8.
    """

    vid: int
    pcp: int = 0
    dei: bool = False
    tpid: int = EtherType.VLAN

    @property
    def tci(self) -> int:
        """The tag control information: priority, drop eligibility and VLAN in 16 bits."""
        return self.pcp << _PCP_SHIFT | (_DEI if self.dei else 0) | self.vid

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the tag that begins the bytes.

        Raises:
            TruncatedError: they are shorter than a tag.
            MalformedError: the tag protocol identifier is not one of a VLAN tag.
        """
        if len(data) < TAG_LENGTH:
            raise TruncatedError(f"a VLAN tag has {TAG_LENGTH} bytes, not {len(data)}")
        if data[:2] not in _TPIDS:
            raise MalformedError(f"0x{data[:2].hex()} does not begin a VLAN tag")
        tpid, tci = _LAYOUT.unpack_from(data)
        return cls(tci & _VID_MASK, tci >> _PCP_SHIFT, bool(tci & _DEI), tpid)

    def emit(self) -> bytes:
        """Return the four bytes of the tag."""
        return _LAYOUT.pack(self.tpid, self.tci)

    def __str__(self) -> str:
        kind = "802.1Q" if self.tpid == EtherType.VLAN else "802.1Q-QinQ"
        return f"{kind} vlan {self.vid}, p {self.pcp}" + (", DEI" if self.dei else "")


def is_tagged(frame: bytes) -> bool:
    """Return whether a whole VLAN tag and a type follow the addresses of the frame.

    Raises:
        TruncatedError: the frame ends before its type does.
    """
    if frame[_TAG:_CONTROL] in _TPIDS:
        if len(frame) < HEADER_LENGTH + TAG_LENGTH:
            raise TruncatedError(f"a tagged frame of {len(frame)} bytes has no whole header")
        return True
    if len(frame) < HEADER_LENGTH:
        raise TruncatedError(f"an Ethernet frame of {len(frame)} bytes has no whole header")
    return False


def outer_vid(frame: bytes) -> int | None:
    """Return the VLAN of the frame's outer tag, or None if it is untagged.

    Raises:
        TruncatedError: the frame ends before its type does.
    """
    if not is_tagged(frame):
        return None
    return (frame[_CONTROL] & 0x0F) << 8 | frame[_CONTROL + 1]


def outer_tag(frame: bytes) -> VlanTag | None:
    """Return the frame's outer tag, or None if it is untagged.

    Raises:
        TruncatedError: the frame ends before its type does.
    """
    return VlanTag.parse(frame[_TAG:_BEHIND]) if is_tagged(frame) else None


def push_tag(frame: bytes, tag: VlanTag) -> bytes:
    """Return the frame with a new outer tag.

    Raises:
        TruncatedError: the frame ends before its type does.
    """
    if len(frame) < HEADER_LENGTH:
        raise TruncatedError(f"an Ethernet frame of {len(frame)} bytes has no whole header")
    return frame[:_TAG] + tag.emit() + frame[_TAG:]


def pop_tag(frame: bytes) -> bytes:
    """Return the frame without its outer tag.

    Raises:
        TruncatedError: the frame ends before its type does.
        MalformedError: the frame is untagged.
    """
    if not is_tagged(frame):
        raise MalformedError("an untagged frame has no VLAN tag to take off")
    return frame[:_TAG] + frame[_BEHIND:]


def retag(frame: bytes, vid: int) -> bytes:
    """Return the frame with another VLAN in its outer tag, whose priority and kind stay.

    Raises:
        TruncatedError: the frame ends before its type does.
        MalformedError: the frame is untagged.
    """
    if not is_tagged(frame):
        raise MalformedError("an untagged frame has no VLAN tag to change")
    tci = (frame[_CONTROL] & 0xF0) << 8 | vid
    return frame[:_CONTROL] + tci.to_bytes(2, "big") + frame[_BEHIND:]
