"""An asyncio transport over a UDP socket of a host."""

from __future__ import annotations

import asyncio
import errno
import socket
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final

from sdnvirt.addresses import ANY_IPV4, ANY_IPV6, IpAddress
from sdnvirt.host.icmp import Problem, Report
from sdnvirt.host.paths import Fragmentation, Path
from sdnvirt.host.routes import TooBig
from sdnvirt.host.tcp.binding import LOSSES
from sdnvirt.host.udp import UdpSocket
from sdnvirt.programs.datagram_options import Hops, options
from sdnvirt.programs.endpoint import Endpoint, name_of
from sdnvirt.programs.zones import Peer, peer_of, zone_of

if TYPE_CHECKING:
    from sdnvirt.host.stack import Host
    from sdnvirt.programs.loop import ProgramLoop


class DatagramTransport(asyncio.DatagramTransport):
    """A UDP socket as a program has it.

    Args:
        loop: the event loop.
        context: in which the protocol's methods are called.
        host: where the socket is.
        local: address and port to bind; port 0 for one that is free.
        peer: the only peer, or None.
        protocol: the program's end.

    Raises:
        OSError: the port is in use.
    """

    def __init__(
        self,
        loop: ProgramLoop,
        context: Context,
        host: Host,
        local: tuple[IpAddress, int],
        peer: Peer | None,
        protocol: asyncio.DatagramProtocol,
    ) -> None:
        address, port = local
        if port and (address, port) in host.sockets:
            name = f"{name_of(address, port)!r} of {host.name}"
            raise OSError(errno.EADDRINUSE, f"address already in use: {name}")
        self._socket = UdpSocket(
            host, port, self._on_datagram, address=address, on_error=self._on_error,
            fragmentation=Fragmentation.SENDER,  # what sockets do that programs know
        )  # fmt: skip
        remote = self._socket.remote = None if peer is None else (peer.address, peer.port)
        self._socket.on_report = self._on_report
        where = host.ip.owner(address)
        if peer is not None and address in WILDCARDS.values():
            path = host.ip.path(peer.address, None, peer.interface)
            if isinstance(path, Path):
                address, where = path.src, path.interface
        self._hops = Hops()
        endpoint = Endpoint(
            socket.SOCK_DGRAM, (address, self._socket.port), remote,
            0 if where is None else zone_of(where),
            options(host, self._socket, self._hops),
        )  # fmt: skip
        names: dict[str, Any] = {"socket": endpoint, "sockname": endpoint.getsockname()}
        names["peername"] = None if remote is None else endpoint.getpeername()
        super().__init__(names)
        self._loop = loop
        self._context = context
        self._host = host
        self._peer = peer
        self._protocol = protocol
        self._closing = False
        loop.transports[self] = None
        self._call(protocol.connection_made, self)

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """Send a datagram to the peer, or to an address and port.

        What cannot be sent is told to the protocol's ``error_received``.
        """
        if self._closing:
            return
        peer = self._peer
        if addr is not None:
            given = peer_of(self._host, addr)
            if peer is not None and given[:2] != peer[:2]:
                raise ValueError(f"invalid address: must be None or {name_of(*peer[:2])}")
            peer = peer or given
        if peer is None:
            raise ValueError("no peer, so an address is needed")
        own = self._socket.address
        if own is not None and type(own) is not type(peer.address):
            text = f"{peer.address} is not of the version of IP of a socket at {own}"
            self._call(self._tell, OSError(errno.EAFNOSUPPORT, text))
            return
        self._socket.hop_limit = self._hops.of(peer.address)
        where = peer.interface or (self._hops.by if peer.address.is_multicast else None)
        refusal = self._socket.send(peer.address, peer.port, bytes(data), interface=where)
        if refusal is not None:
            number = errno.EMSGSIZE if isinstance(refusal, TooBig) else errno.ENETUNREACH
            self._call(self._tell, OSError(number, str(refusal)))

    def is_closing(self) -> bool:
        """Whether the transport is closed."""
        return self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol go on."""
        assert isinstance(protocol, asyncio.DatagramProtocol)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        return self._protocol

    def close(self) -> None:
        """Release the port."""
        if not self._closing:
            self._closing = True
            self._socket.close()
            self._loop.transports.pop(self, None)
            self._call(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """Release the port: nothing of a datagram socket ever waits."""
        self.close()

    def _on_datagram(self, src: IpAddress, port: int, payload: bytes, _cause: int) -> None:
        came_by = self._socket.came_by
        scope = 0 if came_by is None else zone_of(came_by)
        self._call(self._deliver, payload, name_of(src, port, scope))

    def _on_error(self, text: str) -> None:
        self._call(self._tell, OSError(errno.EHOSTUNREACH, text))

    def _on_report(self, _dst: IpAddress, _port: int, report: Report) -> None:
        """Tell of an ICMP error, unless what is sent from now on is cut to the path's MTU."""
        if report.problem is not Problem.TOO_BIG:
            loss = None if report.problem is None else LOSSES.get(report.problem)
            number = errno.EPROTO if loss is None else loss.errno
            self._call(self._tell, OSError(number, str(report)))

    def _deliver(self, payload: bytes, sender: Any) -> None:
        if not self._closing:
            self._protocol.datagram_received(payload, sender)

    def _tell(self, error: OSError) -> None:
        if not self._closing:
            self._protocol.error_received(error)

    def _call(self, callback: Any, *arguments: Any) -> None:
        self._loop.call_soon(callback, *arguments, context=self._context)


WILDCARDS: Final[dict[socket.AddressFamily, IpAddress]] = {
    socket.AF_INET: ANY_IPV4,
    socket.AF_INET6: ANY_IPV6,
}
"""Where a socket is bound that says no address, by family."""
