"""The one abstraction for whatever keeps time of its own beside the network.

An embedded controller, an asyncio loop of host programs, a partition in another process: each
has a next deadline and can be pumped. Its contract with the scheduler:

* everything the network does at an instant is done before a companion is pumped at it;
* ``pump(now)`` runs the companion until it has nothing left to do at ``now`` and returns its
  next deadline (``NEVER`` for none);
* the network wakes a companion by :meth:`Companion.wake` when it has handed it something.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from sdnvirt.engine.scheduler import NEVER, Scheduler


class Companion(ABC):
    """Something with a clock that the scheduler drives."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self._armed_for = NEVER

    @abstractmethod
    def pump(self, now: int) -> int:
        """Work until idle at ``now`` (ns); return the next deadline (ns) or NEVER."""

    def wake(self, at: int | None = None) -> None:
        """Ask to be pumped at a time (ns), by default at the end of the present instant."""
        time = self.scheduler.now if at is None else at
        if time < self._armed_for:
            self._armed_for = time
            self.scheduler.call_late(time, self._run)

    def _run(self, _argument: None) -> None:
        # An event that an earlier wake-up has overtaken finds nothing to do here: the companion
        # was pumped at the earlier time and armed itself again for what was left.
        now = self.scheduler.now
        if now < self._armed_for:
            return
        self._armed_for = NEVER
        deadline = self.pump(now)
        if deadline != NEVER:
            self.wake(max(deadline, now))
