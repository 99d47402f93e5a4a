"""The TCP of one host: whom a segment belongs to, connections to make and to wait for.

Sequence numbers, ports and clocks come from the host's own random stream, so that a run can be
repeated. Every table is bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ANY_IPV4, ANY_IPV6, IpAddress, Ipv4
from sdnvirt.drops import DropReason
from sdnvirt.host.ephemeral import choose_port
from sdnvirt.host.paths import LinkPath, Path
from sdnvirt.host.tcp import binding
from sdnvirt.host.tcp.connection import Connection
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.isn import COOKIE_PERIOD_NS, Ends, SequenceNumbers
from sdnvirt.host.tcp.listener import DEFAULT_BACKLOG, Listener
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.tcp.parameters import DEFAULT_PARAMETERS, TcpParameters
from sdnvirt.host.tcp.sequence import MASK
from sdnvirt.host.tcp.states import State
from sdnvirt.wire.tcp import ACK, RST, SYN, SynOptions, Tcp

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

CONNECTION_LIMIT: Final = 20_000
"""Connections of one host: more than there are ports to one peer's service, and some 100 MB."""

TIME_WAIT_LIMIT: Final = 2048
"""Connections that linger in TIME-WAIT; the oldest are forgotten. At 2 MSL of 60 s a busy server
would otherwise keep each of its last 60 seconds' connections."""

_RIVALS: Final[dict[IpAddress | None, tuple[IpAddress | None, ...]]] = {
    None: (None, ANY_IPV4, ANY_IPV6),
    ANY_IPV4: (None, ANY_IPV4),
    ANY_IPV6: (None, ANY_IPV6),
}
"""Where nobody else may listen at the port of a listener that takes all addresses."""

SMALLEST_MSS: Final = {4: 536, 16: 1220}
"""What a peer takes that does not say, by the length of its address (RFC 9293, MUST-15)."""


class TcpService:
    """The TCP of a host.

    Attributes:
        host: the host.
        connections: by local address and port, and remote address and port.
        listeners: by port and the address that they are bound to, or None.
        parameters: how connections and listeners behave that are made from now on, those of
            programs and commands included, where nothing else is said.
    """

    __slots__ = (
        "_lingering", "_numbers", "_random", "connections", "host", "listeners", "parameters",
    )  # fmt: skip

    def __init__(self, host: Host) -> None:
        self.host = host
        self.connections: dict[Ends, TcpConnection] = {}
        self.listeners: dict[tuple[int, IpAddress | None], Listener] = {}
        self.parameters = DEFAULT_PARAMETERS
        self._lingering: dict[TcpConnection, None] = {}
        self._random = host.world.streams.stream(f"tcp {host.name}")
        self._numbers = SequenceNumbers(self._random.randbytes(16))

    def connect(
        self,
        dst: IpAddress,
        port: int,
        *,
        local_port: int = 0,
        local_address: IpAddress | None = None,
        interface: Interface | None = None,
        parameters: TcpParameters | None = None,
        cause: int = 0,
    ) -> TcpConnection | Loss:
        """Begin to connect to a port of another host, or of this one.

        Nothing is told of the connection before the caller gets it, so callbacks may be set then.

        Args:
            dst: the peer's address.
            port: the peer's port, 1 to 65535.
            local_port: ours, or 0 for one that is free.
            local_address: ours, or None for the one that the IP layer chooses.
            interface: the one to leave by, which link-local peers may need; by default that of the
                best route.
            parameters: how the connection behaves, or None for :attr:`parameters`.
            cause: the conversation that its packets belong to.

        Returns:
            the connection, or why there can be none: no way to such a peer, or no port left.
        """
        path = self.host.ip.path(dst, local_address, interface)
        # Nobody is reached at a group's address or everybody's (RFC 9293, MUST-46).
        if not isinstance(path, Path) or isinstance(path, LinkPath):
            return Loss.NETWORK_UNREACHABLE
        if len(self.connections) >= CONNECTION_LIMIT:
            return Loss.NO_PORT
        ends = self._free_ends(path, port, local_port)
        if ends is None:
            return Loss.NO_PORT
        connection = self._make(ends, path, parameters or self.parameters, cause)
        scheduler = self.host.world.scheduler
        connection.machine.open(scheduler.now)
        scheduler.call_at(scheduler.now, _settle, connection)
        return connection

    def listen(
        self,
        port: int,
        on_connection: Callable[[TcpConnection], None],
        *,
        address: IpAddress | None = None,
        backlog: int = DEFAULT_BACKLOG,
        parameters: TcpParameters | None = None,
    ) -> Listener | Loss:
        """Wait for connections to a port.

        Args:
            port: the port, 0 for one that is free.
            on_connection: called with each connection when it is established.
            address: the address to listen at; 0.0.0.0 or ``::`` for all of a version of IP, by
                default all of both.
            backlog: connections that may be half open at once, from 0; beyond, cookies are used.
            parameters: how the connections behave, or None for :attr:`parameters`.

        Returns:
            the listener, or Loss.IN_USE if another one is there.
        """
        if not port:
            taken = {number for number, _ in self.listeners}
            port = choose_port(self._random, lambda free: free not in taken) or 0
        rivals = _RIVALS.get(address, (address,))
        if not port or any((port, one) in self.listeners for one in rivals):
            return Loss.IN_USE
        listener = Listener(
            self, port, address, backlog, on_connection, parameters or self.parameters
        )
        self.listeners[port, address] = listener
        return listener

    def crash(self) -> None:
        """Forget all connections and listeners, without a word to the peers."""
        for connection in list(self.connections.values()):
            connection.crash()
        self.listeners.clear()

    def stop_listening(self, listener: Listener) -> None:
        """Take a listener away, with the connections that are half open."""
        self.listeners.pop((listener.port, listener.address), None)
        for connection in list(listener.half_open):
            connection.abort()

    def arrived(
        self, segment: Tcp, src: IpAddress, dst: IpAddress, marked: bool, cause: int
    ) -> DropReason | None:
        """Take a segment.

        Args:
            segment: the segment.
            src: where it came from.
            dst: the address of this host that it was sent to.
            marked: whether a router marked it instead of dropping it (CE, RFC 3168).
            cause: the conversation that it belongs to.

        Returns:
            why it was of no use, or None.
        """
        ends = (dst, segment.dst_port, src, segment.src_port)
        connection = self.connections.get(ends)
        if connection is not None:
            again = segment.flags & (SYN | ACK | RST) == SYN
            if not again or not self._makes_room(connection, segment):
                return connection.arrived(segment, marked)
        path = self.host.ip.path(src, dst)
        if not isinstance(path, Path):
            return DropReason.NO_ROUTE
        listener = self._listener(ends)
        if listener is None:
            self._refuse(segment, path, cause)
            return DropReason.PORT_UNREACHABLE
        return self._arrived_at(listener, segment, ends, path, cause)

    def established(self, connection: TcpConnection) -> None:
        """A connection has been opened: tell its owner or its listener."""
        listener = self._listener(connection.ends)
        if listener is not None and connection in listener.half_open:
            del listener.half_open[connection]
            listener.on_connection(connection)
        else:
            connection.on_connected()

    def over(self, connection: TcpConnection) -> None:
        """A connection is in TIME-WAIT, or is no more."""
        if connection.state is State.TIME_WAIT:
            self._lingering[connection] = None
            if len(self._lingering) > TIME_WAIT_LIMIT:
                next(iter(self._lingering)).forget()
            return
        self._lingering.pop(connection, None)
        if self.connections.get(connection.ends) is connection:
            del self.connections[connection.ends]
            del self.host.tcp_flows[_as_received(connection.ends)]
        listener = self._listener(connection.ends)
        if listener is not None:
            listener.half_open.pop(connection, None)

    def _listener(self, ends: Ends) -> Listener | None:
        address, port, _, _ = ends
        everywhere = ANY_IPV4 if isinstance(address, Ipv4) else ANY_IPV6
        for bound in (address, everywhere, None):
            found = self.listeners.get((port, bound))
            if found is not None:
                return found
        return None

    def _arrived_at(
        self, listener: Listener, segment: Tcp, ends: Ends, path: Path, cause: int
    ) -> DropReason | None:
        """Take a segment to a listener (RFC 9293, 3.10.7.2)."""
        flags = segment.flags
        if flags & RST:
            return DropReason.SEGMENT_UNEXPECTED
        if flags & ACK:
            if not flags & SYN and self._take_cookie(listener, segment, ends, path, cause):
                return None
            self._refuse(segment, path, cause)
            return DropReason.SEGMENT_UNEXPECTED
        if not flags & SYN:
            return DropReason.SEGMENT_UNEXPECTED
        if len(listener.half_open) >= listener.backlog:
            self._send_cookie(listener, segment, ends, path, cause)
            return None
        if len(self.connections) >= CONNECTION_LIMIT:
            return DropReason.CONNECTIONS_FULL
        connection = self._make(ends, path, listener.parameters, cause)
        listener.half_open[connection] = None
        connection.machine.accept(segment, self.host.world.scheduler.now)
        connection.settle()
        return None

    def _send_cookie(
        self, listener: Listener, syn: Tcp, ends: Ends, path: Path, cause: int
    ) -> None:
        now = self.host.world.scheduler.now
        listener.cookies += 1
        listener.last_cookie_ns = now
        mss = syn.syn_options.mss or SMALLEST_MSS[len(path.dst)]
        iss = self._numbers.cookie(ends, syn.seq, mss, now)
        window = min(listener.parameters.receive_buffer, 0xFFFF)
        answer = Tcp(
            ends[1], ends[3], iss, (syn.seq + 1) & MASK, SYN | ACK, window,
            syn_options=SynOptions(binding.room(path)),
        )  # fmt: skip
        binding.send(path, answer, False, cause)

    def _take_cookie(
        self, listener: Listener, segment: Tcp, ends: Ends, path: Path, cause: int
    ) -> bool:
        """Make the connection whose cookie comes back; return whether it was one."""
        now = self.host.world.scheduler.now
        last_ns = listener.last_cookie_ns
        if last_ns is None or now - last_ns > 2 * COOKIE_PERIOD_NS:
            return False  # so long ago that no cookie of ours is good any more
        irs, iss = (segment.seq - 1) & MASK, (segment.ack - 1) & MASK
        mss = self._numbers.read_cookie(ends, irs, iss, now)
        if mss is None or len(self.connections) >= CONNECTION_LIMIT:
            return False
        connection = self._make(ends, path, listener.parameters, cause, iss)
        listener.half_open[connection] = None
        syn = Tcp(ends[3], ends[1], irs, 0, SYN, segment.window, syn_options=SynOptions(mss))
        connection.machine.accept(syn, now)
        connection.machine.outgoing(now)  # was sent already
        connection.settle()
        connection.arrived(segment, False)
        return True

    def _make(
        self, ends: Ends, path: Path, parameters: TcpParameters, cause: int, iss: int | None = None
    ) -> TcpConnection:
        if iss is None:
            iss = self._numbers.initial(ends, self.host.world.scheduler.now)
        mss = (binding.room(path), SMALLEST_MSS[len(path.dst)])
        clock_offset = self._numbers.clock_offset(ends)
        machine = Connection((ends[1], ends[3]), iss, mss, parameters, clock_offset)
        connection = self.connections[ends] = TcpConnection(self, machine, path, cause)
        self.host.tcp_flows[_as_received(ends)] = connection
        return connection

    def _free_ends(self, path: Path, port: int, local_port: int) -> Ends | None:
        """Return ends that are not in use, with a local port by chance if none is said."""

        def ends(local: int) -> Ends:
            return path.src, local, path.dst, port

        def is_free(local: int) -> bool:
            return ends(local) not in self.connections

        if not local_port:
            chosen = choose_port(self._random, is_free)
            return None if chosen is None else ends(chosen)
        return ends(local_port) if is_free(local_port) else None

    def _makes_room(self, connection: TcpConnection, syn: Tcp) -> bool:
        """Whether a connection in TIME-WAIT gives room to a new one (RFC 9293, MAY-2)."""
        if not connection.machine.may_be_followed(syn):
            return False
        connection.forget()
        return True

    def _refuse(self, segment: Tcp, path: Path, cause: int) -> None:
        """Answer a segment of no connection by a RST (RFC 9293, 3.10.7.1)."""
        flags = segment.flags
        if flags & RST:
            return
        if flags & ACK:
            answer = Tcp(segment.dst_port, segment.src_port, segment.ack, 0, RST, 0)
        else:
            behind = (segment.seq + segment.length) & MASK
            answer = Tcp(segment.dst_port, segment.src_port, 0, behind, RST | ACK, 0)
        binding.send(path, answer, False, cause)


def _as_received(ends: Ends) -> bytes:
    """Return addresses and ports as they stand in a packet that arrives."""
    local, port, remote, remote_port = ends
    return remote + local + remote_port.to_bytes(2, "big") + port.to_bytes(2, "big")


def _settle(connection: TcpConnection) -> None:
    connection.settle()
