"""The neighbour cache as a machine: RFC 826 with the states of RFC 4861, in plain integers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host import neighbour_states, neighbours
from sdnvirt.host.neighbour_states import (
    ARP,
    ND,
    REACHABLE_NS,
    REQUEST_INTERVAL_NS,
    STALE_NS,
    Abandon,
    Absent,
    Delay,
    Event,
    Gone,
    Incomplete,
    Pending,
    Probe,
    Reachable,
    Solicit,
    Stale,
    Transmit,
)
from sdnvirt.host.neighbours import QUEUE_LIMIT, Neighbours

BOB = Ipv4("10.0.0.2")
BOB_MAC = Mac("02:00:00:00:00:02")
OTHER_MAC = Mac("02:00:00:00:00:99")
PACKET = Pending(b"packet", cause=7)
SECOND = 10**9


def resolved(now: int = 0) -> Neighbours:
    cache = Neighbours()
    cache.send(BOB, PACKET, now)
    cache.heard(BOB, BOB_MAC, Event.ANSWERED, now)
    return cache


def test_the_first_packet_asks_and_the_answer_releases_all_that_wait() -> None:
    cache = Neighbours()
    second = Pending(b"second", cause=8)
    assert cache.send(BOB, PACKET, 0) == [Solicit(BOB, None, cause=7)]
    assert cache.send(BOB, second, 5) == []
    assert cache.lookup(BOB, 5) is None
    effects = cache.heard(BOB, BOB_MAC, Event.ANSWERED, 10)
    assert effects == [Transmit(BOB_MAC, PACKET), Transmit(BOB_MAC, second)]
    assert cache.lookup(BOB, 10) == BOB_MAC
    assert cache.next_timeout() == NEVER


def test_three_requests_a_second_apart_and_then_the_packets_are_given_up() -> None:
    cache = Neighbours()
    cache.send(BOB, PACKET, 0)
    asked = []
    while (now := cache.next_timeout()) != NEVER:
        asked.append((now, cache.tick(now)))
    assert asked == [
        (SECOND, [Solicit(BOB, None, cause=7)]),
        (2 * SECOND, [Solicit(BOB, None, cause=7)]),
        (3 * SECOND, [Abandon(BOB, PACKET, DropReason.NEIGHBOUR_UNRESOLVED)]),
    ]
    assert cache.abandoned == {DropReason.NEIGHBOUR_UNRESOLVED: 1}
    assert cache.state(BOB, 3 * SECOND) is Absent


def test_a_tick_before_the_time_does_nothing() -> None:
    cache = Neighbours()
    cache.send(BOB, PACKET, 0)
    assert cache.tick(REQUEST_INTERVAL_NS - 1) == []


def test_the_queue_of_one_neighbour_is_bounded() -> None:
    cache = Neighbours()
    packets = [Pending(bytes([n]), cause=n) for n in range(QUEUE_LIMIT + 1)]
    for pending in packets[:-1]:
        cache.send(BOB, pending, 0)
    given_up = Abandon(BOB, packets[0], DropReason.NEIGHBOUR_QUEUE_FULL)
    assert cache.send(BOB, packets[-1], 0) == [given_up]  # the oldest
    assert cache.abandoned == {DropReason.NEIGHBOUR_QUEUE_FULL: 1}
    assert cache.heard(BOB, BOB_MAC, Event.ANSWERED, 1) == [
        Transmit(BOB_MAC, pending) for pending in packets[1:]
    ]


def test_an_old_answer_is_used_but_the_neighbour_is_asked_again_by_unicast() -> None:
    cache = resolved()
    assert cache.lookup(BOB, REACHABLE_NS - 1) == BOB_MAC
    assert cache.lookup(BOB, REACHABLE_NS) is None
    assert cache.state(BOB, REACHABLE_NS) is Stale
    effects = cache.send(BOB, PACKET, REACHABLE_NS)
    assert effects == [Transmit(BOB_MAC, PACKET), Solicit(BOB, BOB_MAC, cause=7)]
    assert cache.state(BOB, REACHABLE_NS) is Probe
    assert cache.send(BOB, PACKET, REACHABLE_NS) == [Transmit(BOB_MAC, PACKET)]
    cache.heard(BOB, BOB_MAC, Event.ANSWERED, REACHABLE_NS + 5)
    assert cache.lookup(BOB, REACHABLE_NS + 5) == BOB_MAC


def test_a_neighbour_that_does_not_answer_probes_is_gone() -> None:
    cache = resolved()
    cache.send(BOB, PACKET, REACHABLE_NS)
    while (now := cache.next_timeout()) != NEVER:
        last, effects = now, cache.tick(now)
    assert effects == [Gone(BOB)]
    assert last == REACHABLE_NS + 3 * REQUEST_INTERVAL_NS
    assert cache.send(BOB, PACKET, last) == [Solicit(BOB, None, cause=7)]


def test_an_address_that_nobody_uses_is_forgotten() -> None:
    cache = resolved()
    assert cache.state(BOB, REACHABLE_NS + STALE_NS - 1) is Stale
    assert cache.state(BOB, REACHABLE_NS + STALE_NS) is Absent
    assert len(cache) == 0


def test_who_asks_for_us_is_remembered_and_who_only_talks_is_not() -> None:
    cache = Neighbours()
    cache.heard(BOB, BOB_MAC, Event.OVERHEARD, 0)
    assert cache.state(BOB, 0) is Absent
    cache.heard(BOB, BOB_MAC, Event.ASKED, 0)
    assert cache.lookup(BOB, 0) == BOB_MAC


def test_an_answer_to_no_question_is_not_believed_without_asking() -> None:
    cache = Neighbours()
    cache.heard(BOB, BOB_MAC, Event.ANSWERED, 0)
    assert cache.state(BOB, 0) is Stale


def test_a_neighbour_that_announces_another_mac_address_is_followed() -> None:
    cache = resolved()
    cache.heard(BOB, OTHER_MAC, Event.OVERHEARD, 1)
    assert cache.send(BOB, PACKET, 2) == [
        Transmit(OTHER_MAC, PACKET),
        Solicit(BOB, OTHER_MAC, cause=7),
    ]


def test_hearing_the_known_address_again_does_not_make_it_believed_longer() -> None:
    cache = resolved()
    cache.heard(BOB, BOB_MAC, Event.OVERHEARD, REACHABLE_NS - 1)
    assert cache.lookup(BOB, REACHABLE_NS) is None


def test_lies_cannot_fill_the_table(monkeypatch) -> None:
    monkeypatch.setattr(neighbours, "TABLE_LIMIT", 4)
    cache = Neighbours()
    cache.send(BOB, PACKET, 0)  # waits, so it stays
    for number in range(100):
        cache.heard(Ipv4(0x0A010000 + number), OTHER_MAC, Event.ASKED, 1)
    assert len(cache) == 4
    assert cache.state(BOB, 1) is Incomplete


def test_a_table_of_open_questions_takes_no_more(monkeypatch) -> None:
    monkeypatch.setattr(neighbours, "TABLE_LIMIT", 1)
    cache = Neighbours()
    cache.send(BOB, PACKET, 0)
    other = Ipv4("10.0.0.3")
    assert cache.send(other, PACKET, 0) == [Abandon(other, PACKET, DropReason.NEIGHBOUR_QUEUE_FULL)]


def test_flushing_gives_up_what_waits() -> None:
    cache = Neighbours()
    cache.send(BOB, PACKET, 0)
    assert cache.flush() == [Abandon(BOB, PACKET, DropReason.NEIGHBOUR_UNRESOLVED)]
    assert (len(cache), cache.next_timeout()) == (0, NEVER)


@pytest.mark.parametrize(
    ("transitions", "states"),
    [
        (ARP, {Absent, Incomplete, Reachable, Stale, Probe}),
        (ND, {Absent, Incomplete, Reachable, Stale, Delay, Probe}),
    ],
    ids=["ARP", "ND"],
)
def test_every_state_can_be_entered_and_left(transitions, states) -> None:
    assert {before for before, _ in transitions} == states
    assert set(transitions.values()) == states


EVENTS = st.sampled_from(["send", "answer", "ask", "overhear", "confirm", "tick"])


@pytest.mark.parametrize("transitions", [ARP, ND], ids=["ARP", "ND"])
@settings(max_examples=60)
@given(
    events=st.lists(st.tuples(EVENTS, st.integers(0, 2), st.integers(0, 40 * SECOND)), max_size=60)
)
def test_every_packet_is_sent_or_given_up_once(
    transitions: neighbour_states.Transitions, events: list[tuple[str, int, int]]
) -> None:
    cache, now, given, ended = Neighbours(transitions), 0, 0, 0
    effects: list[neighbour_states.Effect] = []
    for name, host, delay in events:
        now += delay
        address, mac = Ipv4(0x0A000001 + host), Mac(host)
        effects += cache.tick(now)
        if name == "send":
            given += 1
            effects += cache.send(address, PACKET, now)
        elif name == "confirm":
            effects += cache.confirm(address, now)
        elif name != "tick":
            event = {"answer": Event.ANSWERED, "ask": Event.ASKED, "overhear": Event.OVERHEARD}
            effects += cache.heard(address, mac, event[name], now)
    effects += cache.flush()
    ended = sum(isinstance(effect, (Transmit, Abandon)) for effect in effects)
    assert ended == given
