"""Real time, with a clock that the test moves."""

from __future__ import annotations

import pytest

from sdnvirt.engine.pacing import LONGEST_WAIT_NS, Pacer
from sdnvirt.engine.scheduler import Scheduler


class Clock:
    """A wall clock that passes only while somebody waits, or works."""

    def __init__(self, start: int = 5_000_000_000_000) -> None:
        self.now = start
        self.start = start
        self.waits: list[int] = []

    def __call__(self) -> int:
        return self.now

    def wait(self, ns: int) -> None:
        self.waits.append(ns)
        self.now += ns

    @property
    def elapsed(self) -> int:
        return self.now - self.start


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def scheduler():
    return Scheduler()


@pytest.fixture
def pacer(scheduler, clock):
    return Pacer(scheduler, clock, clock.wait)


def test_an_event_does_not_run_before_its_real_time(scheduler, clock, pacer):
    seen = []
    for time in (10, 500, 70_000):
        scheduler.call_at(time, lambda _: seen.append((scheduler.now, clock.elapsed)))
    pacer.run_until(100_000)
    assert seen == [(10, 10), (500, 500), (70_000, 70_000)]
    assert (scheduler.now, clock.elapsed) == (100_000, 100_000)
    assert pacer.worst_lag_ns == 0


def test_nobody_sleeps_longer_than_an_interrupt_may_wait(clock, pacer):
    pacer.run_until(3 * LONGEST_WAIT_NS)
    assert max(clock.waits) == LONGEST_WAIT_NS
    assert clock.elapsed == 3 * LONGEST_WAIT_NS


def test_work_that_takes_longer_than_it_may_is_told_as_lag(scheduler, clock, pacer):
    def slow(_):
        clock.now += 1_000

    seen = []
    scheduler.call_at(100, slow)
    scheduler.call_at(200, lambda _: seen.append(clock.elapsed))
    pacer.run_until(5_000)
    assert seen == [1_100]
    assert pacer.worst_lag_ns == 900


def test_an_event_beyond_the_end_is_not_late_yet(scheduler, clock, pacer):
    scheduler.call_at(1_500, lambda _: None)
    clock.now += 2_000
    pacer.run_until(1_000)
    assert pacer.worst_lag_ns == 0
    pacer.run_until(2_000)
    assert pacer.worst_lag_ns == 500


def test_what_came_from_outside_while_waiting_happens_at_its_own_time(scheduler, clock):
    seen = []

    def wait(ns):
        if not seen and clock.elapsed == 0:
            clock.now += 300  # a message arrives 300 ns into the wait
            scheduler.call_at(300, lambda _: seen.append(clock.elapsed))
        else:
            clock.wait(ns)

    Pacer(scheduler, clock, wait).run_until(1_000)
    assert seen == [300]


def test_a_stopped_run_returns_at_once(scheduler, clock, pacer):
    scheduler.call_at(10, lambda _: scheduler.stop())
    pacer.run_until(1_000)
    assert (scheduler.now, clock.elapsed) == (10, 10)


def test_a_pacer_that_starts_later_counts_from_there(scheduler, clock):
    scheduler.run_until(1_000_000)
    seen = []
    scheduler.call_at(1_000_500, lambda _: seen.append(clock.elapsed))
    Pacer(scheduler, clock, clock.wait).run_until(1_001_000)
    assert seen == [500]
