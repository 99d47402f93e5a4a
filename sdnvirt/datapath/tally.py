"""Packets and bytes, counted."""

from __future__ import annotations


class Tally:
    """What went through something.

    Attributes:
        packets: how many packets.
        bytes: the sum of their sizes.
    """

    __slots__ = ("bytes", "packets")

    def __init__(self) -> None:
        self.packets = 0
        self.bytes = 0

    def add(self, size: int) -> None:
        """Count one packet of a size in bytes."""
        self.packets += 1
        self.bytes += size
