"""The scheduler beside SimPy: the same programs of plain callbacks in both.

* ``callbacks_N``: N callbacks are pending at any time, and each schedules the next one, after a
  delay of its own. In SimPy a callback is that of a Timeout.
* ``timers``: requests with a retransmission timer each, which most answers overtake. Here the
  timer is cancelled; SimPy, whose timeouts cannot be, takes the callback away.

A figure is events a second of CPU, in both with the cycle collector relaxed.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import simpy
from measurement import arguments, in_turns, ratio, report, summary

from sdnvirt.engine.scheduler import Scheduler, relaxed_collector

PENDING: Final = (1, 64, 4096)
EVENTS: Final = 200_000
DELAYS_NS: Final = (700, 1_100, 1_300, 1_700)
ANSWER_NS: Final = 1_000
TIMEOUT_NS: Final = 50_000
LOST_EVERY: Final = 100
"""Of so many requests, one gets no answer in time."""


def cpu(run: Callable[[], object]) -> float:
    """Return the CPU seconds of a run."""
    gc.collect()
    with relaxed_collector():
        begun = time.process_time()
        run()
        return time.process_time() - begun


def callbacks(pending: int, events: int) -> float:
    """Run callbacks that schedule callbacks; return events a second."""
    scheduler = Scheduler()
    rounds = events // pending

    def work(state: list[int]) -> None:
        state[0] += 1
        if state[0] < rounds:
            scheduler.call_at(scheduler.now + state[1], work, state)

    for number in range(pending):
        scheduler.call_at(number, work, [0, DELAYS_NS[number % len(DELAYS_NS)]])
    seconds = cpu(partial(scheduler.run_until, events * TIMEOUT_NS))
    assert scheduler.next_time() > scheduler.now
    return rounds * pending / seconds


def simpy_callbacks(pending: int, events: int) -> float:
    """Run the same in SimPy."""
    env = simpy.Environment()
    rounds = events // pending

    def work(event: simpy.Event) -> None:
        state = event.value
        state[0] += 1
        if state[0] < rounds:
            env.timeout(state[1], state).callbacks.append(work)

    for number in range(pending):
        state = [0, DELAYS_NS[number % len(DELAYS_NS)]]
        env.timeout(number, state).callbacks.append(work)
    seconds = cpu(env.run)
    return rounds * pending / seconds


def timers(requests: int) -> float:
    """Send requests with timers; return events a second: answers and the timers that they beat."""
    scheduler = Scheduler()
    retransmitted = 0
    sent = 0

    def expired() -> None:
        nonlocal retransmitted
        retransmitted += 1

    def request(_argument: None) -> None:
        nonlocal sent
        sent += 1
        timer = scheduler.timer(TIMEOUT_NS, expired)
        if sent % LOST_EVERY:
            scheduler.call_at(scheduler.now + ANSWER_NS, answered, timer)
        if sent < requests:
            scheduler.call_at(scheduler.now + ANSWER_NS, request)

    def answered(timer: object) -> None:
        timer.cancel()  # type: ignore[attr-defined]

    scheduler.call_at(0, request)
    seconds = cpu(partial(scheduler.run_until, requests * TIMEOUT_NS))
    assert retransmitted == requests // LOST_EVERY
    return 3 * requests / seconds


def simpy_timers(requests: int) -> float:
    """Run the same in SimPy."""
    env = simpy.Environment()
    retransmitted = 0
    sent = 0

    def expired(_event: simpy.Event) -> None:
        nonlocal retransmitted
        retransmitted += 1

    def request(_event: simpy.Event) -> None:
        nonlocal sent
        sent += 1
        timer = env.timeout(TIMEOUT_NS)
        timer.callbacks.append(expired)
        if sent % LOST_EVERY:
            env.timeout(ANSWER_NS, timer).callbacks.append(answered)
        if sent < requests:
            env.timeout(ANSWER_NS).callbacks.append(request)

    def answered(event: simpy.Event) -> None:
        event.value.callbacks.remove(expired)

    env.timeout(0).callbacks.append(request)
    seconds = cpu(env.run)
    assert retransmitted == requests // LOST_EVERY
    return 3 * requests / seconds


def main() -> None:
    """Measure, and print the figures."""
    options = arguments(__doc__).parse_args()
    repeats, events = (1, 3 * PENDING[-1]) if options.quick else (options.repeats, EVENTS)
    sides: dict[str, tuple[Callable[[], float], Callable[[], float]]] = {
        f"callbacks_{pending}": (
            partial(callbacks, pending, events),
            partial(simpy_callbacks, pending, events),
        )
        for pending in PENDING
    }
    sides["timers"] = partial(timers, events // 3), partial(simpy_timers, events // 3)
    taken = {
        name: in_turns({"sdnvirt": ours, "simpy": theirs}, repeats)
        for name, (ours, theirs) in sides.items()
    }
    report(
        "engine",
        unit="events a second of CPU",
        events_per_s={
            side: {name: summary(both[side], None) for name, both in taken.items()}
            for side in ("sdnvirt", "simpy")
        },
        ratio={
            "sdnvirt / simpy": {
                name: ratio(both["sdnvirt"], both["simpy"]) for name, both in taken.items()
            }
        },
    )


if __name__ == "__main__":
    main()
