"""What an owner holds of a connection: callbacks, flow control, and the machine beneath.

The owner writes until less is accepted than offered, and goes on at :attr:`on_writable`; it pauses
reading when it cannot take more, and the peer's window closes. Callbacks may call every method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import IpAddress
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER, Scheduler
from sdnvirt.host.paths import Path
from sdnvirt.host.tcp import binding
from sdnvirt.host.tcp.congestion import CongestionControl
from sdnvirt.host.tcp.connection import Connection
from sdnvirt.host.tcp.isn import Ends
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.tcp.parameters import KeepAlive
from sdnvirt.host.tcp.states import State
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.tcp import Tcp

if TYPE_CHECKING:
    from sdnvirt.host.tcp.service import TcpService

CONFIRM_INTERVAL_NS: Final = NS_PER_S
"""How often the neighbour cache hears that the peer is reached (RFC 4861, 7.3.1)."""

_OVER = (State.CLOSED, State.TIME_WAIT)
_OPENING = (State.SYN_SENT, State.SYN_RECEIVED)


def _ignore(*_arguments: object) -> None:
    """Do nothing: the owner has not said what to do."""


class TcpConnection:
    """One end of a connection, as its owner sees it.

    Attributes:
        on_connected: called when the connection is established; for those that a listener made,
            the listener's callback is called instead.
        on_data: called with bytes in the order of the stream, unless reading is paused.
        on_eof: called once all that the peer sent before its FIN was handed over.
        on_writable: called when there is room again, after a write was not accepted whole.
        on_closed: called once, when nothing more can come or go: with why the connection was lost,
            or None if both ends closed it.
        local, remote: address and port of both ends.
        cause: the conversation that its packets belong to.
        hop_limit: routers that they may cross plus one, or None for the usual number (MUST-49).
        dscp: their differentiated services code point, 6 bits (MUST-48).
        path: the way to the peer.
        machine: the connection itself.
    """

    __slots__ = (
        "_armed_for", "_busy", "_confirm_ns", "_ended", "_paused", "_scheduler", "_service",
        "_short", "_told", "cause", "dscp", "hop_limit", "local", "machine", "on_closed",
        "on_connected", "on_data", "on_eof", "on_writable", "path", "remote",
    )  # fmt: skip

    def __init__(self, service: TcpService, machine: Connection, path: Path, cause: int) -> None:
        """Own a machine; made by :meth:`TcpService.connect` and by listeners only."""
        self._service = service
        self._scheduler: Scheduler = service.host.world.scheduler
        self.machine = machine
        self.path = path
        self.cause = cause
        self.hop_limit: int | None = None
        self.dscp = 0
        self.local: tuple[IpAddress, int] = (path.src, machine.local_port)
        self.remote: tuple[IpAddress, int] = (path.dst, machine.remote_port)
        self.on_connected: Callable[[], None] = _ignore
        self.on_data: Callable[[bytes], None] = _ignore
        self.on_eof: Callable[[], None] = _ignore
        self.on_writable: Callable[[], None] = _ignore
        self.on_closed: Callable[[Loss | None], None] = _ignore
        self._armed_for = NEVER
        self._confirm_ns = 0
        self._busy = self._paused = self._short = self._ended = False
        self._told = State.CLOSED
        """The last state that the owner knows of."""

    @property
    def ends(self) -> Ends:
        """The addresses and ports by which segments find the connection."""
        return (*self.local, *self.remote)

    @property
    def state(self) -> State:
        """Where the connection is."""
        return self.machine.state

    @property
    def writable(self) -> int:
        """How many bytes :meth:`write` would accept now."""
        return 0 if self.machine.sender.finished else self.machine.sender.buffer.free

    def write(self, data: bytes) -> int:
        """Send bytes; return how many were accepted, the first ones.

        If they are not all, :attr:`on_writable` is called when half of the buffer is free.
        """
        accepted = self.machine.write(data)
        self._short = accepted < len(data) and self.machine.state is not State.CLOSED
        self.settle()
        return accepted

    def set_no_delay(self, no_delay: bool) -> None:
        """Switch Nagle's algorithm off or on: whether small segments are sent at once."""
        self.machine.sender.no_delay = no_delay
        self.settle()

    def set_congestion(self, strategy: type[CongestionControl]) -> None:
        """Go on by another strategy of congestion control."""
        self.machine.sender.use(strategy)
        self.settle()

    def set_keep_alive(self, keep_alive: KeepAlive | None) -> None:
        """Send probes while nothing happens from now on, or none."""
        self.machine.set_keep_alive(keep_alive)
        self.settle()

    def pause_reading(self) -> None:
        """Hand nothing over for now; what arrives waits, and closes the window."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand over what waits and what comes."""
        self._paused = False
        self.settle()

    def shutdown_write(self) -> None:
        """Send no more than was written; the peer sees the end, and may go on sending."""
        self.machine.finish()
        self.settle()

    def close(self) -> None:
        """Send what was written, and receive no more.

        Data that wait unread, or come later, make it a RST (RFC 9293, 3.6.1).
        """
        self._paused = False
        self.machine.abandon(self._scheduler.now)
        self.settle()

    def abort(self) -> None:
        """End the connection at once with a RST; what waits to be sent is lost."""
        self.machine.abort()
        self.settle()

    def arrived(self, segment: Tcp, marked: bool) -> DropReason | None:
        """Take a segment; return why it was of no use, or None."""
        now = self._scheduler.now
        reason = self.machine.arrived(segment, now, marked)
        if now >= self._confirm_ns and self.machine.sender.progress_ns == now:
            self._confirm_ns = now + CONFIRM_INTERVAL_NS
            self.path.confirm()
        self.settle()
        return reason

    def crash(self) -> None:
        """The host lost its power: end without a word to the peer."""
        if self.state is State.TIME_WAIT:
            self.forget()
        else:
            self.machine.lose(Loss.ABORTED)
            self.settle()

    def forget(self) -> None:
        """Leave TIME-WAIT before its time."""
        self.machine.forget()
        self.settle()

    def unresolved(self, _text: str) -> None:
        """The next hop has no MAC address: so nobody can be reached, which ends an opening."""
        if self.machine.state is State.SYN_SENT:
            self.machine.lose(Loss.HOST_UNREACHABLE)
            self.settle()
        else:
            self.machine.soft_error = Loss.HOST_UNREACHABLE

    def unreachable(self, seq: int, loss: Loss) -> bool:
        """Take an ICMP error about the segment with a number; return whether it is ours."""
        taken = self.machine.unreachable(seq, loss)
        self.settle()
        return taken

    def too_big(self, seq: int) -> bool:
        """The segment with this number was too big for its path (RFC 1191, 6.4; RFC 8201)."""
        taken = self.machine.limit_path(seq, binding.room(self.path))
        self.settle()
        return taken

    def settle(self) -> None:
        """Tell the owner what is new, send what is to be sent, and set the timer."""
        if self._busy:  # a callback called a method
            return
        machine = self.machine
        self._busy = True
        try:
            self._tell()
            for segment, markable in machine.outgoing(self._scheduler.now):
                self._send(segment, markable)
        finally:
            self._busy = False
        due = machine.next_timeout()
        if due < self._armed_for:
            self._armed_for = due
            self._scheduler.call_at(due, self._fire, due)

    def _send(self, segment: Tcp, markable: bool) -> None:
        path = self.path
        if path.stale:
            zone = path.interface if path.dst.is_link_local else None
            found = self._service.host.ip.path(path.dst, path.src, zone)
            if not isinstance(found, Path):
                self.machine.soft_error = Loss.NETWORK_UNREACHABLE
                return  # lost, and sent again by and by
            self.path = path = found
        refusal = binding.send(
            path, segment, markable, self.cause, self.unresolved, self.hop_limit, self.dscp
        )
        if refusal is not None:
            # Another connection has learned of a smaller path MTU.
            self.machine.limit_path(segment.seq, binding.room(path))
            self._scheduler.call_at(self._scheduler.now, self._again)

    def _tell(self) -> None:
        """Call the owner about all that is new."""
        machine = self.machine
        if self._told is not machine.state:
            self._tell_opened()
        receiver = machine.receiver
        while receiver.buffer.unread and not self._paused:
            for data in machine.read():
                self.on_data(data)
        if receiver.fin is not None and not self._ended and receiver.drained:
            self._ended = True
            if not machine.loss and not machine.abandoned:
                self.on_eof()
        if self._short and 2 * self.writable >= machine.sender.buffer.capacity:
            self._short = False
            self.on_writable()
        if self._told is not machine.state:
            self._tell_closed()

    def _tell_opened(self) -> None:
        state = self.machine.state
        if self._told in _OPENING and state not in (*_OPENING, State.CLOSED):
            self._told = state
            self._service.established(self)
        elif self._told is State.CLOSED and state in _OPENING:
            self._told = state

    def _tell_closed(self) -> None:
        before, self._told = self._told, self.machine.state
        if self._told in _OVER:
            self._service.over(self)
            if before not in _OVER:
                self.on_closed(self.machine.loss)

    def _again(self, _argument: None) -> None:
        self.settle()

    def _fire(self, due: int) -> None:
        if due != self._armed_for:
            return  # an earlier deadline took the place of this one
        self._armed_for = NEVER
        self.machine.tick(self._scheduler.now)
        self.settle()

    def __repr__(self) -> str:
        (local, local_port), (remote, remote_port) = self.local, self.remote
        state = self.machine.state.value
        return f"<TcpConnection {local}:{local_port} {remote}:{remote_port} {state}>"
