"""A socket without a network: Ryu's end of the control channel of one switch.

It has the few methods that ``ryu.controller.controller.Datapath`` calls. What the controller sends
and its hanging up go into an *outbox*, which the embedded controller empties when the controller
is idle: so code of the network never runs inside a controller's greenlet.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from greenlet import getcurrent

from sdnvirt.control.hub import VirtualHub

Outbox = deque[tuple[Callable[[Any], None], Any]]
"""What the network is to be told: a callback and its argument, in order."""


class VirtualSocket:
    """The controller's end of a connection.

    Args:
        hub: the hub that the controller's greenlets run on.
        outbox: takes what the network is to be told.
        deliver: called, from the outbox, with each piece of bytes that the controller sends.
        closed: called, from the outbox, with a reason when the controller hangs up.
    """

    def __init__(
        self,
        hub: VirtualHub,
        outbox: Outbox,
        deliver: Callable[[bytes], None],
        closed: Callable[[str], None],
    ) -> None:
        self._hub = hub
        self._outbox = outbox
        self._deliver = deliver
        self._closed = closed
        self._chunks: deque[bytes] = deque()
        self._reader: Any = None
        self._open = True
        self._hung_up = False

    # The switch's half.

    def feed(self, data: bytes) -> None:
        """Hand the controller bytes from the switch; nothing happens on a closed connection."""
        if data and self._open:  # no bytes would be the end
            self._chunks.append(data)
            self._wake_reader()

    def hang_up(self) -> None:
        """The switch closes the connection; what the controller said since is not heard."""
        self._open = False
        self._hung_up = True
        self._wake_reader()

    # The controller's half: what Ryu calls.

    def recv(self, _size: int) -> bytes:
        """Return the next bytes from the switch, b"" at the end; wait until there are some.

        One piece is what the switch fed at once, mostly one whole message, whatever the size
        asked for: Ryu copies its buffer for every message in it.
        """
        while not self._chunks:
            if not self._open:
                return b""
            self._reader = getcurrent()
            try:
                self._hub.switch()
            finally:
                self._reader = None
        return self._chunks.popleft()

    def sendall(self, data: bytes) -> None:
        """Send bytes to the switch."""
        if not self._open:
            raise BrokenPipeError("the connection is closed")
        self._outbox.append((self._tell_bytes, bytes(data)))

    def shutdown(self, _how: int) -> None:
        """Close the connection: the switch, told so, would answer by closing its half."""
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._open:
            self._open = False
            self._outbox.append((self._tell_end, "the controller closed the connection"))
            self._wake_reader()

    def settimeout(self, _seconds: float | None) -> None:
        """Do nothing: Ryu only tries again after a timeout."""

    def setsockopt(self, *_arguments: Any) -> None:
        """Do nothing: there is no TCP to tune."""

    def fileno(self) -> int:
        """Return -1, as a closed socket does: there is no descriptor."""
        return -1

    def _tell_bytes(self, data: bytes) -> None:
        if not self._hung_up:
            self._deliver(data)

    def _tell_end(self, reason: str) -> None:
        if not self._hung_up:
            self._closed(reason)

    def _wake_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            self._hub.wake(reader)
