"""The packets that a switch has told its controllers of (OpenFlow 1.3.5, 6.1.2).

A packet-in that shows only the beginning of a packet names a buffer that keeps the whole. One that
shows all of it needs none; of those, only the provenance is remembered, so that the same packet,
when a controller sends it back, is still known to be the same.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from sdnvirt.frame import NOBODY, Frame, Provenance
from sdnvirt.openflow.v13.constants import NO_BUFFER

BUFFERS: Final = 256
"""Packets kept; the oldest one makes room for a new one, as in Open vSwitch, so a controller that
never answers costs 256 frames and no more."""

SHOWN_LIMIT: Final = 0xFF00
"""Bytes of a packet that a packet-in shows at most: a message has 64 KiB, and its header and match
need some of them."""


class PacketBuffers:
    """The buffers of one switch."""

    __slots__ = ("_next_id", "_packets", "_shown")

    def __init__(self) -> None:
        self._packets: OrderedDict[int, tuple[int, Frame]] = OrderedDict()
        self._shown: OrderedDict[bytes, Provenance] = OrderedDict()
        self._next_id = 0

    def hand_over(self, in_port: int, frame: Frame, max_len: int) -> tuple[int, bytes]:
        """Return the buffer id and the bytes for a packet-in.

        Args:
            in_port: where the packet arrived.
            frame: the packet.
            max_len: bytes that the message may show; OFPCML.NO_BUFFER is more than any packet.
        """
        max_len = min(max_len, SHOWN_LIMIT)
        if frame.size <= max_len:
            self._shown[frame.data] = frame.provenance
            self._shown.move_to_end(frame.data)
            if len(self._shown) > BUFFERS:
                self._shown.popitem(last=False)
            return NO_BUFFER, frame.data
        buffer_id = self._next_id
        self._next_id = (buffer_id + 1) % NO_BUFFER
        self._packets[buffer_id] = in_port, frame
        if len(self._packets) > BUFFERS:
            self._packets.popitem(last=False)
        return buffer_id, frame.data[:max_len]

    def take(self, buffer_id: int) -> tuple[int, Frame] | None:
        """Return and forget a buffered packet and the port where it arrived."""
        return self._packets.pop(buffer_id, None)

    def provenance_of(self, data: bytes) -> Provenance:
        """Return whose packet these bytes are: one that a packet-in showed lately, or nobody's."""
        return self._shown.get(data) or Provenance(NOBODY.packet_id, NOBODY.origin)
