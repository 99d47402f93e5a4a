"""The options of an IPv4 header (RFC 791, 3.1; router alert RFC 2113; hosts' duties RFC 1122)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sdnvirt.errors import MalformedError


class Ipv4OptionType(IntEnum):
    """Options that are known here (the IANA registry of IPv4 option numbers)."""

    END = 0
    NO_OPERATION = 1
    RECORD_ROUTE = 7
    TIMESTAMP = 68
    LOOSE_SOURCE_ROUTE = 131
    ROUTER_ALERT = 148
    STRICT_SOURCE_ROUTE = 137


SOURCE_ROUTES: Final = (Ipv4OptionType.LOOSE_SOURCE_ROUTE, Ipv4OptionType.STRICT_SOURCE_ROUTE)
"""Options by which a sender says the way; a packet with one is not taken (RFC 7126, 4.3, 4.4)."""

_COPIED: Final = 0x80


@dataclass(frozen=True, slots=True)
class Ipv4Option:
    """An option with a length.

    Attributes:
        type: 8 bits.
        data: what is behind the length.
    """

    type: int
    data: bytes = b""

    @property
    def copied(self) -> bool:
        """Whether every fragment of the packet carries the option (RFC 791, 3.1)."""
        return bool(self.type & _COPIED)

    def emit(self) -> bytes:
        """Return the bytes of the option."""
        return bytes((self.type, 2 + len(self.data))) + self.data


def parse_options(data: bytes) -> tuple[Ipv4Option, ...]:
    """Return the options of a header, without what only fills it.

    Raises:
        MalformedError: a length is below 2 or runs past the end; ``offset`` in the message is that
            of the option within the options.
    """
    options: list[Ipv4Option] = []
    at = 0
    while at < len(data) and data[at] != Ipv4OptionType.END:
        if data[at] == Ipv4OptionType.NO_OPERATION:
            at += 1
            continue
        end = at + data[at + 1] if at + 1 < len(data) else at
        if not at + 2 <= end <= len(data):
            raise MalformedError(f"an IPv4 option of a wrong length at offset {at}")
        options.append(Ipv4Option(data[at], data[at + 2 : end]))
        at = end
    return tuple(options)


def emit_options(options: tuple[Ipv4Option, ...]) -> bytes:
    """Return the bytes of options, padded to a multiple of 4 with zero."""
    data = b"".join(option.emit() for option in options)
    return data + bytes(-len(data) % 4)


def options_of_fragments(data: bytes) -> bytes:
    """Return the options that the second and later fragments of a packet carry.

    Raises:
        MalformedError: as of :func:`parse_options`.
    """
    return emit_options(tuple(one for one in parse_options(data) if one.copied))
