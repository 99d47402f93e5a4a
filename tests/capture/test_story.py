"""Stories of packets: the devices they crossed, in order, and where they were last seen."""

from __future__ import annotations

import pytest

from sdnvirt.capture import story
from sdnvirt.capture.story import Stories
from sdnvirt.capture.taps import tap_all
from sdnvirt.wire.pcapng import Direction

PING, OTHER = 1, 2


@pytest.fixture
def stories(row) -> Stories:
    stories = Stories(row.world)
    tap_all(row.ports, stories)
    return stories


def test_a_packet_crosses_devices_in_order(row, stories) -> None:
    packet = row.alice.send(b"request", PING)
    row.settle()
    assert stories.nodes(PING, packet) == ("alice", "s1", "s2", "bob")
    assert [(hop.time_ns, str(hop)) for hop in stories.hops(PING, packet)] == [
        (0, "alice > s1"),
        (1_000, "s1 < alice"),
        (1_000, "s1 > s2"),
        (2_000, "s2 < s1"),
        (2_000, "s2 > bob"),
        (3_000, "bob < s2"),
    ]


def test_an_answer_is_a_packet_of_the_same_story(row, stories) -> None:
    row.bob.answer = b"reply"
    request = row.alice.send(b"request", PING)
    row.settle()
    row.settle()
    reply = request + 1
    assert stories.packets(PING) == (request, reply)
    assert stories.nodes(PING, reply) == ("bob", "s2", "s1", "alice")
    assert stories.nodes(PING) == ("alice", "s1", "s2", "bob", "s2", "s1", "alice")
    first, *_, last = stories.hops(PING)
    assert (first.frame.data, first.direction) == (b"request", Direction.OUTBOUND)
    assert (last.frame.data, last.direction) == (b"reply", Direction.INBOUND)


def test_which_packets_crossed_a_device(row, stories) -> None:
    first = row.alice.send(b"passes", PING)
    row.settle()
    row.s1.loses = True
    second = row.alice.send(b"is lost", PING)
    row.settle()
    assert stories.crossed(PING, "s1") == {first: True, second: True}
    assert stories.crossed(PING, "s2") == {first: True, second: False}
    assert stories.crossed(PING, "nowhere") == {first: False, second: False}


def test_where_a_lost_packet_was_last_seen_and_why_it_ended(row, stories) -> None:
    arrived = row.alice.send(b"passes", PING)
    row.settle()
    row.s2.loses = True
    lost = row.alice.send(b"is lost", PING)
    row.alice.send(b"is lost too", OTHER)
    row.settle()
    last = stories.last_seen(PING)
    assert last is not None
    assert (last.device, last.time_ns) == ("s2", 6_000)
    arrival = stories.last_seen(PING, arrived)
    assert arrival is not None
    assert arrival.device == "bob"
    assert [drop.frame.provenance.packet_id for drop in stories.drops(PING)] == [lost]
    assert stories.drops(PING, arrived) == ()


def test_the_text_has_a_line_for_each_crossing_and_loss(row, stories) -> None:
    row.world.scheduler.run_until(1_000_001_234)
    row.s1.loses = True
    row.alice.send(b"lost", PING)
    row.settle()
    assert stories.text(PING).splitlines() == [
        "1.000 001 234 s  alice > s1  packet 1 of alice (acme/web), 4 B",
        "1.000 002 234 s  s1 < alice  packet 1 of alice (acme/web), 4 B",
        "1.000 002 234 s  packet 1 of alice (acme/web) dropped at "
        "s1: no route to the destination (10.9.9.9)",
    ]


def test_conversations_have_stories_of_their_own(row, stories) -> None:
    one = row.alice.send(b"one", PING)
    other = row.bob.send(b"other", OTHER)
    row.settle()
    assert (stories.packets(PING), stories.packets(OTHER)) == ((one,), (other,))
    assert stories.hops(PING, other) == ()
    assert stories.last_seen(PING, other) is None


def test_what_belongs_to_no_conversation_has_no_story(row, stories) -> None:
    row.alice.send(b"nobody asked")
    row.settle()
    for cause in (0, PING):
        assert stories.hops(cause) == stories.nodes(cause) == stories.packets(cause) == ()
        assert stories.last_seen(cause) is None
        assert stories.crossed(cause, "s1") == {}
        assert stories.text(cause) == ""
        assert stories.missed(cause) == 0


def test_a_long_conversation_keeps_its_first_crossings_and_its_last(
    row, stories, monkeypatch
) -> None:
    monkeypatch.setattr(story, "MAX_CONVERSATION", 4)
    row.alice.send(b"request", PING)
    row.settle()
    assert stories.nodes(PING) == ("alice", "s1", "s2")
    assert stories.missed(PING) == 2
    last = stories.last_seen(PING)
    assert last is not None
    assert last.device == "bob"
    assert stories.text(PING).splitlines()[-1] == "and 2 crossings more"


def test_the_conversation_that_is_silent_for_longest_is_forgotten(
    row, stories, monkeypatch
) -> None:
    monkeypatch.setattr(story, "MAX_CROSSINGS", 18)
    for cause in (1, 2, 1, 3):
        row.alice.send(b"request", cause)
        row.settle()
    assert [len(stories.hops(cause)) for cause in (1, 2, 3)] == [12, 0, 6]
    assert stories.forgotten == 1


def test_by_default_one_conversation_cannot_displace_all_others() -> None:
    assert story.MAX_CONVERSATION < story.MAX_CROSSINGS
