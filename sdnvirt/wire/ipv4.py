"""IPv4 packets (RFC 791; the former type of service as DSCP and ECN, RFC 2474 and RFC 3168).

The total length decides where the packet ends, so the padding of a short Ethernet frame never
becomes payload. Options are kept as bytes; nothing here acts on them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from sdnvirt.addresses import Ipv4
from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire.checksum import ChecksumError, address_sum

HEADER_LENGTH: Final = 20
"""Bytes of a header without options."""

MAX_OPTIONS_LENGTH: Final = 40
"""The header length is 4 bits that count 32-bit words (RFC 791, 3.1)."""

MAX_LENGTH: Final = 0xFFFF
"""The total length is 16 bits."""

MIN_MTU: Final = 68
"""Every network must carry packets of this length whole (RFC 791, 3.2)."""

DEFAULT_TTL: Final = 64
"""The current default for hosts (the IANA registry of IP parameters)."""

VERSION: Final = 4

_LAYOUT: Final = struct.Struct("!BBHHHBBH4s4s")
_HEADER: Final = struct.Struct("!HHHHHH")
"""The header up to the addresses, as the words that its checksum adds."""
_TEMPLATE: Final = struct.Struct("!HHHHHH8s")

_RESERVED: Final = 0x8000
_DONT_FRAGMENT: Final = 0x4000
_MORE_FRAGMENTS: Final = 0x2000
_FRAGMENT_UNITS: Final = 0x1FFF
_FRAGMENT_UNIT: Final = 8
"""Fragment offsets count 8 bytes (RFC 791, 3.1)."""


class IpProtocol(IntEnum):
    """Protocols that an IP packet can carry (the IANA registry of protocol numbers)."""

    ICMP = 1
    IGMP = 2
    TCP = 6
    UDP = 17
    GRE = 47
    ICMPV6 = 58
    OSPF = 89
    VRRP = 112
    SCTP = 132


_FIRST_BYTE: Final = (VERSION << 4 | HEADER_LENGTH // 4) << 8
"""Version and length of a header without options, in front of the type of service."""

_address: Final = bytes.__new__
"""Makes an address of bytes whose length is known to be right."""

PROTOCOL_NAMES: Final[dict[int, str]] = {
    protocol: protocol.name.replace("V6", "v6") for protocol in IpProtocol
}
"""Protocols as tcpdump prints them."""


def _lengths(data: bytes) -> tuple[int, int]:
    """Return the header length and the total length of the packet that begins the bytes."""
    if len(data) < HEADER_LENGTH:
        raise TruncatedError(f"an IPv4 packet of {len(data)} bytes has no whole header")
    if data[0] >> 4 != VERSION:
        raise MalformedError(f"an IPv4 packet of version {data[0] >> 4}")
    header_length = (data[0] & 0x0F) * 4
    total_length = data[2] << 8 | data[3]
    if not HEADER_LENGTH <= header_length <= total_length:
        raise MalformedError(
            f"an IPv4 header of {header_length} bytes in a packet of {total_length}"
        )
    return header_length, total_length


class HeaderTemplate:
    """The header of many packets between two addresses: whole, without options, not to be cut.

    What all of them have in common is added up once.

    Attributes:
        addresses: what the addresses add to a checksum, by :func:`address_sum`.
    """

    __slots__ = ("_ends", "_sum", "addresses")

    def __init__(self, src: Ipv4, dst: Ipv4) -> None:
        self.addresses: int = address_sum(src, dst)
        self._ends = src + dst
        # The sum does not see where its words stand (RFC 1071, section 2): numbers will do.
        self._sum: int = self.addresses + _FIRST_BYTE + HEADER_LENGTH + _DONT_FRAGMENT

    def packet(
        self, protocol: int, payload: bytes, ttl: int, tos: int, identification: int
    ) -> bytes:
        """Return a packet, as :meth:`Ipv4Packet.emit` does.

        Args:
            protocol: what the payload is, 8 bits.
            payload: the bytes behind the header.
            ttl: time to live in hops, 0 to 255.
            tos: the former type of service: DSCP and ECN, 8 bits.
            identification: joins fragments; of more than 16 bits the lower ones count.
        """
        size = len(payload)
        identification &= 0xFFFF
        hops = ttl << 8 | protocol
        checksum = 0xFFFF - ((self._sum + size + tos + identification + hops) % 0xFFFF or 0xFFFF)
        return _TEMPLATE.pack(
            _FIRST_BYTE | tos, HEADER_LENGTH + size, identification, _DONT_FRAGMENT, hops,
            checksum, self._ends,
        ) + payload  # fmt: skip


@dataclass(slots=True, unsafe_hash=True)
class Ipv4Packet:
    """An IPv4 packet; not to be changed, though it is not frozen, which would be dear here.

    Attributes:
        src: source address.
        dst: destination address.
        protocol: what the payload is, 8 bits.
        payload: the bytes behind the header, up to the total length.
        ttl: time to live in hops, 0 to 255.
        dscp: differentiated services code point, 6 bits.
        ecn: explicit congestion notification, 2 bits.
        identification: joins the fragments of one packet, 16 bits.
        dont_fragment: whether routers must drop it rather than fragment it.
        more_fragments: whether this is a fragment and not the last.
        fragment_offset: place of the payload in the whole one, in bytes, a multiple of 8.
        options: option bytes, padded to a multiple of 4, 40 at most.
    """

    src: Ipv4
    dst: Ipv4
    protocol: int
    payload: bytes
    ttl: int = DEFAULT_TTL
    dscp: int = 0
    ecn: int = 0
    identification: int = 0
    dont_fragment: bool = False
    more_fragments: bool = False
    fragment_offset: int = 0
    options: bytes = b""

    @property
    def hop_limit(self) -> int:
        """The time to live, by the name that it has in IPv6."""
        return self.ttl

    @property
    def length(self) -> int:
        """Bytes of the whole packet."""
        return HEADER_LENGTH + len(self.options) + len(self.payload)

    @property
    def is_fragment(self) -> bool:
        """Whether the payload is only a part of the packet that was sent."""
        return self.more_fragments or self.fragment_offset > 0

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the packet at the beginning of the bytes; what follows it is padding.

        Raises:
            TruncatedError: the bytes end before the header or the total length does.
            MalformedError: the version, a length or the reserved flag is not allowed.
            ChecksumError: the header checksum is wrong.
        """
        header_length, total_length = _lengths(data)
        if total_length > len(data):
            raise TruncatedError(f"an IPv4 packet of {total_length} bytes in {len(data)}")
        return cls._unpack(data, header_length, total_length)

    @classmethod
    def parse_quoted(cls, data: bytes) -> Self:
        """Return the packet whose beginning an ICMP error quotes; the payload may be cut short.

        The header must be whole and right, as translators have to leave it (RFC 5508, REQ-3).

        Raises:
            TruncatedError: the bytes end before the header does.
            MalformedError: the version, a length or the reserved flag is not allowed.
            ChecksumError: the header checksum is wrong.
        """
        header_length, total_length = _lengths(data)
        if header_length > len(data):
            raise TruncatedError(f"an IPv4 header of {header_length} bytes in {len(data)}")
        return cls._unpack(data, header_length, total_length)

    @classmethod
    def _unpack(cls, data: bytes, header_length: int, end: int) -> Self:
        # Of a header that is not all zero the remainder tells whether the sum is right.
        if int.from_bytes(data[:header_length], "big") % 0xFFFF:
            raise ChecksumError("the IPv4 header checksum is wrong")
        _, tos, _, identification, fragment, ttl, protocol, _, src, dst = _LAYOUT.unpack_from(data)
        if fragment == _DONT_FRAGMENT and header_length == HEADER_LENGTH:  # as nearly all are
            return cls(
                _address(Ipv4, src), _address(Ipv4, dst), protocol, data[HEADER_LENGTH:end], ttl,
                tos >> 2, tos & 3, identification, True,
            )  # fmt: skip
        if fragment & _RESERVED:  # must be zero (RFC 791, 3.1)
            raise MalformedError("an IPv4 packet with the reserved flag")
        return cls(
            _address(Ipv4, src), _address(Ipv4, dst), protocol, data[header_length:end],
            ttl, tos >> 2, tos & 3, identification,
            bool(fragment & _DONT_FRAGMENT), bool(fragment & _MORE_FRAGMENTS),
            (fragment & _FRAGMENT_UNITS) * _FRAGMENT_UNIT, data[HEADER_LENGTH:header_length],
        )  # fmt: skip

    def emit(self) -> bytes:
        """Return the bytes of the packet, with its lengths and header checksum."""
        options = self.options
        assert len(options) <= MAX_OPTIONS_LENGTH, "IPv4 options too long"
        assert len(options) % 4 == 0, "IPv4 options not padded"
        assert self.fragment_offset % _FRAGMENT_UNIT == 0, "IPv4 fragment offset"
        header_length = HEADER_LENGTH + len(options)
        fragment = self.fragment_offset // _FRAGMENT_UNIT
        if self.dont_fragment:
            fragment |= _DONT_FRAGMENT
        if self.more_fragments:
            fragment |= _MORE_FRAGMENTS
        tos = (VERSION << 4 | header_length // 4) << 8 | self.dscp << 2 | self.ecn
        length = header_length + len(self.payload)
        hops = self.ttl << 8 | self.protocol
        # The sum does not see where its words stand (RFC 1071, section 2): numbers will do.
        total = (
            tos + length + self.identification + fragment + hops
            + int.from_bytes(self.src + self.dst + options, "big")
        )  # fmt: skip
        checksum = 0xFFFF - (total % 0xFFFF or 0xFFFF)
        return b"".join((
            _HEADER.pack(tos, length, self.identification, fragment, hops, checksum),
            self.src, self.dst, options, self.payload,
        ))  # fmt: skip

    def __str__(self) -> str:
        name = PROTOCOL_NAMES.get(self.protocol, f"protocol {self.protocol}")
        flags = f", offset {self.fragment_offset}" if self.is_fragment else ""
        flags += "+" if self.more_fragments else ""
        return f"{self.src} > {self.dst}: {name}, ttl {self.ttl}{flags}, length {self.length}"
