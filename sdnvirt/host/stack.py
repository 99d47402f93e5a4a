"""A host: the device at the end of the way, with an IP stack (RFC 1122; RFC 8504).

A frame goes through two tables, by EtherType here and by IP protocol in
:mod:`sdnvirt.host.protocols`. Every handler returns why it had no use for the frame, or None, and
:meth:`Host.take` enters that in the ledger, once for each frame.

A host speaks IPv4, and IPv6 on the interfaces that were told to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import IPv4Interface
from typing import Final

from sdnvirt.addresses import ALL_ROUTERS, VLAN_MAX, IpAddress, Ipv4, Ipv6, Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.errors import WireError
from sdnvirt.frame import Frame
from sdnvirt.host import ipv4, ipv6
from sdnvirt.host.addressing import (
    AddressState,
    InterfaceAddress,
    IpInterface,
    Origin,
    address_of,
)
from sdnvirt.host.arp import ETHERTYPE_ARP, ETHERTYPE_IPV4
from sdnvirt.host.dhcp import DhcpService
from sdnvirt.host.dhcp_states import Lease
from sdnvirt.host.echo import IDENTIFIER_MAX, EchoSocket
from sdnvirt.host.explain import explain
from sdnvirt.host.forwarding import Forwarding
from sdnvirt.host.fragments import Fragments
from sdnvirt.host.handling import Handled, Kept
from sdnvirt.host.icmp import ErrorLimit
from sdnvirt.host.interface import Interface, VlanInterface
from sdnvirt.host.ip import IpLayer
from sdnvirt.host.loopback import LOOPBACK_PORT, Loopback
from sdnvirt.host.nd import ETHERTYPE_IPV6
from sdnvirt.host.paths import Fragmentation
from sdnvirt.host.ping import (
    DEFAULT_COUNT,
    DEFAULT_INTERVAL_NS,
    DEFAULT_SIZE,
    DEFAULT_TIMEOUT_NS,
    Ping,
)
from sdnvirt.host.routes import Route
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.service import TcpService
from sdnvirt.host.udp import SocketKey, UdpSocket
from sdnvirt.wire.checksum import ChecksumError
from sdnvirt.wire.dot1q import outer_tag, pop_tag
from sdnvirt.wire.ethernet import HEADER_LENGTH

EtherHandler = Callable[["Host", Interface, Frame], Handled]
"""Takes a frame for this interface; returns what became of it. May raise WireError."""

_ETHERTYPE_AT: Final = 12


class Host(Device):
    """A host with an IP stack.

    Attributes:
        tenant: tenant that it belongs to, or "".
        network: tenant network that it is in, as ``tenant/network``, or "".
        interfaces: by port number; every port is one, and so is the loopback interface.
        ip: its IP layer, with its routes.
        forwarding: what forwards packets of others, or None while the host does not.
        dns_servers: whom it asks for names, the first one first.
        sockets: UDP sockets that are not bound to one interface.
        tcp_flows: TCP connections, by addresses and ports as they stand in a packet to the host.
        pings: who waits for echo replies, by identifier.
        icmp_errors: the rate limit of the ICMP errors that it sends.
    """

    __slots__ = (
        "_fragments", "_loopback", "_ping_identifier", "_tcp", "dns_servers", "forwarding",
        "icmp_errors", "interfaces", "ip", "network", "pings", "sockets", "tcp_flows", "tenant",
    )  # fmt: skip

    def __init__(self, name: str, world: World, tenant: str = "", network: str = "") -> None:
        super().__init__(name, world)
        self.tenant = tenant
        self.network = network
        self.interfaces: dict[int, Interface] = {}
        self.ip = IpLayer(self)
        self.dns_servers: tuple[IpAddress, ...] = ()
        self.sockets: dict[SocketKey, UdpSocket] = {}
        self.tcp_flows: dict[bytes, TcpConnection] = {}
        self.pings: dict[int, EchoSocket] = {}
        self.icmp_errors = ErrorLimit()
        self.forwarding: Forwarding | None = None
        self._fragments: Fragments | None = None
        self._loopback: Loopback | None = None
        self._ping_identifier = 0
        self._tcp: TcpService | None = None

    def add_port(self, number: int, name: str, mac: Mac) -> Port:
        """Give the host one more port, with an interface on it."""
        port = super().add_port(number, name, mac)
        self.interfaces[number] = Interface(self, port)
        return port

    @property
    def interface(self) -> Interface:
        """The first interface, which for most hosts is the only one."""
        return self.interfaces[next(iter(self.ports))]

    @property
    def loopback(self) -> Loopback:
        """Its loopback interface, made when it is needed first: most hosts are never asked."""
        if self._loopback is None:
            self._loopback = made = Loopback(self)
            self.interfaces[LOOPBACK_PORT] = made
            if any(one.nd is not None for one in self.all_interfaces()):
                made.enable_ipv6()
        return self._loopback

    def ipv6_enabled(self) -> None:
        """An interface speaks IPv6 from now on; then the host can be spoken to by ``::1``, too."""
        if self._loopback is not None:
            self._loopback.enable_ipv6()

    @property
    def address(self) -> Ipv4 | None:
        """The IPv4 address of the first interface, or None."""
        return self.interface.address

    def any_ipv4(self) -> Ipv4 | None:
        """Return an IPv4 address of the host, for an interface without one to ask from, or None."""
        return next((one.address for one in self.all_interfaces() if one.address), None)

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes, those of IPv4 before those of IPv6, each longest prefix first."""
        return tuple(self.ip.routes)

    @property
    def tcp(self) -> TcpService:
        """Its TCP, made when it is needed first."""
        if self._tcp is None:
            self._tcp = TcpService(self)
        return self._tcp

    @property
    def fragments(self) -> Fragments:
        """The fragments that wait for others."""
        if self._fragments is None:
            self._fragments = Fragments(self)
            self.world.ledger.watch(self._fragments)
        return self._fragments

    def enable_forwarding(self) -> None:
        """Forward packets that are for others from now on: be a router."""
        if self.forwarding is None:
            self.forwarding = Forwarding(self)
            self.world.ledger.watch(self.forwarding)
            for interface in self.all_interfaces():
                if interface.nd is not None:
                    interface.join(ALL_ROUTERS)

    def add_vlan(self, vlan: int, parent: Interface | None = None) -> Interface:
        """Give the host one more interface, on a VLAN of another one (by default the first).

        Args:
            vlan: the VLAN identifier, 1 to 4094.
            parent: the interface whose port it shares.

        Returns:
            the interface: it sends tagged frames, and takes those with that tag.
        """
        assert 1 <= vlan <= VLAN_MAX, f"VLAN {vlan}"
        below = parent or self.interface
        assert vlan not in below.vlans, f"{below.full_name} has VLAN {vlan} already"
        below.vlans[vlan] = made = VlanInterface(below, vlan)
        if not below.admin_up:
            made.set_up(False)
        return made

    def all_interfaces(self) -> Iterator[Interface]:
        """Return the interfaces that lead out of the host, in the order of their ports.

        Those on VLANs come behind their port's.
        """
        for number in self.ports:
            interface = self.interfaces[number]
            yield interface
            yield from interface.vlans.values()

    def configure(
        self,
        address: IpInterface,
        gateway: IpAddress | None = None,
        interface: Interface | None = None,
    ) -> None:
        """Give an interface (by default the first) an address, and a default gateway.

        It replaces the addresses that the interface was given, and the routes that it has, in this
        version of IP. An IPv6 address makes the interface speak IPv6, and is used as soon as it is
        known to be unique, a second or two later (RFC 4862, 5.4).
        """
        where = interface or self.interface
        self.unconfigure(where, type(address_of(address)))
        self.add_address(address, where)
        if gateway is not None and where.admin_up:
            everything = address.network.supernet(new_prefix=0)
            self.ip.routes.add(Route.to(everything, gateway, where))
            self.ip.forget_paths()

    def add_address(self, address: IpInterface, interface: Interface | None = None) -> bool:
        """Give an interface (by default the first) one more address.

        Returns:
            whether there was room for it.
        """
        where = interface or self.interface
        own = address_of(address)
        given = InterfaceAddress(own, address.network.prefixlen)
        if where.admin_up:
            self.ip.routes.add(Route.to(address.network, None, where))
        if isinstance(own, Ipv4):
            return where.assign(given)
        given.state = AddressState.TENTATIVE
        return where.enable_ipv6(autoconfigure=self.forwarding is None).add(given)

    def remove_address(self, address: IpAddress, interface: Interface | None = None) -> None:
        """Take an address from an interface (by default the first), with the route to its prefix.

        The route stays if another address has the same prefix; one by a gateway that is reached
        no more stays, too, and finds nobody.
        """
        where = interface or self.interface
        one = where.addresses[address]
        if where.nd is not None and isinstance(address, Ipv6):
            where.nd.remove(one)
        else:
            where.withdraw(address)
        if all(other.network != one.network for other in where.addresses.values()):
            gone = Route.to(one.network, None, where)
            self.ip.routes.remove(lambda route: route == gone)
            self.ip.forget_paths()

    def probe(
        self,
        address: IPv4Interface,
        interface: Interface | None = None,
        on_result: Callable[[Mac | None], None] = lambda _: None,
    ) -> None:
        """Give an interface (by default the first) one more IPv4 address if nobody has it.

        It is probed for some seconds, and announced when it is used (RFC 5227, 2.1 and 2.3).

        Args:
            address: the address with the length of its prefix.
            interface: the interface, or None.
            on_result: told who has the address already, or None when it is used.
        """
        where = interface or self.interface
        own = Ipv4(address.ip)

        def judged(holder: Mac | None) -> None:
            if holder is None:
                self.add_address(address, where)
                where.arp.announce_twice(own)
            on_result(holder)

        where.arp.probe(own, judged)

    def enable_ipv6(self, interface: Interface | None = None) -> None:
        """Let an interface (by default the first) speak IPv6, and learn from routers."""
        (interface or self.interface).enable_ipv6()

    def unconfigure(
        self, interface: Interface | None = None, family: type[IpAddress] = Ipv4
    ) -> None:
        """Take what it was given of a version of IP from an interface (by default the first).

        That is addresses and routes; what IPv6 made and learned by itself stays.
        """
        where = interface or self.interface
        own = [one.network for one in where.addresses.values() if one.origin is Origin.CONFIGURED]
        self.ip.routes.remove(
            lambda route: (
                route.interface is where
                and route.family is family
                and (family is Ipv4 or route.network in own or _is_given(route))
            )
        )
        where.release(family)

    def crash(self) -> None:
        """Lose connections, sockets, neighbours, leases and fragments; what was given stays."""
        if self._tcp is not None:
            self._tcp.crash()
        for interface in self.all_interfaces():
            if interface.dhcp is not None:
                interface.dhcp.crash()
            interface.stop()
            if interface.nd is not None:
                interface.nd.doubt()
        for table in (self.sockets, *(one.sockets for one in self.all_interfaces())):
            for socket in list(table.values()):
                socket.close()
        if self._fragments is not None:
            self._fragments.crash()
        if self._loopback is not None:
            self._loopback.cut()
        self.ip.crash()

    def restart(self) -> None:
        """Begin anew on every link, as soon as they are up: IPv6, groups, leases."""
        self.world.scheduler.call_at(self.world.scheduler.now, self._begin)

    def _begin(self, _argument: None) -> None:
        for interface in self.all_interfaces():
            if interface.admin_up:
                interface.start()
            if interface.dhcp is not None:
                interface.dhcp.restart()

    def receive(self, port: Port, frame: Frame) -> None:
        """Take a frame, and enter in the ledger what became of it."""
        interface = self.interfaces[port.number]
        if not interface.admin_up:
            self.drop(frame, DropReason.INTERFACE_DOWN)
            return
        mac = frame.data[:6]
        if mac != interface.mac and mac not in interface.group_macs:
            self.drop(frame, DropReason.NOT_FOR_ME_L2)
            return
        self.take(interface, frame)

    def take(self, interface: Interface, frame: Frame) -> None:
        """Take a frame that is for an interface, and enter in the ledger what became of it."""
        data = frame.data
        handler = ETHERTYPES.get(data[_ETHERTYPE_AT:HEADER_LENGTH])
        if handler is None:
            short = len(data) < HEADER_LENGTH
            self.drop(frame, DropReason.MALFORMED if short else DropReason.UNKNOWN_PROTOCOL)
            return
        try:
            handled = handler(self, interface, frame)
        except WireError as error:
            self.refuse(frame, error)
        else:
            if handled is None:
                self.world.ledger.delivered += 1
            else:
                self.settle(frame, handled)

    def settle(self, frame: Frame, handled: Handled) -> None:
        """Enter in the ledger what became of a frame, if that is known now."""
        if handled is None:
            self.world.ledger.delivered += 1
        elif not isinstance(handled, Kept):
            self.drop(frame, handled)

    def refuse(self, frame: Frame, error: WireError) -> None:
        """Enter in the ledger that a frame breaks a protocol's rules."""
        wrong_sum = isinstance(error, ChecksumError)
        reason = DropReason.BAD_CHECKSUM if wrong_sum else DropReason.MALFORMED
        self.drop(frame, reason, str(error))

    def explain(self, port: Port, frame: Frame) -> list[str]:
        """Tell what the host would do with a frame, as far as its addresses and routes decide."""
        return [explain(self.interfaces[port.number], frame.data)]

    def start_ping(
        self,
        target: IpAddress,
        count: int = DEFAULT_COUNT,
        *,
        interval_ns: int = DEFAULT_INTERVAL_NS,
        size: int = DEFAULT_SIZE,
        timeout_ns: int = DEFAULT_TIMEOUT_NS,
        cause: int = 0,
        interface: Interface | None = None,
        hop_limit: int | None = None,
        fragmentation: Fragmentation = Fragmentation.NOBODY,
        on_done: Callable[[Ping], None] | None = None,
    ) -> Ping:
        """Send echo requests from now on; see :class:`~sdnvirt.host.ping.Ping`."""
        ping = Ping(
            self, target, count, interval_ns=interval_ns, size=size, timeout_ns=timeout_ns,
            cause=cause, interface=interface, hop_limit=hop_limit, fragmentation=fragmentation,
            on_done=on_done,
        )  # fmt: skip
        ping.start()
        return ping

    def take_echo_identifier(self, socket: EchoSocket) -> int:
        """Return an identifier for echo requests that is free, and let a socket have it."""
        while True:
            self._ping_identifier = self._ping_identifier % IDENTIFIER_MAX + 1
            if self._ping_identifier not in self.pings:
                self.pings[self._ping_identifier] = socket
                return self._ping_identifier

    @property
    def lease(self) -> Lease | None:
        """The DHCP lease of the first interface, or None while it has none."""
        service = self.interface.dhcp
        return None if service is None else service.lease

    def start_dhcp(
        self,
        delay_ns: int = 0,
        *,
        broadcast: bool = False,
        previous: Ipv4 | None = None,
        cause: int = 0,
        on_bound: Callable[[Lease], None] | None = None,
        interface: Interface | None = None,
    ) -> DhcpService:
        """Let an interface obtain its address by DHCP, and keep it for as long as it may.

        Args:
            delay_ns: time until the first message.
            broadcast: whether servers have to broadcast their answers.
            previous: an address from before that is asked for first, or None.
            cause: the conversation that the messages belong to.
            on_bound: called with the lease when the interface was given an address, or another.
            interface: by default the first.
        """
        where = interface or self.interface
        assert where.dhcp is None, f"{where.port.full_name} runs a DHCP client already"
        where.dhcp = service = DhcpService(
            self, where, broadcast=broadcast, previous=previous, cause=cause, on_bound=on_bound
        )
        service.start_at(self.world.scheduler.now + delay_ns)
        return service


def _is_given(route: Route) -> bool:
    """Whether a gateway was configured, and not advertised."""
    return route.gateway is not None and route.metric == 0


def _receive_tagged(host: Host, interface: Interface, frame: Frame) -> Handled:
    """Take a frame with a VLAN tag at the interface on that VLAN (IEEE 802.1Q, 6.9)."""
    if not interface.vlans:
        return DropReason.UNKNOWN_PROTOCOL
    tag = outer_tag(frame.data)
    below = None if tag is None else interface.vlans.get(tag.vid)
    if below is None:
        return DropReason.VLAN_NOT_ALLOWED
    if not below.admin_up:
        return DropReason.INTERFACE_DOWN
    host.take(below, frame.rewritten(pop_tag(frame.data)))
    return Kept.KEPT


def _receive_arp(_host: Host, interface: Interface, frame: Frame) -> Handled:
    return interface.arp.receive(frame)


ETHERTYPE_VLAN: Final = b"\x81\x00"
"""The registered EtherType as it stands in a frame, to be compared without parsing."""

ETHERTYPES: Final[dict[bytes, EtherHandler]] = {
    ETHERTYPE_IPV4: ipv4.receive,
    ETHERTYPE_IPV6: ipv6.receive,
    ETHERTYPE_ARP: _receive_arp,
    ETHERTYPE_VLAN: _receive_tagged,
}
"""What a host does with a frame, by its EtherType."""
