"""The asyncio event loop of a network, whose time is virtual and whose sockets are the hosts' own.

Tasks, timers, futures, streams and queues are asyncio's. What would reach the real world is either
done on the emulated host of the running program or refused in words by
:class:`~sdnvirt.programs.refusals.RefusingLoop`.
"""

from __future__ import annotations

import asyncio
import contextvars
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVarTuple, Unpack
from weakref import WeakSet

from sdnvirt.addresses import IpAddress
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.host.stack import Host
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.programs.clock import Clockwork, Pause
from sdnvirt.programs.connection import ConnectionTransport
from sdnvirt.programs.crashes import END_ROUNDS, Crashes
from sdnvirt.programs.datagrams import WILDCARDS, DatagramTransport
from sdnvirt.programs.endpoint import address_of, family_of, port_of
from sdnvirt.programs.handles import Handles
from sdnvirt.programs.place import BOOT, HOST, here
from sdnvirt.programs.refusals import RANDOM, REAL, SHARED, RefusingLoop, refuse
from sdnvirt.programs.resolver import AddressInfo, resolve
from sdnvirt.programs.server import Server
from sdnvirt.programs.tasks import HostTask, make_task, number_of
from sdnvirt.programs.zones import Peer, peer_of
from sdnvirt.units import NS_PER_S

_Ts = TypeVarTuple("_Ts")

Place = tuple[IpAddress | None, int]
"""An address of a host, None for any, and a port, 0 for one that is free."""

OnProblem = Callable[[Host | None, BaseException | None, str], None]
"""Told of what went wrong and was not caught: on which host, the exception, and what was done."""


class ProgramLoop(RefusingLoop):
    """The event loop of the programs of one network.

    Args:
        scheduler: the network's virtual time.
        on_problem: told of exceptions that nobody caught.

    Attributes:
        transports: those that are open, in the order in which they were opened.
    """

    _asyncgens: WeakSet[AsyncGenerator[Any, Any]]  # both are asyncio's
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, scheduler: Scheduler, on_problem: OnProblem) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._on_problem = on_problem
        self._selector = pause = Pause(scheduler, self.stop)  # where asyncio waits
        self._clock_resolution = 1 / NS_PER_S
        self._crashes = Crashes(self._tasks)
        self._clockwork = Clockwork(scheduler, self, pause, self._crashes.go_on)
        self._handles = Handles()
        self.transports: dict[ConnectionTransport | DatagramTransport, None] = {}
        self.set_task_factory(make_task)  # type: ignore[arg-type]
        self.set_exception_handler(_tell)

    # time

    def time(self) -> float:
        """Return the virtual time, seconds."""
        return self._scheduler.now / NS_PER_S

    def call_soon(
        self,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Run a callback when the network has done its part of this instant."""
        handle = super().call_soon(callback, *args, context=context)
        if not self.is_running():
            self._clockwork.wake()
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[_Ts]], object],
        *args: *_Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run a callback at a virtual time, seconds; but for a host that crashed no time comes."""
        handle = super().call_at(when, callback, *args, context=context)
        if self._crashes.ended(handle):
            handle.cancel()
        if not self.is_running():
            self._clockwork.wake()
        return handle

    # connections

    async def create_connection(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | None = None,
        port: int | str | None = None,
        *,
        ssl: Any = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: socket.socket | None = None,
        local_addr: tuple[str, int] | None = None,
        server_hostname: str | None = None,
        **_timing: Any,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connect the program's host to a port; see :meth:`asyncio.loop.create_connection`.

        The addresses of a name are tried one after the other.

        Raises:
            OSError: nobody could be reached, the last error of each address.
        """
        if ssl:
            refuse("TLS", RANDOM)
        if sock is not None:
            transport = self._handles.take(sock)
        else:
            infos = await self.getaddrinfo(
                host, port, family=family, type=socket.SOCK_STREAM, proto=proto, flags=flags
            )
            transport = await self._connect_to_any(infos, await self._local(local_addr))
        protocol = protocol_factory()
        await transport.begin(protocol)
        return transport, protocol

    async def _connect_to_any(self, infos: list[AddressInfo], local: Place) -> ConnectionTransport:
        errors: list[OSError] = []
        for *_, name in infos:
            try:
                return await self._connect(peer_of(here(), name), local)
            except OSError as error:
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        raise OSError(f"multiple exceptions: {', '.join(map(str, errors))}")

    async def _connect(self, peer: Peer, local: Place = (None, 0)) -> ConnectionTransport:
        host, (address, port, interface) = here(), peer
        own, local_port = local
        if own is not None and type(own) is not type(address):
            raise OSError(
                Loss.NO_PORT.errno, f"{own} cannot be the source of what goes to {address}"
            )
        own = own if own and any(own) else None
        made = host.tcp.connect(
            address, port, local_port=local_port, local_address=own, interface=interface
        )
        if isinstance(made, Loss):
            raise OSError(made.errno, f"{host.name} to {address} port {port}: {made}")
        opened: asyncio.Future[None] = self.create_future()
        transport = ConnectionTransport(self, contextvars.copy_context(), made)

        def succeed() -> None:
            if not opened.done():
                opened.set_result(None)

        def fail(loss: Loss | None) -> None:
            if not opened.done():
                reason = loss or Loss.ABORTED
                text = f"{host.name} to {address} port {port}: {reason}"
                opened.set_exception(OSError(reason.errno, text))

        on_closed = made.on_closed
        made.on_connected = succeed
        made.on_closed = fail
        try:
            await opened
        except asyncio.CancelledError:
            made.abort()
            raise
        made.on_closed = on_closed
        return transport

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect a socket object, which from then on stands for an emulated connection.

        Raises:
            OSError: nobody could be reached.
        """
        self._handles.bind(sock, await self._connect(peer_of(here(), address)))

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        host: str | list[str] | None = None,
        port: int | None = None,
        *,
        family: int = 0,
        flags: int = 0,
        sock: socket.socket | None = None,
        backlog: int = 100,
        ssl: Any = None,
        reuse_port: bool | None = None,
        start_serving: bool = True,
        **_options: Any,
    ) -> Server:
        """Listen on the program's host; see :meth:`asyncio.loop.create_server`.

        Raises:
            OSError: an address is not this host's, or is in use.
        """
        if ssl:
            refuse("TLS", RANDOM)
        if sock is not None:
            refuse("a socket that is bound already", REAL)
        if reuse_port:
            refuse("reuse_port", SHARED)
        names = host if isinstance(host, list | tuple) else [host]
        places = [(own, port_of(port)) for name in names for own in await self._own(name, family)]
        server = Server(self, contextvars.copy_context(), here(), places, backlog, protocol_factory)
        if start_serving:
            server.listen()
        return server

    async def create_datagram_endpoint(  # type: ignore[override]
        self,
        protocol_factory: Callable[[], asyncio.DatagramProtocol],
        local_addr: tuple[str, int] | None = None,
        remote_addr: tuple[str, int] | None = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_port: bool | None = None,
        sock: socket.socket | None = None,
        **_options: Any,
    ) -> tuple[DatagramTransport, asyncio.DatagramProtocol]:
        """Open a UDP socket on the program's host; see asyncio's method of this name.

        Raises:
            OSError: the address is not this host's, or the port is in use.
        """
        if sock is not None:
            refuse("a socket that is bound already", REAL)
        if reuse_port:
            refuse("reuse_port", SHARED)
        peer = None
        if remote_addr is not None:
            infos = await self.getaddrinfo(
                *remote_addr[:2], family=family, type=socket.SOCK_DGRAM, proto=proto, flags=flags
            )
            name = infos[0][-1]
            peer = peer_of(here(), (*name[:2], *(remote_addr[2:] or name[2:])))
        address, port = await self._local(local_addr, family)
        if address is None:
            kind = socket.AddressFamily(family or socket.AF_INET)
            address = WILDCARDS[kind if peer is None else family_of(peer.address)]
        local = address, port
        protocol = protocol_factory()
        transport = DatagramTransport(
            self, contextvars.copy_context(), here(), local, peer, protocol
        )
        await asyncio.sleep(0)  # let the protocol know its transport, as asyncio does
        return transport, protocol

    # names

    async def getaddrinfo(  # type: ignore[override]
        self,
        host: str | bytes | None,
        port: str | int | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[AddressInfo]:
        """Return the addresses of a name, as the program's host knows them.

        Raises:
            socket.gaierror: the name has none.
        """
        text = host.decode() if isinstance(host, bytes) else host
        return await resolve(here(), text, port_of(port), family, type, flags)

    async def _own(self, name: str | None, family: int = 0) -> list[IpAddress | None]:
        """Return the addresses of a host that a server is to listen at; None is all.

        Raises:
            OSError: they are none of this host's.
        """
        if not name:
            return [None]
        infos = await self.getaddrinfo(name, None, family=family, type=socket.SOCK_STREAM)
        host, found = here(), [address_of(sockname[0]) for *_, sockname in infos]
        for address in found:
            if any(address) and host.ip.owner(address) is None:
                raise OSError(Loss.NO_PORT.errno, f"{address} is not an address of {host.name}")
        return [*found]

    async def _local(self, given: tuple[str | None, int] | None, family: int = 0) -> Place:
        """Return the address, None for any, and the port that a socket is to have here."""
        if given is None:
            return None, 0
        return (await self._own(given[0], family))[0], port_of(given[1])

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """Return address and port as text."""
        address, port, interface = peer_of(here(), sockaddr)
        zone = "" if interface is None else f"%{interface.name}"
        return f"{address}{zone}", str(port)

    # what asyncio asks of its loops

    def _process_events(self, event_list: list[Any]) -> None:
        assert not event_list

    def _asyncgen_finalizer_hook(self, agen: Any) -> None:
        """Let a generator that nobody iterates any more clean up, in this thread as all is."""
        self._asyncgens.discard(agen)
        if not self.is_closed():
            self.call_soon(self.create_task, agen.aclose())

    # programs

    def put(self, host: Host, program: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Make a task that runs on a host from this instant on."""
        context = contextvars.copy_context()
        context.run(HOST.set, host)
        context.run(BOOT.set, self._crashes.boot(host))
        return self.create_task(program, name=name, context=context)

    def tell(self, context: dict[str, Any]) -> None:
        """Hand on what nobody caught, with the host that asyncio's words about it lead to."""
        future = context.get("future")
        host = future.host if isinstance(future, HostTask) else None
        for about in ("handle", "transport"):
            inside: Context | None = getattr(context.get(about), "_context", None)
            if host is None and inside is not None:
                host = inside.get(HOST)
        self._on_problem(host, context.get("exception"), context["message"])

    def kill(self, host: Host) -> None:
        """End all that runs on a host: tasks get asyncio.CancelledError, timers never go off.

        Who waits for something again gets it again, END_ROUNDS times at most, all at this instant;
        nothing comes any more of what the rest waits for.
        """
        for timer in self._scheduled:
            if timer._context.get(HOST) is host:  # type: ignore[attr-defined]
                timer.cancel()
        self._crashes.add(host)

    def end(self) -> None:
        """Cancel all programs, let them clean up at this instant, and close the loop.

        What a program waits for while it cleans up does not come any more, so it is cancelled
        again, END_ROUNDS times at most.
        """
        if self.is_closed():
            return
        for _ in range(END_ROUNDS):
            for transport in list(self.transports):
                transport.abort()
            for task in self._tasks():
                task.cancel()
            self._clockwork.pump(self._scheduler.now)
        self.close()

    def _tasks(self) -> list[HostTask]:
        """Return the tasks that have not ended, in the order in which they were made."""
        tasks = [one for one in asyncio.all_tasks(self) if isinstance(one, HostTask)]
        return sorted(tasks, key=number_of)


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    assert isinstance(loop, ProgramLoop)
    loop.tell(context)
