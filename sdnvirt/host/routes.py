"""Where a host sends packets, and why it refuses to (RFC 1122, 3.3.1).

The table of a host is short, so the longest prefix is found by going through it in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from sdnvirt.addresses import Ipv4

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a host.

    Attributes:
        prefix: the destination's prefix, as a 32-bit integer.
        mask: ones where the prefix counts.
        gateway: the next hop, or None if destinations are on the link.
        interface: where packets leave.
    """

    prefix: int
    mask: int
    gateway: Ipv4 | None
    interface: Interface


@dataclass(frozen=True, slots=True)
class NoAddress:
    """A packet was refused: the host has no address to send it from."""

    def __str__(self) -> str:
        return "this host has no address"


@dataclass(frozen=True, slots=True)
class NoRoute:
    """A packet was refused: no route leads to the destination."""

    dst: Ipv4

    def __str__(self) -> str:
        return f"{self.dst}: no route"


@dataclass(frozen=True, slots=True)
class TooBig:
    """A packet was refused: it is larger than the interface's MTU, and hosts do not fragment."""

    length: int
    mtu: int

    def __str__(self) -> str:
        return f"a packet of {self.length} bytes is larger than the MTU {self.mtu}"


Refusal = NoAddress | NoRoute | TooBig
"""Why a packet was not sent; told to the caller, because there never was a frame."""


def routes_of(
    interface: Interface, address: IPv4Interface, gateway: Ipv4 | None
) -> tuple[Route, ...]:
    """Return what an address and a gateway mean: the subnet on the link, the rest beyond it."""
    network = address.network
    on_link = Route(int(network.network_address), int(network.netmask), None, interface)
    return (on_link,) if gateway is None else (on_link, Route(0, 0, gateway, interface))


def ordered(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Return routes as :func:`lookup` wants them: longest prefix first, else as they are."""
    return tuple(sorted(routes, key=lambda route: -route.mask))


def lookup(routes: tuple[Route, ...], dst: Ipv4) -> Route | None:
    """Return the route with the longest prefix that holds the destination, or None."""
    address = int(dst)
    for route in routes:
        if address & route.mask == route.prefix:
            return route
    return None
