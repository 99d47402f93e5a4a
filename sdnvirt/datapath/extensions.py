"""IPv6 extension headers: the way to the upper protocol, and what OpenFlow says of them.

RFC 8200, 4 (formats) and 4.1 (order); OpenFlow 1.3.5, 7.2.3.8 (OXM_OF_IPV6_EXTHDR).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sdnvirt.openflow.v13.constants import OFPIEH

EXTENSIONS_LIMIT: Final = 8
"""Extension headers that are walked over; RFC 8200 (4.1) recommends at most eight."""

_SIZE: Final = 8
"""Bytes of the shortest extension header."""

HOP_BY_HOP: Final = 0
ROUTING: Final = 43
FRAGMENT: Final = 44
ESP: Final = 50
AUTHENTICATION: Final = 51
NO_NEXT_HEADER: Final = 59
DESTINATION: Final = 60

_BITS: Final[dict[int, int]] = {
    HOP_BY_HOP: OFPIEH.HOP, ROUTING: OFPIEH.ROUTER, FRAGMENT: OFPIEH.FRAG,
    AUTHENTICATION: OFPIEH.AUTH, ESP: OFPIEH.ESP, DESTINATION: OFPIEH.DEST,
    NO_NEXT_HEADER: OFPIEH.NONEXT,
}  # fmt: skip

EXTENSIONS: Final = frozenset(_BITS)
"""The numbers that announce an extension header, or that there is nothing."""

_PLACES: Final[dict[int, int]] = {
    HOP_BY_HOP: 0, ROUTING: 2, FRAGMENT: 3, AUTHENTICATION: 4, ESP: 5, NO_NEXT_HEADER: 7,
}  # fmt: skip
"""Places in the preferred order (RFC 8200, 4.1). Destination options have two, 1 and 6."""
_DESTINATION_PLACES: Final = (1, 6)

_ENDS: Final = (ESP, NO_NEXT_HEADER)
"""Headers behind which nothing can be read: ciphertext, and nothing."""


class Chain(NamedTuple):
    """The extension headers of a packet.

    Attributes:
        protocol: what follows the last of them that could be read.
        protocol_at: where that number stands.
        upper: the first byte of what follows.
        bits: OFPIEH of the headers.
        offset: whether the packet is a fragment that does not begin the upper protocol.
        more: whether it is a fragment that others follow.
        routed: whether a routing header leads on, to a destination that is not in the IPv6 header.
    """

    protocol: int
    protocol_at: int
    upper: int
    bits: int
    offset: bool
    more: bool
    routed: bool


def walk_extensions(data: bytes, l3: int) -> Chain:
    """Return the extension headers of the IPv6 packet whose whole header is at ``l3``.

    The walk ends at a header that is cut short; its own number is the protocol then.
    """
    protocol, protocol_at, at = data[l3 + 6], l3 + 6, l3 + 40
    seen: list[int] = []
    offset = more = routed = False
    for _ in range(EXTENSIONS_LIMIT):
        if protocol not in EXTENSIONS:
            break
        if protocol in _ENDS:
            seen.append(protocol)
            break
        if len(data) < at + _SIZE:
            break
        seen.append(protocol)
        if protocol == FRAGMENT:
            length = _SIZE
            offset = bool(data[at + 2] or data[at + 3] & 0xF8)
            more = bool(data[at + 3] & 1)
        elif protocol == AUTHENTICATION:
            length = 4 * data[at + 1] + 8  # RFC 4302, 2.2
        else:
            length = 8 * data[at + 1] + 8
            routed |= protocol == ROUTING and data[at + 3] > 0
        protocol, protocol_at, at = data[at], at, at + length
        if offset:
            break
    return Chain(protocol, protocol_at, at, _bits(seen), offset, more, routed)


def _bits(seen: list[int]) -> int:
    """Return the pseudo field's bits of headers in this order."""
    bits = 0
    last = -1
    for position, header in enumerate(seen):
        if header == HOP_BY_HOP and position:
            bits |= OFPIEH.UNSEQ  # its bit means: "the first extension header" (7.2.3.8)
        else:
            bits |= _BITS[header]
        allowed = 2 if header == DESTINATION else 1
        if seen[: position + 1].count(header) > allowed:
            bits |= OFPIEH.UNREP
        place = _PLACES.get(header)
        if place is None:
            place = _DESTINATION_PLACES[last >= _DESTINATION_PLACES[0]]
        if place < last:
            bits |= OFPIEH.UNSEQ
        last = max(last, place)
    return int(bits)
