"""Listener discovery of IPv6 (MLDv2 RFC 3810; v1 RFC 2710): what a host tells of its groups.

Each value is made of an :class:`~sdnvirt.wire.icmpv6.Icmpv6` message and makes one. They go with a
hop limit of 1, a link-local source and the router alert option (RFC 3810, 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from sdnvirt.addresses import ANY_IPV6, Ipv6
from sdnvirt.errors import MalformedError
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
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type

_V1_PAYLOAD: Final = 16
"""Bytes behind the ICMPv6 header of a query of version 1: the group."""

_V2_PAYLOAD: Final = 20

ALL_MLDV2_ROUTERS: Final = Ipv6("ff02::16")
"""Where reports of version 2 go (RFC 3810, 5.2.14)."""


@dataclass(frozen=True, slots=True)
class Query(GroupQuery):
    """A router asks who listens, in version 1 or 2."""

    group: Ipv6 = ANY_IPV6

    @classmethod
    def of(cls, message: Icmpv6) -> Self:
        """Return what a message of this type says; a WireError if it cannot be one."""
        body = Cursor(message.payload)
        group = Ipv6(body.take(16))
        if any(group):
            _group(group)
        code = message.rest >> 16
        # The length tells the versions apart (RFC 3810, 8.1).
        if len(message.payload) == _V1_PAYLOAD:
            return cls(1, code, group)
        if len(message.payload) < _V2_PAYLOAD:
            raise MalformedError(f"a listener query with {len(message.payload)} bytes of payload")
        flags, interval, count = body.u8(), body.u8(), body.u16()
        return cls(
            2, decode_float(code, 16), group, bool(flags & SUPPRESS), flags & 7, interval,
            parse_addresses(body, count, Ipv6),
        )  # fmt: skip

    def message(self) -> Icmpv6:
        """Return the message that says this; of version 2 the time may be rounded down."""
        tail = b""
        code = self.max_response_ms
        if self.version == 2:
            code = encode_float(code, 16)
            tail = self._tail()
        return Icmpv6(Icmpv6Type.LISTENER_QUERY, 0, code << 16, self.group + tail)

    def __str__(self) -> str:
        return f"multicast listener query v{self.version}" + (
            f" for {self.group}" if any(self.group) else ""
        )


@dataclass(frozen=True, slots=True)
class Listener:
    """A host tells of one group in version 1: that it listens, or that it is done."""

    group: Ipv6
    done: bool = False

    @classmethod
    def of(cls, message: Icmpv6) -> Self:
        """Return what a message of one of the two types says; a WireError if it cannot be one."""
        group = _group(Ipv6(Cursor(message.payload).take(16)))
        return cls(group, message.type == Icmpv6Type.LISTENER_DONE)

    def message(self) -> Icmpv6:
        """Return the message that says this."""
        kind = Icmpv6Type.LISTENER_DONE if self.done else Icmpv6Type.LISTENER_REPORT
        return Icmpv6(kind, 0, 0, bytes(self.group))

    def __str__(self) -> str:
        return f"multicast listener {'done' if self.done else 'report'} {self.group}"


@dataclass(frozen=True, slots=True)
class Report:
    """A host tells what it listens to, in version 2."""

    records: tuple[GroupRecord, ...]

    @classmethod
    def of(cls, message: Icmpv6) -> Self:
        """Return what a message of this type says; a WireError if it cannot be one."""
        return cls(parse_records(Cursor(message.payload), message.rest & 0xFFFF, Ipv6))

    def message(self) -> Icmpv6:
        """Return the message that says this."""
        payload = b"".join(one.emit() for one in self.records)
        return Icmpv6(Icmpv6Type.LISTENER_REPORT_V2, 0, len(self.records), payload)

    def __str__(self) -> str:
        return f"multicast listener report v2, {len(self.records)} group record(s)"


def _group(group: Ipv6) -> Ipv6:
    if not group.is_multicast:
        raise MalformedError(f"listener discovery of {group}, which is not a group")
    return group
