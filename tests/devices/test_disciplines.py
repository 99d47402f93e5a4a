"""Queue disciplines of links: who goes next and who is lost, exact in virtual time.

The arithmetic is that of the link: 125 bytes are 1,000 bits, which take 1 ms at 1 Mbit/s.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.devices.disciplines import CoDel, Red, StrictPriority, TokenBucket
from sdnvirt.devices.disciplines.red import WEIGHT
from sdnvirt.devices.link import DEFAULT_QUEUE_BYTES, Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.wire.checksum import internet_checksum
from tests.devices.station import stations_of

US = 1_000
MS = 1_000_000
MEGABIT = 10**6
SIZE = 125
"""Bytes of a frame that takes 1 ms at 1 Mbit/s."""


@pytest.fixture
def link(world, a, b):
    """Make a link of 1 Mbit/s, without delay, with a discipline."""

    def make(discipline, queue_bytes=DEFAULT_QUEUE_BYTES, rate_bps=MEGABIT):
        parameters = LinkParameters(rate_bps, queue_bytes=queue_bytes, discipline=discipline)
        return Link(world, "a--b", a.nic, b.nic, parameters)

    return make


def send(station, *frames: bytes) -> None:
    """Send frames, all in this instant."""
    for data in frames:
        station.nic.send(station.world.originate(data, station.name))


def run(world, until=10**12):
    world.scheduler.run_until(until)
    assert world.ledger.imbalance() == 0
    return world.ledger.by_reason()


def ip(ecn=0, dscp=0, size=SIZE) -> bytes:
    """Return an IPv4 packet in a frame."""
    header = bytearray(20)
    header[0], header[1], header[8], header[9] = 0x45, dscp << 2 | ecn, 64, 253
    header[2:4] = (size - 14).to_bytes(2, "big")
    header[10:12] = internet_checksum(bytes(header)).to_bytes(2, "big")
    return bytes(12) + b"\x08\x00" + bytes(header) + bytes(size - 34)


def ip6(ecn=0, size=SIZE) -> bytes:
    """Return an IPv6 packet in a frame."""
    header = bytes((0x60, ecn << 4)) + bytes(2) + (size - 54).to_bytes(2, "big") + b"\xfd\x40"
    return bytes(12) + b"\x86\xdd" + header + bytes(32 + size - 54)


def tagged(pcp: int) -> bytes:
    return bytes(12) + b"\x81\x00" + (pcp << 13 | 10).to_bytes(2, "big") + b"\x88\xb5" + bytes(107)


DISCIPLINES = [
    Red(), Red(ecn=True), CoDel(), CoDel(ecn=True), TokenBucket(MEGABIT, 2_000), StrictPriority(),
]  # fmt: skip
each_discipline = pytest.mark.parametrize("discipline", DISCIPLINES, ids=str)


# -- what holds for all


@each_discipline
def test_a_frame_that_need_not_wait_takes_as_long_as_without_a_discipline(
    world, a, b, link, discipline
):
    link(discipline)
    send(a, bytes(SIZE))
    run(world)
    assert b.times == [1 * MS]


@each_discipline
def test_frames_that_wait_go_back_to_back(world, a, b, link, discipline):
    link(discipline)
    send(a, *[bytes(SIZE)] * 5)
    assert run(world) == {}
    assert b.times == [n * MS for n in range(1, 6)]


@each_discipline
def test_a_full_queue_loses_at_its_tail(world, a, b, link, discipline):
    link(discipline, queue_bytes=2 * SIZE)
    send(a, *[bytes(SIZE)] * 5)  # one is being sent, two wait
    assert run(world) == {DropReason.QUEUE_FULL: 2}
    assert [drop.place for drop in world.ledger.recent] == ["a--b"] * 2


@each_discipline
def test_a_cut_loses_what_waits(world, a, b, link, discipline):
    cable = link(discipline)
    send(a, *[bytes(SIZE)] * 5)
    run(world, 2 * MS)
    cable.set_up(False)
    cable.set_up(True)
    send(a, bytes(SIZE))
    assert run(world) == {DropReason.CUT_IN_FLIGHT: 3}
    assert b.times == [1 * MS, 2 * MS, 3 * MS]


@each_discipline
def test_what_waits_enters_the_queue_of_another_discipline(world, a, b, link, discipline):
    cable = link(TokenBucket(1, SIZE))
    send(a, *[bytes(SIZE)] * 3)
    run(world, 2 * MS)
    cable.change(a.nic, LinkParameters(MEGABIT, discipline=discipline))
    assert run(world) == {}
    assert b.times == [1 * MS, 3 * MS, 4 * MS]


def test_a_discipline_that_is_taken_away_leaves_the_order(world, a, b, link):
    cable = link(TokenBucket(1, SIZE))
    send(a, bytes(SIZE), b"\1" * SIZE)
    run(world, 2 * MS)
    cable.change(a.nic, LinkParameters(MEGABIT))
    send(a, b"\2" * SIZE)
    run(world)
    assert [data[:1] for data in b.received] == [b"\0", b"\1", b"\2"]


# -- random early detection


def fill(world, a, frames: list[bytes], gap_ns: int) -> None:
    for number, data in enumerate(frames):
        world.scheduler.call_at(number * gap_ns, lambda data: send(a, data), data)


def test_red_loses_nothing_below_its_minimum(world, a, b, link):
    link(Red(min_bytes=10 * SIZE, max_bytes=20 * SIZE))
    send(a, *[bytes(SIZE)] * 10)
    assert run(world) == {}


def test_reds_average_follows_the_queue_slowly_so_a_burst_passes(world, a, b, link):
    link(Red(min_bytes=10 * SIZE, max_bytes=20 * SIZE))
    send(a, *[bytes(SIZE)] * 100)
    assert run(world) == {}
    average = 0.0
    for waiting in range(99):
        average += WEIGHT * (waiting * SIZE - average)
    assert average < 10 * SIZE


def test_red_loses_more_the_longer_the_average_queue_and_all_above_its_maximum(world, a, b, link):
    link(Red(min_bytes=20 * SIZE, max_bytes=60 * SIZE, probability=0.1), 10**6)
    fill(world, a, [bytes(SIZE)] * 8_000, 1 * MS // 2)  # twice what the link can carry
    assert run(world).keys() == {DropReason.EARLY_DROP}
    averages = [int(drop.detail.split()[1]) for drop in world.ledger.recent]
    assert min(averages) >= 20 * SIZE
    # Half of what comes must go, but at most a tenth does early: the rest at the maximum.
    assert max(averages) >= 60 * SIZE
    assert len(averages) == pytest.approx(4_000, rel=0.05)


def test_red_spreads_its_losses_evenly(world, a, b, link):
    """With a probability p at the average, gaps are uniform on 1 ... 1/p (the paper, 7)."""
    red = Red(min_bytes=0, max_bytes=10**8, probability=1.0)
    link(red, 10**9, rate_bps=8)  # next to nothing leaves
    number_of = {n.to_bytes(4, "big"): n for n in range(40_000)}
    send(a, *[number + bytes(SIZE - 4) for number in number_of])
    lost = [number_of[drop.frame.data[:4]] for drop in world.ledger.recent]
    # The average stays 1/WEIGHT frames behind the queue, which grows by a frame each time.
    chances = {n: (n - 1 / WEIGHT) * SIZE / red.max_bytes for n in range(20_000, 40_000)}
    gaps = [(chances[one], other - one) for one, other in pairwise(lost) if one in chances]
    assert len(gaps) > 500
    assert all(gap <= 1 / chance + 1 for chance, gap in gaps)
    assert sum(chance * gap for chance, gap in gaps) / len(gaps) == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize("packet", [ip, ip6])
@pytest.mark.parametrize("discipline", [
    Red(min_bytes=0, max_bytes=10**7, probability=1.0, ecn=True),
    CoDel(target_ns=1, interval_ns=2, ecn=True),
], ids=["red", "codel"])  # fmt: skip
def test_ecn_capable_packets_are_marked_and_kept_and_others_lost(
    world, a, b, link, packet, discipline
):
    link(discipline, 10**6)
    fill(world, a, [packet(ecn=n % 4) for n in range(4_000)], 1 * MS // 2)
    reasons = run(world)
    assert len(reasons) == 1
    lost = [drop.frame.data for drop in world.ledger.recent]
    assert set(lost) == {packet(ecn=0)}
    assert 10 < len(lost) < 1_000
    marked = b.received.count(packet(ecn=3)) - 1_000
    assert marked > 10
    assert b.received.count(packet(ecn=1)) + b.received.count(packet(ecn=2)) == 2_000 - marked


def test_what_is_no_ip_packet_cannot_be_marked(world, a, b, link):
    link(Red(min_bytes=0, max_bytes=1, ecn=True, probability=1.0))
    send(a, *[b"\xff" * SIZE] * 600)
    assert run(world)[DropReason.EARLY_DROP] > 10


# -- controlled delay


def codel_by_the_book(arrivals, codel, transmission_ns):
    """RFC 8289, section 5, word for word in floating point; yields when which frame was lost."""
    queue, lost = deque(), []
    first_above = drop_next = 0.0
    count = last_count = 0
    dropping = False
    arrivals = deque(arrivals)
    now = arrivals[0]

    def dodeque():
        nonlocal first_above
        if not queue:
            first_above = 0.0
            return None, False
        packet = queue.popleft()
        if now - packet < codel.target_ns or len(queue) * SIZE <= SIZE:
            first_above = 0.0
        elif first_above == 0.0:
            first_above = now + codel.interval_ns
        elif now >= first_above:
            return packet, True
        return packet, False

    while arrivals or queue:
        while arrivals and arrivals[0] <= now:
            queue.append(arrivals.popleft())
        if not queue:
            now = arrivals[0]
            continue
        packet, ok_to_drop = dodeque()
        if dropping:
            if not ok_to_drop:
                dropping = False
            while now >= drop_next and dropping:
                lost.append((now, packet))
                count += 1
                packet, ok_to_drop = dodeque()
                if not ok_to_drop:
                    dropping = False
                else:
                    drop_next += codel.interval_ns / sqrt(count)
        elif ok_to_drop:
            lost.append((now, packet))
            packet, _ = dodeque()
            dropping = True
            delta = count - last_count
            count = 1
            if delta > 1 and now - drop_next < 16 * codel.interval_ns:
                count = delta
            drop_next = now + codel.interval_ns / sqrt(count)
            last_count = count
        if packet is not None:
            now += transmission_ns
    return lost


@given(
    st.lists(st.tuples(st.integers(1, 300), st.integers(0, 3_000)), min_size=1, max_size=8),
    st.sampled_from([CoDel(), CoDel(2 * MS, 10 * MS), CoDel(20 * MS, 21 * MS)]),
)
def test_codel_loses_what_the_rfcs_own_program_loses(bursts, codel):
    world = World(seed=1)
    make = stations_of(world)
    a, b = make(), make()
    parameters = LinkParameters(MEGABIT, queue_bytes=10**9, discipline=codel)
    Link(world, "a--b", a.nic, b.nic, parameters)
    arrivals, time = [], 1 * MS
    for size, gap in bursts:
        arrivals += [time + number * 700 * US for number in range(size)]
        time = arrivals[-1] + gap * MS
    arrivals.sort()
    for arrival in arrivals:
        data = arrival.to_bytes(8, "big") + bytes(SIZE - 8)
        world.scheduler.call_at(arrival, lambda data: send(a, data), data)
    run(world)
    lost = [(d.time_ns, int.from_bytes(d.frame.data[:8], "big")) for d in world.ledger.recent]
    assert {drop.reason for drop in world.ledger.recent} <= {DropReason.STANDING_QUEUE}
    assert lost == codel_by_the_book(arrivals, codel, 1 * MS)


def test_codel_leaves_a_burst_alone_and_not_a_standing_queue(world, a, b, link):
    link(CoDel())
    send(a, *[bytes(SIZE)] * 100)  # 100 ms of waiting, but it drains
    assert run(world) == {}
    for number in range(1_000):
        world.scheduler.call_at(10**12 + number * MS * 9 // 10, lambda _: send(a, bytes(SIZE)))
    assert run(world, 2 * 10**12)[DropReason.STANDING_QUEUE] > 10


# -- the token bucket


def test_a_full_bucket_lets_a_burst_pass_and_then_keeps_its_rate(world, a, b, link):
    link(TokenBucket(MEGABIT, 3 * SIZE), rate_bps=1000 * MEGABIT)
    send(a, *[bytes(SIZE)] * 6)
    run(world)
    assert b.times == [1 * US, 2 * US, 3 * US, 1 * MS + 1 * US, 2 * MS + 1 * US, 3 * MS + 1 * US]


def test_tokens_gather_up_to_a_burst(world, a, b, link):
    link(TokenBucket(MEGABIT, 2 * SIZE), rate_bps=None)
    send(a, *[bytes(SIZE)] * 2)
    run(world, 100 * MS)
    send(a, *[bytes(SIZE)] * 4)
    run(world)
    assert [time - 100 * MS for time in b.times[2:]] == [0, 0, 1 * MS, 2 * MS]


def test_a_frame_larger_than_the_bucket_is_lost_and_holds_nobody_up(world, a, b, link):
    link(TokenBucket(MEGABIT, SIZE))
    send(a, bytes(SIZE + 1), bytes(SIZE))
    assert run(world) == {DropReason.OVER_BURST: 1}
    (drop,) = world.ledger.recent
    assert drop.detail == "126 B > 125 B"
    assert len(b.received) == 1


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(20, 300)), min_size=1, max_size=40))
def test_no_stretch_of_time_has_more_than_the_burst_and_the_rate(sends):
    world = World(seed=1)
    make = stations_of(world)
    a, b = make(), make()
    Link(world, "a--b", a.nic, b.nic, LinkParameters(discipline=TokenBucket(MEGABIT, 400)))
    for time, size in sends:
        world.scheduler.call_at(time * MS, lambda size: send(a, bytes(size)), size)
    assert run(world) == {}
    arrivals = list(zip(b.times, map(len, b.received), strict=True))
    for index, (since, _) in enumerate(arrivals):
        total = 0
        for until, size in arrivals[index:]:
            total += size
            assert total * 8 * 1000 <= (until - since + 1) + 400 * 8 * 1000


# -- strict priority


def test_tagged_frames_go_by_their_priority_code_point(world, a, b, link):
    link(StrictPriority())
    send(a, tagged(0), tagged(3), tagged(7), tagged(1), tagged(7))
    run(world)
    assert [data[14] >> 5 for data in b.received] == [0, 7, 7, 3, 1]


def test_ip_packets_go_by_their_class_selector_and_others_last(world, a, b, link):
    link(StrictPriority())
    arp = bytes(12) + b"\x08\x06" + bytes(111)
    send(a, arp, arp, ip(dscp=46), ip(dscp=0), ip(dscp=48))
    run(world)
    assert b.received == [arp, ip(dscp=48), ip(dscp=46), arp, ip(dscp=0)]


def test_the_priority_of_a_tag_counts_more_than_that_of_the_packet_in_it(world, a, b, link):
    link(StrictPriority())
    packet = ip(dscp=46)
    low = packet[:12] + b"\x81\x00\x20\x0a" + packet[12:]
    send(a, bytes(SIZE), low, ip(dscp=16))
    run(world)
    assert b.received == [bytes(SIZE), ip(dscp=16), low]


def test_each_priority_has_the_queues_bytes_for_itself(world, a, b, link):
    link(StrictPriority(), queue_bytes=SIZE)
    send(a, tagged(0), tagged(0), tagged(0), tagged(5))
    assert run(world) == {DropReason.QUEUE_FULL: 1}
    assert [data[14] >> 5 for data in b.received] == [0, 5, 0]
