"""The event loop as a companion of the network.

asyncio's own machinery runs callbacks and timers; where an ordinary loop would wait for sockets and
time, this one hands control back to the network. So programs do all that they can do at an instant,
after the network has done all of its part, and no time passes meanwhile.
"""

from __future__ import annotations

from asyncio import BaseEventLoop
from collections.abc import Callable
from typing import Any, Final

from sdnvirt.engine.companion import Companion
from sdnvirt.engine.scheduler import NEVER, Scheduler
from sdnvirt.errors import UserError
from sdnvirt.units import NS_PER_S, format_time

SPIN_LIMIT: Final = 100_000
"""Rounds of the loop at one instant after which a program is stuck: one that sleeps for 0 s again
and again lets others run, but never lets time pass."""


class StuckProgramError(UserError):
    """Programs ran SPIN_LIMIT rounds without letting virtual time pass."""


class Pause:
    """What an ordinary loop asks for the events of sockets, and waits at.

    Attributes:
        deadline: when the loop has something to do again (ns), or NEVER.
    """

    def __init__(self, scheduler: Scheduler, stop: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self._stop = stop
        self._rounds = 0
        self.deadline = NEVER

    def begin(self) -> None:
        """The loop runs for the first time at this instant, or again."""
        self.deadline = NEVER
        self._rounds = 0

    def select(self, timeout: float | None) -> list[Any]:
        """Return no events; stop the loop where it would have waited.

        Args:
            timeout: seconds that the loop would wait at most: 0 if it has something to do, None
                for ever.
        """
        if timeout is None:
            self._stop()
            return []
        # Seconds are no whole nanoseconds: what is due within half of one is due now.
        wait_ns = round(timeout * NS_PER_S)
        if wait_ns:
            self.deadline = self._scheduler.now + wait_ns
            self._stop()
            return []
        self._rounds += 1
        if self._rounds > SPIN_LIMIT:
            now = format_time(self._scheduler.now)
            raise StuckProgramError(
                f"programs ran {SPIN_LIMIT} rounds at {now} without letting time pass"
            )
        return []

    def close(self) -> None:
        """Nothing is held."""


class Clockwork(Companion):
    """Lets an event loop run when the network has done its part of an instant.

    Args:
        scheduler: the network's virtual time.
        loop: the event loop.
        pause: where it would wait.
        goes_on: asked when it would wait whether there is more to do at this instant.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        loop: BaseEventLoop,
        pause: Pause,
        goes_on: Callable[[], bool],
    ) -> None:
        super().__init__(scheduler)
        self._loop = loop
        self._pause = pause
        self._goes_on = goes_on

    def pump(self, now: int) -> int:
        """Run callbacks and due timers until there are none; return the next deadline or NEVER."""
        if self._loop.is_closed():
            return NEVER
        while True:
            self._pause.begin()
            self._loop.run_forever()
            if not self._goes_on():
                break
        return self._pause.deadline
