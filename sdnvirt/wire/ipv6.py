"""IPv6 packets and their extension headers (RFC 8200; traffic class RFC 2474 and RFC 3168).

A packet's *protocol* and *payload* are those behind the extension headers, which are kept in
order. The walk over the headers ends at the first that is not one of the four below, or that
stands where it may not: what is there is the protocol, and a host has no handler for it. It also
ends at the header of a fragment, whose payload is a part of something. Nothing here acts on
options or routing headers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from sdnvirt.addresses import Ipv6
from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire.checksum import address_sum
from sdnvirt.wire.ipv4 import PROTOCOL_NAMES
from sdnvirt.wire.ipv6_extensions import (
    Extension,
    ExtensionType,
    Fragment,
    Options,
    Routing,
)

HEADER_LENGTH: Final = 40

MAX_PAYLOAD_LENGTH: Final = 0xFFFF
"""The payload length is 16 bits; jumbograms (RFC 2675) are not spoken here."""

MIN_MTU: Final = 1280
"""Every link must carry packets of this length whole (RFC 8200, 5)."""

DEFAULT_HOP_LIMIT: Final = 64
"""The current default for hosts (the IANA registry of IP parameters; RFC 4861, 6.3.2)."""

EXTENSION_LIMIT: Final = 8
"""Extension headers of a packet: more than a sender may use (RFC 8200, 4.1), and a bound to work
for one packet (RFC 8504, 5.3)."""

NEXT_HEADER_OFFSET: Final = 6
"""Where the fixed header names what follows it; parameter problems point there."""

VERSION: Final = 6

_LAYOUT: Final = struct.Struct("!IHBB16s16s")
_TEMPLATE: Final = struct.Struct("!IHBB32s")


class HeaderTemplate:
    """The header of many packets between two addresses, without extension headers.

    Attributes:
        addresses: what the addresses add to a checksum, by :func:`address_sum`.
    """

    __slots__ = ("_ends", "addresses")

    def __init__(self, src: Ipv6, dst: Ipv6) -> None:
        self.addresses: int = address_sum(src, dst)
        self._ends = src + dst

    def packet(
        self,
        protocol: int,
        payload: bytes,
        hop_limit: int,
        traffic_class: int,
        _identification: int,
    ) -> bytes:
        """Return a packet, as :meth:`Ipv6Packet.emit` does.

        Args:
            protocol: what the payload is, 8 bits.
            payload: the bytes behind the header.
            hop_limit: hops that are left, 0 to 255.
            traffic_class: DSCP and ECN, 8 bits.
        """
        word = VERSION << 28 | traffic_class << 20
        return _TEMPLATE.pack(word, len(payload), protocol, hop_limit, self._ends) + payload


@dataclass(slots=True, unsafe_hash=True)
class Ipv6Packet:
    """An IPv6 packet; not to be changed, though it is not frozen, which would be dear here.

    Attributes:
        src: source address.
        dst: destination address.
        protocol: what the payload is, 8 bits: the next header of the last extension header.
        payload: the bytes behind the extension headers, up to the payload length.
        hop_limit: hops that are left, 0 to 255.
        dscp: differentiated services code point, 6 bits.
        ecn: explicit congestion notification, 2 bits.
        flow_label: 20 bits (RFC 6437).
        extensions: the extension headers in order.
    """

    src: Ipv6
    dst: Ipv6
    protocol: int
    payload: bytes
    hop_limit: int = DEFAULT_HOP_LIMIT
    dscp: int = 0
    ecn: int = 0
    flow_label: int = 0
    extensions: tuple[Extension, ...] = ()

    @property
    def fragment(self) -> Fragment | None:
        """The fragment header if the payload is only a part of the packet that was sent.

        A fragment that is a whole packet (RFC 6946) is none.
        """
        last = self.extensions[-1] if self.extensions else None
        return last if isinstance(last, Fragment) and not last.is_whole else None

    @property
    def is_fragment(self) -> bool:
        """Whether the payload is only a part of the packet that was sent."""
        return bool(self.extensions) and self.fragment is not None

    @property
    def protocol_offset(self) -> int:
        """The offset of the next header field that names the protocol."""
        if not self.extensions:
            return NEXT_HEADER_OFFSET
        return HEADER_LENGTH + sum(one.length for one in self.extensions[:-1])

    @property
    def length(self) -> int:
        """Bytes of the whole packet."""
        return HEADER_LENGTH + sum(one.length for one in self.extensions) + len(self.payload)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the packet at the beginning of the bytes; what follows it is padding.

        Raises:
            TruncatedError: the bytes end before a header or the payload length does.
            MalformedError: the version or a header is not allowed.
        """
        end = _end(data)
        if end > len(data):
            raise TruncatedError(f"an IPv6 packet of {end} bytes in {len(data)}")
        return cls._unpack(data[:end])

    @classmethod
    def parse_quoted(cls, data: bytes) -> Self:
        """Return the packet whose beginning an ICMPv6 error quotes; the payload may be cut short.

        Raises:
            TruncatedError: the bytes end before a header does.
            MalformedError: the version or a header is not allowed.
        """
        return cls._unpack(data[: _end(data)])

    @classmethod
    def _unpack(cls, data: bytes) -> Self:
        word, _, protocol, hop_limit, src, dst = _LAYOUT.unpack_from(data)
        extensions: tuple[Extension, ...] = ()
        at = HEADER_LENGTH
        if protocol in _PARSERS:
            extensions, protocol, at = _walk(data, protocol)
        return cls(
            Ipv6(src), Ipv6(dst), protocol, data[at:], hop_limit,
            word >> 22 & 0x3F, word >> 20 & 3, word & 0xFFFFF, extensions,
        )  # fmt: skip

    def emit(self) -> bytes:
        """Return the bytes of the packet, with its payload length."""
        headers = b""
        protocol = self.protocol
        for extension in reversed(self.extensions):
            headers = extension.emit(protocol) + headers
            protocol = extension.type
        length = len(headers) + len(self.payload)
        assert length <= MAX_PAYLOAD_LENGTH, "IPv6 payload too long"
        word = VERSION << 28 | self.dscp << 22 | self.ecn << 20 | self.flow_label
        fixed = _LAYOUT.pack(word, length, protocol, self.hop_limit, self.src, self.dst)
        return fixed + headers + self.payload

    def __str__(self) -> str:
        name = PROTOCOL_NAMES.get(self.protocol, f"next header {self.protocol}")
        fragment = self.fragment
        flags = f", offset {fragment.offset}" if fragment else ""
        flags += "+" if fragment and fragment.more else ""
        tail = f"hlim {self.hop_limit}{flags}, length {self.length}"
        return f"{self.src} > {self.dst}: {name}, {tail}"


_PARSERS: Final[dict[int, type[Extension]]] = {
    ExtensionType.HOP_BY_HOP: Options,
    ExtensionType.ROUTING: Routing,
    ExtensionType.FRAGMENT: Fragment,
    ExtensionType.DESTINATION: Options,
}


def _end(data: bytes) -> int:
    """Return the length of the packet that begins the bytes, as it says."""
    if len(data) < HEADER_LENGTH:
        raise TruncatedError(f"an IPv6 packet of {len(data)} bytes has no whole header")
    if data[0] >> 4 != VERSION:
        raise MalformedError(f"an IPv6 packet of version {data[0] >> 4}")
    return HEADER_LENGTH + (data[4] << 8 | data[5])


def _walk(data: bytes, protocol: int) -> tuple[tuple[Extension, ...], int, int]:
    """Return the extension headers, the protocol behind them, and where its payload begins."""
    extensions: list[Extension] = []
    at = HEADER_LENGTH
    while (parser := _PARSERS.get(protocol)) is not None:
        # Hop-by-hop options stand first or nowhere (RFC 8200, 4.1).
        if extensions and protocol == ExtensionType.HOP_BY_HOP:
            break
        if len(extensions) == EXTENSION_LIMIT:
            raise MalformedError(f"an IPv6 packet with more than {EXTENSION_LIMIT} headers")
        extension, protocol = parser.parse(data, at, protocol)
        extensions.append(extension)
        at += extension.length
        if isinstance(extension, Fragment) and not extension.is_whole:
            break
    return tuple(extensions), protocol, at
