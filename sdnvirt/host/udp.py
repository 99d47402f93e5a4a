"""UDP sockets of a host (RFC 768; duties of hosts RFC 1122, 4.1.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ANY_IPV4, BROADCAST, BROADCAST_IPV4, Ipv4, Mac
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host import icmp
from sdnvirt.host.routes import Refusal
from sdnvirt.wire.icmp import Unreachable
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.udp import Udp

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

EPHEMERAL_PORTS: Final = range(49152, 65536)
"""Ports for sockets that ask for none (RFC 6335, section 6)."""

OnDatagram = Callable[[Ipv4, int, bytes, int], None]
"""Called with the sender's address and port, the payload, and the cause of the conversation."""


class UdpSocket:
    """A bound UDP socket.

    A socket that is bound to an interface receives only there, and works before the interface has
    an address: it then takes what reaches the MAC address and sends from 0.0.0.0, which is what a
    DHCP client needs (RFC 2131, section 4.1).

    Attributes:
        port: the local port.
        interface: the interface that it is bound to, or None for all.
    """

    __slots__ = ("_host", "_on_datagram", "_on_error", "interface", "port")

    def __init__(
        self,
        host: Host,
        port: int,
        on_datagram: OnDatagram,
        *,
        interface: Interface | None = None,
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        """Bind a port of a host.

        Args:
            host: the host.
            port: local port, free on the host, or 0 for one that is.
            on_datagram: called for every datagram that arrives.
            interface: the one interface to use, or None.
            on_error: told in words of a datagram that did not get through, as far as is known.
        """
        self._host = host
        self._on_datagram = on_datagram
        self._on_error = on_error
        self.interface = interface
        table = self._table()
        self.port = port or next(free for free in EPHEMERAL_PORTS if free not in table)
        assert self.port not in table, f"UDP port {port} of {host.name} is in use"
        table[self.port] = self

    def send(self, dst: Ipv4, port: int, payload: bytes, cause: int = 0) -> Refusal | None:
        """Send a datagram; return why it was refused, or None if it was not.

        Args:
            dst: destination address; 255.255.255.255 is the link of the interface.
            port: destination port.
            payload: the data.
            cause: the conversation that it belongs to.
        """
        if dst == BROADCAST_IPV4 and self.interface is not None:
            return self.send_to_mac(BROADCAST, dst, port, payload, cause)
        host = self._host
        source = host.source_for(dst)
        if not isinstance(source, Ipv4):
            return source
        datagram = Udp(self.port, port, payload).emit(source, dst)
        return host.send_ip(dst, IpProtocol.UDP, datagram, cause=cause, on_failure=self.failed)

    def send_to_mac(
        self, mac: Mac, dst: Ipv4, port: int, payload: bytes, cause: int = 0
    ) -> Refusal | None:
        """Send a datagram to a MAC address without ARP, as DHCP servers do (RFC 2131, 4.1)."""
        interface = self.interface
        assert interface is not None, "only a socket bound to an interface sends to MAC addresses"
        source = interface.address or ANY_IPV4
        datagram = Udp(self.port, port, payload).emit(source, dst)
        return self._host.send_on_link(interface, mac, source, dst, datagram, cause)

    def close(self) -> None:
        """Release the port."""
        del self._table()[self.port]

    def deliver(self, src: Ipv4, port: int, payload: bytes, cause: int) -> None:
        """Hand a datagram to the owner."""
        self._on_datagram(src, port, payload, cause)

    def failed(self, text: str) -> None:
        """Tell the owner that a datagram did not get through."""
        if self._on_error is not None:
            self._on_error(text)

    def _table(self) -> dict[int, UdpSocket]:
        return self._host.sockets if self.interface is None else self.interface.sockets


def receive(
    host: Host, interface: Interface, packet: Ipv4Packet, frame: Frame
) -> DropReason | None:
    """Take a UDP datagram; return why it was of no use, or None if a socket took it.

    Raises:
        WireError: the bytes are not a UDP datagram.
    """
    datagram = Udp.parse(packet.payload, packet.src, packet.dst)
    socket = interface.sockets.get(datagram.dst_port)
    if socket is None:
        if interface.address is None:
            return DropReason.NO_ADDRESS
        socket = host.sockets.get(datagram.dst_port)
    if socket is None:
        icmp.report(host, interface, packet, frame, Unreachable.PORT)
        return DropReason.PORT_UNREACHABLE
    socket.deliver(packet.src, datagram.src_port, datagram.payload, frame.provenance.cause)
    return None
