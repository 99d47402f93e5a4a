"""What an IPv6 interface learns from routers (RFC 4861, 6.3), addresses too (RFC 4862, 5.5).

Addresses are made of a prefix and the MAC address (EUI-64, RFC 4291, appendix A): they are the same
in each run and can be told by looking at them. Left out: temporary and opaque addresses (RFC 8981,
RFC 7217), and the advertised time between solicitations.
"""

from __future__ import annotations

from ipaddress import IPv6Network
from random import Random
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ALL_ROUTERS, ANY_IPV6, IpAddress, Ipv6, Mac
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.addressing import AddressState, InterfaceAddress, Origin
from sdnvirt.host.neighbour_states import REACHABLE_NS
from sdnvirt.host.routes import Route
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.ipv6 import DEFAULT_HOP_LIMIT, MIN_MTU, Ipv6Packet
from sdnvirt.wire.nd import RouterAdvertisement, RouterSolicitation
from sdnvirt.wire.nd_options import INFINITE_S, NdOptions, PrefixInformation

if TYPE_CHECKING:
    from sdnvirt.host.nd import NdResolver

SOLICITATIONS: Final = 3
SOLICITATION_INTERVAL_NS: Final = 4 * NS_PER_S
MAX_DELAY_NS: Final = NS_PER_S
"""How often and when a host asks for routers (RFC 4861, 10)."""

ROUTER_LIMIT: Final = 16
PREFIX_LIMIT: Final = 64
ADVERTISED_ADDRESS_LIMIT: Final = 16
"""Routers, prefixes and addresses of them that an interface learns: hostile advertisements must not
fill memory (RFC 4861, 6.3.4, and RFC 4862, 5.5.3, leave the figures open)."""

DNS_LIMIT: Final = 8
"""DNS servers that an interface learns (RFC 8106, 5.3.1, asks for three or more)."""

TWO_HOURS_NS: Final = 2 * 3600 * NS_PER_S
"""What a forged advertisement can cut a lifetime to (RFC 4862, 5.5.3 e)."""

ROUTE_METRIC: Final = 1024
"""Of routes that were advertised; those that were configured go before them."""

UNREACHABLE_METRIC: Final = 2048
"""Of a default router that does not answer: used if there is no other (RFC 4861, 6.3.6)."""

INTERFACE_ID_BITS: Final = 64
LINK_LOCAL: Final = IPv6Network("fe80::/64")
_DEFAULT: Final = IPv6Network("::/0")
_NS_PER_MS: Final = 1_000_000


def eui64(prefix: IPv6Network, mac: Mac) -> Ipv6:
    """Return the address that a MAC address has in a prefix of 64 bits (RFC 2464, 4)."""
    identifier = bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]
    return Ipv6(prefix.network_address.packed[:8] + identifier)


class Autoconfiguration:
    """What an interface has learned from routers.

    Attributes:
        mtu: bytes of the largest IPv6 packet on the link, as advertised, or NEVER if not.
        hop_limit: what packets are given that say nothing else.
        routers: default routers, each with the time (ns) until which it is one.
        prefixes: prefixes on the link, each with the time (ns) until which it is.
        dns_servers: DNS servers, each with the time (ns) until which it is to be used.
    """

    __slots__ = (
        "_armed_for", "_asking", "_nd", "_random", "_solicited", "dns_servers", "hop_limit", "mtu",
        "prefixes", "routers",
    )  # fmt: skip

    def __init__(self, nd: NdResolver, random: Random) -> None:
        self._nd = nd
        self._random = random
        self._armed_for = NEVER
        self._solicited = 0
        self._asking = 0
        self.mtu = NEVER
        self.hop_limit = DEFAULT_HOP_LIMIT
        self.routers: dict[Ipv6, int] = {}
        self.prefixes: dict[IPv6Network, int] = {}
        self.dns_servers: dict[Ipv6, int] = {}

    def solicit(self) -> None:
        """Ask for routers, until one answers (RFC 4861, 6.3.7)."""
        self._solicited = 0
        self._asking += 1
        self._solicit_in(self._random.randrange(MAX_DELAY_NS))

    def forget(self) -> None:
        """Lose what routers told, addresses too, and ask no longer."""
        self._asking += 1
        self.mtu = NEVER
        self.hop_limit = DEFAULT_HOP_LIMIT
        self._nd.neighbours.reachable_ns = REACHABLE_NS
        for router in list(self.routers):
            self.drop_router(router)
        for prefix in self.prefixes:
            self._remove_route(prefix, None)
        self.prefixes.clear()
        self.dns_servers.clear()
        for address in list(self._nd.interface.addresses.values()):
            if address.origin is Origin.ADVERTISED:
                self._nd.remove(address)

    def receive(self, advertisement: RouterAdvertisement, packet: Ipv6Packet) -> DropReason | None:
        """Believe a router; return why its advertisement was of no use, or None if it was."""
        if not packet.src.is_link_local:  # (RFC 4861, 6.1.2)
            return DropReason.MALFORMED
        self._solicited = SOLICITATIONS
        options = advertisement.options
        if options.source_mac is not None:
            self._nd.learn(packet.src, options.source_mac)
        self._take_parameters(advertisement)
        self._take_router(packet.src, advertisement.lifetime_s)
        for prefix in options.prefixes:
            self._take_prefix(prefix)
        for servers in options.dns_servers:
            for server in servers.servers:
                self._take_server(server, servers.lifetime_s)
        self._nd.interface.host.ip.forget_paths()
        self._arm()
        return None

    def is_router(self, address: IpAddress) -> bool:
        """Whether an address is that of a default router."""
        return address in self.routers

    def drop_router(self, address: Ipv6) -> None:
        """Use a neighbour as a router no longer: it said that it is none (RFC 4861, 7.2.5)."""
        if self.routers.pop(address, None) is not None:
            self._remove_route(_DEFAULT, address)

    def avoid_router(self, address: Ipv6) -> None:
        """Use a router that does not answer only if there is no other (RFC 4861, 6.3.6)."""
        if address in self.routers:
            self._remove_route(_DEFAULT, address)
            self._add_route(_DEFAULT, address, UNREACHABLE_METRIC)

    def _take_parameters(self, advertisement: RouterAdvertisement) -> None:
        if advertisement.hop_limit:
            self.hop_limit = advertisement.hop_limit
        if advertisement.reachable_ms:
            self._nd.neighbours.reachable_ns = advertisement.reachable_ms * _NS_PER_MS
        mtu = advertisement.options.mtu
        if mtu is not None and MIN_MTU <= mtu <= self._nd.interface.mtu:
            self.mtu = mtu

    def _take_router(self, router: Ipv6, lifetime_s: int) -> None:
        if lifetime_s == 0:
            self.drop_router(router)
        elif router in self.routers or len(self.routers) < ROUTER_LIMIT:
            self.routers[router] = self._now + lifetime_s * NS_PER_S
            self._remove_route(_DEFAULT, router)
            self._add_route(_DEFAULT, router, ROUTE_METRIC)

    def _take_prefix(self, one: PrefixInformation) -> None:
        network = IPv6Network((bytes(one.prefix), one.length), strict=False)
        if network.is_link_local or network.is_multicast or one.preferred_s > one.valid_s:
            return  # to be ignored silently (RFC 4861, 6.3.4; RFC 4862, 5.5.3)
        if one.on_link:
            self._take_on_link(network, one.valid_s)
        if one.autonomous and one.length == INTERFACE_ID_BITS:
            self._take_address(network, one)

    def _take_on_link(self, network: IPv6Network, valid_s: int) -> None:
        if valid_s == 0:
            if self.prefixes.pop(network, None) is not None:
                self._remove_route(network, None)
        elif network in self.prefixes or len(self.prefixes) < PREFIX_LIMIT:
            self.prefixes[network] = self._until(valid_s)
            self._add_route(network, None, ROUTE_METRIC)

    def _take_address(self, network: IPv6Network, one: PrefixInformation) -> None:
        """Make an address, or renew the one that there is (RFC 4862, 5.5.3 d and e)."""
        interface = self._nd.interface
        address = eui64(network, interface.mac)
        known = interface.addresses.get(address)
        if known is None:
            advertised = [
                other for other in interface.addresses.values() if other.origin is Origin.ADVERTISED
            ]
            if one.valid_s and len(advertised) < ADVERTISED_ADDRESS_LIMIT:
                made = InterfaceAddress(
                    address, one.length, AddressState.TENTATIVE, Origin.ADVERTISED,
                    self._until(one.preferred_s), self._until(one.valid_s),
                )  # fmt: skip
                self._nd.add(made)
            return
        if known.origin is not Origin.ADVERTISED:
            return
        known.preferred_ns = self._until(one.preferred_s)
        remaining = known.valid_ns - self._now
        valid_ns = self._until(one.valid_s)
        if valid_ns - self._now > min(TWO_HOURS_NS, remaining):
            known.valid_ns = valid_ns
        elif remaining > TWO_HOURS_NS:
            known.valid_ns = self._now + TWO_HOURS_NS
        if known.state is AddressState.DEPRECATED and known.preferred_ns > self._now:
            known.state = AddressState.PREFERRED

    def _take_server(self, server: Ipv6, lifetime_s: int) -> None:
        if lifetime_s == 0:
            self.dns_servers.pop(server, None)
        elif server in self.dns_servers or len(self.dns_servers) < DNS_LIMIT:
            self.dns_servers[server] = self._until(lifetime_s)

    def _solicit_in(self, delay_ns: int) -> None:
        scheduler = self._nd.interface.host.world.scheduler
        scheduler.call_at(scheduler.now + delay_ns, self._ask, self._asking)

    def _ask(self, asking: int) -> None:
        interface = self._nd.interface
        if self._solicited >= SOLICITATIONS or asking != self._asking:
            return
        self._solicited += 1
        source = interface.link_local
        options = NdOptions() if source is None else NdOptions(source_mac=interface.mac)
        message = RouterSolicitation(options).message()
        self._nd.emit(message, ALL_ROUTERS, None, source or ANY_IPV6)
        self._solicit_in(SOLICITATION_INTERVAL_NS)

    def _expire(self, _argument: None) -> None:
        """Let go of what holds no longer."""
        self._armed_for = NEVER
        now = self._now
        for router in [one for one, until in self.routers.items() if until <= now]:
            self.drop_router(router)
        for prefix in [one for one, until in self.prefixes.items() if until <= now]:
            del self.prefixes[prefix]
            self._remove_route(prefix, None)
        for server in [one for one, until in self.dns_servers.items() if until <= now]:
            del self.dns_servers[server]
        interface = self._nd.interface
        for address in list(interface.addresses.values()):
            if address.valid_ns <= now:
                self._nd.remove(address)
            elif address.preferred_ns <= now and address.state is AddressState.PREFERRED:
                address.state = AddressState.DEPRECATED
        interface.refresh()
        self._arm()

    def _arm(self) -> None:
        now = self._now
        times = [*self.routers.values(), *self.prefixes.values(), *self.dns_servers.values()]
        for address in self._nd.interface.addresses.values():
            times.append(address.valid_ns)
            if address.preferred_ns > now:
                times.append(address.preferred_ns)
        due = min(times, default=NEVER)
        if due < self._armed_for:
            self._armed_for = due
            self._nd.interface.host.world.scheduler.call_at(due, self._expire)

    def _add_route(self, network: IPv6Network, gateway: Ipv6 | None, metric: int) -> None:
        interface = self._nd.interface
        interface.host.ip.routes.add(Route.to(network, gateway, interface, metric))
        interface.host.ip.forget_paths()

    def _remove_route(self, network: IPv6Network, gateway: Ipv6 | None) -> None:
        interface = self._nd.interface
        interface.host.ip.routes.remove(
            lambda route: (
                route.interface is interface
                and route.metric in (ROUTE_METRIC, UNREACHABLE_METRIC)
                and route.gateway == gateway
                and route.network == network
            )
        )
        interface.host.ip.forget_paths()

    def _until(self, seconds: int) -> int:
        return NEVER if seconds == INFINITE_S else self._now + seconds * NS_PER_S

    @property
    def _now(self) -> int:
        return self._nd.now
