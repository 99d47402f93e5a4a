"""An eventlet hub whose clock is virtual time.

Where a real hub would poll its sockets, this one has nothing left to do: it switches back to the
greenlet that pumped it, the emulator's. Time passes only between pumps.

eventlet's own hub breaks ties between timers by the address of the timer object, so the order of
two timers for one instant differs from run to run. Here they fire in the order of their creation.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from types import FrameType
from typing import Any, Final

from sdnvirt.control.shim import quiet_import
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.units import NS_PER_S

with quiet_import():
    from eventlet import hubs
    from eventlet.hubs.hub import BaseHub
    from eventlet.hubs.timer import Timer
    from greenlet import GreenletExit, getcurrent, greenlet

SPIN_LIMIT: Final = 300_000
"""Wake-ups in one pump after which the controller is stuck, as in ``while True: sleep(0)``; this
takes about a second. A packet-in costs six, so 50,000 of them at one instant are no mistake."""

FEW_TIMERS: Final = 1_000
"""So many cancelled timers are not worth a sweep."""


ENDING_ROUNDS: Final = 3
"""How often a greenlet is told to end; one that still will not, in ``except: pass``, is left."""


class SpinError(Exception):
    """SPIN_LIMIT wake-ups happened at one instant.

    Attributes:
        frames: where greenlets wait, those first that were to run next or have run last.
    """

    def __init__(self, frames: list[FrameType]) -> None:
        super().__init__(f"{SPIN_LIMIT} wake-ups at one instant")
        self.frames = frames


class RealSocketError(Exception):
    """Something waits for a real file descriptor, which virtual time cannot do."""


class VirtualHub(BaseHub):  # type: ignore[misc]  # eventlet has no types
    """Runs greenlets in virtual time.

    Attributes:
        now: the present, in nanoseconds since the start of the run.
        report: called with what a greenlet raised and nobody caught.
    """

    def __init__(self, report: Callable[[BaseException], None]) -> None:
        super().__init__(clock=self._seconds)
        self.now: int = 0
        self.report = report
        self._ready: deque[Any] = deque()
        self._sleeping: list[tuple[int, int, Any]] = []
        self._sequence: int = 0
        self._waiting: dict[Any, None] = {}
        self._pumped_by: Any = None
        self._failure: BaseException | None = None
        self._cancelled: int = 0

    def pump(self, now: int) -> int:
        """Run every greenlet until all wait; return the next deadline (ns), or NEVER.

        Raises:
            SpinError: greenlets keep waking at this instant.
            KeyboardInterrupt: the user interrupted the run while a greenlet was running.
        """
        self.now = now
        self._pumped_by = getcurrent()
        self.greenlet.switch()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self._ready:
            return now
        return self._sleeping[0][0] if self._sleeping else NEVER

    def spawn(self, function: Callable[[], None]) -> None:
        """Run a function in a greenlet of its own, at the next pump."""
        self.wake(greenlet(function, self.greenlet))

    def wake(self, sleeper: Any) -> None:
        """Continue a greenlet that waits in :meth:`switch`, at the next pump or in this one."""
        self._ready.append(Timer(0, sleeper.switch))

    def fail(self, error: BaseException) -> None:
        """Make the present :meth:`pump` raise when it is through."""
        self._failure = error

    def discard(self) -> None:
        """End every greenlet, the hub's own at last.

        The collector does not see what a waiting greenlet's frames refer to, so one that is merely
        forgotten would keep its whole network alive.
        """
        for _ in range(ENDING_ROUNDS):
            timers = [*self._ready, *(timer for _, _, timer in self._sleeping)]
            self._ready.clear()
            self._sleeping.clear()
            starting = [_sleeper(timer) for timer in timers]
            for waiting in (*self._waiting, *starting):
                if waiting is not None and waiting is not self.greenlet:
                    waiting.throw()
        self.greenlet.throw()

    # What eventlet calls.

    SYSTEM_EXCEPTIONS = (KeyboardInterrupt,)
    """What ends a pump; an app's ``sys.exit()`` is a mistake of the app like any other."""

    def switch(self) -> Any:
        """Let others run until somebody switches back to this greenlet; return what they pass."""
        current = getcurrent()
        own = self.greenlet
        if current.parent is not own and current.parent is not None:
            current.parent = own  # so that its end, too, leads back to the hub
        self._waiting[current] = None
        try:
            return own.switch()
        finally:
            del self._waiting[current]

    def run(self, *_arguments: Any, **_keywords: Any) -> None:
        """Fire what is due, then hand control back to the emulator, for ever."""
        while True:
            try:
                self._fire()
            except BaseException as error:
                self._failure = error
            try:
                self._pumped_by.switch()
            except GreenletExit:
                return
            except BaseException as error:  # from a greenlet that discard() ended
                self.report(error)

    def add_timer(self, timer: Any) -> float:
        """Fire a timer after its ``seconds``."""
        seconds: float = timer.seconds
        if seconds <= 0:
            self._ready.append(timer)
            return self._seconds()
        due = self.now + max(1, round(min(seconds * NS_PER_S, NEVER - self.now)))
        self._sequence += 1
        heappush(self._sleeping, (due, self._sequence, timer))
        return due / NS_PER_S

    def timer_canceled(self, timer: Any) -> None:
        """Count a cancelled timer; sweep when most are, as a time-out far ahead may seldom fire."""
        self._cancelled += 1
        if self._cancelled > FEW_TIMERS and self._cancelled * 2 > len(self._sleeping):
            self._cancelled = 0
            # A sorted list is a heap.
            self._sleeping = sorted(
                (entry for entry in self._sleeping if not entry[2].called), key=_order
            )

    def add(self, *_arguments: Any) -> Any:
        """Refuse to wait for a file descriptor."""
        raise RealSocketError("an embedded controller cannot wait for a real socket")

    def squelch_timer_exception(self, _timer: Any, exc_info: Any) -> None:
        """Report what a greenlet raised."""
        self.report(exc_info[1])

    def _seconds(self) -> float:
        return self.now / NS_PER_S

    def _fire(self) -> None:
        ready, sleeping, now = self._ready, self._sleeping, self.now
        while sleeping and sleeping[0][0] <= now:
            ready.append(heappop(sleeping)[2])
        for _ in range(SPIN_LIMIT):
            if not ready:
                return
            timer = ready.popleft()
            if timer.called:
                continue
            try:
                timer()
            except self.SYSTEM_EXCEPTIONS:
                raise
            except BaseException as error:
                self.report(error)
        if ready:
            suspects = (*map(_sleeper, ready), *reversed(self._waiting))
            raise SpinError([one.gr_frame for one in suspects if one is not None and one.gr_frame])


def _order(entry: tuple[int, int, Any]) -> tuple[int, int]:
    return entry[0], entry[1]


def _sleeper(timer: Any) -> Any:
    """Return the greenlet that a timer would continue, or None."""
    if timer.called:
        return None
    target = getattr(timer.tpl[0], "__self__", None)
    return target if isinstance(target, greenlet) else None


@contextmanager
def installed(hub: VirtualHub) -> Iterator[None]:
    """Make eventlet use a hub in this thread, for a while."""
    state = hubs._threadlocal
    before = vars(state).get("hub")
    state.hub = hub
    try:
        yield
    finally:
        if before is None:
            del state.hub
        else:
            state.hub = before
