"""What the messages of ICMP (RFC 792) and ICMPv6 (RFC 4443) have in common.

Every message is a type, a code, four bytes whose meaning depends on the type, and a payload: the
data of an echo, or the beginning of the packet that an error is about.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from sdnvirt.errors import TruncatedError
from sdnvirt.wire.checksum import ChecksumError, internet_checksum

HEADER_LENGTH: Final = 8

_LAYOUT: Final = struct.Struct("!BBHI")
_CHECKSUM_OFFSET: Final = 2


@dataclass(frozen=True, slots=True)
class IcmpMessage:
    """A message of either protocol.

    Attributes:
        type: what the message is, 8 bits; unknown ones are kept.
        code: the variant of the type, 8 bits.
        rest: the second 32 bits of the header; read it through the properties.
        payload: the data of an echo, or the packet quoted by an error, or what else there is.
        protocol_name: of the protocol, in errors.
        echo_types: of requests and of replies.
    """

    type: int
    code: int
    rest: int
    payload: bytes

    protocol_name: ClassVar[str]
    echo_types: ClassVar[tuple[int, int]]

    @classmethod
    def echo_request(cls, identifier: int, sequence: int, data: bytes) -> Self:
        """Return a ping with 16-bit identifier and sequence number."""
        return cls(cls.echo_types[0], 0, identifier << 16 | sequence, data)

    @classmethod
    def echo_reply(cls, request: Self) -> Self:
        """Return the answer to a ping, with the same identifier, sequence number and data."""
        return cls(cls.echo_types[1], 0, request.rest, request.payload)

    @property
    def is_echo(self) -> bool:
        """Whether the message is a ping or the answer to one."""
        return self.type in self.echo_types

    @property
    def identifier(self) -> int:
        """Which pings belong together; of echoes."""
        return self.rest >> 16

    @property
    def sequence(self) -> int:
        """The number of the ping; of echoes."""
        return self.rest & 0xFFFF

    @classmethod
    def _parse(cls, data: bytes, pseudo_header: int) -> Self:
        """Return the message that some bytes are.

        Args:
            data: the bytes.
            pseudo_header: what the checksum covers beside them.

        Raises:
            TruncatedError: the bytes are shorter than the header.
            ChecksumError: the checksum is wrong.
        """
        name = cls.protocol_name
        if len(data) < HEADER_LENGTH:
            raise TruncatedError(f"an {name} message of {len(data)} bytes has no whole header")
        if internet_checksum(data, pseudo_header):
            raise ChecksumError(f"the {name} checksum is wrong")
        icmp_type, code, _, rest = _LAYOUT.unpack_from(data)
        return cls(icmp_type, code, rest, data[HEADER_LENGTH:])

    def _emit(self, pseudo_header: int) -> bytes:
        """Return the bytes of the message, with its checksum."""
        data = _LAYOUT.pack(self.type, self.code, 0, self.rest) + self.payload
        checksum = internet_checksum(data, pseudo_header).to_bytes(2, "big")
        return data[:_CHECKSUM_OFFSET] + checksum + data[_CHECKSUM_OFFSET + 2 :]


def words_of(
    types: type[IntEnum], codes: Mapping[int, type[IntEnum]], icmp_type: int, code: int
) -> str:
    """Return the names of type and code in words, or their numbers where they have no name."""
    try:
        words = types(icmp_type).name
    except ValueError:
        return f"type {icmp_type}, code {code}"
    try:
        words += f" {codes[icmp_type](code).name}" if icmp_type in codes else ""
    except ValueError:
        words += f" code {code}"
    return words.replace("_", " ").lower()
