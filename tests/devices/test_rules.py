"""Faults as rules: the first verdict other than Pass wins."""

from __future__ import annotations

import pytest

from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.rules import PASS, Corrupt, Delay, Deliver, Drop, Duplicate, rule_on
from sdnvirt.drops import DropReason


class Always:
    """A rule of one verdict, which counts how often it was asked."""

    def __init__(self, verdict):
        self.verdict = verdict
        self.asked = []

    def judge(self, frame, now):
        self.asked.append((frame.data, now))
        return self.verdict


@pytest.fixture
def link(world, a, b):
    """A link of 1 us."""
    return Link(world, "a--b", a.nic, b.nic, LinkParameters(delay_ns=1_000))


@pytest.fixture
def run(world):
    def run(until=10**9):
        world.scheduler.run_until(until)
        assert world.ledger.imbalance() == 0
        return world.ledger.by_reason()

    return run


def test_a_rule_that_passes_changes_nothing(link, a, b, run):
    rule = Always(PASS)
    link.add_rule(a.nic, rule)
    sent = a.send(b"frame")
    run()
    assert (b.frames, b.times) == ([sent], [1_000])
    assert rule.asked == [(b"frame", 0)]


def test_a_rule_holds_in_one_direction(link, a, b, run):
    link.add_rule(a.nic, Always(Drop()))
    b.send(b"frame")
    assert run() == {}
    assert a.received == [b"frame"]


@pytest.mark.parametrize("reason", [DropReason.LINK_RULE, DropReason.LINK_LOSS])
def test_a_dropped_frame_has_the_rules_reason(world, link, a, b, run, reason):
    link.add_rule(a.nic, Always(Drop(reason)))
    a.send(b"frame")
    assert run() == {reason: 1}
    assert b.received == []
    assert world.ledger.recent[0].place == "a--b"


def test_a_delayed_frame_enters_the_link_later_and_others_overtake_it(link, a, b, run):
    rule = Always(Delay(5_000))
    link.add_rule(a.nic, rule)
    a.send(b"slow")
    link.remove_rule(a.nic, rule)
    a.send(b"fast")
    run()
    assert (b.received, b.times) == ([b"fast", b"slow"], [1_000, 6_000])


def test_a_delayed_frame_is_lost_with_the_link_that_it_waits_for(link, a, b, run):
    link.add_rule(a.nic, Always(Delay(5_000)))
    a.send(b"slow")
    run(2_000)
    link.set_up(False)
    assert run() == {DropReason.CUT_IN_FLIGHT: 1}
    assert b.received == []


def test_a_duplicated_frame_comes_several_times_and_is_counted_so(world, link, a, b, run):
    link.add_rule(a.nic, Always(Duplicate(2)))
    a.send(b"frame")
    run()
    assert b.received == [b"frame"] * 3
    assert world.ledger.copied == 2


def test_a_corrupted_frame_keeps_its_provenance_and_nothing_else(link, a, b, run):
    link.add_rule(a.nic, Always(Corrupt(b"noise")))
    sent = a.send(b"frame")
    run()
    assert b.received == [b"noise"]
    assert b.frames[0].provenance is sent.provenance


@pytest.mark.parametrize(
    "verdict", [Deliver(), Drop(), Delay(1), Duplicate(), Corrupt(b"")], ids=repr
)
def test_the_first_opinion_wins_and_later_rules_are_not_asked(link, a, run, verdict):
    first, second, third = Always(PASS), Always(verdict), Always(Drop())
    for rule in (first, second, third):
        link.add_rule(a.nic, rule)
    a.send(b"frame")
    run()
    assert [len(rule.asked) for rule in (first, second, third)] == [1, 1, 0]


def test_a_guard_takes_its_rule_away_whatever_happens(link, a, b, run):
    def fail_under_the_rule():
        with rule_on(link, a.nic, Always(Drop())):
            a.send(b"lost")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_under_the_rule()
    a.send(b"kept")
    assert run() == {DropReason.LINK_RULE: 1}
    assert b.received == [b"kept"]


def test_a_link_without_rules_has_the_egress_that_it_had_before(link, a):
    plain = a.nic.egress
    with rule_on(link, a.nic, Always(PASS)):
        assert a.nic.egress is not plain
    assert a.nic.egress is plain


def test_rules_survive_the_link_being_down(link, a, b, run):
    link.add_rule(a.nic, Always(Drop()))
    link.set_up(False)
    a.send(b"down")
    link.set_up(True)
    a.send(b"ruled")
    assert run() == {DropReason.LINK_DOWN: 1, DropReason.LINK_RULE: 1}


def test_a_rule_put_on_a_link_that_is_down_does_not_bring_it_up(link, a, run):
    link.set_up(False)
    link.add_rule(a.nic, Always(PASS))
    a.send(b"down")
    assert run() == {DropReason.LINK_DOWN: 1}
    assert not a.nic.up
