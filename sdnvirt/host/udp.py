"""UDP sockets of a host (RFC 768; duties of hosts RFC 1122, 4.1.3), over both versions of IP."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import (
    ANY_IPV4,
    ANY_IPV6,
    BROADCAST,
    BROADCAST_IPV4,
    IpAddress,
    Ipv4,
    Mac,
)
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host import icmp
from sdnvirt.host.ephemeral import choose_port
from sdnvirt.host.families import FAMILIES
from sdnvirt.host.icmp import Problem, Report
from sdnvirt.host.paths import Fragmentation, LinkPath, Path
from sdnvirt.host.routes import Refusal, TooBig
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.udp import HEADER_LENGTH, Udp

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

MAX_PAYLOAD: Final = 0xFFFF - HEADER_LENGTH
"""The length field is 16 bits."""

_PROTOCOL: Final = int(IpProtocol.UDP)  # plain integers are packed faster

SocketKey = tuple[IpAddress | None, int]
"""Where a socket is bound: an address, 0.0.0.0 or ``::`` for all of a version of IP, or None for
all of both; and a port."""

OnDatagram = Callable[[IpAddress, int, bytes, int], None]
"""Called with the sender's address and port, the payload, and the cause of the conversation."""

OnReport = Callable[[IpAddress, int, Report], None]
"""Called with the destination and port of a datagram, and the ICMP error about it."""


class UdpSocket:
    """A bound UDP socket.

    A socket that is bound to an interface receives only there, and works before the interface has
    an address: it then takes what reaches the MAC address and sends from 0.0.0.0, which is what a
    DHCP client needs (RFC 2131, section 4.1).

    Attributes:
        port: the local port.
        address: the local address that it is bound to, or None for all.
        interface: the interface that it is bound to, or None for all.
        remote: address and port that it is connected to: it takes datagrams from there only.
        fragmentation: who may fragment what it sends.
        on_report: told of ICMP errors in place of what is told in words, or None, as Linux's
            error queue (IP_RECVERR).
        hop_limit: routers that what it sends may cross plus one, or None for the usual number;
            for groups that is 1 (RFC 1112, 6.1).
        came_by: the interface by which the datagram came that was handed over last, or None.
        dscp: differentiated services code point of what it sends, 6 bits.
    """

    __slots__ = (
        "_groups", "_host", "_on_datagram", "_on_error", "address", "came_by", "dscp",
        "fragmentation", "hop_limit", "interface", "on_report", "port", "remote",
    )  # fmt: skip

    def __init__(
        self,
        host: Host,
        port: int,
        on_datagram: OnDatagram,
        *,
        address: IpAddress | None = None,
        interface: Interface | None = None,
        fragmentation: Fragmentation = Fragmentation.NOBODY,
        on_error: Callable[[str], None] | None = None,
    ) -> None:
        """Bind a port of a host.

        Args:
            host: the host.
            port: local port, free on the host, or 0 for one that is, by chance (RFC 6056).
            on_datagram: called for every datagram that arrives.
            address: the one local address to use; 0.0.0.0 or ``::`` for all of a version of IP, or
                None for all of both.
            interface: the one interface to use, or None.
            fragmentation: who may fragment what it sends; by default it learns that a datagram
                is too big.
            on_error: told in words of a datagram that did not get through, as far as is known.

        Raises:
            OSError: no port is free.
        """
        self._host = host
        self._on_datagram = on_datagram
        self._on_error = on_error
        self.address = address
        self.interface = interface
        self.fragmentation = fragmentation
        self.hop_limit: int | None = None
        self.on_report: OnReport | None = None
        self.dscp = 0
        self.came_by: Interface | None = None
        self.remote: tuple[IpAddress, int] | None = None
        self._groups: dict[tuple[IpAddress, Interface], None] = {}
        table = self._table()
        self.port = port or self._free_port(table)
        assert (address, self.port) not in table, f"UDP port {port} of {host.name} is in use"
        table[address, self.port] = self

    def send(
        self,
        dst: IpAddress,
        port: int,
        payload: bytes,
        cause: int = 0,
        interface: Interface | None = None,
    ) -> Refusal | None:
        """Send a datagram; return why it was refused, or None if it was not.

        Args:
            dst: destination address; 255.255.255.255 is the link of the interface. A group goes by
                the interface of the socket, where the socket joined it, by a route for it, or by
                the first interface.
            port: destination port.
            payload: the data.
            cause: the conversation that it belongs to.
            interface: the one to leave by, which link-local destinations may need; by default the
                socket's.
        """
        if dst == BROADCAST_IPV4 and self.interface is not None:
            return self.send_to_mac(BROADCAST, BROADCAST_IPV4, port, payload, cause)
        source = self.address if self.address and any(self.address) else None
        where = interface or self.interface
        if where is None and self._groups:
            where = next((joined for group, joined in self._groups if group == dst), None)
        path = self._host.ip.path(dst, source, where)
        if not isinstance(path, Path) and dst.is_multicast:
            path = self._host.ip.path(dst, source, self._host.interface)
        if not isinstance(path, Path):
            return path
        return self._send(path, port, payload, cause)

    def send_to_mac(
        self, mac: Mac, dst: Ipv4, port: int, payload: bytes, cause: int = 0
    ) -> Refusal | None:
        """Send a datagram to a MAC address without ARP, as DHCP servers do (RFC 2131, 4.1)."""
        interface = self.interface
        assert interface is not None, "only a socket bound to an interface sends to MAC addresses"
        source = interface.address or ANY_IPV4
        path = LinkPath(self._host.ip, FAMILIES[Ipv4], interface, source, dst, mac)
        return self._send(path, port, payload, cause)

    def join(self, group: IpAddress, interface: Interface | None = None) -> bool:
        """Take datagrams to a group, too; return whether there was room for one more.

        Args:
            group: the group.
            interface: where to listen; by default the socket's, else the first of the host.
        """
        where = interface or self.interface or self._host.interface
        if (group, where) in self._groups:
            return True
        if not where.join(group):
            return False
        self._groups[group, where] = None
        return True

    def leave(self, group: IpAddress, interface: Interface | None = None) -> None:
        """Take datagrams to a group no longer; the reverse of :meth:`join`."""
        where = interface or self.interface or self._host.interface
        if (group, where) in self._groups:
            del self._groups[group, where]
            where.leave(group)

    def close(self) -> None:
        """Release the port, and leave the groups."""
        for group, where in list(self._groups):
            self.leave(group, where)
        table, key = self._table(), (self.address, self.port)
        if table.get(key) is self:  # a crash took it already, and somebody else may be there
            del table[key]

    def deliver(self, src: IpAddress, port: int, payload: bytes, cause: int) -> None:
        """Hand a datagram to the owner."""
        self._on_datagram(src, port, payload, cause)

    def failed(self, text: str) -> None:
        """Tell the owner that a datagram did not get through."""
        if self._on_error is not None:
            self._on_error(text)

    def reported(self, dst: IpAddress, port: int, report: Report) -> None:
        """Tell the owner of an ICMP error about a datagram of his."""
        if self.on_report is not None:
            self.on_report(dst, port, report)
        else:
            self.failed(str(report))

    def _send(self, path: Path, port: int, payload: bytes, cause: int) -> Refusal | None:
        if len(payload) > MAX_PAYLOAD:
            return TooBig(HEADER_LENGTH + len(payload), HEADER_LENGTH + MAX_PAYLOAD)
        datagram = Udp(self.port, port, payload).emit_between(path.template.addresses)
        return path.send(
            _PROTOCOL, datagram, hop_limit=self.hop_limit, dscp=self.dscp,
            fragmentation=self.fragmentation, cause=cause, on_failure=self.failed,
        )  # fmt: skip

    def _free_port(self, table: dict[SocketKey, UdpSocket]) -> int:
        random = self._host.world.streams.stream(f"udp {self._host.name}")
        chosen = choose_port(random, lambda port: (self.address, port) not in table)
        if chosen is None:
            text = f"all ephemeral UDP ports of {self._host.name} are in use"
            raise OSError(errno.EADDRINUSE, text)
        return chosen

    def _table(self) -> dict[SocketKey, UdpSocket]:
        return self._host.sockets if self.interface is None else self.interface.sockets


def receive(host: Host, interface: Interface, packet: IpPacket, frame: Frame) -> DropReason | None:
    """Take a UDP datagram; return why it was of no use, or None if a socket took it.

    Raises:
        WireError: the bytes are not a UDP datagram.
    """
    datagram = Udp.parse(packet.payload, packet.src, packet.dst)
    port = datagram.dst_port
    socket = _find(interface.sockets, packet.dst, port) if interface.sockets else None
    if socket is None:
        if interface.address is None and isinstance(packet.dst, Ipv4):
            return DropReason.NO_ADDRESS
        socket = _find(host.sockets, packet.dst, port)
    if socket is None or (
        socket.remote is not None and socket.remote != (packet.src, datagram.src_port)
    ):
        icmp.report(
            host, interface, packet, Problem.PORT, group_frame=bool(frame.data[0] & 1),
            cause=frame.provenance.cause,
        )  # fmt: skip
        return DropReason.PORT_UNREACHABLE
    socket.came_by = interface
    socket.deliver(packet.src, datagram.src_port, datagram.payload, frame.provenance.cause)
    return None


def datagram_failed(host: Host, quoted: IpPacket, report: Report) -> bool:
    """Tell the socket whose datagram an ICMP error is about; return whether there is one."""
    if len(quoted.payload) < HEADER_LENGTH:
        return False
    port = int.from_bytes(quoted.payload[:2], "big")
    tables = [host.sockets, *(one.sockets for one in host.all_interfaces())]
    for table in tables:
        socket = _find(table, quoted.src, port)
        if socket is not None:
            dst_port = int.from_bytes(quoted.payload[2:4], "big")
            socket.reported(quoted.dst, dst_port, report)
            return True
    return False


def _find(table: dict[SocketKey, UdpSocket], dst: IpAddress, port: int) -> UdpSocket | None:
    """Return the socket that a datagram is for: the one that is bound most closely."""
    found = table.get((None, port))
    if len(table) == 1 and found is not None:
        return found
    wildcard = ANY_IPV4 if isinstance(dst, Ipv4) else ANY_IPV6
    return table.get((dst, port)) or table.get((wildcard, port)) or found
