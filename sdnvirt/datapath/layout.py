"""Where the headers of a frame stand.

Both the reading of match fields and the rewriting of packets ask this. A header that is cut short
counts as absent, so offsets never reach past the end, whatever the bytes are.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.ipv4 import IpProtocol

ABSENT: Final = -1

TAGS_LIMIT: Final = 8
"""VLAN tags that are walked over; more in one frame is an attack, and ends the parse."""

EXTENSIONS_LIMIT: Final = 8
"""IPv6 extension headers that are walked over; RFC 8200 (4.1) recommends at most eight."""

_VLAN_TYPES: Final = (EtherType.VLAN, EtherType.QINQ)
_TRANSPORTS: Final[frozenset[int]] = frozenset(
    {IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP, IpProtocol.ICMP, IpProtocol.ICMPV6}
)
_MATCHED_SIZE: Final = 4
"""Bytes of a transport header that a match can test: two ports, or a type, a code and more."""
_EXTENSIONS: Final = (0, 43, 60)
"""Hop-by-hop options, routing and destination options, which share one form (RFC 8200, 4)."""
_FRAGMENT: Final = 44


class Layout(NamedTuple):
    """Offsets of headers in a frame; ABSENT for those it does not have.

    Attributes:
        vlan: the outermost VLAN tag's control information.
        ethertype: the type of the payload behind all VLAN tags, or ABSENT.
        l3: the first byte behind that type.
        protocol: the IP protocol (IPv6: behind extension headers), or ABSENT.
        l4: the transport header; ABSENT in a fragment that does not begin it.
    """

    vlan: int
    ethertype: int
    l3: int
    protocol: int
    l4: int


def layout(data: bytes) -> Layout:
    """Return where the headers of a frame stand."""
    size = len(data)
    if size < 14:
        return Layout(ABSENT, ABSENT, ABSENT, ABSENT, ABSENT)
    vlan = ABSENT
    at = 12
    ethertype = data[12] << 8 | data[13]
    for _ in range(TAGS_LIMIT):
        if ethertype not in _VLAN_TYPES or size < at + 6:
            break
        if vlan == ABSENT:
            vlan = at + 2
        at += 4
        ethertype = data[at] << 8 | data[at + 1]
    l3 = at + 2
    protocol = l4 = ABSENT
    if ethertype == EtherType.IPV4:
        protocol, l4 = _behind_ipv4(data, l3)
    elif ethertype == EtherType.IPV6:
        protocol, l4 = _behind_ipv6(data, l3)
    return Layout(vlan, ethertype, l3, protocol, l4)


def _behind_ipv4(data: bytes, l3: int) -> tuple[int, int]:
    """Return the protocol of an IPv4 packet and where its header stands."""
    if len(data) < l3 + 20 or data[l3] >> 4 != 4 or data[l3] & 0x0F < 5:
        return ABSENT, ABSENT
    protocol = data[l3 + 9]
    if (data[l3 + 6] & 0x1F) << 8 | data[l3 + 7]:
        return protocol, ABSENT
    return protocol, _whole(data, l3 + (data[l3] & 0x0F) * 4, protocol)


def _behind_ipv6(data: bytes, l3: int) -> tuple[int, int]:
    """Return the upper protocol of an IPv6 packet and where its header stands."""
    if len(data) < l3 + 40 or data[l3] >> 4 != 6:
        return ABSENT, ABSENT
    protocol = data[l3 + 6]
    at = l3 + 40
    for _ in range(EXTENSIONS_LIMIT):
        if len(data) < at + 8:
            break
        if protocol in _EXTENSIONS:
            protocol, at = data[at], at + 8 + 8 * data[at + 1]
        elif protocol == _FRAGMENT:
            begins = not (data[at + 2] or data[at + 3] & 0xF8)
            protocol, at = data[at], at + 8
            if not begins:
                return protocol, ABSENT
        else:
            break
    return protocol, _whole(data, at, protocol)


def _whole(data: bytes, at: int, protocol: int) -> int:
    """Return ``at`` if the fields that a match can test are there, else ABSENT."""
    return at if protocol in _TRANSPORTS and len(data) >= at + _MATCHED_SIZE else ABSENT
