"""ICMP for IPv6 (RFC 4443; registry of types for the others).

Every message is a type, a code, four bytes whose meaning depends on the type, and a payload. What
neighbour discovery and listener discovery put into them is in :mod:`sdnvirt.wire.nd` and
:mod:`sdnvirt.wire.mld`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from sdnvirt.addresses import Ipv6
from sdnvirt.errors import TruncatedError
from sdnvirt.wire.checksum import ChecksumError, internet_checksum, pseudo_header_sum
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.ipv6 import HEADER_LENGTH as IPV6_HEADER
from sdnvirt.wire.ipv6 import MIN_MTU, Ipv6Packet

HEADER_LENGTH: Final = 8

QUOTE_LENGTH: Final = MIN_MTU - IPV6_HEADER - HEADER_LENGTH
"""As much of a packet as keeps the error within the smallest MTU (RFC 4443, 2.4 c)."""

_LAYOUT: Final = struct.Struct("!BBHI")
_CHECKSUM_OFFSET: Final = 2
_FIRST_INFORMATIONAL: Final = 128
"""Types below are errors (RFC 4443, 2.1)."""


class Icmpv6Type(IntEnum):
    """What a message is (the IANA registry of ICMPv6 types)."""

    DESTINATION_UNREACHABLE = 1
    PACKET_TOO_BIG = 2
    TIME_EXCEEDED = 3
    PARAMETER_PROBLEM = 4
    ECHO_REQUEST = 128
    ECHO_REPLY = 129
    LISTENER_QUERY = 130
    LISTENER_REPORT = 131
    LISTENER_DONE = 132
    ROUTER_SOLICITATION = 133
    ROUTER_ADVERTISEMENT = 134
    NEIGHBOUR_SOLICITATION = 135
    NEIGHBOUR_ADVERTISEMENT = 136
    REDIRECT = 137
    LISTENER_REPORT_V2 = 143


class Unreachable(IntEnum):
    """Codes of DESTINATION_UNREACHABLE (RFC 4443, 3.1)."""

    NO_ROUTE = 0
    PROHIBITED = 1
    BEYOND_SCOPE = 2
    ADDRESS = 3
    PORT = 4
    POLICY = 5
    REJECT_ROUTE = 6


class TimeExceeded(IntEnum):
    """Codes of TIME_EXCEEDED (RFC 4443, 3.3)."""

    IN_TRANSIT = 0
    REASSEMBLY = 1


class ParameterProblem(IntEnum):
    """Codes of PARAMETER_PROBLEM (RFC 4443, 3.4)."""

    FIELD = 0
    NEXT_HEADER = 1
    OPTION = 2


CODES: Final[dict[int, type[IntEnum]]] = {
    Icmpv6Type.DESTINATION_UNREACHABLE: Unreachable,
    Icmpv6Type.TIME_EXCEEDED: TimeExceeded,
    Icmpv6Type.PARAMETER_PROBLEM: ParameterProblem,
}
"""The codes of each type that has more than the code 0."""

ECHOES: Final = (Icmpv6Type.ECHO_REQUEST, Icmpv6Type.ECHO_REPLY)


@dataclass(frozen=True, slots=True)
class Icmpv6:
    """An ICMPv6 message.

    Attributes:
        type: what the message is, 8 bits; others than those of :class:`Icmpv6Type` are kept.
        code: the variant of the type, 8 bits.
        rest: the second 32 bits of the header; read it through the properties.
        payload: the data of an echo, or the packet quoted by an error, or the rest.
    """

    type: int
    code: int
    rest: int
    payload: bytes

    @classmethod
    def echo_request(cls, identifier: int, sequence: int, data: bytes) -> Self:
        """Return a ping with 16-bit identifier and sequence number."""
        return cls(Icmpv6Type.ECHO_REQUEST, 0, identifier << 16 | sequence, data)

    @classmethod
    def echo_reply(cls, request: Icmpv6) -> Self:
        """Return the answer to a ping, with the same identifier, sequence number and data."""
        return cls(Icmpv6Type.ECHO_REPLY, 0, request.rest, request.payload)

    @classmethod
    def unreachable(cls, code: Unreachable, packet: bytes) -> Self:
        """Return the error about a packet that cannot be delivered."""
        return cls(Icmpv6Type.DESTINATION_UNREACHABLE, code, 0, quote(packet))

    @classmethod
    def packet_too_big(cls, next_hop_mtu: int, packet: bytes) -> Self:
        """Return the error about a packet over the MTU, in bytes, of the next link."""
        return cls(Icmpv6Type.PACKET_TOO_BIG, 0, next_hop_mtu, quote(packet))

    @classmethod
    def time_exceeded(cls, code: TimeExceeded, packet: bytes) -> Self:
        """Return the error about a packet that took too many hops, or was never whole."""
        return cls(Icmpv6Type.TIME_EXCEEDED, code, 0, quote(packet))

    @classmethod
    def parameter_problem(cls, code: ParameterProblem, pointer: int, packet: bytes) -> Self:
        """Return the error about a packet that is wrong at the offset ``pointer``."""
        return cls(Icmpv6Type.PARAMETER_PROBLEM, code, pointer, quote(packet))

    @property
    def is_error(self) -> bool:
        """Whether the message is about a packet, which it quotes."""
        return self.type < _FIRST_INFORMATIONAL

    @property
    def identifier(self) -> int:
        """Which pings belong together; of echoes."""
        return self.rest >> 16

    @property
    def sequence(self) -> int:
        """The number of the ping; of echoes."""
        return self.rest & 0xFFFF

    @property
    def next_hop_mtu(self) -> int:
        """The MTU that was too small; of PACKET_TOO_BIG."""
        return self.rest

    @property
    def pointer(self) -> int:
        """The offset of what is wrong in the quoted packet; of parameter problems."""
        return self.rest

    def quoted_packet(self) -> Ipv6Packet:
        """Return the packet that an error is about; its payload may be cut short.

        Raises:
            WireError: the payload does not begin with an IPv6 header.
        """
        return Ipv6Packet.parse_quoted(self.payload)

    @classmethod
    def parse(cls, data: bytes, src: Ipv6, dst: Ipv6) -> Self:
        """Return the message that the whole payload of an IPv6 packet is.

        Args:
            data: the payload.
            src: source address of the packet, which the checksum covers.
            dst: destination address of the packet.

        Raises:
            TruncatedError: the bytes are shorter than the header.
            ChecksumError: the checksum is wrong.
        """
        if len(data) < HEADER_LENGTH:
            raise TruncatedError(f"an ICMPv6 message of {len(data)} bytes has no whole header")
        if internet_checksum(data, _pseudo_header(src, dst, len(data))):
            raise ChecksumError("the ICMPv6 checksum is wrong")
        icmp_type, code, _, rest = _LAYOUT.unpack_from(data)
        return cls(icmp_type, code, rest, data[HEADER_LENGTH:])

    def emit(self, src: Ipv6, dst: Ipv6) -> bytes:
        """Return the bytes of the message, with the checksum for these addresses."""
        data = _LAYOUT.pack(self.type, self.code, 0, self.rest) + self.payload
        checksum = internet_checksum(data, _pseudo_header(src, dst, len(data)))
        return data[:_CHECKSUM_OFFSET] + checksum.to_bytes(2, "big") + data[_CHECKSUM_OFFSET + 2 :]

    def __str__(self) -> str:
        length = HEADER_LENGTH + len(self.payload)
        return f"ICMP6 {_name(self.type, self.code)}{self._details()}, length {length}"

    def _details(self) -> str:
        """Return what the second half of the header says, if the type gives it a meaning."""
        if self.type in ECHOES:
            return f", id {self.identifier}, seq {self.sequence}"
        if self.type == Icmpv6Type.PACKET_TOO_BIG:
            return f", mtu {self.next_hop_mtu}"
        return f" at {self.pointer}" if self.type == Icmpv6Type.PARAMETER_PROBLEM else ""


def quote(packet: bytes) -> bytes:
    """Return the beginning of an IPv6 packet that an error about it carries."""
    return packet[:QUOTE_LENGTH]


def _pseudo_header(src: Ipv6, dst: Ipv6, length: int) -> int:
    return pseudo_header_sum(src, dst, IpProtocol.ICMPV6, length)


def _name(icmp_type: int, code: int) -> str:
    """Return the names of type and code in words, or their numbers where they have no name."""
    try:
        words = Icmpv6Type(icmp_type).name
    except ValueError:
        return f"type {icmp_type}, code {code}"
    try:
        words += f" {CODES[icmp_type](code).name}" if icmp_type in CODES else ""
    except ValueError:
        words += f" code {code}"
    return words.replace("_", " ").lower()
