"""UDP datagrams (RFC 768; hosts' duties RFC 1122, 4.1.3; over IPv6 RFC 8200, 8.1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from sdnvirt.addresses import IpAddress, Ipv6
from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire.checksum import ChecksumError, address_sum, internet_checksum
from sdnvirt.wire.ipv4 import IpProtocol

HEADER_LENGTH: Final = 8

NO_CHECKSUM: Final = 0
"""In the checksum field: the sender computed none (RFC 768, "Fields")."""

_PROTOCOL: Final = int(IpProtocol.UDP)  # plain integers add faster
_LAYOUT: Final = struct.Struct("!HHHH")


@dataclass(slots=True, unsafe_hash=True)
class Udp:
    """A UDP datagram; not to be changed, though it is not frozen, which would be dear here.

    Attributes:
        src_port: port of the sender, 16 bits; 0 if it expects no answer.
        dst_port: port of the receiver, 16 bits.
        payload: the data.
    """

    src_port: int
    dst_port: int
    payload: bytes

    @classmethod
    def parse(cls, data: bytes, src: IpAddress, dst: IpAddress) -> Self:
        """Return the datagram at the beginning of an IP packet's payload.

        Args:
            data: the payload; bytes behind the datagram's length are ignored.
            src: source address of the packet, which the checksum covers.
            dst: destination address of the packet.

        Raises:
            TruncatedError: the bytes end before the header or the length does.
            MalformedError: the length is less than that of the header.
            ChecksumError: the checksum is wrong, or missing where IPv6 demands it.
        """
        if len(data) < HEADER_LENGTH:
            raise TruncatedError(f"a UDP datagram of {len(data)} bytes has no whole header")
        src_port, dst_port, length, checksum = _LAYOUT.unpack_from(data)
        if length < HEADER_LENGTH:
            raise MalformedError(f"a UDP datagram with a length of {length}")
        if length > len(data):
            raise TruncatedError(f"a UDP datagram of {length} bytes in {len(data)}")
        datagram = data if length == len(data) else data[:length]
        if checksum == NO_CHECKSUM:
            if isinstance(src, Ipv6):
                raise ChecksumError("a UDP datagram over IPv6 without a checksum")
        elif internet_checksum(datagram, address_sum(src, dst) + _PROTOCOL + length):
            raise ChecksumError("the UDP checksum is wrong")
        return cls(src_port, dst_port, datagram[HEADER_LENGTH:])

    def emit(self, src: IpAddress, dst: IpAddress) -> bytes:
        """Return the bytes of the datagram, with the checksum for these addresses."""
        return self.emit_between(address_sum(src, dst))

    def emit_between(self, addresses: int) -> bytes:
        """Return the bytes of the datagram.

        Args:
            addresses: what its addresses add to the checksum, by :func:`address_sum`.
        """
        payload = self.payload
        src_port, dst_port = self.src_port, self.dst_port
        length = HEADER_LENGTH + len(payload)
        # The length is in the pseudo header, too.
        total = addresses + _PROTOCOL + 2 * length + src_port + dst_port
        # A checksum that is 0 is sent as the other zero of one's complement (RFC 768).
        checksum = internet_checksum(payload, total) or 0xFFFF
        return _LAYOUT.pack(src_port, dst_port, length, checksum) + payload

    def emit_without_checksum(self) -> bytes:
        """Return the bytes of the datagram, without a checksum as tunnels send it (RFC 7348, 5)."""
        length = HEADER_LENGTH + len(self.payload)
        return _LAYOUT.pack(self.src_port, self.dst_port, length, NO_CHECKSUM) + self.payload

    def __str__(self) -> str:
        return f"UDP, {self.src_port} > {self.dst_port}, length {len(self.payload)}"
