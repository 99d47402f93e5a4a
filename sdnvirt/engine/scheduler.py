"""The scheduler: one heap of events in integer nanoseconds of virtual time.

An event is ``(time, sequence, callback, argument)``. Events of one instant run in the order in
which they were scheduled, so a run is a total order that depends on nothing but the program.

Whatever has its own idea of time (an embedded controller, an event loop of host programs, a
partition of the network in another process) is a :class:`~sdnvirt.engine.companion.Companion`.
Its wake-ups are *late* events: they run after every ordinary event of their instant, including
ordinary events scheduled meanwhile. So a companion sees an instant only when the network has
finished with it, and the loop below needs to know nothing of companions.

Scheduling and running an event cost O(log n) for n pending events.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import Any, Final

from sdnvirt.errors import UserError

Event = tuple[int, int, Callable[[Any], None], Any]

_LATE: Final = 1 << 60
"""Added to the sequence number of late events; no run schedules 2^60 ordinary ones."""

_AFTER_ALL: Final = 1 << 62
_BEFORE_ALL: Final = -1
"""Sequence numbers of the events that end a run; so the loop need not test whether it is over."""

NEVER: Final = (1 << 63) - 1
"""A time that no run reaches: 292 years."""

SPIN_LIMIT: Final = 1_000_000
"""Events at one instant after which the run is stuck: a loop of callbacks without delay would
otherwise hang silently. A legitimate burst (a flood over every port of a network of 10,000
hosts) stays two orders of magnitude below."""


class StuckError(UserError):
    """Virtual time stands still: SPIN_LIMIT events ran at one instant."""


class _EndOfRunError(Exception):
    """Takes the loop of a run to its end."""


def _end_run(_argument: object) -> None:
    raise _EndOfRunError


class Timer:
    """An event that can be taken back; see :meth:`Scheduler.timer`."""

    __slots__ = ("_callback", "at")

    def __init__(self, at: int, callback: Callable[[], None]) -> None:
        self.at = at
        self._callback: Callable[[], None] | None = callback

    @property
    def pending(self) -> bool:
        """Whether the timer has neither fired nor been cancelled."""
        return self._callback is not None

    def cancel(self) -> None:
        """Take the timer back; does nothing when it has fired already."""
        self._callback = None

    def fire(self, _argument: None) -> None:
        """Run the callback unless the timer was cancelled."""
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


class Scheduler:
    """Virtual time and what is to happen in it.

    Attributes:
        now: the present, in nanoseconds since the start of the run.
    """

    __slots__ = ("_heap", "_sequence", "now")

    def __init__(self) -> None:
        self.now: int = 0
        self._heap: list[Event] = []
        self._sequence: int = 0

    def call_at(self, time: int, callback: Callable[[Any], None], argument: Any = None) -> None:
        """Run ``callback(argument)`` at a time (ns, not before now)."""
        self._sequence = sequence = self._sequence + 1
        heappush(self._heap, (time, sequence, callback, argument))

    def call_late(self, time: int, callback: Callable[[Any], None], argument: Any = None) -> None:
        """Run ``callback(argument)`` at a time, after every ordinary event of that time."""
        self._sequence = sequence = self._sequence + 1
        heappush(self._heap, (time, sequence + _LATE, callback, argument))

    def timer(self, delay: int, callback: Callable[[], None]) -> Timer:
        """Run ``callback()`` after a delay (ns) unless the returned timer is cancelled."""
        timer = Timer(self.now + delay, callback)
        self.call_at(timer.at, timer.fire)
        return timer

    @property
    def events_run(self) -> int:
        """How many events have run."""
        return self._sequence - len(self._heap)

    def next_time(self) -> int:
        """Return the time of the earliest pending event, or NEVER."""
        return self._heap[0][0] if self._heap else NEVER

    def run_until(self, end: int) -> bool:
        """Run every event up to and including ``end`` (ns), then set the clock to it.

        Returns whether the end was reached; it is not when a callback calls :meth:`stop`, and
        then the clock stays at the last event run.

        Raises:
            StuckError: more than SPIN_LIMIT events ran without time passing.
        """
        heap = self._heap
        now = self.now
        spins = 0
        last: Event = (max(end, now), _AFTER_ALL, _end_run, None)
        heappush(heap, last)
        try:
            while True:
                time, sequence, callback, argument = heappop(heap)
                if time != now:
                    self.now = now = time
                    spins = 0
                else:
                    spins += 1
                    if spins > SPIN_LIMIT:
                        heappush(heap, (time, sequence, callback, argument))
                        raise StuckError(
                            f"{SPIN_LIMIT} events ran at {time} ns without time passing; "
                            f"the last was {callback!r}"
                        )
                callback(argument)
        except _EndOfRunError:
            return last not in heap
        finally:
            if last in heap:
                heap.remove(last)
                heapify(heap)

    def stop(self) -> None:
        """Make :meth:`run_until` return after the event that is running."""
        ending: Event = (self.now, _BEFORE_ALL, _end_run, None)
        if self._heap[:1] != [ending]:  # a second one would end the next run
            heappush(self._heap, ending)

    def interrupt(self) -> None:
        """Make :meth:`run_until` return before the next event.

        Other than :meth:`stop`, this may be called by a signal handler, while an event is being
        taken from the heap; so it must not assume that ``now`` is that event's time yet.
        """
        heappush(self._heap, (max(self.now, self.next_time()), _BEFORE_ALL, _end_run, None))

    def pending(self) -> Iterator[Event]:
        """Iterate over the pending events, in no particular order; O(n)."""
        return iter(self._heap)

    def redirect(self, old: Callable[[Any], None], new: Callable[[Any], None]) -> int:
        """Let ``new`` take the place of ``old`` in every pending event; return how many. O(n).

        Times and order stay, so the heap stays a heap. This is how a link that is cut turns the
        frames on it into drops at no cost for links that are not.
        """
        hits = 0
        for index, event in enumerate(self._heap):
            if event[2] == old:
                self._heap[index] = (event[0], event[1], new, event[3])
                hits += 1
        return hits


class relaxed_collector:  # noqa: N801 - used like a function, in a with statement
    """Run the cycle collector seldom while a network is built or runs.

    Frames and events hold no cycles, so reference counting frees them; what the collector walks
    again and again is the network itself. Worth 5 to 14% on the hot path, and a third of the time
    to build 10,000 hosts.
    """

    GENERATION_0: Final = 50_000

    def __enter__(self) -> None:
        self._thresholds = gc.get_threshold()
        gc.set_threshold(self.GENERATION_0, *self._thresholds[1:])

    def __exit__(self, *_exception: object) -> None:
        gc.set_threshold(*self._thresholds)
