"""Sequence numbers (RFC 9293, 3.4): 32 bits that wrap on the wire, plain integers inside.

Inside a connection a number is the one on the wire plus any multiple of 2^32, so that numbers of
one direction compare and subtract as integers do. A number that arrives is taken for the one of
its values that is nearest to what is expected, which is right for anything up to 2 GiB away.
"""

from __future__ import annotations

from typing import Final

MASK: Final = 0xFFFFFFFF
"""``number & MASK`` is what stands on the wire."""

_HALF: Final = 1 << 31


def unwrap(number: int, near: int) -> int:
    """Return the integer nearest to ``near`` that is ``number`` on the wire.

    Args:
        number: a sequence number, timestamp or acknowledgement, 0 to 2^32 - 1.
        near: what is expected about here; any integer.
    """
    return near + ((number - near + _HALF) & MASK) - _HALF
