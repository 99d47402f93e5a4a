"""Where a host sends packets, and why it refuses to (RFC 1122, 3.3.1; RFC 4861, 5.2).

One table serves both versions of IP. That of a host is short, so the longest prefix is found by
going through it in order; the paths that come of it are remembered (:mod:`sdnvirt.host.paths`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface

IpNetwork = IPv4Network | IPv6Network
"""A prefix of either version of IP."""

ROUTE_LIMIT: Final = 4096
"""Routes of a host: a table that is searched in order is of no use beyond, and what routers
advertise must not fill memory (RFC 4861, 6.3.4, leaves the bound open)."""

_WIDTHS: Final[dict[type[IpAddress], int]] = {Ipv4: 32, Ipv6: 128}


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a host.

    Attributes:
        family: Ipv4 or Ipv6.
        length: bits of the destination's prefix.
        bits: those bits, as an integer.
        gateway: the next hop, or None if destinations are on the link.
        interface: where packets leave.
        metric: of several routes to one prefix the smallest is used.
    """

    family: type[IpAddress]
    length: int
    bits: int
    gateway: IpAddress | None
    interface: Interface
    metric: int = 0

    @classmethod
    def to(
        cls,
        network: IpNetwork,
        gateway: IpAddress | None,
        interface: Interface,
        metric: int = 0,
    ) -> Route:
        """Return a route to a prefix."""
        family: type[IpAddress] = Ipv4 if isinstance(network, IPv4Network) else Ipv6
        assert gateway is None or isinstance(gateway, family), "a gateway of the other family"
        length = network.prefixlen
        bits = int(network.network_address) >> _WIDTHS[family] - length
        return cls(family, length, bits, gateway, interface, metric)

    @property
    def network(self) -> IpNetwork:
        """The destination's prefix."""
        address = self.bits << _WIDTHS[self.family] - self.length
        if self.family is Ipv4:
            return IPv4Network((address, self.length))
        return IPv6Network((address, self.length))

    def __str__(self) -> str:
        """Return the route as ``ip route`` prints it."""
        words = [str(self.network) if self.length else "default"]
        if self.gateway is not None:
            words += ["via", str(self.gateway)]
        words += ["dev", self.interface.name]
        return " ".join([*words, "metric", str(self.metric)] if self.metric else words)


class RoutingTable:
    """The routes of a host, longest prefix first, then smallest metric, then oldest.

    Iterating gives the routes of IPv4 and then those of IPv6.
    """

    __slots__ = ("_routes",)

    def __init__(self) -> None:
        self._routes: dict[type[IpAddress], tuple[Route, ...]] = {}

    def __iter__(self) -> Iterator[Route]:
        for family in _WIDTHS:
            yield from self._routes.get(family, ())

    def __len__(self) -> int:
        return sum(map(len, self._routes.values()))

    def add(self, *routes: Route) -> bool:
        """Add routes; return whether there was room for all. One that is there stays once."""
        for route in routes:
            old = self._routes.get(route.family, ())
            if route in old:
                continue
            if len(old) >= ROUTE_LIMIT:
                return False
            order = sorted((*old, route), key=lambda one: (-one.length, one.metric))
            self._routes[route.family] = tuple(order)
        return True

    def remove(self, unwanted: Callable[[Route], bool]) -> None:
        """Remove the routes that a condition picks out."""
        for family, routes in self._routes.items():
            self._routes[family] = tuple(route for route in routes if not unwanted(route))

    def lookup(self, dst: IpAddress, interface: Interface | None = None) -> Route | None:
        """Return the best route to a destination, by one interface if it is given, or None."""
        routes = self._routes.get(type(dst))
        if routes is None:
            return None
        address = int(dst)
        width = _WIDTHS[type(dst)]
        for route in routes:
            if address >> width - route.length == route.bits and (
                interface is None or route.interface is interface
            ):
                return route
        return None


@dataclass(frozen=True, slots=True)
class NoAddress:
    """A packet was refused: the host has no address to send it from."""

    def __str__(self) -> str:
        return "this host has no address"


@dataclass(frozen=True, slots=True)
class NoRoute:
    """A packet was refused: no route leads to the destination."""

    dst: IpAddress

    def __str__(self) -> str:
        return f"{self.dst}: no route"


@dataclass(frozen=True, slots=True)
class TooBig:
    """A packet was refused: it is larger than the path's MTU and nobody may fragment it."""

    length: int
    mtu: int

    def __str__(self) -> str:
        return f"a packet of {self.length} bytes is larger than the MTU {self.mtu}"


Refusal = NoAddress | NoRoute | TooBig
"""Why a packet was not sent; told to the caller, because there never was a frame."""
