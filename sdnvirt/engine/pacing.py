"""Real time: the same scheduler, paced by a clock, for peers outside the emulator.

The pacer lets virtual time follow the wall clock and hands the waiting to a *waiter*, which may
watch sockets meanwhile. The clock is an argument: tests drive it by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sdnvirt.engine.scheduler import Scheduler

LONGEST_WAIT_NS: Final = 100_000_000
"""How long a waiter may sleep at once, so that an interrupt is noticed within 0.1 s."""


class Pacer:
    """Runs a scheduler no faster than a clock.

    Args:
        scheduler: the network's virtual time.
        clock: returns nanoseconds of real time, monotonic.
        wait: called with the nanoseconds that may pass before the next event; returns earlier
            when something came from outside. It must not run events itself.
    """

    def __init__(
        self, scheduler: Scheduler, clock: Callable[[], int], wait: Callable[[int], None]
    ) -> None:
        self._scheduler = scheduler
        self._clock = clock
        self._wait = wait
        self._offset = clock() - scheduler.now
        self.worst_lag_ns = 0

    @property
    def now(self) -> int:
        """The virtual time that it is by the clock, ns; the network may be behind it."""
        return self._clock() - self._offset

    def run_until(self, end: int) -> bool:
        """Run events up to ``end`` (ns of virtual time), each not before its real time.

        Returns whether the end was reached; it is not when a callback stops the scheduler.
        ``worst_lag_ns`` tells how late the latest event ran: a network with more to do than the
        machine can do in real time falls behind, and says so here rather than losing events.
        """
        scheduler = self._scheduler
        while scheduler.now < end:
            real = self.now
            due = scheduler.next_time()
            if due <= min(real, end):
                self.worst_lag_ns = max(self.worst_lag_ns, real - due)
            if not scheduler.run_until(min(max(real, scheduler.now), end)):
                return False
            ahead = min(scheduler.next_time(), end) - self.now
            self._wait(max(0, min(ahead, LONGEST_WAIT_NS)))
        return True
