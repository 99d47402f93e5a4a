"""Group membership of IPv4 hosts (IGMPv3 RFC 3376; v2 RFC 2236; v1 RFC 1112, appendix I).

Messages go with a time to live of 1 and the router alert option (RFC 3376, 4).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sdnvirt.addresses import ANY_IPV4, Ipv4
from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire.checksum import ChecksumError, internet_checksum
from sdnvirt.wire.cursor import Cursor
from sdnvirt.wire.group_records import (
    SUPPRESS,
    GroupQuery,
    GroupRecord,
    decode_float,
    encode_float,
    parse_addresses,
    parse_records,
)

HEADER_LENGTH: Final = 8
"""Bytes of a message of versions 1 and 2, and the start of all others."""

QUERY_V3_LENGTH: Final = 12

ROUTER_ALERT: Final = bytes.fromhex("94040000")
"""The IPv4 option of every message (RFC 2113)."""

_LAYOUT: Final = struct.Struct("!BBH4s")
_CHECKSUM_OFFSET: Final = 2
_TENTHS: Final = 100
"""Milliseconds of the unit in which a query says the time to answer."""


class IgmpType(IntEnum):
    """What a message is (the IANA registry of IGMP types)."""

    QUERY = 0x11
    REPORT_V1 = 0x12
    REPORT_V2 = 0x16
    LEAVE = 0x17
    REPORT_V3 = 0x22


@dataclass(frozen=True, slots=True)
class Query(GroupQuery):
    """A router asks who listens, in version 1, 2 or 3; in 1 the time to answer is always 10 s."""

    group: Ipv4 = ANY_IPV4

    def emit(self) -> bytes:
        """Return the bytes of the message; a time of 3 digits or more may be rounded down."""
        if self.version < 3:
            tenths = self.max_response_ms // _TENTHS if self.version == 2 else 0
            assert self.version == 1 or 0 < tenths < 0x100, "the time to answer of IGMPv2"
            return _emit(IgmpType.QUERY, tenths, self.group)
        code = encode_float(self.max_response_ms // _TENTHS, 8)
        return _emit(IgmpType.QUERY, code, self.group, self._tail())

    def __str__(self) -> str:
        return f"igmp query v{self.version}" + (f" for {self.group}" if any(self.group) else "")


@dataclass(frozen=True, slots=True)
class Membership:
    """A host tells of one group: a report of version 1 or 2, or that it left (version 2)."""

    type: IgmpType
    group: Ipv4

    def emit(self) -> bytes:
        """Return the bytes of the message."""
        return _emit(self.type, 0, self.group)

    def __str__(self) -> str:
        return f"igmp {self.type.name.lower().replace('_', ' ')} {self.group}"


@dataclass(frozen=True, slots=True)
class Report:
    """A host tells what it listens to, in version 3."""

    records: tuple[GroupRecord, ...]

    def emit(self) -> bytes:
        """Return the bytes of the message."""
        count = Ipv4(len(self.records))
        return _emit(IgmpType.REPORT_V3, 0, count, b"".join(one.emit() for one in self.records))

    def __str__(self) -> str:
        return f"igmp v3 report, {len(self.records)} group record(s)"


Igmp = Query | Membership | Report


def parse(data: bytes) -> Igmp:
    """Return the message that the whole payload of an IPv4 packet is.

    Raises:
        TruncatedError: the bytes end before the message does.
        ChecksumError: the checksum is wrong.
        MalformedError: the type is unknown, or the group is none.
    """
    if len(data) < HEADER_LENGTH:
        raise TruncatedError(f"an IGMP message of {len(data)} bytes has no whole header")
    if internet_checksum(data):
        raise ChecksumError("the IGMP checksum is wrong")
    kind, code, _, word = _LAYOUT.unpack_from(data)
    if kind == IgmpType.QUERY:
        return _parse_query(data, code, Ipv4(word))
    if kind == IgmpType.REPORT_V3:
        # The second half of the word counts the records; the first is reserved.
        count = int.from_bytes(word[2:], "big")
        return Report(parse_records(Cursor(data, HEADER_LENGTH), count, Ipv4))
    if kind not in (IgmpType.REPORT_V1, IgmpType.REPORT_V2, IgmpType.LEAVE):
        raise MalformedError(f"an IGMP message of type {kind:#x}")
    return Membership(IgmpType(kind), _group(Ipv4(word)))


def _parse_query(data: bytes, code: int, group: Ipv4) -> Query:
    """Tell the versions apart by length and code (RFC 3376, 7.1)."""
    if any(group):
        _group(group)
    if len(data) == HEADER_LENGTH:
        return Query(2, code * _TENTHS, group) if code else Query(1, group=group)
    if len(data) < QUERY_V3_LENGTH:  # to be ignored silently (7.1)
        raise MalformedError(f"an IGMP query of {len(data)} bytes")
    body = Cursor(data, HEADER_LENGTH)
    flags, interval, count = body.u8(), body.u8(), body.u16()
    return Query(
        3, decode_float(code, 8) * _TENTHS, group, bool(flags & SUPPRESS), flags & 7, interval,
        parse_addresses(body, count, Ipv4),
    )  # fmt: skip


def _group(group: Ipv4) -> Ipv4:
    if not group.is_multicast:
        raise MalformedError(f"an IGMP message about {group}, which is not a group")
    return group


def _emit(kind: IgmpType, code: int, word: bytes, tail: bytes = b"") -> bytes:
    data = _LAYOUT.pack(kind, code, 0, word) + tail
    checksum = internet_checksum(data).to_bytes(2, "big")
    return data[:_CHECKSUM_OFFSET] + checksum + data[_CHECKSUM_OFFSET + 2 :]
