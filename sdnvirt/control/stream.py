"""One connection of real time: a non-blocking socket with a bounded buffer, secured or not."""

from __future__ import annotations

import socket
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

from sdnvirt.control.address import reason
from sdnvirt.control.tls import Coding, TlsError
from sdnvirt.control.transport import READ, WRITE, Transport

SEND_LIMIT: Final = 1 << 20
"""Bytes that may wait for one controller; about 700 full packets. Past it the connection is given
up: it is stuck, and what a controller would read later is no longer true."""

READ_SIZE: Final = 1 << 16
"""Bytes read from a socket at once; the size of the longest OpenFlow message."""

PIECE_SIZE: Final = 128
"""Bytes handed over at once. As many bytes of requests may have answers of two megabytes, and take
a third of a second; what follows waits until those answers are on their way."""


class State(Enum):
    """What a connection is doing."""

    CONNECTING = auto()
    SECURING = auto()
    OPEN = auto()
    CLOSED = auto()


class Stream:
    """A connection to a controller.

    Args:
        transport: watches the socket.
        connection: the socket.
        coding: how bytes are written on the wire.
        received: called with bytes of the controller's, in pieces of any size; not while bytes
            wait for the controller, so that one which asks and does not read has to wait.
        lost: called once, with a reason, when the connection ended; in an event of its own, never
            from inside :meth:`send`.

    Attributes:
        state: what the connection is doing.
    """

    def __init__(
        self,
        transport: Transport,
        connection: socket.socket,
        coding: Coding,
        received: Callable[[bytes], None],
        lost: Callable[[str], None],
    ) -> None:
        transport.adopt(connection)
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.state = State.CONNECTING
        self._transport = transport
        self._socket = connection
        self._coding = coding
        self._received = received
        self._lost = lost
        self._unsent = bytearray()
        self._outgoing = bytearray()
        self._incoming = bytearray()
        self._silent = False

    def dial(self, target: Any) -> None:
        """Connect to an address."""
        self._transport.watch(self._socket, WRITE, self._serve)
        try:
            self._socket.connect(target)
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(reason(error))

    def begin(self) -> None:
        """Use the socket, which is connected."""
        self.state = State.SECURING
        self._coding.start()
        self._advance()

    def send(self, data: bytes) -> None:
        """Send bytes, or keep them until the controller takes them."""
        if self.state is State.OPEN:
            self._coding.send(data)
            self._flush()
        elif self.state is not State.CLOSED:
            self._unsent += data

    def close(self) -> None:
        """Close the connection; no callback is called any more."""
        self._silent = True
        if self.state is State.OPEN:
            self._coding.close()
            self._flush()
        self._shut()

    def _serve(self, events: int) -> None:
        if self.state is State.CONNECTING:
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self._lose(reason(OSError(error, "")))
            else:
                self.begin()
            return
        if events & WRITE:
            self._flush()
            self._hand_over()
        if events & READ and self.state is not State.CLOSED:
            self._read()

    def _read(self) -> None:
        try:
            data = self._socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(reason(error))
            return
        if not data:
            self._lose("the controller closed the connection")
            return
        try:
            said = self._coding.receive(data)
        except TlsError as error:
            self._flush()  # the alert that tells the other side
            self._lose(str(error))
            return
        self._incoming += said
        self._advance()
        self._hand_over()

    def _hand_over(self) -> None:
        """Hand over what was read, as long as the answers find their way out."""
        while self._incoming and not self._outgoing and self.state is State.OPEN:
            piece = bytes(self._incoming[:PIECE_SIZE])
            del self._incoming[:PIECE_SIZE]
            self._received(piece)
        if self._coding.ended and not self._incoming:
            self._lose("the controller closed the connection")

    def _advance(self) -> None:
        """Send what had to wait until the connection was secured."""
        if self.state is State.SECURING and self._coding.established:
            self.state = State.OPEN
            if self._unsent:
                self._coding.send(bytes(self._unsent))
                self._unsent.clear()
        self._flush()

    def _flush(self) -> None:
        """Send as much as the socket takes, and watch it for what it is needed for."""
        if self.state is State.CLOSED:
            return
        self._outgoing += self._coding.outgoing()
        try:
            if self._outgoing:
                del self._outgoing[: self._socket.send(self._outgoing)]
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(reason(error))
            return
        if len(self._outgoing) > SEND_LIMIT:
            self._lose(f"the controller does not read; {SEND_LIMIT} bytes wait for it")
            return
        events = WRITE if self._outgoing else READ
        if not self._incoming:
            events |= READ
        self._transport.watch(self._socket, events, self._serve)

    def _lose(self, why: str) -> None:
        if self.state is not State.CLOSED:
            self._shut()
            scheduler = self._transport.scheduler
            scheduler.call_at(scheduler.now, self._tell_lost, why)

    def _tell_lost(self, why: str) -> None:
        if not self._silent:
            self._lost(why)

    def _shut(self) -> None:
        self.state = State.CLOSED
        self._transport.forget(self._socket)
