"""Virtual time: one total order of events."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.engine import scheduler as scheduler_module
from sdnvirt.engine.scheduler import NEVER, Scheduler, StuckError, relaxed_collector


@pytest.fixture
def scheduler():
    return Scheduler()


def test_events_run_in_the_order_of_time(scheduler):
    seen = []
    for time in (30, 10, 20):
        scheduler.call_at(time, lambda name: seen.append((scheduler.now, name)), f"at {time}")
    scheduler.run_until(100)
    assert seen == [(10, "at 10"), (20, "at 20"), (30, "at 30")]


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30))
def test_ties_break_by_lateness_and_then_by_the_order_of_scheduling(events):
    scheduler = Scheduler()
    seen = []
    for index, (time, late) in enumerate(events):
        schedule = scheduler.call_late if late else scheduler.call_at
        schedule(time, seen.append, (time, late, index))
    scheduler.run_until(10)
    assert seen == sorted(seen)
    assert len(seen) == len(events)


def test_what_an_event_schedules_for_its_own_instant_runs_in_it_before_the_late_ones(scheduler):
    seen = []

    def first(_):
        seen.append("first")
        scheduler.call_at(5, seen.append, "meanwhile")

    scheduler.call_late(5, seen.append, "late")
    scheduler.call_at(5, first)
    scheduler.call_at(5, seen.append, "second")
    scheduler.run_until(5)
    assert seen == ["first", "second", "meanwhile", "late"]


def test_a_late_event_may_wake_the_instant_again(scheduler):
    seen = []
    scheduler.call_late(5, lambda _: scheduler.call_at(5, seen.append, "ordinary"))
    scheduler.call_late(5, seen.append, "late")
    scheduler.run_until(5)
    assert seen == ["ordinary", "late"]


def test_a_run_includes_its_end_and_leaves_the_clock_there(scheduler):
    seen = []
    for time in (9, 10, 11):
        scheduler.call_at(time, seen.append, time)
    assert scheduler.run_until(10)
    assert (seen, scheduler.now, scheduler.next_time()) == ([9, 10], 10, 11)
    assert scheduler.run_until(20)
    assert (seen, scheduler.now, scheduler.next_time()) == ([9, 10, 11], 20, NEVER)


def test_a_run_to_the_past_leaves_the_clock_alone(scheduler):
    scheduler.run_until(10)
    scheduler.run_until(5)
    assert scheduler.now == 10


def test_late_events_at_the_end_of_a_run_belong_to_it(scheduler):
    seen = []
    scheduler.call_late(10, seen.append, "late")
    scheduler.run_until(10)
    assert seen == ["late"]


def test_events_run_are_counted(scheduler):
    for time in range(5):
        scheduler.call_at(time, lambda _: None)
    scheduler.run_until(2)
    assert scheduler.events_run == 3


# -- stopping


def test_stop_ends_the_run_after_the_present_event(scheduler):
    seen = []
    scheduler.call_at(5, lambda _: scheduler.stop())
    scheduler.call_at(5, seen.append, "same instant")
    scheduler.call_at(7, seen.append, "later")
    assert not scheduler.run_until(10)
    assert (seen, scheduler.now) == ([], 5)
    assert scheduler.run_until(10)
    assert (seen, scheduler.now) == (["same instant", "later"], 10)


def test_to_stop_twice_in_one_run_is_to_stop_once(scheduler):
    def stop_twice(_):
        scheduler.stop()
        scheduler.stop()

    scheduler.call_at(5, stop_twice)
    assert not scheduler.run_until(10)
    assert scheduler.run_until(10)


def test_an_exception_leaves_the_scheduler_usable(scheduler):
    def fail(_):
        raise RuntimeError("a bug")

    seen = []
    scheduler.call_at(5, fail)
    scheduler.call_at(6, seen.append, "after")
    with pytest.raises(RuntimeError, match="a bug"):
        scheduler.run_until(10)
    assert scheduler.now == 5
    assert scheduler.run_until(10)
    assert seen == ["after"]


# -- timers


def test_a_timer_fires_once_after_its_delay(scheduler):
    fired = []
    scheduler.run_until(100)
    timer = scheduler.timer(50, lambda: fired.append(scheduler.now))
    assert (timer.at, timer.pending) == (150, True)
    scheduler.run_until(1000)
    assert fired == [150]
    assert not timer.pending


def test_a_cancelled_timer_does_not_fire(scheduler):
    fired = []
    timer = scheduler.timer(50, lambda: fired.append("never"))
    timer.cancel()
    assert not timer.pending
    scheduler.run_until(100)
    assert fired == []
    timer.cancel()


def test_a_timer_is_not_pending_any_more_while_it_fires(scheduler):
    states = []
    timer = scheduler.timer(1, lambda: states.append(timer.pending))
    scheduler.run_until(1)
    assert states == [False]


# -- redirecting


def test_redirect_replaces_one_callback_and_keeps_the_order(scheduler):
    seen = []

    class Sink:
        def take(self, what):
            seen.append(("old", what))

    old, bystander = Sink(), Sink()
    for time in (3, 1, 2):
        scheduler.call_at(time, old.take, time)
    scheduler.call_at(2, bystander.take, "other")
    assert scheduler.redirect(old.take, lambda what: seen.append(("new", what))) == 3
    scheduler.run_until(5)
    assert seen == [("new", 1), ("new", 2), ("old", "other"), ("new", 3)]


def test_pending_shows_what_is_still_to_come(scheduler):
    scheduler.call_at(1, print, "a")
    scheduler.call_at(2, print, "b")
    assert sorted(event[3] for event in scheduler.pending()) == ["a", "b"]


# -- standing still


@pytest.fixture
def low_spin_limit(monkeypatch):
    monkeypatch.setattr(scheduler_module, "SPIN_LIMIT", 100)


@pytest.mark.usefixtures("low_spin_limit")
def test_a_loop_without_delay_is_found_and_named(scheduler):
    def again(_):
        scheduler.call_at(scheduler.now, again)

    scheduler.call_at(7, again)
    with pytest.raises(StuckError, match=r"at 7 ns without time passing; .*again"):
        scheduler.run_until(10)


@pytest.mark.usefixtures("low_spin_limit")
def test_many_events_at_many_instants_are_no_loop(scheduler):
    for time in range(50):
        for _ in range(90):
            scheduler.call_at(time, lambda _: None)
    assert scheduler.run_until(100)


def test_the_collector_is_relaxed_only_inside_the_block():
    before = gc.get_threshold()
    with relaxed_collector():
        assert gc.get_threshold() == (relaxed_collector.GENERATION_0, *before[1:])
    assert gc.get_threshold() == before
