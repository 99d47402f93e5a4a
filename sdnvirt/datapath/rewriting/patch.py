"""A packet under change, whose checksums follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sdnvirt.datapath.layout import ABSENT, Layout
from sdnvirt.wire.checksum import crc32c_change, update_checksum16
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.ipv4 import IpProtocol

Rewrite = Callable[[bytes, int], bytes]
"""Takes a frame and a value, returns the new frame."""

_IPV4_CHECKSUM: Final = 10
_TCP_CHECKSUM: Final = 16
_UDP_CHECKSUM: Final = 6
_ICMP_CHECKSUM: Final = 2
_SCTP_CHECKSUM: Final = 8

_ICMPV4: Final = (EtherType.IPV4, IpProtocol.ICMP)
_ICMPV6: Final = (EtherType.IPV6, IpProtocol.ICMPV6)
"""Over the other version of IP, both are payloads like any other."""


class Patch:
    """A packet under change, which keeps the checksums that cover the changed bytes right.

    Args:
        data: the frame.
        where: its layout; offsets given later are even, as those of all headers are.
    """

    def __init__(self, data: bytes, where: Layout) -> None:
        self._data = bytearray(data)
        self._where = where

    def put(self, at: int, new: bytes, pseudo: bool = False) -> Patch:
        """Replace the bytes at an offset.

        Args:
            at: where the field stands.
            new: its new bytes.
            pseudo: whether the field is part of the transport's pseudo header.
        """
        where = self._where
        start, end = at & ~1, (at + len(new) + 1) & ~1
        before = bytes(self._data[start:end])
        self._data[at : at + len(new)] = new
        after = bytes(self._data[start:end])
        if where.l4 != ABSENT and at >= where.l4:
            self._update_transport(before, after, start)
            return self
        if where.ethertype == EtherType.IPV4 and where.protocol != ABSENT:
            self._update(where.l3 + _IPV4_CHECKSUM, before, after)
        if pseudo:
            self.put_pseudo(before, after)
        return self

    def put_pseudo(self, before: bytes, after: bytes) -> None:
        """Tell that 16-bit words of the transport's pseudo header changed."""
        if self._where.l4 != ABSENT:
            self._update_transport(before, after, ABSENT)

    def _update_transport(self, before: bytes, after: bytes, at: int) -> None:
        """Bring the transport's checksum up to date; ``at`` is ABSENT for its pseudo header."""
        where = self._where
        protocol = where.protocol
        if protocol == IpProtocol.TCP:
            self._update(where.l4 + _TCP_CHECKSUM, before, after)
        elif protocol == IpProtocol.UDP:
            place = where.l4 + _UDP_CHECKSUM
            if self._data[place : place + 2] != b"\0\0":  # 0 is "none" (RFC 768)
                self._update(place, before, after)
                if self._data[place : place + 2] == b"\0\0":
                    self._data[place : place + 2] = b"\xff\xff"
        elif (where.ethertype, protocol) == _ICMPV6:
            self._update(where.l4 + _ICMP_CHECKSUM, before, after)
        elif at == ABSENT:
            return  # the others have no pseudo header
        elif (where.ethertype, protocol) == _ICMPV4:
            self._update(where.l4 + _ICMP_CHECKSUM, before, after)
        elif protocol == IpProtocol.SCTP:
            self._update_crc(before, after, at)

    def _update(self, at: int, before: bytes, after: bytes) -> None:
        if at + 2 > len(self._data):
            return
        checksum = self._data[at] << 8 | self._data[at + 1]
        for i in range(0, len(before), 2):
            old = int.from_bytes(before[i : i + 2], "big")
            new = int.from_bytes(after[i : i + 2], "big")
            checksum = update_checksum16(checksum, old, new)
        self._data[at : at + 2] = checksum.to_bytes(2, "big")

    def _update_crc(self, before: bytes, after: bytes, at: int) -> None:
        """Bring SCTP's CRC32c up to date, of which each bit depends on the packet's length.

        In a fragment that is not known, and the checksum stays as it is.
        """
        place = self._where.l4 + _SCTP_CHECKSUM
        end = self._packet_end()
        if self._where.fragment or not place + 4 <= end <= len(self._data):
            return
        behind = bytes(end - at - len(before))
        checksum = int.from_bytes(self._data[place : place + 4], "little")
        checksum ^= crc32c_change(before + behind, after + behind)
        self._data[place : place + 4] = checksum.to_bytes(4, "little")

    def _packet_end(self) -> int:
        """Return where the IP packet ends; padding may follow."""
        l3 = self._where.l3
        if self._where.ethertype == EtherType.IPV4:
            return l3 + int.from_bytes(self._data[l3 + 2 : l3 + 4], "big")
        return l3 + 40 + int.from_bytes(self._data[l3 + 4 : l3 + 6], "big")

    def done(self) -> bytes:
        """Return the packet."""
        return bytes(self._data)
