"""A control channel that takes time: what slow and distant controllers do to a network.

Put between the switches and any controller that lives in virtual time. Bytes travel for a fixed
time each way, so their order is kept; the end of a connection travels like bytes. Making a
connection takes no time of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sdnvirt.devices.agent import ControllerPort, ControllerSide
from sdnvirt.engine.scheduler import Scheduler


class DelayedController:
    """A controller at a distance.

    Args:
        controller: the controller.
        scheduler: the network's virtual time.
        delay_ns: how long bytes are on their way, in each direction, ns.
    """

    def __init__(self, controller: ControllerPort, scheduler: Scheduler, delay_ns: int) -> None:
        assert delay_ns >= 0
        self._controller = controller
        self._scheduler = scheduler
        self._delay_ns = delay_ns

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> DelayedSide:
        """Connect a switch; see :class:`sdnvirt.devices.agent.ControllerPort`."""
        side = DelayedSide(self._later)
        side.controller = self._controller.connect(
            dpid, side.bring_back(deliver), side.bring_back(closed)
        )
        return side

    def _later(self, callback: Callable[[Any], None], argument: Any) -> None:
        self._scheduler.call_at(self._scheduler.now + self._delay_ns, callback, argument)


class DelayedSide:
    """The controller's side of one switch's connection.

    Args:
        later: calls a function with an argument when the delay has passed.

    Attributes:
        controller: the side that the bytes are on their way to.
    """

    __slots__ = ("_hung_up", "_later", "controller")

    def __init__(self, later: Callable[[Callable[[Any], None], Any], None]) -> None:
        self._later = later
        self._hung_up = False
        self.controller: ControllerSide

    def feed(self, data: bytes) -> None:
        """Send bytes to the controller."""
        if not self._hung_up:
            self._later(self.controller.feed, data)

    def close(self) -> None:
        """Close the connection; what is on its way to the switch is not heard any more."""
        if not self._hung_up:
            self._hung_up = True
            self._later(self._close, None)

    def bring_back(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        """Return what takes the controller's bytes, or its hanging up, back to the switch."""

        def arrive(what: Any) -> None:
            if not self._hung_up:
                callback(what)

        return lambda what: self._later(arrive, what)

    def _close(self, _argument: None) -> None:
        self.controller.close()
