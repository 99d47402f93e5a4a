"""Remote controllers: any OpenFlow controller, over TCP or TLS, in real time.

Each switch dials by itself, as real ones do. A controller that reads slowly, or not at all, never
stops the network.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from sdnvirt.control.address import ControllerAddress, reason
from sdnvirt.control.backoff import Backoff
from sdnvirt.control.stream import State, Stream
from sdnvirt.control.tls import Coding, Plain, Tls, TlsFiles
from sdnvirt.control.transport import Transport
from sdnvirt.devices.auxiliary import AUXILIARY_ID_MAX
from sdnvirt.engine.scheduler import Timer
from sdnvirt.errors import ControllerError


class RemoteSide:
    """The controller's side of one switch's connection.

    Args:
        stream: the connection, which is not dialled yet.
        dialling: when it will be.
    """

    __slots__ = ("_dialling", "_stream")

    def __init__(self, stream: Stream, dialling: Timer) -> None:
        self._stream = stream
        self._dialling = dialling

    @property
    def state(self) -> State:
        """What the connection is doing."""
        return self._stream.state

    def feed(self, data: bytes) -> None:
        """Send bytes to the controller, or keep them until it takes them."""
        self._stream.send(data)

    def close(self) -> None:
        """Close the connection."""
        self._dialling.cancel()
        self._stream.close()


class Line:
    """One of the connections that each switch has to a controller; each has its own back-off.

    Args:
        open_connection: connects a switch, given its back-off and its callbacks.
    """

    def __init__(
        self,
        open_connection: Callable[
            [Backoff, Callable[[bytes], None], Callable[[str], None]], RemoteSide
        ],
    ) -> None:
        self._open = open_connection
        self._backoffs: dict[int, Backoff] = {}

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> RemoteSide:
        """Connect a switch; see :class:`sdnvirt.devices.agent.ControllerPort`."""
        return self._open(self._backoffs.setdefault(dpid, Backoff()), deliver, closed)


class RemoteController:
    """A controller at an address, for all switches of a network.

    Args:
        address: where it listens, as ``tcp:HOST[:PORT]`` or ``ssl:HOST[:PORT]``.
        transport: sockets and real time.
        on_error: called, once, when the connection of a switch fails before the controller has
            said anything to any. Once it has, switches try again for ever.
        tls: private key and certificates, for ``ssl:``.
        source: the address to dial from, by default any.
        auxiliary_connections: how many each switch opens beside its main connection, at most
            AUXILIARY_ID_MAX.

    Attributes:
        auxiliaries: where switches open their auxiliary connections.

    Raises:
        ControllerError: the address is none, its name is unknown, a file for TLS is wrong, or
            there are too many auxiliary connections.
    """

    def __init__(
        self,
        address: str,
        transport: Transport,
        on_error: Callable[[ControllerError], None],
        tls: TlsFiles | None = None,
        source: str | None = None,
        auxiliary_connections: int = 0,
    ) -> None:
        self._address = ControllerAddress.parse(address)
        self._source = source
        self._transport = transport
        self._on_error = on_error
        if self._address.secured and tls is None:
            raise ControllerError(
                f"controller {self._address}: TLS needs a private key, a certificate and a "
                "CA certificate"
            )
        self._context = (
            tls.context(server_side=False) if tls is not None and self._address.secured else None
        )
        if not 0 <= auxiliary_connections <= AUXILIARY_ID_MAX:
            raise ControllerError(
                f"controller {self._address}: {auxiliary_connections} auxiliary connections: "
                f"expected 0 to {AUXILIARY_ID_MAX}"
            )
        self._family, self._target = self._address.resolve()
        self._main = Line(self._open)
        self.auxiliaries = tuple(Line(self._open) for _ in range(auxiliary_connections))
        self._heard = False
        self._given_up = False

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> RemoteSide:
        """Connect a switch; see :class:`sdnvirt.devices.agent.ControllerPort`."""
        return self._main.connect(dpid, deliver, closed)

    def _open(
        self, backoff: Backoff, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> RemoteSide:
        def received(data: bytes) -> None:
            self._heard = True
            deliver(data)

        def lost(why: str) -> None:
            if self._heard:
                closed(why)
            elif not self._given_up:
                self._given_up = True
                self._on_error(ControllerError(f"controller {self._address}: {why}"))

        scheduler = self._transport.scheduler
        dial_at = backoff.next_dial(scheduler.now)
        connection = self._socket()
        stream = Stream(self._transport, connection, self._coding(), received, lost)
        dialling = scheduler.timer(dial_at - scheduler.now, lambda: stream.dial(self._target))
        return RemoteSide(stream, dialling)

    def _socket(self) -> socket.socket:
        try:
            connection = socket.socket(self._family, socket.SOCK_STREAM)
            self._transport.adopt(connection)
            if self._source is not None:
                connection.bind((self._source, 0))
        except OSError as error:
            raise ControllerError(f"controller {self._address}: {reason(error)}") from error
        return connection

    def _coding(self) -> Coding:
        return Plain() if self._context is None else Tls(self._context, server_side=False)
