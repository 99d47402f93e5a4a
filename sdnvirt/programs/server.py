"""A port that a program listens at, as asyncio shows it."""

from __future__ import annotations

import asyncio
import socket
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

from sdnvirt.addresses import ANY_IPV6, IpAddress
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.listener import Listener
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.programs.connection import ConnectionTransport
from sdnvirt.programs.endpoint import Endpoint, name_of

if TYPE_CHECKING:
    from sdnvirt.host.stack import Host
    from sdnvirt.programs.loop import ProgramLoop


class Server(asyncio.AbstractServer):
    """Listens at one or several addresses of a host; see :class:`asyncio.Server`.

    Args:
        loop: the event loop.
        context: in which protocols are made and called.
        host: where it listens.
        places: addresses, None for all, and ports.
        backlog: connections that may be half open.
        factory: makes the protocol of each connection.
    """

    def __init__(
        self,
        loop: ProgramLoop,
        context: Context,
        host: Host,
        places: list[tuple[IpAddress | None, int]],
        backlog: int,
        factory: Callable[[], asyncio.BaseProtocol],
    ) -> None:
        self._loop = loop
        self._context = context
        self._host = host
        self._places = places
        self._backlog = backlog
        self._factory = factory
        self._listeners: list[Listener] = []
        self._open: dict[ConnectionTransport, None] = {}
        self._closed = False
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def sockets(self) -> tuple[Any, ...]:
        """What stands for the sockets: their names can be asked."""
        return tuple(
            Endpoint(socket.SOCK_STREAM, (one.address or ANY_IPV6, one.port))
            for one in self._listeners
        )

    def listen(self) -> None:
        """Begin to listen.

        Raises:
            OSError: an address is in use; then nothing listens.
        """
        if self._listeners or self._closed:
            return
        for address, port in self._places:
            made = self._host.tcp.listen(
                port, self._connected, address=address, backlog=self._backlog
            )
            if isinstance(made, Loss):
                self._stop()
                name = name_of(address or ANY_IPV6, port)
                raise OSError(
                    made.errno, f"error while attempting to bind on address {name!r}: {made}"
                )
            self._listeners.append(made)

    def get_loop(self) -> AbstractEventLoop:
        """Return the event loop."""
        return self._loop

    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return bool(self._listeners)

    async def start_serving(self) -> None:
        """Begin to accept connections."""
        self.listen()

    async def serve_forever(self) -> None:
        """Accept connections until the task is cancelled, and close then."""
        self.listen()
        try:
            await self._loop.create_future()
        finally:
            self.close()
            await self.wait_closed()

    def close(self) -> None:
        """Accept no more; connections that are open stay."""
        self._closed = True
        self._stop()
        self._check()

    def close_clients(self) -> None:
        """Close the connections that are open."""
        for transport in list(self._open):
            transport.close()

    def abort_clients(self) -> None:
        """End the connections that are open, at once."""
        for transport in list(self._open):
            transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and its connections are over."""
        if not self._closed or self._open:
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter

    def _stop(self) -> None:
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    def _connected(self, connection: TcpConnection) -> None:
        context = self._context.copy()
        transport = ConnectionTransport(self._loop, context, connection, self._forget)
        self._open[transport] = None
        self._loop.call_soon(self._accept, transport, context=context)

    def _accept(self, transport: ConnectionTransport) -> None:
        transport.begin(self._factory())

    def _forget(self, transport: ConnectionTransport) -> None:
        self._open.pop(transport, None)
        self._check()

    def _check(self) -> None:
        if self._closed and not self._open:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiters.clear()

    def __repr__(self) -> str:
        return f"<Server of {self._host.name} at {self._listeners}>"
