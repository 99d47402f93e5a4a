"""A host: the device at the end of the way, with an IP stack (RFC 791, RFC 894, RFC 1122).

A frame goes through two tables, by EtherType and by IP protocol. Every handler returns why it had
no use for the frame, or None, and :meth:`Host.receive` enters that in the ledger, once for each
frame. Tests on addresses slice the frame before anything is parsed: of a flooded frame, most hosts
need to know no more.

Left out so far: fragments (refused), IPv6, TCP, IP options, forwarding (hosts do not).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Interface
from typing import Final

from sdnvirt.addresses import BROADCAST, BROADCAST_IPV4, Ipv4, Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.errors import WireError
from sdnvirt.frame import Frame
from sdnvirt.host import icmp, udp
from sdnvirt.host.dhcp import DhcpService
from sdnvirt.host.dhcp_states import Lease
from sdnvirt.host.interface import ETHERTYPE_ARP, ETHERTYPE_IPV4, Interface
from sdnvirt.host.ping import (
    DEFAULT_COUNT,
    DEFAULT_INTERVAL_NS,
    DEFAULT_SIZE,
    DEFAULT_TIMEOUT_NS,
    Ping,
)
from sdnvirt.host.routes import (
    NoAddress,
    NoRoute,
    Refusal,
    Route,
    TooBig,
    lookup,
    ordered,
    routes_of,
)
from sdnvirt.wire.checksum import ChecksumError
from sdnvirt.wire.ethernet import HEADER_LENGTH
from sdnvirt.wire.icmp import Unreachable
from sdnvirt.wire.ipv4 import DEFAULT_TTL, IpProtocol, Ipv4Packet
from sdnvirt.wire.ipv4 import HEADER_LENGTH as IPV4_HEADER

IpHandler = Callable[["Host", Interface, Ipv4Packet, Frame], DropReason | None]
"""Takes a packet for this host; returns why it was of no use, or None. May raise WireError."""

EtherHandler = Callable[["Host", Interface, Frame], DropReason | None]
"""Takes a frame for this interface; returns why it was of no use, or None. May raise WireError."""

_ETHERTYPE_AT: Final = 12
_IPV4_DST_AT: Final = HEADER_LENGTH + 16
_IPV4_END: Final = HEADER_LENGTH + IPV4_HEADER


class Host(Device):
    """A host with an IPv4 stack.

    Attributes:
        tenant: tenant that it belongs to, or "".
        network: tenant network that it is in, as ``tenant/network``, or "".
        interfaces: by port number; every port is one.
        routes: longest prefix first.
        sockets: UDP sockets that are not bound to one interface, by port.
        pings: running pings by identifier.
        icmp_errors: the rate limit of the ICMP errors that it sends.
    """

    __slots__ = (
        "_identification", "_ping_identifier", "icmp_errors", "interfaces", "network", "pings",
        "routes", "sockets", "tenant",
    )  # fmt: skip

    def __init__(self, name: str, world: World, tenant: str = "", network: str = "") -> None:
        super().__init__(name, world)
        self.tenant = tenant
        self.network = network
        self.interfaces: dict[int, Interface] = {}
        self.routes: tuple[Route, ...] = ()
        self.sockets: dict[int, udp.UdpSocket] = {}
        self.pings: dict[int, Ping] = {}
        self.icmp_errors = icmp.ErrorLimit()
        self._identification = 0
        self._ping_identifier = 0

    def add_port(self, number: int, name: str, mac: Mac) -> Port:
        """Give the host one more port, with an interface on it."""
        port = super().add_port(number, name, mac)
        self.interfaces[number] = Interface(self, port)
        return port

    @property
    def interface(self) -> Interface:
        """The first interface, which for most hosts is the only one."""
        return next(iter(self.interfaces.values()))

    @property
    def address(self) -> Ipv4 | None:
        """The address of the first interface, or None."""
        return self.interface.address

    def configure(
        self,
        address: IPv4Interface,
        gateway: Ipv4 | None = None,
        interface: Interface | None = None,
    ) -> None:
        """Give an interface (by default the first) its address, and a default gateway."""
        where = interface or self.interface
        self.unconfigure(where)
        where.assign(address)
        self.routes = ordered([*self.routes, *routes_of(where, address, gateway)])

    def unconfigure(self, interface: Interface | None = None) -> None:
        """Take address and routes from an interface (by default the first)."""
        where = interface or self.interface
        self.routes = tuple(route for route in self.routes if route.interface is not where)
        where.release()

    def receive(self, port: Port, frame: Frame) -> None:
        """Take a frame, and enter in the ledger what became of it."""
        interface = self.interfaces[port.number]
        data = frame.data
        mac = data[:6]
        if mac != interface.mac and mac != BROADCAST:
            self.drop(frame, DropReason.NOT_FOR_ME_L2)
            return
        handler = ETHERTYPES.get(data[_ETHERTYPE_AT:HEADER_LENGTH])
        if handler is None:
            short = len(data) < HEADER_LENGTH
            self.drop(frame, DropReason.MALFORMED if short else DropReason.UNKNOWN_PROTOCOL)
            return
        try:
            reason = handler(self, interface, frame)
        except ChecksumError as error:
            self.drop(frame, DropReason.BAD_CHECKSUM, str(error))
        except WireError as error:
            self.drop(frame, DropReason.MALFORMED, str(error))
        else:
            if reason is None:
                self.world.ledger.delivered += 1
            else:
                self.drop(frame, reason)

    def explain(self, port: Port, frame: Frame) -> list[str]:
        """Tell what the host would do with a frame, as far as its addresses decide."""
        interface = self.interfaces[port.number]
        data = frame.data
        ethertype = data[_ETHERTYPE_AT:HEADER_LENGTH]
        reason = None
        if data[:6] not in (interface.mac, BROADCAST):
            reason = DropReason.NOT_FOR_ME_L2
        elif len(data) < HEADER_LENGTH:
            reason = DropReason.MALFORMED
        elif ethertype not in ETHERTYPES:
            reason = DropReason.UNKNOWN_PROTOCOL
        elif ethertype == ETHERTYPE_IPV4:
            reason = _not_mine(interface, data)
        who = f"{self.name} ({interface.mac}, {interface.address or 'without an address'})"
        if reason is None:
            return [f"{who} takes the frame at {port.name}"]
        return [f"{who} drops the frame at {port.name}: {reason.value}"]

    def send_ip(
        self,
        dst: Ipv4,
        protocol: int,
        payload: bytes,
        *,
        cause: int = 0,
        ttl: int = DEFAULT_TTL,
        on_failure: Callable[[str], None] | None = None,
    ) -> Refusal | None:
        """Send an IPv4 packet from the address of the interface that leads to ``dst``.

        Args:
            dst: destination address.
            protocol: what the payload is.
            payload: the bytes behind the IP header.
            cause: the conversation that the packet belongs to.
            ttl: hops that it may take, 1 to 255.
            on_failure: told in words if the next hop does not answer ARP.

        Returns:
            why the packet was refused, or None if it was not.
        """
        found = self._route(dst)
        if not isinstance(found, Route):
            return found
        interface = found.interface
        assert interface.address is not None, "routes go with the address"
        packet = self._packet(interface, interface.address, dst, protocol, payload, ttl)
        if isinstance(packet, TooBig):
            return packet
        if dst == interface.address:
            interface.loop_back(packet, cause)
        elif dst in (BROADCAST_IPV4, interface.broadcast):
            interface.transmit(BROADCAST, packet, cause)
        else:
            interface.resolve_and_send(found.gateway or dst, packet, cause, on_failure)
        return None

    def send_on_link(
        self, interface: Interface, mac: Mac, src: Ipv4, dst: Ipv4, datagram: bytes, cause: int
    ) -> Refusal | None:
        """Send a UDP datagram to a MAC address of a link, with neither route nor ARP."""
        packet = self._packet(interface, src, dst, IpProtocol.UDP, datagram, DEFAULT_TTL)
        if isinstance(packet, TooBig):
            return packet
        interface.transmit(mac, packet, cause)
        return None

    def source_for(self, dst: Ipv4) -> Ipv4 | Refusal:
        """Return the address from which packets to ``dst`` are sent, or why none is."""
        found = self._route(dst)
        if not isinstance(found, Route):
            return found
        assert found.interface.address is not None, "routes go with the address"
        return found.interface.address

    def resolving(self, dst: Ipv4) -> Ipv4 | None:
        """Return the next hop to ``dst`` if packets wait for its ARP answer, else None."""
        found = self._route(dst)
        if not isinstance(found, Route):
            return None
        hop = found.gateway or dst
        return hop if found.interface.is_resolving(hop) else None

    def start_ping(
        self,
        target: Ipv4,
        count: int = DEFAULT_COUNT,
        *,
        interval_ns: int = DEFAULT_INTERVAL_NS,
        size: int = DEFAULT_SIZE,
        timeout_ns: int = DEFAULT_TIMEOUT_NS,
        cause: int = 0,
        on_done: Callable[[Ping], None] | None = None,
    ) -> Ping:
        """Send echo requests from now on; see :class:`~sdnvirt.host.ping.Ping`."""
        self._ping_identifier = self._ping_identifier % 0xFFFF + 1
        while self._ping_identifier in self.pings:
            self._ping_identifier = self._ping_identifier % 0xFFFF + 1
        ping = Ping(
            self, target, count, interval_ns=interval_ns, size=size, timeout_ns=timeout_ns,
            cause=cause, identifier=self._ping_identifier, on_done=on_done,
        )  # fmt: skip
        ping.start()
        return ping

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

    def _route(self, dst: Ipv4) -> Route | Refusal:
        if not self.routes:
            return NoAddress()
        if dst == BROADCAST_IPV4:
            return self.routes[0]
        # "This network", loopback and groups must not go by any route (RFC 1122, 3.2.1.3).
        if dst[0] in (0, 127) or dst[0] >= 224:
            return NoRoute(dst)
        return lookup(self.routes, dst) or NoRoute(dst)

    def _packet(
        self, interface: Interface, src: Ipv4, dst: Ipv4, protocol: int, payload: bytes, ttl: int
    ) -> bytes | TooBig:
        length = IPV4_HEADER + len(payload)
        if length > interface.mtu:
            return TooBig(length, interface.mtu)
        self._identification = identification = (self._identification + 1) & 0xFFFF
        # What is sent is never to be fragmented: path MTU discovery (RFC 1191) comes for free.
        return Ipv4Packet(
            src, dst, protocol, payload, ttl, identification=identification, dont_fragment=True
        ).emit()


def _receive_arp(_host: Host, interface: Interface, frame: Frame) -> DropReason | None:
    return interface.receive_arp(frame)


def _receive_ipv4(host: Host, interface: Interface, frame: Frame) -> DropReason | None:
    data = frame.data
    reason = _not_mine(interface, data)
    if reason is not None:
        return reason
    packet = Ipv4Packet.parse(data[HEADER_LENGTH:])
    if packet.is_fragment:
        return DropReason.FRAGMENT
    if _is_nobody(packet.src, interface, data):
        return DropReason.MALFORMED
    if interface.address is None and packet.protocol != IpProtocol.UDP:
        return DropReason.NO_ADDRESS
    handler = IP_PROTOCOLS.get(packet.protocol)
    if handler is None:
        icmp.report(host, interface, packet, frame, Unreachable.PROTOCOL)
        return DropReason.UNKNOWN_PROTOCOL
    return handler(host, interface, packet, frame)


def _not_mine(interface: Interface, data: bytes) -> DropReason | None:
    """Return why an IPv4 packet is not for this interface, by its addresses, or None if it is."""
    if len(data) < _IPV4_END:
        return DropReason.MALFORMED
    dst = data[_IPV4_DST_AT:_IPV4_END]
    address = interface.address
    if address is None:
        return None if interface.sockets else DropReason.NO_ADDRESS
    if dst == address:
        # A unicast packet in a broadcast frame is somebody's mistake (RFC 1122, 3.3.6).
        return DropReason.NOT_FOR_ME_L2 if data[0] & 1 else None
    if dst not in (BROADCAST_IPV4, interface.broadcast):
        return DropReason.NOT_FOR_ME_L3
    return None


def _is_nobody(src: Ipv4, interface: Interface, data: bytes) -> bool:
    """Whether nobody but a forger sends from this address (RFC 1122, 3.2.1.3)."""
    if src == interface.address:
        return data[6:12] != interface.mac
    return src.is_multicast or src in (BROADCAST_IPV4, interface.broadcast)


ETHERTYPES: Final[dict[bytes, EtherHandler]] = {
    ETHERTYPE_IPV4: _receive_ipv4,
    ETHERTYPE_ARP: _receive_arp,
}
"""What a host does with a frame, by its EtherType."""

IP_PROTOCOLS: Final[dict[int, IpHandler]] = {
    IpProtocol.ICMP: icmp.receive,
    IpProtocol.UDP: udp.receive,
}
"""What a host does with an IPv4 packet, by its protocol."""
