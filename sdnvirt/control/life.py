"""An embedded controller that can be killed, stalled, and brought back.

Switches connect here for good. A killed controller closes its connections and refuses new ones,
which switches make again and again with growing delays; after a restart the apps begin anew and
remember nothing. A stalled one keeps its connections and does nothing at all, not even in time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sdnvirt.control.backoff import Backoff
from sdnvirt.control.embedded import EmbeddedController
from sdnvirt.control.rest import RestAnswer
from sdnvirt.devices.agent import ControllerSide
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.errors import ControllerError

STALLED_BYTES: Final = 1 << 20
"""What a switch can say to a stalled controller: about what the buffers of a TCP connection hold.
Messages beyond are lost, as packet-ins are in a switch whose queue is full."""


class ControllerLife:
    """The controller of a network, whatever becomes of it.

    Args:
        scheduler: the network's virtual time.
        start: starts the controller, and starts it again.

    Raises:
        ControllerError: it cannot be started.
    """

    def __init__(self, scheduler: Scheduler, start: Callable[[], EmbeddedController]) -> None:
        self._scheduler = scheduler
        self._start = start
        self._running: EmbeddedController | None = start()
        self._stalled = False
        self._sides: dict[Side, None] = {}
        self._backoffs: dict[int, Backoff] = {}

    # for switches and users

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> Side:
        """Connect a switch; see :class:`sdnvirt.devices.agent.ControllerPort`."""
        side = Side(self, dpid, deliver, closed)
        self._sides[side] = None
        if self._running is None:
            dial_at = self._backoffs.setdefault(dpid, Backoff()).next_dial(self._scheduler.now)
            self._scheduler.call_at(dial_at, self._dial, side)
        else:
            side.attach(self._running)
        return side

    def rest(self, method: str, path: str, body: Any = None) -> RestAnswer:
        """Send a REST app a request; see :meth:`EmbeddedController.rest`.

        Raises:
            ControllerError: as there; or the controller was killed, or is stalled.
        """
        if self._running is None or self._stalled:
            state = "was killed" if self._running is None else "is stalled"
            raise ControllerError(f"{method} {path}: the controller {state}")
        return self._running.rest(method, path, body)

    # faults

    def kill(self) -> None:
        """End the controller and its connections.

        Raises:
            ControllerError: it is dead already.
        """
        if self._running is None:
            raise ControllerError("the controller cannot be killed: it is dead already")
        self.resume()
        self.stop()
        for side in list(self._sides):
            side.end("the controller was killed")

    def restart(self) -> None:
        """Start the controller anew; switches connect when they next try to.

        Raises:
            ControllerError: it was not killed, or cannot be started.
        """
        if self._running is not None:
            raise ControllerError("the controller cannot be restarted: it was not killed")
        self._running = self._start()

    def stall(self) -> None:
        """Let the controller do nothing until :meth:`resume`.

        Raises:
            ControllerError: it is dead.
        """
        if self._running is None:
            raise ControllerError("the controller cannot stall: it is dead")
        self._stalled = True
        self._running.freeze()

    def resume(self) -> None:
        """Let a stalled controller go on: it finds all that has happened at once."""
        if self._stalled and self._running is not None:
            self._stalled = False
            for side in self._sides:
                side.held_bytes = 0
            self._running.thaw()

    def stop(self) -> None:
        """Stop the controller for good, without a word to the switches."""
        running, self._running = self._running, None
        if running is not None:
            running.stop()

    # for the sides

    def has_room(self, side: Side, size: int) -> bool:
        """Whether a switch may say so many bytes more."""
        if not self._stalled:
            return True
        side.held_bytes += size
        return side.held_bytes <= STALLED_BYTES

    def forget(self, side: Side) -> None:
        """A connection is over."""
        self._sides.pop(side, None)

    def later(self, callback: Callable[[Any], None], argument: Any) -> None:
        """Call back in this instant, but not from inside the caller."""
        self._scheduler.call_at(self._scheduler.now, callback, argument)

    def _dial(self, side: Side) -> None:
        if side not in self._sides:
            return  # the switch gave up
        if self._running is None:
            side.end("connection refused")
        else:
            side.attach(self._running)


class Side:
    """The controller's side of one switch's connection.

    Attributes:
        held_bytes: what the switch has said since the controller stalled.
    """

    __slots__ = ("_closed", "_deliver", "_dpid", "_inner", "_life", "held_bytes")

    def __init__(
        self,
        life: ControllerLife,
        dpid: int,
        deliver: Callable[[bytes], None],
        closed: Callable[[str], None],
    ) -> None:
        self._life = life
        self._dpid = dpid
        self._deliver = deliver
        self._closed = closed
        self._inner: ControllerSide | list[bytes] = []  # what is said before there is anybody
        self.held_bytes = 0

    def attach(self, controller: EmbeddedController) -> None:
        """Talk to a controller."""
        said = self._inner
        inner = self._inner = controller.connect(self._dpid, self._deliver, self.end)
        if isinstance(said, list):
            for data in said:
                inner.feed(data)

    def feed(self, data: bytes) -> None:
        """Send bytes to the controller."""
        if isinstance(self._inner, list):
            self._inner.append(data)  # a HELLO, and no more before the answer to it
        elif self._life.has_room(self, len(data)):
            self._inner.feed(data)

    def close(self) -> None:
        """Close the connection."""
        self._life.forget(self)
        if not isinstance(self._inner, list):
            self._inner.close()

    def end(self, reason: str) -> None:
        """Tell the switch that the connection is over."""
        self._life.forget(self)
        self._life.later(self._closed, reason)
