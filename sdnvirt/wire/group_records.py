"""Group records, by which hosts tell routers what they listen to (RFC 3376, 4.2; RFC 3810, 5.2).

IGMPv3 and MLDv2 differ here in the width of an address only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sdnvirt.addresses import ANY_IPV4, IpAddress, Ipv4, Ipv6
from sdnvirt.errors import MalformedError
from sdnvirt.wire.cursor import Cursor

RECORD_LIMIT: Final = 1024
"""Records of one report: more than 9000 bytes hold, and a bound to work for one packet."""

SUPPRESS: Final = 0x08
"""The flag S of a query (RFC 3376, 4.1.5; RFC 3810, 5.1.7)."""

_WIDTHS: Final[dict[type[IpAddress], int]] = {Ipv4: 4, Ipv6: 16}


class RecordType(IntEnum):
    """What a record says of a group (RFC 3376, 4.2.12; RFC 3810, 5.2.12)."""

    IS_INCLUDE = 1
    IS_EXCLUDE = 2
    TO_INCLUDE = 3
    TO_EXCLUDE = 4
    ALLOW = 5
    BLOCK = 6


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """What a host listens to of one group.

    Attributes:
        type: 8 bits; others than those of :class:`RecordType` are kept, to be ignored.
        group: the group.
        sources: the senders that the record names.
    """

    type: int
    group: IpAddress
    sources: tuple[IpAddress, ...] = ()

    def emit(self) -> bytes:
        """Return the bytes of the record, without auxiliary data, which nobody has a use for."""
        start = bytes((self.type, 0)) + len(self.sources).to_bytes(2, "big")
        return start + self.group + b"".join(self.sources)


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """A router asks who listens.

    Attributes:
        version: of the protocol.
        max_response_ms: time in which hosts answer.
        group: the group asked for, or the unspecified address for all.
        suppress: other routers are not to restart their timers; of the newest version.
        robustness: the querier's robustness variable, 0 to 7; of the newest version.
        interval_code: the querier's interval as in the packet; of the newest version.
        sources: the senders asked for; of the newest version.
    """

    version: int
    max_response_ms: int = 10_000
    group: IpAddress = ANY_IPV4
    suppress: bool = False
    robustness: int = 0
    interval_code: int = 0
    sources: tuple[IpAddress, ...] = ()

    def _tail(self) -> bytes:
        """Return what is behind the group in the newest version (RFC 3376, 4.1; RFC 3810, 5.1)."""
        flags = self.suppress * SUPPRESS | self.robustness
        count = len(self.sources).to_bytes(2, "big")
        return bytes((flags, self.interval_code)) + count + b"".join(self.sources)


def parse_records(body: Cursor, count: int, family: type[IpAddress]) -> tuple[GroupRecord, ...]:
    """Return so many records.

    Args:
        body: the bytes, from the first record on.
        count: how many there are.
        family: Ipv4 or Ipv6.

    Raises:
        TruncatedError: the bytes end before the last record.
        MalformedError: too many records, or one about an address that is not a group.
    """
    if count > RECORD_LIMIT:
        raise MalformedError(f"a report with {count} group records")
    return tuple(_record(body, family) for _ in range(count))


def _record(body: Cursor, family: type[IpAddress]) -> GroupRecord:
    kind, auxiliary_words, count = body.u8(), body.u8(), body.u16()
    group = parse_address(body, family)
    if not group.is_multicast:
        raise MalformedError(f"a group record of {group}, which is not a group")
    sources = parse_addresses(body, count, family)
    body.take(4 * auxiliary_words)
    return GroupRecord(kind, group, sources)


def parse_addresses(body: Cursor, count: int, family: type[IpAddress]) -> tuple[IpAddress, ...]:
    """Return so many addresses; a TruncatedError if there are less."""
    whole = body.narrow(count * _WIDTHS[family])
    return tuple(parse_address(whole, family) for _ in range(count))


def parse_address(body: Cursor, family: type[IpAddress]) -> IpAddress:
    """Return the next address; a TruncatedError if there is none."""
    return family(body.take(_WIDTHS[family]))


def decode_float(code: int, bits: int) -> int:
    """Return the number that a code of some bits stands for (RFC 3376, 4.1.1; RFC 3810, 5.1.3).

    Small codes are the number; if the highest bit is set, three bits of exponent and the mantissa
    follow.
    """
    mantissa_bits = bits - 4
    if code < 1 << (bits - 1):
        return code
    mantissa = code & (1 << mantissa_bits) - 1 | 1 << mantissa_bits
    return mantissa << (code >> mantissa_bits & 7) + 3


def encode_float(value: int, bits: int) -> int:
    """Return the code of the largest number that is not above a value (as :func:`decode_float`)."""
    if value < 1 << (bits - 1):
        return value
    mantissa_bits = bits - 4
    value = min(value, decode_float((1 << bits) - 1, bits))
    exponent = value.bit_length() - (mantissa_bits + 1) - 3
    mantissa = value >> exponent + 3 & (1 << mantissa_bits) - 1
    return 1 << (bits - 1) | exponent << mantissa_bits | mantissa
