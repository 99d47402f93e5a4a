"""A router's part in neighbour discovery: router advertisements (RFC 4861, 6.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ALL_NODES, ALL_ROUTERS, Ipv6
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.nd import RouterAdvertisement
from sdnvirt.wire.nd_options import DnsServers, NdOptions, PrefixInformation

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

MAX_INTERVAL_NS: Final = 600 * NS_PER_S
MIN_INTERVAL_NS: Final = 200 * NS_PER_S
"""Time between unsolicited advertisements, chosen at random (RFC 4861, 6.2.1)."""

INITIAL_ADVERTISEMENTS: Final = 3
INITIAL_INTERVAL_NS: Final = 16 * NS_PER_S
"""The first ones come sooner (RFC 4861, 10)."""

MIN_DELAY_NS: Final = 3 * NS_PER_S
MAX_ANSWER_DELAY_NS: Final = NS_PER_S // 2
"""Least time between two to all nodes, and the longest time until a solicited one (10)."""

ROUTER_LIFETIME_S: Final = 1800
"""Three times the longest interval (RFC 4861, 6.2.1)."""


@dataclass(frozen=True, slots=True)
class Advertised:
    """What a router advertises on a link.

    Attributes:
        prefixes: prefixes of the link, with their lifetimes.
        lifetime_s: how long it is a default router, 0 if it is to be none.
        hop_limit: what hosts are to send with, or 0.
        mtu: MTU of the link to tell, or None.
        dns_servers: DNS servers to tell.
    """

    prefixes: tuple[PrefixInformation, ...] = ()
    lifetime_s: int = ROUTER_LIFETIME_S
    hop_limit: int = 64
    mtu: int | None = None
    dns_servers: tuple[Ipv6, ...] = ()

    @classmethod
    def of(cls, *networks: IPv6Network) -> Advertised:
        """Return what the router of some prefixes says usually."""
        return cls(
            tuple(PrefixInformation(Ipv6(one.network_address), one.prefixlen) for one in networks)
        )


class Advertiser:
    """Advertises a host as a router on one of its interfaces, from now on until it is stopped."""

    __slots__ = (
        "_advertised", "_answering", "_interface", "_last_ns", "_left", "_random", "_stopped",
    )  # fmt: skip

    def __init__(
        self, host: Host, advertised: Advertised, interface: Interface | None = None
    ) -> None:
        """Begin to advertise.

        Args:
            host: the host; it forwards packets only if it is told to, too.
            advertised: what to say.
            interface: by default the first; it is made to speak IPv6.
        """
        self._interface = interface or host.interface
        self._advertised = advertised
        self._random = host.world.streams.stream(f"advertiser {self._interface.full_name}")
        self._answering = False
        self._stopped = False
        self._left = INITIAL_ADVERTISEMENTS
        self._last_ns = -MIN_DELAY_NS
        nd = self._interface.enable_ipv6(autoconfigure=False)
        assert nd.advertiser is None, f"{self._interface.full_name} advertises already"
        nd.advertiser = self
        self._interface.join(ALL_ROUTERS)
        self._unsolicited(None)

    def stop(self) -> None:
        """Tell that this is no router any longer (RFC 4861, 6.2.5)."""
        self._stopped = True
        self._send(0)
        nd = self._interface.nd
        assert nd is not None
        nd.advertiser = None
        self._interface.leave(ALL_ROUTERS)

    def solicited(self) -> None:
        """Answer a router solicitation soon, once for all that come meanwhile (6.2.6)."""
        if self._answering:
            return
        self._answering = True
        due = self._now + self._random.randrange(MAX_ANSWER_DELAY_NS)
        self._at(max(due, self._last_ns + MIN_DELAY_NS), self._answer)

    def _answer(self, _argument: None) -> None:
        self._answering = False
        if not self._stopped:
            self._send(self._advertised.lifetime_s)

    def _unsolicited(self, _argument: None) -> None:
        if self._stopped:
            return
        interval = self._random.randint(MIN_INTERVAL_NS, MAX_INTERVAL_NS)
        if self._interface.link_local is None:  # as soon as there is an address to speak from
            interval = NS_PER_S
        else:
            self._send(self._advertised.lifetime_s)
            if self._left:
                self._left -= 1
                interval = min(interval, INITIAL_INTERVAL_NS)
        self._at(self._now + interval, self._unsolicited)

    def _send(self, lifetime_s: int) -> None:
        interface = self._interface
        source, nd = interface.link_local, interface.nd
        if source is None or nd is None:
            return
        said = self._advertised
        servers = (DnsServers(ROUTER_LIFETIME_S, said.dns_servers),) if said.dns_servers else ()
        options = NdOptions(
            source_mac=interface.mac, prefixes=said.prefixes, mtu=said.mtu, dns_servers=servers
        )
        message = RouterAdvertisement(said.hop_limit, lifetime_s, options=options).message()
        self._last_ns = self._now
        nd.emit(message, ALL_NODES, None, source)

    @property
    def _now(self) -> int:
        return self._interface.host.world.scheduler.now

    def _at(self, time_ns: int, step: Callable[[None], None]) -> None:
        self._interface.host.world.scheduler.call_at(time_ns, step)
