"""Runs the DHCP client of :mod:`sdnvirt.host.dhcp_client` on an interface of a host.

Before it has an address the host takes what reaches its MAC address, so servers may answer to the
offered address without the broadcast flag (RFC 2131, section 4.1).
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from sdnvirt.addresses import BROADCAST, BROADCAST_IPV4, IpAddress, Ipv4
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.dhcp_client import Configure, Deconfigure, DhcpClient, Effect, Send
from sdnvirt.host.dhcp_states import Lease
from sdnvirt.host.paths import NeighbourPath
from sdnvirt.host.udp import UdpSocket
from sdnvirt.wire.dhcpv4 import CLIENT_PORT, SERVER_PORT, Dhcpv4

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host


class DhcpService:
    """The DHCP client program of one interface.

    Attributes:
        client: the machine that it runs.
    """

    __slots__ = (
        "_armed_for", "_broadcast", "_cause", "_configured", "_host", "_interface", "_link_mtu",
        "_on_bound", "_previous", "_socket", "client",
    )  # fmt: skip

    def __init__(
        self,
        host: Host,
        interface: Interface,
        *,
        broadcast: bool = False,
        previous: Ipv4 | None = None,
        cause: int = 0,
        on_bound: Callable[[Lease], None] | None = None,
    ) -> None:
        """Prepare the program; see :meth:`Host.start_dhcp` for the arguments."""
        self._host = host
        self._interface = interface
        self._previous = previous
        self._cause = cause
        self._on_bound = on_bound
        self._link_mtu = interface.mtu
        self._configured: tuple[IPv4Interface, tuple[Ipv4, ...]] | None = None
        self._armed_for = NEVER
        self._broadcast = broadcast
        self.client = self._new_client()
        self._socket = self._new_socket()

    @property
    def lease(self) -> Lease | None:
        """The lease that the interface has, or None."""
        return self.client.lease

    @property
    def active(self) -> bool:
        """Whether it has a lease, or asks for one."""
        return self.client.next_timeout() != NEVER or self.client.lease is not None

    def start_at(self, time_ns: int) -> None:
        """Begin at a time (ns)."""
        self._host.world.scheduler.call_at(time_ns, self._start)

    def release(self, on_done: Callable[[], None] | None = None) -> None:
        """Give the address back to its server and stop.

        The address is kept until the server's MAC address is known, so that the message can leave
        before the address does.

        Args:
            on_done: called when the address has been given up.
        """

        def leave() -> None:
            self._carry_out(self.client.release(self._host.world.scheduler.now))
            if on_done is not None:
                on_done()

        lease = self.lease
        path = None if lease is None else self._host.ip.path(lease.server, lease.ip)
        if isinstance(path, NeighbourPath):
            path.interface.resolver(path.next_hop).resolve(path.next_hop, leave, self._cause)
        else:
            leave()

    def crash(self) -> None:
        """The host lost its power: forget the lease, without a word to its server."""
        self._socket.close()
        self.client = self._new_client()
        self._deconfigure()

    def restart(self) -> None:
        """Begin anew after a crash."""
        self._socket = self._new_socket()
        self._start(None)

    def _new_client(self) -> DhcpClient:
        random = self._host.world.streams.stream(f"dhcp {self._interface.port.full_name}")
        return DhcpClient(
            self._interface.mac, random, broadcast=self._broadcast, hostname=self._host.name[:255]
        )

    def _new_socket(self) -> UdpSocket:
        return UdpSocket(self._host, CLIENT_PORT, self._received, interface=self._interface)

    def _start(self, _argument: None) -> None:
        self._carry_out(self.client.start(self._host.world.scheduler.now, self._previous))

    def _received(self, _src: IpAddress, _port: int, payload: bytes, _cause: int) -> None:
        # A WireError from here is the stack's to count, as for every protocol below.
        message = Dhcpv4.parse(payload)
        self._carry_out(self.client.receive(message, self._host.world.scheduler.now))

    def _tick(self, _argument: None) -> None:
        self._armed_for = NEVER
        self._carry_out(self.client.tick(self._host.world.scheduler.now))

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(message, dst):
                    self._send(message, dst)
                case Configure(lease):
                    self._configure(lease)
                case Deconfigure():
                    self._deconfigure()
        scheduler = self._host.world.scheduler
        # Of a lease that took long to come, T1 may have passed.
        due = max(self.client.next_timeout(), scheduler.now)
        if due < self._armed_for:
            self._armed_for = due
            scheduler.call_at(due, self._tick)

    def _send(self, message: Dhcpv4, dst: Ipv4) -> None:
        payload = message.emit()
        if dst == BROADCAST_IPV4:
            self._socket.send_to_mac(BROADCAST, dst, SERVER_PORT, payload, self._cause)
        else:
            self._socket.send(dst, SERVER_PORT, payload, self._cause)

    def _deconfigure(self) -> None:
        self._configured = None
        self._interface.mtu = self._link_mtu
        self._host.unconfigure(self._interface)

    def _configure(self, lease: Lease) -> None:
        # The link sets the limit; what a server says can only be less.
        self._host.dns_servers = lease.dns_servers
        self._interface.mtu = min(lease.mtu or self._link_mtu, self._link_mtu)
        given = (lease.address, lease.routers[:1])
        if given == self._configured:
            return  # renewed: connections and neighbours stay
        self._configured = given
        gateway = lease.routers[0] if lease.routers else None
        self._host.configure(lease.address, gateway, self._interface)
        if self._on_bound is not None:
            self._on_bound(lease)
