"""An asyncio transport over a TCP connection of a host."""

from __future__ import annotations

import asyncio
import socket
from asyncio import BufferedProtocol, Protocol
from collections import deque
from collections.abc import Callable
from contextvars import Context
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

from sdnvirt.host.tcp.loss import Loss
from sdnvirt.programs.connection_options import ConnectionOptions
from sdnvirt.programs.endpoint import Endpoint
from sdnvirt.programs.zones import zone_of

if TYPE_CHECKING:
    from sdnvirt.host.tcp.endpoint import TcpConnection
    from sdnvirt.programs.loop import ProgramLoop

HIGH_WATER: Final = 64 * 1024
"""Bytes that wait beside the connection's own buffer until the protocol is told to pause, as in
asyncio's transports."""


_END: Final = b""
"""Arrives behind all data: the peer sends no more."""


class State(Enum):
    """How far the end of a transport has come."""

    OPEN = auto()
    CLOSING = auto()
    """The program hears no more, and what waits is still sent."""
    CLOSED = auto()
    """The connection is given up, and the protocol told so, or about to be."""


TRANSITIONS: Final = {
    State.OPEN: (State.CLOSING, State.CLOSED),
    State.CLOSING: (State.CLOSED,),
    State.CLOSED: (),
}


class ConnectionTransport(asyncio.Transport):
    """A connection as a program has it.

    Args:
        loop: the event loop.
        context: in which the protocol's methods are called.
        connection: the connection, which may still be opening.
        server: told when the connection is over, if a server made it.
    """

    def __init__(
        self,
        loop: ProgramLoop,
        context: Context,
        connection: TcpConnection,
        server: Callable[[ConnectionTransport], None] | None = None,
    ) -> None:
        endpoint = Endpoint(
            socket.SOCK_STREAM,
            connection.local,
            connection.remote,
            zone_of(connection.path.interface),
            ConnectionOptions(connection).table(),
        )
        super().__init__(
            {
                "socket": endpoint,
                "sockname": endpoint.getsockname(),
                "peername": endpoint.getpeername(),
            }
        )
        self._loop = loop
        self._context = context
        self._connection = connection
        self._protocol: asyncio.BaseProtocol = asyncio.Protocol()
        self._server = server
        self._state = State.OPEN
        self._held: list[tuple[Any, ...]] | None = []  # calls, until the protocol is there
        self._arrived: deque[bytes] = deque()
        self._delivering = False  # whether it is to be delivered in this turn of the loop
        self._reading = True
        self._unsent = bytearray()
        self._high, self._low = HIGH_WATER, HIGH_WATER // 4
        self._choked = False  # whether the protocol is to write no more for now
        self._finished = False  # whether it has said that it writes no more at all
        loop.transports[self] = None
        connection.on_data = self._on_data
        connection.on_eof = self._on_eof
        connection.on_writable = self._on_writable
        connection.on_closed = self._on_closed

    def begin(self, protocol: asyncio.BaseProtocol) -> asyncio.Future[None]:
        """Let a protocol have the connection; return what is done when it knows."""
        done = self._loop.create_future()
        self._loop.call_soon(self._begin, protocol, done, context=self._context)
        return done

    def _begin(self, protocol: asyncio.BaseProtocol, done: asyncio.Future[None]) -> None:
        self._protocol = protocol
        held, self._held = self._held or [], None
        protocol.connection_made(self)
        for call in held:
            self._call(*call)
        if not done.done():
            done.set_result(None)

    # what the program does

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Let another protocol go on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return the protocol."""
        return self._protocol

    def is_closing(self) -> bool:
        """Whether the transport is closed or about to be."""
        return self._state is not State.OPEN

    def is_reading(self) -> bool:
        """Whether the protocol gets data."""
        return self._reading and self._state is State.OPEN

    def pause_reading(self) -> None:
        """Hand no data to the protocol; the peer's window closes."""
        if self.is_reading():
            self._reading = False
            self._connection.pause_reading()

    def resume_reading(self) -> None:
        """Hand data to the protocol again."""
        if not self._reading and self._state is State.OPEN:
            self._reading = True
            self._schedule()
            self._connection.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set how much may wait before the protocol is told to pause, and until it may go on."""
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        low = high // 4 if low is None else low
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low
        self._regulate()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """Return the low and the high limit."""
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        """Return how many bytes wait beside the connection's own buffer."""
        return len(self._unsent)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes; what the connection does not take now waits here."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes-like, not {type(data).__name__}")
        if self._finished:
            raise RuntimeError("write after write_eof")
        if self._state is not State.OPEN or not data:
            return
        taken = 0 if self._unsent else self._connection.write(bytes(data))
        if taken < len(data):
            self._unsent += memoryview(data)[taken:]
            self._regulate()

    def can_write_eof(self) -> bool:
        """Whether one direction can be ended alone: a TCP connection can be half closed."""
        return True

    def write_eof(self) -> None:
        """End our direction once all has been sent."""
        if not self._finished and self._state is State.OPEN:
            self._finished = True
            self._send()

    def close(self) -> None:
        """Send what waits, then close the connection."""
        if self._state is State.OPEN:
            self._become(State.CLOSING)
            self._arrived.clear()
            self._send()

    def abort(self) -> None:
        """End the connection at once with a RST, unless it was closed and nothing waits here."""
        if self._state is State.CLOSED:
            return
        self._connection.abort()
        self._end(None)

    # what the connection tells

    def _on_data(self, data: bytes) -> None:
        if self._state is State.OPEN:
            self._arrived.append(data)
            self._schedule()

    def _on_eof(self) -> None:
        self._on_data(_END)

    def _on_writable(self) -> None:
        self._call(self._send)

    def _on_closed(self, loss: Loss | None) -> None:
        self._call(self._lost, loss)

    # in the loop

    def _become(self, state: State) -> None:
        assert state in TRANSITIONS[self._state]
        self._state = state

    def _call(self, callback: Callable[..., Any], *arguments: Any) -> None:
        if self._held is not None:
            self._held.append((callback, *arguments))
        else:
            self._loop.call_soon(callback, *arguments, context=self._context)

    def _schedule(self) -> None:
        if not self._delivering:
            self._delivering = True
            self._call(self._deliver)

    def _deliver(self) -> None:
        """Hand what has arrived to the protocol, as far as it wants it."""
        self._delivering = False
        while self._arrived and self._state is State.OPEN:
            if not self._reading and self._arrived[0] is not _END:
                break
            self._hand_over(self._arrived.popleft())

    def _hand_over(self, data: bytes) -> None:
        protocol = self._protocol
        if data is _END:
            assert isinstance(protocol, Protocol | BufferedProtocol)
            if not protocol.eof_received():
                self.close()
        elif isinstance(protocol, BufferedProtocol):
            view = memoryview(data)
            while view:
                buffer = protocol.get_buffer(len(view))
                size = min(len(view), len(memoryview(buffer)))
                memoryview(buffer)[:size] = view[:size]
                protocol.buffer_updated(size)
                view = view[size:]
        else:
            assert isinstance(protocol, Protocol)
            protocol.data_received(data)

    def _send(self) -> None:
        """Give the connection what waits; then end what was to be ended behind it."""
        if self._state is State.CLOSED:
            return
        if self._unsent:
            del self._unsent[: self._connection.write(bytes(self._unsent))]
            self._regulate()
        if self._unsent:
            return
        if self._state is State.CLOSING:
            self._connection.close()
            self._end(None)
        elif self._finished:
            self._connection.shutdown_write()

    def _regulate(self) -> None:
        """Tell the protocol to pause writing, or to go on."""
        if not self._choked and len(self._unsent) > self._high:
            self._choked = True
            self._protocol.pause_writing()
        elif self._choked and len(self._unsent) <= self._low:
            self._choked = False
            self._protocol.resume_writing()

    def _lost(self, loss: Loss | None) -> None:
        if loss is not None:
            self._end(OSError(loss.errno, str(loss)))
        elif self._state is State.CLOSING:
            self._end(None)
        # Else both ends are closed: the protocol was told the end of data.

    def _end(self, error: OSError | None) -> None:
        if self._state is not State.CLOSED:
            self._become(State.CLOSED)
            self._unsent.clear()
            self._loop.transports.pop(self, None)
            self._call(self._farewell, error)

    def _farewell(self, error: OSError | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            if self._server is not None:
                self._server(self)

    def __repr__(self) -> str:
        return f"<ConnectionTransport {self._connection!r}>"
