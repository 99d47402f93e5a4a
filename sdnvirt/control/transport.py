"""Real time and sockets for one network: a pacer and one selector.

All sockets are non-blocking and served while the network, which is paced by the real clock, has
nothing to do. So whatever a peer does, or does not do, never stops the network.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable
from typing import Final, Protocol

from sdnvirt.engine.pacing import Pacer
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.units import NS_PER_S

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE

CLOSED: Final = -1
"""The descriptor of a file that is closed."""


class Watched(Protocol):
    """A socket, or another file descriptor; hashed by identity."""

    def fileno(self) -> int:
        """Return the descriptor, or CLOSED."""

    def close(self) -> object:
        """Close the descriptor."""


class Transport:
    """What the connections of one network have in common.

    Args:
        scheduler: the network's virtual time, which follows the clock.
        clock: real time in nanoseconds, monotonic.

    Attributes:
        scheduler: the same; timers of connections are its timers.
        pacer: runs the scheduler in real time, and the connections meanwhile.
    """

    def __init__(self, scheduler: Scheduler, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.scheduler = scheduler
        self.pacer = Pacer(scheduler, clock, self._wait)
        self._selector = selectors.DefaultSelector()
        self._files: dict[Watched, None] = {}

    def adopt(self, file: Watched) -> None:
        """Close a socket with the others, at the latest, even if it is never watched."""
        self._files[file] = None

    def watch(self, file: Watched, events: int, ready: Callable[[int], None]) -> None:
        """Call back with the events, READ and WRITE, for which a socket is ready from now on."""
        self.adopt(file)
        if file.fileno() in self._selector.get_map():
            self._selector.modify(file, events, ready)
        else:
            self._selector.register(file, events, ready)

    def forget(self, file: Watched) -> None:
        """Watch a socket no more, and close it; does nothing the second time."""
        self._files.pop(file, None)
        if file.fileno() != CLOSED:
            if file.fileno() in self._selector.get_map():
                self._selector.unregister(file)
            file.close()

    def close(self) -> None:
        """Close every socket; none is called back any more."""
        for file in list(self._files):
            self.forget(file)
        self._selector.close()

    def _wait(self, ns: int) -> None:
        """Wait until some sockets are ready, at most for a time; serve them."""
        for key, events in self._selector.select(max(0, ns) / NS_PER_S):
            # One that was served a moment ago may have closed this one.
            if key.fd in self._selector.get_map():
                key.data(events)
