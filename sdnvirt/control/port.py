"""What the network sees of a controller, embedded or remote.

The network states the same two shapes for itself (it lies below this layer); they agree by
structure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class ControllerSide(Protocol):
    """The controller's side of one switch's connection."""

    def feed(self, data: bytes) -> None:
        """Send bytes from the switch to the controller, in pieces of any size."""

    def close(self) -> None:
        """Close the connection; neither callback is called afterwards."""


class ControllerPort(Protocol):
    """Where switches connect."""

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> ControllerSide:
        """Connect a switch, after a back-off if its last connection ended lately.

        Args:
            dpid: the datapath id.
            deliver: called with bytes from the controller, in pieces of any size.
            closed: called once, with a reason, when the controller ends the connection or cannot
                be reached; a switch answers by calling ``connect`` again with a fresh channel.
        """
