"""The IP layer of a host: routes, paths, and what is known of them (RFC 1122, 3.3; RFC 4861, 5).

Transports ask it for a :class:`~sdnvirt.host.paths.Path` and send by that; both versions of IP look
alike to them. How packets come in is the matter of :mod:`sdnvirt.host.ipv4` and
:mod:`sdnvirt.host.ipv6`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import BROADCAST_IPV4, IpAddress, Ipv4, Ipv6
from sdnvirt.host.addressing import InterfaceAddress
from sdnvirt.host.families import FAMILIES
from sdnvirt.host.path_mtu import PathMtus
from sdnvirt.host.paths import (
    Fragmentation,
    GroupPath,
    LinkPath,
    LocalPath,
    NeighbourPath,
    OnFailure,
    Path,
)
from sdnvirt.host.routes import (
    IpNetwork,
    NoAddress,
    NoRoute,
    Refusal,
    Route,
    RoutingTable,
)
from sdnvirt.host.selection import order_destinations, select_source

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

PATH_LIMIT: Final = 1024
"""Paths remembered; all are forgotten beyond, which costs a look-up each and bounds memory."""

_Key = tuple[IpAddress, IpAddress | None, "Interface | None"]


class IpLayer:
    """What a host knows of the way to others.

    Attributes:
        host: the host.
        routes: its routes, of both versions of IP.
        path_mtus: the path MTUs that it has learned.
    """

    __slots__ = ("_identification", "_paths", "host", "path_mtus", "routes")

    def __init__(self, host: Host) -> None:
        self.host = host
        self.routes = RoutingTable()
        self.path_mtus = PathMtus()
        self._paths: dict[_Key, Path] = {}
        self._identification = 0

    def path(
        self,
        dst: IpAddress,
        src: IpAddress | None = None,
        interface: Interface | None = None,
    ) -> Path | Refusal:
        """Return the way to a destination, or why there is none.

        Args:
            dst: the destination: an address of one host, a broadcast address or a group.
            src: the address of this host to send from; by default the best (RFC 6724, 5).
            interface: the one to leave by; by default that of the best route. Groups go by a
                route for them or by an interface that is said.
        """
        key = (dst, src, interface)
        path = self._paths.get(key)
        if path is not None:
            return path
        found = self._find(dst, src, interface)
        if isinstance(found, Path):
            if len(self._paths) >= PATH_LIMIT:
                self.forget_paths()
            self._paths[key] = found
        return found

    def send(
        self,
        dst: IpAddress,
        protocol: int,
        payload: bytes,
        *,
        src: IpAddress | None = None,
        interface: Interface | None = None,
        hop_limit: int | None = None,
        dscp: int = 0,
        ecn: int = 0,
        fragmentation: Fragmentation = Fragmentation.NOBODY,
        cause: int = 0,
        on_failure: OnFailure | None = None,
    ) -> Refusal | None:
        """Send one packet; see :meth:`path` and :meth:`~sdnvirt.host.paths.Path.send`.

        Protocols whose checksum covers the addresses ask for the path and send by that instead.

        Returns:
            why the packet was refused, or None if it was not.
        """
        path = self.path(dst, src, interface)
        if not isinstance(path, Path):
            return path
        return path.send(
            protocol, payload, hop_limit=hop_limit, dscp=dscp, ecn=ecn,
            fragmentation=fragmentation, cause=cause, on_failure=on_failure,
        )  # fmt: skip

    def add_route(
        self,
        network: IpNetwork,
        gateway: IpAddress | None = None,
        interface: Interface | None = None,
        metric: int = 0,
    ) -> bool:
        """Add a route; return whether there was room.

        Args:
            network: the destination's prefix.
            gateway: the next hop, or None if destinations are on the link.
            interface: where packets leave; by default where the gateway is reached, else the
                first of the host.
            metric: of several routes to one prefix the smallest is used.
        """
        if interface is None:
            to_gateway = None if gateway is None else self.routes.lookup(gateway)
            interface = self.host.interface if to_gateway is None else to_gateway.interface
        self.forget_paths()
        return self.routes.add(Route.to(network, gateway, interface, metric))

    def remove_routes(self, network: IpNetwork, gateway: IpAddress | None = None) -> None:
        """Remove the routes to a prefix, or those of one gateway."""
        self.routes.remove(
            lambda route: route.network == network and gateway in (None, route.gateway)
        )
        self.forget_paths()

    def order(self, destinations: list[IpAddress]) -> list[IpAddress]:
        """Return the addresses of a peer, the one to try first in front (RFC 6724, 6)."""
        return order_destinations([(dst, self.source_for(dst)) for dst in destinations])

    def source_for(self, dst: IpAddress) -> IpAddress | None:
        """Return the address that packets to a destination come from, or None if none go there."""
        path = self.path(dst)
        return path.src if isinstance(path, Path) else None

    def owner(self, address: IpAddress) -> Interface | None:
        """Return the interface of this host that has an address, or None."""
        if address.is_loopback:
            loopback = self.host.loopback
            return loopback if loopback.has(address) else None
        for interface in self.host.all_interfaces():
            one = interface.addresses.get(address)
            if one is not None and one.usable:
                return interface
        return None

    def resolving(self, dst: IpAddress, interface: Interface | None = None) -> str | None:
        """Return in words whose MAC address packets to ``dst`` wait for, or None if they do not."""
        path = self.path(dst, None, interface)
        if not isinstance(path, NeighbourPath):
            return None
        hop = path.next_hop
        resolver = path.interface.resolver(hop)
        if not resolver.is_resolving(hop):
            return None
        return f"{hop}: {resolver.silence}"

    def is_on_link(self, address: IpAddress, interface: Interface) -> bool:
        """Whether an address is that of a neighbour by an interface, as far as routes tell."""
        route = self.routes.lookup(address, interface)
        return route is not None and route.gateway is None

    def too_big(self, dst: IpAddress, mtu: int, length: int) -> int | None:
        """Learn from an error that a packet of ours was too big; see :meth:`PathMtus.learn`."""
        path = self.path(dst)
        if not isinstance(path, Path):
            return None
        now = self.host.world.scheduler.now
        link_mtu = FAMILIES[type(dst)].link_mtu(path.interface)
        return self.path_mtus.learn(dst, mtu, length, link_mtu, now)

    def redirect(self, dst: IpAddress, gateway: IpAddress, interface: Interface) -> None:
        """Use another next hop to one destination (RFC 1122, 3.2.2.2; RFC 4861, 8.3)."""
        bits = 8 * len(dst)
        on_link = dst == gateway
        self.routes.remove(
            lambda route: (
                route.length == bits
                and type(dst) is route.family
                and route.bits == int(dst)
                and route.metric == REDIRECT_METRIC
            )
        )
        self.routes.add(
            Route(
                type(dst), bits, int(dst), None if on_link else gateway, interface, REDIRECT_METRIC
            )
        )
        self.forget_paths()

    def crash(self) -> None:
        """Lose what was learned: path MTUs, and next hops that redirects told."""
        self.path_mtus = PathMtus()
        self.routes.remove(lambda route: route.metric == REDIRECT_METRIC)
        self.forget_paths()

    def forget_paths(self) -> None:
        """Make every path stale: addresses or routes have changed."""
        for path in self._paths.values():
            path.stale = True
        self._paths.clear()

    def next_identification(self) -> int:
        """Return the identification of the next packet, 32 bits, of which IPv4 uses 16."""
        self._identification = identification = (self._identification + 1) & 0xFFFFFFFF
        return identification

    def _find(
        self, dst: IpAddress, src: IpAddress | None, interface: Interface | None
    ) -> Path | Refusal:
        if self.owner(dst) is not None:
            loopback = self.host.loopback
            own = src or loopback.source_to(dst)
            return LocalPath(self, FAMILIES[type(dst)], loopback, own, dst, dst)
        if not any(one.addresses for one in self.host.all_interfaces()):
            return NoAddress()
        route = self._route(dst, src, interface)
        if not isinstance(route, Route):
            return route
        out = route.interface
        source = src or self._source(dst, out)
        if source is None:
            return NoAddress()
        family = FAMILIES[type(dst)]
        if dst.is_multicast:
            return GroupPath(self, family, out, source, dst)
        if dst in (BROADCAST_IPV4, *out.broadcasts):
            return LinkPath(self, family, out, source, dst)
        return NeighbourPath(self, family, out, source, dst, route.gateway or dst)

    def _route(
        self, dst: IpAddress, src: IpAddress | None, interface: Interface | None
    ) -> Route | NoRoute:
        if interface is None and src is not None and (dst.is_link_local or dst == BROADCAST_IPV4):
            interface = self.owner(src)
        if dst.is_multicast and interface is not None:
            return Route(type(dst), 0, 0, None, interface)
        if dst == BROADCAST_IPV4:
            return self._broadcast_route(dst, interface)
        # "This network", loopback and class E must not go by any route (RFC 1122, 3.2.1.3), and
        # groups by none that is not meant for them.
        if dst.is_unspecified or dst.is_loopback or (isinstance(dst, Ipv4) and _reserved(dst)):
            return NoRoute(dst)
        if src is not None and src.is_loopback:
            return NoRoute(dst)
        route = self.routes.lookup(dst, interface)
        if route is None or (dst.is_multicast and route.length < _GROUP_BITS[type(dst)]):
            return NoRoute(dst)
        return route

    def _broadcast_route(self, dst: IpAddress, interface: Interface | None) -> Route | NoRoute:
        for route in self.routes:
            if route.family is Ipv4 and interface in (None, route.interface):
                return Route(Ipv4, 32, int(dst), None, route.interface)
        return NoRoute(dst)

    def _source(self, dst: IpAddress, interface: Interface) -> IpAddress | None:
        """Return the best address to send from; one of another interface if there must be."""
        for one in (interface, *self.host.all_interfaces()):
            candidates: list[InterfaceAddress] = list(one.addresses.values())
            chosen = select_source(dst, candidates)
            if chosen is not None:
                return chosen.address
        return None


REDIRECT_METRIC: Final = -1
"""Of routes that redirects made: they go before others to the same host, and can be found again."""

_GROUP_BITS: Final[dict[type[IpAddress], int]] = {Ipv4: 4, Ipv6: 8}
"""The shortest prefix that holds groups only: 224.0.0.0/4 and ff00::/8."""


def _reserved(dst: Ipv4) -> bool:
    return dst[0] == 0 or dst[0] >= 240
