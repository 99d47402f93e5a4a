"""The extension headers of IPv6 (RFC 8200, 4.2 to 4.6; router alert RFC 2711).

Every header begins with the type of the next one; the length of all but the fragment header counts
8 bytes behind the first 8.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire.cursor import Cursor

UNIT: Final = 8
"""Lengths of headers and offsets of fragments count 8 bytes."""

OPTION_LIMIT: Final = 64
"""Options of one header, padding included: a bound to work for one packet (RFC 8504, 5.3)."""

_FRAGMENT_LAYOUT: Final = struct.Struct("!BBHI")


class ExtensionType(IntEnum):
    """Extension headers, as the next header field names them (the IANA registry)."""

    HOP_BY_HOP = 0
    ROUTING = 43
    FRAGMENT = 44
    NO_NEXT_HEADER = 59
    DESTINATION = 60


class OptionType(IntEnum):
    """Options that are known here (the IANA registry of IPv6 options)."""

    PAD1 = 0
    PADN = 1
    ROUTER_ALERT = 5


class UnknownOption(IntEnum):
    """What is to be done with a packet whose option is not known: its two highest bits (4.2)."""

    SKIP = 0
    DISCARD = 1
    REPORT = 2
    REPORT_UNLESS_MULTICAST = 3


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a hop-by-hop or destination options header.

    Attributes:
        type: 8 bits; the highest two say what to do if the option is not known.
        data: what the option carries; of PAD1 nothing, not even a length.
    """

    type: int
    data: bytes = b""

    @property
    def if_unknown(self) -> UnknownOption:
        """What a host that does not know the option does with the packet."""
        return UnknownOption(self.type >> 6)

    @property
    def length(self) -> int:
        """Bytes of the option."""
        return 1 if self.type == OptionType.PAD1 else 2 + len(self.data)

    def emit(self) -> bytes:
        """Return the bytes of the option."""
        if self.type == OptionType.PAD1:
            return b"\0"
        return bytes((self.type, len(self.data))) + self.data


ROUTER_ALERT_MLD: Final = Option(OptionType.ROUTER_ALERT, b"\0\0")
"""Tells routers to look at a packet with an MLD message (RFC 2711, 2.1)."""


@dataclass(frozen=True, slots=True)
class Options:
    """A hop-by-hop options or destination options header.

    Attributes:
        type: HOP_BY_HOP or DESTINATION.
        options: in order, padding included, which fills the header to a multiple of 8 bytes.
    """

    type: int
    options: tuple[Option, ...]

    @classmethod
    def padded(cls, kind: ExtensionType, *options: Option) -> Self:
        """Return a header with these options and the padding that it needs behind them."""
        missing = -(2 + sum(option.length for option in options)) % UNIT
        if missing == 1:
            options += (Option(OptionType.PAD1),)
        elif missing:
            options += (Option(OptionType.PADN, bytes(missing - 2)),)
        return cls(kind, options)

    @classmethod
    def parse(cls, data: bytes, at: int, kind: int) -> tuple[Self, int]:
        """Return the header of type ``kind`` at an offset, and the type of the next one.

        Raises:
            TruncatedError: the bytes end before the header does, or the header before an option.
            MalformedError: there are too many options.
        """
        next_header, header = _sized(data, at)
        options: list[Option] = []
        while not header.at_end:
            if len(options) == OPTION_LIMIT:
                raise MalformedError(f"an IPv6 header with more than {OPTION_LIMIT} options")
            option = header.u8()
            options.append(
                Option(option, b"" if option == OptionType.PAD1 else header.take(header.u8()))
            )
        return cls(kind, tuple(options)), next_header

    @property
    def length(self) -> int:
        """Bytes of the header."""
        return 2 + sum(option.length for option in self.options)

    def emit(self, next_header: int) -> bytes:
        """Return the bytes of the header, with the type of the next one."""
        assert self.length % UNIT == 0, "IPv6 options not padded"
        start = bytes((next_header, self.length // UNIT - 1))
        return start + b"".join(option.emit() for option in self.options)


@dataclass(frozen=True, slots=True)
class Routing:
    """A routing header; of which kind is for the receiver to judge (RFC 5095 knows no type 0).

    Attributes:
        routing_type: the variant, 8 bits.
        segments_left: nodes still to be visited.
        data: the rest of the header.
    """

    routing_type: int
    segments_left: int
    data: bytes

    @classmethod
    def parse(cls, data: bytes, at: int, _kind: int) -> tuple[Self, int]:
        """Return the header at an offset, and the type of the next one; or a TruncatedError."""
        next_header, header = _sized(data, at)
        return cls(header.u8(), header.u8(), header.rest()), next_header

    @property
    def type(self) -> int:
        """The type, as the header before names it."""
        return ExtensionType.ROUTING

    @property
    def length(self) -> int:
        """Bytes of the header."""
        return 4 + len(self.data)

    def emit(self, next_header: int) -> bytes:
        """Return the bytes of the header, with the type of the next one."""
        assert self.length % UNIT == 0, "IPv6 routing header not padded"
        units = self.length // UNIT - 1
        return bytes((next_header, units, self.routing_type, self.segments_left)) + self.data


@dataclass(frozen=True, slots=True)
class Fragment:
    """A fragment header.

    Attributes:
        offset: place of the payload in the fragmentable part, in bytes, a multiple of 8.
        more: whether this is not the last fragment.
        identification: joins the fragments of one packet, 32 bits.
    """

    offset: int
    more: bool
    identification: int

    @property
    def is_whole(self) -> bool:
        """Whether the fragment is a whole packet, to be taken as it is (RFC 6946, 4)."""
        return self.offset == 0 and not self.more

    @classmethod
    def parse(cls, data: bytes, at: int, _kind: int) -> tuple[Self, int]:
        """Return the header at an offset, and the type of the next one; or a TruncatedError.

        Reserved bits are ignored (RFC 8200, 4.5).
        """
        if len(data) < at + UNIT:
            raise TruncatedError(f"an IPv6 fragment header at {at} of {len(data)} bytes")
        next_header, _, place, identification = _FRAGMENT_LAYOUT.unpack_from(data, at)
        return cls(place & 0xFFF8, bool(place & 1), identification), next_header

    @property
    def type(self) -> int:
        """The type, as the header before names it."""
        return ExtensionType.FRAGMENT

    @property
    def length(self) -> int:
        """Bytes of the header."""
        return UNIT

    def emit(self, next_header: int) -> bytes:
        """Return the bytes of the header, with the type of the next one."""
        assert self.offset % UNIT == 0, "IPv6 fragment offset"
        place = self.offset | self.more
        return _FRAGMENT_LAYOUT.pack(next_header, 0, place, self.identification)


Extension = Options | Routing | Fragment
"""An extension header."""


def _sized(data: bytes, at: int) -> tuple[int, Cursor]:
    """Return the next header's type, and a cursor over the rest of a header that has a length."""
    start = Cursor(data, at)
    next_header, units = start.u8(), start.u8()
    return next_header, start.narrow((units + 1) * UNIT - 2)
