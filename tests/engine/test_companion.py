"""Companions: what keeps time of its own beside the network."""

from __future__ import annotations

import pytest

from sdnvirt.engine.companion import Companion
from sdnvirt.engine.scheduler import NEVER, Scheduler


class Recorder(Companion):
    """Has deadlines, and notes when it was pumped."""

    def __init__(self, scheduler, *deadlines):
        super().__init__(scheduler)
        self.deadlines = sorted(deadlines)
        self.pumped = []

    def pump(self, now):
        self.pumped.append(now)
        self.deadlines = [deadline for deadline in self.deadlines if deadline > now]
        return self.deadlines[0] if self.deadlines else NEVER


@pytest.fixture
def scheduler():
    return Scheduler()


def test_a_companion_is_pumped_at_each_of_its_deadlines(scheduler):
    companion = Recorder(scheduler, 10, 20, 30)
    companion.wake()
    scheduler.run_until(100)
    assert companion.pumped == [0, 10, 20, 30]


def test_the_network_finishes_an_instant_before_a_companion_sees_it(scheduler):
    seen = []

    class Observer(Companion):
        def pump(self, now):
            seen.append("pumped")
            return NEVER

    observer = Observer(scheduler)

    def event(_):
        observer.wake()
        seen.append("event")
        scheduler.call_at(scheduler.now, seen.append, "its consequence")

    scheduler.call_at(5, event)
    scheduler.run_until(10)
    assert seen == ["event", "its consequence", "pumped"]


def test_an_earlier_wake_up_overtakes_a_deadline_that_stays(scheduler):
    companion = Recorder(scheduler, 50, 90)
    companion.wake(50)
    scheduler.call_at(20, lambda _: companion.wake())
    scheduler.run_until(100)
    assert companion.pumped == [20, 50, 90]


def test_several_wake_ups_for_one_instant_are_one(scheduler):
    companion = Recorder(scheduler)
    for _ in range(3):
        companion.wake(7)
    scheduler.run_until(10)
    assert companion.pumped == [7]


def test_a_deadline_in_the_past_means_now(scheduler):
    class Behind(Recorder):
        def pump(self, now):
            self.pumped.append(now)
            return 3 if len(self.pumped) == 1 else NEVER

    companion = Behind(scheduler)
    companion.wake(10)
    scheduler.run_until(20)
    assert companion.pumped == [10, 10]


def test_what_wakes_a_companion_while_it_is_pumped_gets_another_pump(scheduler):
    class Talkative(Recorder):
        def pump(self, now):
            super().pump(now)
            if len(self.pumped) == 1:
                scheduler.call_at(now, lambda _: self.wake())
            return 50 if now < 50 else NEVER

    companion = Talkative(scheduler)
    companion.wake(10)
    scheduler.run_until(100)
    assert companion.pumped == [10, 10, 50]
