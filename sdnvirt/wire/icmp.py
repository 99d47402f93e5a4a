"""ICMP for IPv4 (RFC 792; next-hop MTU RFC 1191; later codes RFC 1122 and RFC 1812).

Every message is a type, a code, four bytes whose meaning depends on the type, and a payload: the
data of an echo, or the beginning of the packet that an error is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from sdnvirt.addresses import Ipv4
from sdnvirt.wire.icmp_message import HEADER_LENGTH, IcmpMessage, words_of
from sdnvirt.wire.ipv4 import Ipv4Packet

QUOTE_LENGTH: Final = 576 - 20 - HEADER_LENGTH
"""As much as keeps the error within 576 bytes (RFC 1812, 4.3.2.3; RFC 792 asks 8 bytes of data)."""


class IcmpType(IntEnum):
    """What a message is (the IANA registry of ICMP types)."""

    ECHO_REPLY = 0
    DESTINATION_UNREACHABLE = 3
    SOURCE_QUENCH = 4
    REDIRECT = 5
    ECHO_REQUEST = 8
    ROUTER_ADVERTISEMENT = 9
    ROUTER_SOLICITATION = 10
    TIME_EXCEEDED = 11
    PARAMETER_PROBLEM = 12
    TIMESTAMP = 13
    TIMESTAMP_REPLY = 14


class Unreachable(IntEnum):
    """Codes of DESTINATION_UNREACHABLE (RFC 792; from 6 on RFC 1122, 3.2.2.1, and RFC 1812)."""

    NETWORK = 0
    HOST = 1
    PROTOCOL = 2
    PORT = 3
    FRAGMENTATION_NEEDED = 4
    SOURCE_ROUTE_FAILED = 5
    NETWORK_UNKNOWN = 6
    HOST_UNKNOWN = 7
    SOURCE_ISOLATED = 8
    NETWORK_PROHIBITED = 9
    HOST_PROHIBITED = 10
    NETWORK_TOS = 11
    HOST_TOS = 12
    ADMINISTRATIVELY_PROHIBITED = 13
    PRECEDENCE_VIOLATION = 14
    PRECEDENCE_CUTOFF = 15


class Redirect(IntEnum):
    """Codes of REDIRECT: what is better sent through the gateway named (RFC 792)."""

    NETWORK = 0
    HOST = 1
    NETWORK_TOS = 2
    HOST_TOS = 3


class TimeExceeded(IntEnum):
    """Codes of TIME_EXCEEDED (RFC 792)."""

    IN_TRANSIT = 0
    REASSEMBLY = 1


class ParameterProblem(IntEnum):
    """Codes of PARAMETER_PROBLEM (RFC 792; RFC 1108 and RFC 1122 for the others)."""

    POINTER = 0
    OPTION_MISSING = 1
    BAD_LENGTH = 2


CODES: Final[dict[int, type[IntEnum]]] = {
    IcmpType.DESTINATION_UNREACHABLE: Unreachable,
    IcmpType.REDIRECT: Redirect,
    IcmpType.TIME_EXCEEDED: TimeExceeded,
    IcmpType.PARAMETER_PROBLEM: ParameterProblem,
}
"""The codes of each type that has more than the code 0."""

ERROR_TYPES: Final = (
    IcmpType.DESTINATION_UNREACHABLE, IcmpType.SOURCE_QUENCH, IcmpType.REDIRECT,
    IcmpType.TIME_EXCEEDED, IcmpType.PARAMETER_PROBLEM,
)  # fmt: skip
"""Types that quote a packet, and about which no error may be sent (RFC 1122, 3.2.2)."""


def quote(packet: bytes) -> bytes:
    """Return the beginning of an IPv4 packet that an error about it carries."""
    return packet[:QUOTE_LENGTH]


@dataclass(frozen=True, slots=True)
class Icmp(IcmpMessage):
    """An ICMP message; see :class:`~sdnvirt.wire.icmp_message.IcmpMessage` for its attributes."""

    protocol_name = "ICMP"
    echo_types = (IcmpType.ECHO_REQUEST, IcmpType.ECHO_REPLY)

    @classmethod
    def unreachable(cls, code: Unreachable, packet: bytes) -> Self:
        """Return the error about an IPv4 packet that cannot be delivered."""
        return cls(IcmpType.DESTINATION_UNREACHABLE, code, 0, quote(packet))

    @classmethod
    def fragmentation_needed(cls, next_hop_mtu: int, packet: bytes) -> Self:
        """Return the error about an unfragmentable packet over the MTU in bytes (RFC 1191, 4)."""
        code = Unreachable.FRAGMENTATION_NEEDED
        return cls(IcmpType.DESTINATION_UNREACHABLE, code, next_hop_mtu, quote(packet))

    @classmethod
    def time_exceeded(cls, code: TimeExceeded, packet: bytes) -> Self:
        """Return the error about an IPv4 packet that lived too long."""
        return cls(IcmpType.TIME_EXCEEDED, code, 0, quote(packet))

    @classmethod
    def redirect(cls, code: Redirect, gateway: Ipv4, packet: bytes) -> Self:
        """Return the advice to send such packets through another gateway."""
        return cls(IcmpType.REDIRECT, code, int(gateway), quote(packet))

    @classmethod
    def parameter_problem(cls, pointer: int, packet: bytes) -> Self:
        """Return the error about an IPv4 header, wrong at the offset ``pointer``."""
        return cls(
            IcmpType.PARAMETER_PROBLEM, ParameterProblem.POINTER, pointer << 24, quote(packet)
        )

    @property
    def is_error(self) -> bool:
        """Whether the message is about a packet, which it quotes."""
        return self.type in ERROR_TYPES

    @property
    def next_hop_mtu(self) -> int:
        """The MTU that was too small, 0 if the router does not tell; of FRAGMENTATION_NEEDED."""
        return self.rest & 0xFFFF

    @property
    def gateway(self) -> Ipv4:
        """The better gateway; of redirects."""
        return Ipv4(self.rest)

    @property
    def pointer(self) -> int:
        """The offset of the wrong byte in the quoted packet; of parameter problems."""
        return self.rest >> 24

    def quoted_packet(self) -> Ipv4Packet:
        """Return the packet that an error is about; its payload may be cut short.

        Raises:
            WireError: the payload does not begin with an IPv4 header.
        """
        return Ipv4Packet.parse_quoted(self.payload)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the message that the whole payload of an IPv4 packet is.

        Raises:
            TruncatedError: the bytes are shorter than the header.
            ChecksumError: the checksum is wrong.
        """
        return cls._parse(data, 0)

    def emit(self) -> bytes:
        """Return the bytes of the message, with its checksum."""
        return self._emit(0)

    def __str__(self) -> str:
        words = words_of(IcmpType, CODES, self.type, self.code)
        return f"ICMP {words}{self._details()}, length {HEADER_LENGTH + len(self.payload)}"

    def _details(self) -> str:
        """Return what the second half of the header says, if the type gives it a meaning."""
        if self.is_echo:
            return f", id {self.identifier}, seq {self.sequence}"
        if self.type == IcmpType.REDIRECT:
            return f" to {self.gateway}"
        if self.type == IcmpType.PARAMETER_PROBLEM and self.code == ParameterProblem.POINTER:
            return f" {self.pointer}"
        fragmentation = (IcmpType.DESTINATION_UNREACHABLE, Unreachable.FRAGMENTATION_NEEDED)
        return f", mtu {self.next_hop_mtu}" if (self.type, self.code) == fragmentation else ""
