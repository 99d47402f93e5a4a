"""Neighbour discovery on an interface: who has an IPv6 address (RFC 4861, 7 and 8).

The cache and its states are those of :mod:`sdnvirt.host.neighbours`; what routers tell is taken by
:mod:`sdnvirt.host.slaac`, and addresses are tried by :mod:`sdnvirt.host.dad`.
"""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ALL_NODES, IpAddress, Ipv6, Mac
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host.addressing import AddressState, InterfaceAddress, Origin
from sdnvirt.host.dad import DuplicateDetection
from sdnvirt.host.families import FAMILIES
from sdnvirt.host.neighbour_states import ND, Event
from sdnvirt.host.paths import LinkPath, NeighbourPath, Path
from sdnvirt.host.resolver import Resolver
from sdnvirt.host.routes import Route
from sdnvirt.host.slaac import LINK_LOCAL, Autoconfiguration, eui64
from sdnvirt.wire import nd
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.ipv6 import Ipv6Packet
from sdnvirt.wire.nd import (
    NeighbourAdvertisement,
    NeighbourSolicitation,
    Redirect,
    RouterAdvertisement,
    RouterSolicitation,
)
from sdnvirt.wire.nd_options import NdOptions

if TYPE_CHECKING:
    from sdnvirt.host.advertiser import Advertiser
    from sdnvirt.host.interface import Interface

ETHERTYPE_IPV6: Final = b"\x86\xdd"
"""The registered EtherType as it stands in a frame."""

IPV6_GROUPS: Final = IPv6Network("ff00::/8")
"""Groups go by the first interface that speaks IPv6, unless another one is said."""


class NdResolver(Resolver):
    """Neighbour discovery of one interface.

    Attributes:
        dad: finds out whether addresses are unique.
        autoconfiguration: what routers told.
        autoconfigures: whether the interface asks for routers.
        advertiser: tells others that this host is a router, or None.
    """

    __slots__ = ("advertiser", "autoconfiguration", "autoconfigures", "dad")

    ethertype = ETHERTYPE_IPV6
    silence = "no answer to neighbour solicitations"

    def __init__(self, interface: Interface, *, autoconfigures: bool = False) -> None:
        super().__init__(interface, ND)
        self.autoconfigures = autoconfigures
        random = interface.host.world.streams.stream(f"nd {interface.full_name}")
        self.dad = DuplicateDetection(self, random)
        self.autoconfiguration = Autoconfiguration(self, random)
        self.advertiser: Advertiser | None = None

    def add(self, address: InterfaceAddress) -> bool:
        """Give the interface an address, which is used when it is known to be unique.

        Returns:
            whether there was room for it.
        """
        target = address.address
        assert isinstance(target, Ipv6)
        interface = self.interface
        if target in interface.addresses or not interface.join(target.solicited_node):
            return False
        if not interface.assign(address):
            interface.leave(target.solicited_node)
            return False
        if address.state is AddressState.TENTATIVE and interface.admin_up:
            self.dad.start(address)
        return True

    def start(self) -> None:
        """Begin on the link: a link-local address, all addresses unique, routers asked for.

        (RFC 4862, 5.3 and 5.4; RFC 4861, 6.3.7.)
        """
        interface = self.interface
        routes = interface.host.ip.routes
        routes.add(Route.to(LINK_LOCAL, None, interface), Route.to(IPV6_GROUPS, None, interface))
        self.add(
            InterfaceAddress(
                eui64(LINK_LOCAL, interface.mac), LINK_LOCAL.prefixlen, AddressState.TENTATIVE,
                Origin.LINK_LOCAL,
            )
        )  # fmt: skip
        for one in interface.addresses.values():
            if not isinstance(one.address, Ipv6):
                continue
            routes.add(Route.to(one.network, None, interface))
            if one.state is AddressState.TENTATIVE and not self.dad.is_tentative(one.address):
                self.dad.start(one)
        if self.autoconfigures and not self.is_router:
            self.autoconfiguration.solicit()

    def stop(self) -> None:
        """Lose the link: what was learned of it is forgotten, and nobody is asked any more."""
        self.flush()
        self.dad.stop()
        self.autoconfiguration.forget()

    def doubt(self) -> None:
        """Let no address be known to be unique."""
        for one in self.interface.addresses.values():
            if isinstance(one.address, Ipv6):
                one.state = AddressState.TENTATIVE
        self.interface.refresh()

    def remove(self, address: InterfaceAddress) -> None:
        """Take an address away."""
        target = address.address
        assert isinstance(target, Ipv6)
        self.interface.withdraw(target)
        self.interface.leave(target.solicited_node)

    @property
    def is_router(self) -> bool:
        """Whether this is a router's interface."""
        return self.advertiser is not None or self.interface.host.forwarding is not None

    def learn(self, address: Ipv6, mac: Mac) -> None:
        """Learn the MAC address of a neighbour that spoke without being asked."""
        if not mac.is_group:
            self.carry_out(self.neighbours.heard(address, mac, Event.ASKED, self.now))

    def receive(self, message: Icmpv6, packet: Ipv6Packet, frame: Frame) -> DropReason | None:
        """Take a message of the link; return why it was of no use, or None if it was.

        Raises:
            WireError: the message breaks the rules of its type.
        """
        if packet.hop_limit != nd.HOP_LIMIT:  # it has crossed a router (RFC 4861, 7.1)
            return DropReason.HOP_LIMIT_NOT_255
        if message.type == Icmpv6Type.NEIGHBOUR_SOLICITATION:
            solicitation = NeighbourSolicitation.of(message)
            return self._solicited(solicitation, packet, frame.provenance.cause)
        if message.type == Icmpv6Type.NEIGHBOUR_ADVERTISEMENT:
            return self._advertised(NeighbourAdvertisement.of(message), packet)
        if message.type == Icmpv6Type.ROUTER_ADVERTISEMENT:
            advertisement = RouterAdvertisement.of(message)
            if self.is_router:  # routers are configured, not told (RFC 4861, 6.2.7)
                return DropReason.NOT_FOR_ME_L3
            return self.autoconfiguration.receive(advertisement, packet)
        if message.type == Icmpv6Type.ROUTER_SOLICITATION:
            return self._router_solicited(RouterSolicitation.of(message), packet)
        if message.type == Icmpv6Type.REDIRECT:
            return self._redirected(Redirect.of(message), packet)
        return DropReason.UNKNOWN_PROTOCOL

    def emit(self, message: Icmpv6, dst: Ipv6, mac: Mac | None, src: Ipv6, cause: int = 0) -> None:
        """Send a message on the link, with the hop limit that shows that it is of the link.

        Args:
            message: the message.
            dst: destination.
            mac: MAC address of the destination, or None to derive it from a group, or to ask.
            src: source.
            cause: the conversation that it belongs to.
        """
        interface = self.interface
        ip, family = interface.host.ip, FAMILIES[Ipv6]
        path: Path = NeighbourPath(ip, family, interface, src, dst, dst)
        if mac is not None or dst.is_multicast:
            path = LinkPath(ip, family, interface, src, dst, mac)
        data = message.emit(src, dst)
        path.send(IpProtocol.ICMPV6, data, hop_limit=nd.HOP_LIMIT, cause=cause)

    def advertise(self, target: Ipv6, dst: Ipv6, mac: Mac | None, cause: int = 0) -> None:
        """Tell a neighbour that asked, or everybody, who has an address (RFC 4861, 7.2.4)."""
        answer = NeighbourAdvertisement(
            target, self.is_router, dst != ALL_NODES, override=True,
            options=NdOptions(target_mac=self.interface.mac),
        )  # fmt: skip
        self.emit(answer.message(), dst, mac, target, cause)

    def _solicited(
        self, solicitation: NeighbourSolicitation, packet: Ipv6Packet, cause: int
    ) -> DropReason | None:
        """Answer a neighbour that asks for an address of this interface (RFC 4861, 7.2.3)."""
        mac, target = solicitation.options.source_mac, solicitation.target
        wanted = packet.src.is_unspecified  # for duplicate address detection (RFC 4862, 5.4.3)
        if wanted and (mac is not None or packet.dst != target.solicited_node):  # (7.1.1)
            return DropReason.MALFORMED
        if self.dad.is_tentative(target):
            if wanted:
                self.dad.conflict(target)
            return None
        if not self.interface.has(target):
            return DropReason.NOT_MY_ND
        if wanted:
            self.advertise(target, ALL_NODES, None, cause)
            return None
        if mac is not None and mac.is_group:
            return DropReason.MALFORMED
        if mac is not None:
            self.learn(packet.src, mac)
        self.advertise(target, packet.src, mac, cause)
        return None

    def _advertised(
        self, advertisement: NeighbourAdvertisement, packet: Ipv6Packet
    ) -> DropReason | None:
        """Learn from what a neighbour tells of itself (RFC 4861, 7.2.5)."""
        target, mac = advertisement.target, advertisement.options.target_mac
        if advertisement.solicited and packet.dst.is_multicast:  # (7.1.2)
            return DropReason.MALFORMED
        if self.dad.is_tentative(target):
            self.dad.conflict(target)
            return None
        if not advertisement.router:
            self.autoconfiguration.drop_router(target)
        now = self.now
        if mac is None:
            if not advertisement.solicited or not self.neighbours.knows(target, now):
                return DropReason.NOT_MY_ND
            self.carry_out(self.neighbours.answered(target, now))
            return None
        if mac.is_group:
            return DropReason.MALFORMED
        event = Event.ANSWERED if advertisement.solicited else Event.OVERHEARD
        heard = self.neighbours.heard(target, mac, event, now, advertisement.override)
        self.carry_out(heard)
        # An advertisement makes no entry where nobody asked (7.2.5).
        return None if self.neighbours.knows(target, now) else DropReason.NOT_MY_ND

    def known_mac(self, address: Ipv6) -> Mac | None:
        """Return the MAC address of a neighbour, believed or not, or None."""
        return self.neighbours.mac(address, self.now)

    def _router_solicited(
        self, solicitation: RouterSolicitation, packet: Ipv6Packet
    ) -> DropReason | None:
        """Let the advertiser answer, if there is one (RFC 4861, 6.2.6)."""
        mac = solicitation.options.source_mac
        if packet.src.is_unspecified and mac is not None:  # (6.1.1)
            return DropReason.MALFORMED
        if self.advertiser is None:
            return DropReason.NOT_FOR_ME_L3
        if mac is not None:
            self.learn(packet.src, mac)
        self.advertiser.solicited()
        return None

    def _redirected(self, redirect: Redirect, packet: Ipv6Packet) -> DropReason | None:
        """Use another next hop for one destination, if the present one says so (RFC 4861, 8.3)."""
        host, target, dst = self.interface.host, redirect.target, redirect.destination
        if not packet.src.is_link_local or not (target == dst or target.is_link_local):  # (8.1)
            return DropReason.MALFORMED
        route = host.ip.routes.lookup(dst)
        if (
            host.forwarding is not None
            or route is None
            or route.interface is not self.interface
            or route.gateway != packet.src
        ):
            return DropReason.REDIRECT_IGNORED
        if redirect.options.target_mac is not None:
            self.learn(target, redirect.options.target_mac)
        host.ip.redirect(dst, target, self.interface)
        return None

    def _solicit(self, address: IpAddress, mac: Mac | None, cause: int) -> None:
        assert isinstance(address, Ipv6)
        message = NeighbourSolicitation(address, NdOptions(source_mac=self.interface.mac)).message()
        dst = address if mac is not None else address.solicited_node
        source = self.interface.source_to(address)
        if not isinstance(source, Ipv6):  # not known to be unique yet; it is asked again
            return
        self.emit(message, dst, mac, source, cause)

    def _gone(self, address: IpAddress) -> None:
        """Use another router, if the one that has gone was one (RFC 4861, 7.3.3)."""
        assert isinstance(address, Ipv6)
        self.autoconfiguration.avoid_router(address)
