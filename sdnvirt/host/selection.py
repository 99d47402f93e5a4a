"""Which of its addresses a host sends from, and which of a peer's it tries first (RFC 6724).

Both versions of IP are judged by the same rules, IPv4 as the addresses ``::ffff:a.b.c.d`` (3.2).
Left out: home and temporary addresses, which nobody here has (rules 4 and 7 of section 5), and
tunnels (rules 4 and 7 of section 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from ipaddress import IPv6Network
from typing import Final

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6
from sdnvirt.host.addressing import AddressState, InterfaceAddress


class Scope(IntEnum):
    """How far an address means the same thing (RFC 4291, 2.7; RFC 6724, 3.1)."""

    LINK_LOCAL = 2
    SITE_LOCAL = 5
    GLOBAL = 14


POLICY: Final[tuple[tuple[IPv6Network, int, int], ...]] = (
    (IPv6Network("::1/128"), 50, 0),
    (IPv6Network("::/0"), 40, 1),
    (IPv6Network("::ffff:0:0/96"), 35, 4),
    (IPv6Network("2002::/16"), 30, 2),
    (IPv6Network("2001::/32"), 5, 5),
    (IPv6Network("fc00::/7"), 3, 13),
    (IPv6Network("::/96"), 1, 3),
    (IPv6Network("fec0::/10"), 1, 11),
    (IPv6Network("3ffe::/16"), 1, 12),
)
"""The default policy table: prefix, precedence, label (RFC 6724, 2.1)."""

_POLICY: Final = sorted(
    (
        (-prefix.prefixlen, 128 - prefix.prefixlen, int(prefix.network_address), precedence, label)
        for prefix, precedence, label in POLICY
    ),
)
_MAPPED: Final = 0xFFFF << 32


def scope(address: IpAddress) -> int:
    """Return how far an address means the same thing; that of a group it says itself."""
    if isinstance(address, Ipv6) and address.is_multicast:
        return address[1] & 0x0F
    if address.is_link_local or address.is_loopback:
        return Scope.LINK_LOCAL
    if isinstance(address, Ipv6) and address[0] == 0xFE and address[1] & 0xC0 == 0xC0:
        return Scope.SITE_LOCAL
    return Scope.GLOBAL


def policy(address: IpAddress) -> tuple[int, int]:
    """Return the precedence and the label of an address."""
    number = int(address) | _MAPPED if isinstance(address, Ipv4) else int(address)
    for _, shift, prefix, precedence, label in _POLICY:
        if number >> shift == prefix >> shift:
            return precedence, label
    raise AssertionError("::/0 holds every address")


def common_prefix(one: IpAddress, other: IpAddress) -> int:
    """Return how many leading bits two addresses of one family share (RFC 6724, 2.2)."""
    return 8 * len(one) - (int(one) ^ int(other)).bit_length()


def select_source(
    dst: IpAddress, candidates: Iterable[InterfaceAddress]
) -> InterfaceAddress | None:
    """Return the address to send to a destination from (RFC 6724, 5), or None without any.

    Args:
        dst: the destination.
        candidates: the addresses of the interface by which the packet leaves (section 4).
    """
    best: InterfaceAddress | None = None
    best_rank: tuple[bool, tuple[bool, int], bool, bool, int] | None = None
    for one in candidates:
        if not one.usable or type(one.address) is not type(dst):
            continue
        rank = _source_rank(dst, one)
        if best_rank is None or rank > best_rank:
            best, best_rank = one, rank
    return best


def _source_rank(
    dst: IpAddress, one: InterfaceAddress
) -> tuple[bool, tuple[bool, int], bool, bool, int]:
    """Return what grows with each rule of section 5 that prefers an address."""
    wide, needed = scope(one.address), scope(dst)
    return (
        one.address == dst,  # 1: the same address
        # 2: the smallest scope that is enough, or else the largest
        (wide >= needed, -wide if wide >= needed else wide),
        one.state is AddressState.PREFERRED,  # 3
        policy(one.address)[1] == policy(dst)[1],  # 6
        min(common_prefix(one.address, dst), one.length),  # 8
    )


def order_destinations(
    destinations: Sequence[tuple[IpAddress, IpAddress | None]],
) -> list[IpAddress]:
    """Return the addresses of a peer, the one to try first in front (RFC 6724, 6).

    Args:
        destinations: each address with that which it would be sent from, or None if there is
            none and it cannot be reached.
    """
    return [dst for dst, _ in sorted(destinations, key=_destination_rank)]


def _destination_rank(
    pair: tuple[IpAddress, IpAddress | None],
) -> tuple[bool, bool, bool, int, int, int]:
    """Return what grows with each rule of section 6 against an address; ties keep their order."""
    dst, src = pair
    precedence, label = policy(dst)
    if src is None:  # 1: avoid what cannot be reached
        return (True, True, True, -precedence, scope(dst), 0)
    return (
        False,
        scope(dst) != scope(src),  # 2
        label != policy(src)[1],  # 5
        -precedence,  # 6
        scope(dst),  # 8
        # 9, which is of use in IPv6 only: addresses of IPv4 are not given out by topology
        -common_prefix(src, dst) if isinstance(dst, Ipv6) and isinstance(src, Ipv6) else 0,
    )
