"""What a link does to frames on the way, held against the distributions that were asked for.

The seeds are fixed, so nothing here can flake; the bounds are those of a two-sided test at a
confidence of 99.9%, so that a wrong distribution would be found whatever the seed.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby, pairwise
from math import sqrt
from statistics import NormalDist

import pytest

from sdnvirt.devices.jitter import NormalJitter, TableJitter, UniformJitter
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.loss import GilbertElliott
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from tests.devices.station import stations_of

Z = NormalDist().inv_cdf(0.9995)
"""Standard deviations that a count is off by chance once in a thousand times."""

KOLMOGOROV = 1.95
"""The same for the greatest distance of an empirical distribution, times the root of its size."""

MANY = 20_000
DELAY_NS = 1_000_000
GAP_NS = 10_000


@pytest.fixture
def send_many(world, a, b):
    """Send numbered frames over a link of some parameters, one every 10 us."""

    def send(count=MANY, **parameters):
        link = Link(world, "a--b", a.nic, b.nic, LinkParameters(delay_ns=DELAY_NS, **parameters))
        for number in range(count):
            frame = world.originate(number.to_bytes(4, "big") * 16, a.name)
            world.scheduler.call_at(number * GAP_NS, a.nic.send, frame)
        world.scheduler.run_until(10**12)
        assert world.ledger.imbalance() == 0
        return link

    return send


def numbers(station) -> list[int]:
    return [int.from_bytes(data[:4], "big") for data in station.received]


def delays(station) -> list[int]:
    """How much longer than the usual delay each frame took, in order of arrival."""
    arrivals = zip(station.times, numbers(station), strict=True)
    return [time - number * GAP_NS - DELAY_NS for time, number in arrivals]


def assert_share(hits: int, of: int, probability: float) -> None:
    """Hold a count against a binomial distribution."""
    assert abs(hits - of * probability) < Z * sqrt(of * probability * (1 - probability))


def assert_follows(samples: list[int], cdf) -> None:
    """Hold samples against a continuous distribution (Kolmogorov and Smirnov)."""
    size = len(samples)
    distance = max(
        max(abs(cdf(value) - rank / size), abs(cdf(value) - (rank + 1) / size))
        for rank, value in enumerate(sorted(samples))
    )
    assert distance < KOLMOGOROV / sqrt(size)


# -- loss


@pytest.mark.parametrize("probability", [0.001, 0.1, 0.5, 0.99])
def test_independent_loss_has_its_share_and_no_memory(world, a, b, send_many, probability):
    send_many(loss=probability)
    lost = world.ledger.by_reason()[DropReason.LINK_LOSS]
    assert_share(lost, MANY, probability)
    got = set(numbers(b))
    after_loss = [number + 1 in got for number in range(MANY - 1) if number not in got]
    assert_share(after_loss.count(False), len(after_loss), probability)


@pytest.mark.parametrize(("probability", "arrived"), [(0.0, 50), (1.0, 0)])
def test_certain_and_impossible_losses_are_so(b, send_many, probability, arrived):
    send_many(50, loss=probability)
    assert len(b.received) == arrived


def test_bursts_of_loss_are_as_long_and_as_frequent_as_the_chain_says(b, send_many):
    chain = GilbertElliott(to_bad=0.02, to_good=0.25)
    send_many(5 * MANY, loss=chain)
    got = set(numbers(b))
    runs = [len(list(run)) for lost, run in groupby(n not in got for n in range(5 * MANY)) if lost]
    # A visit to the bad state lasts 1/to_good frames (geometric); good ones 1/to_bad.
    deviation = sqrt((1 - chain.to_good) / chain.to_good**2 / len(runs))
    assert abs(sum(runs) / len(runs) - 1 / chain.to_good) < Z * deviation
    cycle = 1 / chain.to_good + 1 / chain.to_bad
    spread = sqrt((1 - 0.25) / 0.25**2 + (1 - 0.02) / 0.02**2)
    expected = 5 * MANY / cycle
    assert abs(len(runs) - expected) < Z * sqrt(expected) * spread / cycle


def test_both_states_of_the_chain_may_lose_some(b, send_many):
    send_many(loss=GilbertElliott(0.1, 0.1, in_bad=0.6, in_good=0.2))
    assert 0.35 < 1 - len(b.received) / MANY < 0.45


def test_what_is_lost_has_taken_its_time_on_the_transmitter(world, a, b):
    Link(world, "a--b", a.nic, b.nic, LinkParameters(rate_bps=10**9, loss=1.0))
    for _ in range(3):
        a.nic.send(world.originate(bytes(125), a.name))
    world.scheduler.run_until(10**6)
    assert [drop.time_ns for drop in world.ledger.recent] == [1_000, 2_000, 3_000]


# -- corruption and duplication


def test_a_corrupted_frame_differs_in_one_bit_and_any_bit_can_be_it(b, send_many):
    send_many(corrupt=0.25)
    changed: list[int] = []
    for index, data in enumerate(b.received):
        bits = int.from_bytes(data, "big") ^ int.from_bytes(index.to_bytes(4, "big") * 16, "big")
        if bits:
            assert bits.bit_count() == 1
            changed.append(bits.bit_length() - 1)
    assert len(b.received) == MANY
    assert_share(len(changed), MANY, 0.25)
    assert set(changed) == set(range(512))


def test_an_empty_frame_has_no_bit_to_change(world, a, b):
    Link(world, "a--b", a.nic, b.nic, LinkParameters(corrupt=1.0))
    a.send(b"")
    assert b.received == [b""]


def test_duplicates_have_their_share_and_come_together(world, b, send_many):
    send_many(duplicate=0.1)
    twice = [one for one, other in pairwise(numbers(b)) if one == other]
    assert_share(len(twice), MANY, 0.1)
    assert world.ledger.copied == len(twice) == len(b.received) - MANY


# -- delay


def test_reordered_frames_overtake_those_on_the_way(b, send_many):
    send_many(reorder=0.05)
    early = [delay for delay in delays(b) if delay]
    assert set(early) == {-DELAY_NS}
    assert_share(len(early), MANY, 0.05)
    assert sorted(numbers(b)) == list(range(MANY))


@pytest.mark.parametrize("sigma_ns", [1_000, 100_000])
def test_normal_jitter_is_normal(b, send_many, sigma_ns):
    send_many(jitter=NormalJitter(False, sigma_ns))
    assert_follows(delays(b), NormalDist(0, sigma_ns).cdf)


def test_uniform_jitter_is_uniform(b, send_many):
    spread = 200_000
    send_many(jitter=UniformJitter(False, spread))
    assert_follows(delays(b), lambda value: (value + spread) / (2 * spread))


def test_jitter_of_a_table_has_its_values_equally_often(b, send_many):
    table = (-300_000, 0, 0, 500_000)
    send_many(jitter=TableJitter(False, table))
    found = delays(b)
    assert set(found) == set(table)
    assert_share(found.count(0), MANY, 0.5)
    assert_share(found.count(500_000), MANY, 0.25)


def test_jitter_may_reorder_unless_it_keeps_the_order(b, send_many):
    send_many(2_000, jitter=UniformJitter(False, 200_000))
    assert numbers(b) != sorted(numbers(b))


def test_jitter_that_keeps_the_order_lets_a_late_frame_hold_up_the_next(b, send_many):
    send_many(2_000, jitter=UniformJitter(True, 200_000))
    assert numbers(b) == list(range(2_000))
    assert b.times == sorted(b.times)
    assert len(set(b.times)) < 2_000
    assert min(delays(b)) < 0 < max(delays(b))


def test_no_frame_arrives_before_it_was_sent(b, send_many):
    send_many(2_000, jitter=TableJitter(False, (-10 * DELAY_NS,)))
    assert set(delays(b)) == {-DELAY_NS}


# -- streams, directions, change


def test_one_impairment_does_not_shift_the_lots_of_another():
    def lost(**others):
        world = World(seed=7)
        make = stations_of(world)
        ends = make(), make()
        Link(world, "a--b", ends[0].nic, ends[1].nic, LinkParameters(loss=0.3, **others))
        for number in range(500):
            ends[0].send(number.to_bytes(4, "big") * 16)
        return [drop.frame.data for drop in world.ledger.recent]

    assert len(lost()) > 100
    assert lost() == lost(corrupt=0.5, duplicate=0.5, reorder=0.5, jitter=NormalJitter(True, 9))


def test_the_directions_may_differ(world, a, b):
    forth = LinkParameters(rate_bps=8_000_000, delay_ns=5_000)
    back = LinkParameters(rate_bps=80_000, loss=0.5)
    link = Link(world, "a--b", a.nic, b.nic, forth, back)
    assert (a.nic.rate_bps, b.nic.rate_bps) == (8_000_000, 80_000)
    assert (link.parameters_from(a.nic), link.parameters_from(b.nic)) == (forth, back)
    a.send(bytes(100))
    world.scheduler.run_until(10**9)
    assert b.times == [105_000]
    for _ in range(50):
        b.nic.send(world.originate(bytes(100), b.name))
    world.scheduler.run_until(10**10)
    assert 10 < len(a.received) < 40
    assert all((time - 10**9) % 10_000_000 == 0 for time in a.times)


def test_a_change_holds_for_later_frames_and_leaves_those_on_the_way(world, a, b):
    link = Link(world, "a--b", a.nic, b.nic, LinkParameters(delay_ns=1_000))
    a.send(b"before")
    link.change(a.nic, replace(link.parameters, loss=1.0))
    a.send(b"lost")
    link.change(a.nic, LinkParameters(delay_ns=50))
    a.send(b"after")
    world.scheduler.run_until(10**6)
    assert (b.received, b.times) == ([b"after", b"before"], [50, 1_000])
    assert world.ledger.by_reason() == {DropReason.LINK_LOSS: 1}


def test_a_cut_loses_what_is_on_an_impaired_way(world, a, b):
    parameters = LinkParameters(rate_bps=10**9, delay_ns=10_000, jitter=UniformJitter(True, 10))
    link = Link(world, "a--b", a.nic, b.nic, parameters)
    for _ in range(3):
        a.nic.send(world.originate(bytes(125), a.name))
    world.scheduler.run_until(1_500)  # one is propagating, two wait or are being sent
    link.set_up(False)
    world.scheduler.run_until(10**6)
    assert b.received == []
    assert world.ledger.by_reason() == {DropReason.CUT_IN_FLIGHT: 3}
    assert world.ledger.imbalance() == 0
