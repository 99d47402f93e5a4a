"""ICMP for IPv6 (RFC 4443; registry of types for the others).

Every message is a type, a code, four bytes whose meaning depends on the type, and a payload. What
neighbour discovery and listener discovery put into them is in :mod:`sdnvirt.wire.nd` and
:mod:`sdnvirt.wire.mld`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from sdnvirt.addresses import Ipv6
from sdnvirt.wire.checksum import pseudo_header_sum
from sdnvirt.wire.icmp_message import HEADER_LENGTH, IcmpMessage, words_of
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.ipv6 import HEADER_LENGTH as IPV6_HEADER
from sdnvirt.wire.ipv6 import MIN_MTU, Ipv6Packet

QUOTE_LENGTH: Final = MIN_MTU - IPV6_HEADER - HEADER_LENGTH
"""As much of a packet as keeps the error within the smallest MTU (RFC 4443, 2.4 c)."""

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


@dataclass(frozen=True, slots=True)
class Icmpv6(IcmpMessage):
    """An ICMPv6 message; see :class:`~sdnvirt.wire.icmp_message.IcmpMessage` for its attributes."""

    protocol_name = "ICMPv6"
    echo_types = (Icmpv6Type.ECHO_REQUEST, Icmpv6Type.ECHO_REPLY)

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
        return cls._parse(data, _pseudo_header(src, dst, len(data)))

    def emit(self, src: Ipv6, dst: Ipv6) -> bytes:
        """Return the bytes of the message, with the checksum for these addresses."""
        length = HEADER_LENGTH + len(self.payload)
        return self._emit(_pseudo_header(src, dst, length))

    def __str__(self) -> str:
        words = words_of(Icmpv6Type, CODES, self.type, self.code)
        return f"ICMP6 {words}{self._details()}, length {HEADER_LENGTH + len(self.payload)}"

    def _details(self) -> str:
        """Return what the second half of the header says, if the type gives it a meaning."""
        if self.is_echo:
            return f", id {self.identifier}, seq {self.sequence}"
        if self.type == Icmpv6Type.PACKET_TOO_BIG:
            return f", mtu {self.next_hop_mtu}"
        return f" at {self.pointer}" if self.type == Icmpv6Type.PARAMETER_PROBLEM else ""


def quote(packet: bytes) -> bytes:
    """Return the beginning of an IPv6 packet that an error about it carries."""
    return packet[:QUOTE_LENGTH]


def _pseudo_header(src: Ipv6, dst: Ipv6, length: int) -> int:
    return pseudo_header_sum(src, dst, IpProtocol.ICMPV6, length)
