"""Queues and events of an embedded controller: eventlet's, which serve those who wait in order.

eventlet keeps them in sets of objects. So when two greenlets wait for one queue or event, addresses
in memory decide which goes on first, and they differ from run to run.
"""

from __future__ import annotations

from typing import Any

from sdnvirt.control.shim import quiet_import

with quiet_import():
    from eventlet.event import Event
    from eventlet.queue import LightQueue


class Waiting(dict[Any, None]):
    """Those who wait: a set that keeps its order, with the methods that eventlet calls."""

    def add(self, waiter: Any) -> None:
        """Let one more wait, behind the others."""
        self[waiter] = None

    def discard(self, waiter: Any) -> None:
        """Let one wait no more, if it does."""
        super().pop(waiter, None)

    def pop(self) -> Any:  # type: ignore[override]  # a set's
        """Return who has waited longest, and let it wait no more."""
        first = next(iter(self))
        del self[first]
        return first


class VirtualQueue(LightQueue):  # type: ignore[misc]  # eventlet has no types
    """What ``ryu.lib.hub.Queue`` is while a controller runs embedded."""

    def __init__(self, maxsize: int | None = None) -> None:
        super().__init__(maxsize)
        self.getters = Waiting()
        self.putters = Waiting()


class VirtualEvent(Event):  # type: ignore[misc]
    """What ``eventlet.event.Event`` is while a controller runs embedded."""

    def __init__(self) -> None:
        super().__init__()
        self._waiters = Waiting()
