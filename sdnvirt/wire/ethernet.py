"""Ethernet II frames without their frame check sequence (IEEE 802.3, 3.1 and 3.2.6).

The frame check sequence is the link's matter and is not carried. Neither is padding: a frame is as
long as its payload, and what adds padding up to :data:`MIN_FRAME_LENGTH` is the sender's choice.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from sdnvirt.addresses import Mac
from sdnvirt.errors import TruncatedError

HEADER_LENGTH: Final = 14
"""Destination, source and EtherType."""

MIN_FRAME_LENGTH: Final = 60
"""Shortest frame on a real cable; 64 with the check sequence (802.3); not enforced."""

MIN_ETHERTYPE: Final = 0x0600
"""Smaller values of the type field are the length of an LLC frame (802.3, 3.2.6)."""

_HEADER: Final = struct.Struct("!6s6sH")


class EtherType(IntEnum):
    """Protocols that an Ethernet frame can carry (the IANA and IEEE registry)."""

    IPV4 = 0x0800
    ARP = 0x0806
    TEB = 0x6558
    VLAN = 0x8100
    IPV6 = 0x86DD
    SLOW = 0x8809
    MPLS = 0x8847
    MPLS_MULTICAST = 0x8848
    QINQ = 0x88A8
    LLDP = 0x88CC
    PBB = 0x88E7


_NAMES: Final[dict[int, str]] = {
    EtherType.IPV4: "IPv4", EtherType.ARP: "ARP", EtherType.TEB: "TEB", EtherType.VLAN: "802.1Q",
    EtherType.IPV6: "IPv6", EtherType.SLOW: "Slow Protocols", EtherType.MPLS: "MPLS",
    EtherType.MPLS_MULTICAST: "MPLS multicast", EtherType.QINQ: "802.1Q-QinQ",
    EtherType.LLDP: "LLDP", EtherType.PBB: "802.1ah",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ethernet:
    """An Ethernet II frame.

    Attributes:
        dst: destination address.
        src: source address.
        ethertype: what the payload is, 16 bits; a length below :data:`MIN_ETHERTYPE`.
        payload: everything behind the type field, VLAN tags and padding included.
    """

    dst: Mac
    src: Mac
    ethertype: int
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the frame that the bytes are.

        Raises:
            TruncatedError: they are shorter than the header.
        """
        if len(data) < HEADER_LENGTH:
            raise TruncatedError(f"an Ethernet frame of {len(data)} bytes has no whole header")
        dst, src, ethertype = _HEADER.unpack_from(data)
        return cls(Mac(dst), Mac(src), ethertype, data[HEADER_LENGTH:])

    def emit(self) -> bytes:
        """Return the bytes of the frame, without padding and check sequence."""
        return _HEADER.pack(self.dst, self.src, self.ethertype) + self.payload

    def __str__(self) -> str:
        name = _NAMES.get(self.ethertype, "802.3" if self.ethertype < MIN_ETHERTYPE else "Unknown")
        length = HEADER_LENGTH + len(self.payload)
        return (
            f"{self.src} > {self.dst}, ethertype {name} (0x{self.ethertype:04x}), length {length}"
        )
