"""Remote controllers: any OpenFlow controller, over TCP, in real time.

Each switch dials by itself, as real ones do. All sockets are non-blocking and watched by one
selector while the network, which is paced by the real clock, has nothing to do. A controller that
reads slowly, or not at all, never stops the network.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from sdnvirt.control.address import ControllerAddress, reason
from sdnvirt.control.backoff import Backoff
from sdnvirt.engine.pacing import Pacer
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.errors import ControllerError
from sdnvirt.units import NS_PER_S

SEND_LIMIT: Final = 1 << 20
"""Bytes that may wait for one switch's controller; about 700 full packets. Past it the connection
is given up: it is stuck, and what a controller would read later is no longer true."""

READ_SIZE: Final = 1 << 16
"""Bytes read from a socket at once; the size of the longest OpenFlow message."""


class State(Enum):
    """What a connection is doing."""

    WAITING = auto()
    """for its turn to dial"""
    DIALLING = auto()
    OPEN = auto()
    CLOSED = auto()


class RemoteSide:
    """The controller's side of one switch's connection."""

    __slots__ = ("_controller", "closed", "deliver", "dial_at", "outgoing", "socket", "state")

    def __init__(
        self,
        controller: RemoteController,
        deliver: Callable[[bytes], None],
        closed: Callable[[str], None],
        dial_at: int,
    ) -> None:
        self._controller = controller
        self.deliver = deliver
        self.closed = closed
        self.dial_at = dial_at
        self.state = State.WAITING
        self.outgoing = bytearray()
        self.socket: socket.socket | None = None

    def feed(self, data: bytes) -> None:
        """Send bytes to the controller, or keep them until it takes them."""
        if self.state is not State.CLOSED:
            self.outgoing += data
            if self.state is State.OPEN:
                self._controller.flush(self)

    def close(self) -> None:
        """Close the connection."""
        self._controller.forget(self)


class RemoteController:
    """A controller at an address, for all switches of a network.

    Args:
        address: where it listens, as ``tcp:HOST[:PORT]``.
        scheduler: the network's virtual time.
        on_error: called, once, when the controller cannot be reached and never could. Once it was
            reached, switches try again for ever.
        clock: real time in nanoseconds, monotonic.

    Attributes:
        pacer: runs the scheduler in real time, and the connections meanwhile.

    Raises:
        ControllerError: the address is none, or its name is unknown.
    """

    def __init__(
        self,
        address: str,
        scheduler: Scheduler,
        on_error: Callable[[ControllerError], None],
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.pacer = Pacer(scheduler, clock, self._wait)
        self._address = ControllerAddress.parse(address)
        self._on_error = on_error
        self._clock = clock
        self._family, self._target = self._address.resolve()
        self._selector = selectors.DefaultSelector()
        self._waiting: list[RemoteSide] = []
        self._sides: list[RemoteSide] = []
        self._lost: list[tuple[RemoteSide, str]] = []
        self._backoffs: dict[int, Backoff] = {}
        self._reached = False
        self._given_up = False

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> RemoteSide:
        """Connect a switch; see :class:`sdnvirt.control.port.ControllerPort`.

        The callbacks are called while the pacer waits.
        """
        dial_at = self._backoffs.setdefault(dpid, Backoff()).next_dial(self._clock())
        side = RemoteSide(self, deliver, closed, dial_at)
        self._waiting.append(side)
        return side

    def close(self) -> None:
        """Close every connection; no callback is called any more."""
        for side in (*self._waiting, *self._sides):
            self.forget(side)
        self._selector.close()

    def flush(self, side: RemoteSide) -> None:
        """Send what a side has to send, as far as the socket takes it."""
        assert side.socket is not None
        try:
            if side.outgoing:
                del side.outgoing[: side.socket.send(side.outgoing)]
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(side, reason(error))
            return
        if len(side.outgoing) > SEND_LIMIT:
            self._lose(side, f"the controller does not read; {SEND_LIMIT} bytes wait for it")
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if side.outgoing else 0)
        if self._selector.get_key(side.socket).events != events:
            self._selector.modify(side.socket, events, side)

    def forget(self, side: RemoteSide) -> None:
        """Close a side's socket and do nothing for it any more."""
        if side in self._waiting:
            self._waiting.remove(side)
        if side.socket is not None:
            self._sides.remove(side)
            self._selector.unregister(side.socket)
            side.socket.close()
            side.socket = None
        side.state = State.CLOSED

    def _wait(self, ns: int) -> None:
        """Wait for something from the controller, at most for a time; hand over what came."""
        now = self._clock()
        for side in [side for side in self._waiting if side.dial_at <= now]:
            self._dial(side)
        if self._lost:
            ns = 0
        for side in self._waiting:
            ns = min(ns, side.dial_at - now)
        for key, events in self._selector.select(max(0, ns) / NS_PER_S):
            self._serve(key.data, events)
        lost, self._lost = self._lost, []
        for side, why in lost:
            self._tell_lost(side, why)

    def _dial(self, side: RemoteSide) -> None:
        self._waiting.remove(side)
        side.socket = socket.socket(self._family, socket.SOCK_STREAM)
        side.socket.setblocking(False)
        side.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        side.state = State.DIALLING
        self._sides.append(side)
        self._selector.register(side.socket, selectors.EVENT_WRITE, side)
        try:
            side.socket.connect(self._target)
        except BlockingIOError:
            pass
        except OSError as error:
            self._lose(side, reason(error))

    def _serve(self, side: RemoteSide, events: int) -> None:
        # A callback of another side may have closed this one a moment ago.
        if side.state is State.DIALLING:
            self._finish_dialling(side)
        elif side.state is State.OPEN:
            if events & selectors.EVENT_WRITE:
                self.flush(side)
            if events & selectors.EVENT_READ and side.state is State.OPEN:
                self._read(side)

    def _finish_dialling(self, side: RemoteSide) -> None:
        assert side.socket is not None
        error = side.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._lose(side, reason(OSError(error, "")))
        else:
            self._reached = True
            side.state = State.OPEN
            self.flush(side)

    def _read(self, side: RemoteSide) -> None:
        assert side.socket is not None
        try:
            data = side.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(side, reason(error))
            return
        if data:
            side.deliver(data)
        else:
            self._lose(side, "the controller closed the connection")

    def _lose(self, side: RemoteSide, why: str) -> None:
        """Give a connection up; the switch hears of it when the pacer waits, not in feed()."""
        self.forget(side)
        self._lost.append((side, why))

    def _tell_lost(self, side: RemoteSide, why: str) -> None:
        if self._reached:
            side.closed(why)
        elif not self._given_up:
            self._given_up = True
            self._on_error(ControllerError(f"controller {self._address}: {why}"))
