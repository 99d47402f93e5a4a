"""Address resolution of IPv4 addresses on Ethernet (RFC 826; probes and announcements RFC 5227).

Only this pair of address types exists in the emulator; packets of another pair are malformed.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.errors import MalformedError, TruncatedError

LENGTH: Final = 28
"""Bytes of a packet; Ethernet padding may follow."""

_LAYOUT: Final = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET_IPV4: Final = (1, 0x0800, 6, 4)
"""Hardware type, protocol type and both address lengths (RFC 826, "Packet format")."""


class ArpOp(IntEnum):
    """What a packet asks or tells (the IANA registry of ARP operation codes)."""

    REQUEST = 1
    REPLY = 2


@dataclass(frozen=True, slots=True)
class Arp:
    """An ARP packet.

    Attributes:
        op: the operation, 16 bits; others than those of :class:`ArpOp` are kept as they are.
        sender_mac: hardware address of who speaks.
        sender_ip: protocol address of who speaks; 0.0.0.0 in a probe (RFC 5227, 2.1.1).
        target_mac: hardware address sought, zero in a request.
        target_ip: protocol address sought.
    """

    op: int
    sender_mac: Mac
    sender_ip: Ipv4
    target_mac: Mac
    target_ip: Ipv4

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the packet at the beginning of the bytes; what follows it is padding.

        Raises:
            TruncatedError: the bytes are shorter than a packet.
            MalformedError: the addresses are not of Ethernet and IPv4.
        """
        if len(data) < LENGTH:
            raise TruncatedError(f"an ARP packet has {LENGTH} bytes, not {len(data)}")
        *kind, op, sender_mac, sender_ip, target_mac, target_ip = _LAYOUT.unpack_from(data)
        if tuple(kind) != _ETHERNET_IPV4:
            raise MalformedError("an ARP packet for other addresses than Ethernet and IPv4")
        return cls(op, Mac(sender_mac), Ipv4(sender_ip), Mac(target_mac), Ipv4(target_ip))

    def emit(self) -> bytes:
        """Return the bytes of the packet, without padding."""
        return _LAYOUT.pack(
            *_ETHERNET_IPV4,
            self.op, self.sender_mac, self.sender_ip, self.target_mac, self.target_ip,
        )  # fmt: skip

    def __str__(self) -> str:
        if self.op == ArpOp.REQUEST:
            return f"ARP, Request who-has {self.target_ip} tell {self.sender_ip}"
        if self.op == ArpOp.REPLY:
            return f"ARP, Reply {self.sender_ip} is-at {self.sender_mac}"
        return f"ARP, operation {self.op}, {self.sender_ip} to {self.target_ip}"
