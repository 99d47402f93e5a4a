"""Segments that somebody forged, or that come from long ago (RFC 9293, 3.10.7.4; RFC 5961)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.drops import DropReason
from sdnvirt.host.tcp.challenge import LIMIT
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.tcp.states import State
from sdnvirt.wire.tcp import ACK, FIN, RST, SYN, SynOptions

MS = 1_000_000
WINDOW = 65535


@pytest.fixture
def side(script):
    side = script(receive_buffer=WINDOW)
    side.establish()
    return side


def test_a_reset_at_the_next_number_is_believed(side) -> None:
    assert side.say(RST, 1) is None
    assert side.machine.loss is Loss.RESET
    assert side.out() == []


@pytest.mark.parametrize("seq", [2, 1000, WINDOW])
def test_a_reset_within_the_window_is_challenged(side, seq: int) -> None:
    """RFC 5961, section 3."""
    assert side.say(RST, seq) is DropReason.SEGMENT_CHALLENGED
    [ack] = side.out()
    assert (ack.seq, ack.ack, ack.flags) == (1, 1, ACK)
    assert side.machine.state is State.ESTABLISHED


@pytest.mark.parametrize("seq", [0, -5, WINDOW + 2, 1 << 31])
def test_a_reset_outside_the_window_is_ignored(side, seq: int) -> None:
    assert side.say(RST, seq) is DropReason.SEGMENT_UNACCEPTABLE
    assert side.out() == []


@pytest.mark.parametrize("seq", [1, 2, WINDOW])
@pytest.mark.parametrize("flags", [SYN, SYN | ACK])
def test_a_syn_is_challenged(side, seq: int, flags: int) -> None:
    """RFC 5961, section 4: a peer that has restarted answers the challenge with a reset."""
    assert side.say(flags, seq) is DropReason.SEGMENT_CHALLENGED
    assert [segment.flags for segment in side.out()] == [ACK]
    assert side.machine.state is State.ESTABLISHED


@pytest.mark.parametrize("ack", [2, 1000, -70_000, -(1 << 30)])
def test_an_acknowledgement_of_what_was_never_sent_is_challenged(side, ack: int) -> None:
    """RFC 5961, section 5: and the data with it are not taken."""
    assert side.say(ACK, 1, ack, b"forged") is DropReason.SEGMENT_CHALLENGED
    assert side.machine.read() == []
    assert [segment.ack for segment in side.out()] == [1]


def test_challenges_are_limited(side) -> None:
    for _ in range(100):
        side.say(RST, 100)
        side.say(ACK, -1)
        side.out()
    assert side.machine._challenges._count > LIMIT
    side.say(RST, 100)
    assert side.out() == []
    side.now += 5000 * MS
    side.say(RST, 100)
    assert len(side.out()) == 1


def test_an_old_acknowledgement_is_ignored_and_its_data_are_taken(side) -> None:
    side.machine.write(bytes(100))
    side.out()
    side.say(ACK, 1, 101)
    assert side.say(ACK, 1, 51, b"late") is None
    assert side.machine.sender.una == side.iss + 101
    assert side.machine.read() == [b"late"]


def test_data_before_the_window_are_answered_and_dropped(side) -> None:
    side.say(ACK, 1, 1, b"hello")
    side.out()
    assert side.say(ACK, 1, 1, b"hello") is DropReason.SEGMENT_UNACCEPTABLE
    assert [segment.ack for segment in side.out()] == [6]
    assert side.machine.read() == [b"hello"]


def test_what_overlaps_is_taken_once(side) -> None:
    side.say(ACK, 1, 1, b"hello")
    side.say(ACK, 3, 1, b"llo world")
    assert b"".join(side.machine.read()) == b"hello world"


def test_data_beyond_the_window_are_cut(side) -> None:
    side.say(ACK, WINDOW, 1, b"abc")
    side.say(ACK, 1, 1, bytes(WINDOW - 1))
    assert len(b"".join(side.machine.read())) == WINDOW
    assert side.say(ACK, 2 * WINDOW + 1, 1, b"x") is DropReason.SEGMENT_UNACCEPTABLE


def test_data_behind_the_end_are_nothing(side) -> None:
    side.say(FIN | ACK, 6, 1)
    side.say(ACK, 6, 1, b"what comes behind the end")
    side.say(ACK, 1, 1, b"hello world")
    assert b"".join(side.machine.read()) == b"hello"
    assert side.machine.state is State.CLOSE_WAIT


def test_a_segment_without_acknowledgement_is_nothing(side) -> None:
    assert side.say(0, 1, payload=b"x") is DropReason.SEGMENT_UNEXPECTED
    assert side.machine.read() == []


def test_lies_in_sack_are_ignored(side) -> None:
    side.machine.write(bytes(10 * 1460))
    side.out()
    lies = ((0, 1), (1, 1461), (2000, 2000), (3000, 2500), (100_000, 101_000), (1, 100_000))
    for lie in lies:
        side.say(ACK, 1, 1, sack=(lie,))
    assert len(side.machine.sender._scoreboard) == 0
    assert side.out() == []


def test_more_duplicates_than_segments_open_no_window(script) -> None:
    """RFC 5681, section 5, and the attack of optimistic acknowledgements."""
    side = script(sack=False)
    side.establish(SynOptions(1460, 0, False))
    side.machine.write(bytes(1_000_000))
    sent = len(side.out())
    for _ in range(200):
        side.say(ACK, 1, 1)
        sent += len(side.out())
    assert sent <= 65535 // 1460 + 3
    assert side.machine.sender.congestion.cwnd <= 10 * 1460


def test_an_empty_window_with_an_old_number_is_not_believed(side) -> None:
    side.machine.write(bytes(2000))
    side.out()
    side.say(ACK, 1, 1, b"x", window=5000)
    side.say(ACK, 1, 1, window=0)  # older than the last by its number
    assert side.machine.sender.window == 5000


def test_segments_of_single_bytes_are_bounded(side) -> None:
    for n in range(30_000):
        side.say(ACK, 3 + 2 * n, 1, b"x")
        side.out()
    assert len(side.machine.receiver.buffer._blocks) <= 1024


SEGMENTS = st.tuples(
    st.integers(0, 0xFF), st.integers(-70_000, 140_000), st.integers(-70_000, 70_000),
    st.binary(max_size=20), st.integers(0, 65535),
    st.lists(st.tuples(st.integers(-10, 70_000), st.integers(-10, 70_000)), max_size=3).map(tuple),
)  # fmt: skip


@settings(max_examples=300)
@given(
    st.lists(st.one_of(SEGMENTS, st.sampled_from("wrft")), max_size=30), st.booleans(),
    st.sampled_from([100, 0xFFFFFF00]), st.sampled_from(["listen", "connect", "established"]),
)  # fmt: skip
def test_nothing_breaks_a_machine(script, steps, sack: bool, irs: int, begin: str) -> None:
    side = script(iss=irs, irs=irs, sack=sack, receive_buffer=WINDOW, timestamps=False)
    machine = side.machine
    if begin == "established":
        side.establish()
    else:
        machine.open(side.now)
        if begin == "listen":
            side.say(SYN, 0)
    for step in steps:
        if machine.state is State.CLOSED:
            break
        if step == "w" and not machine.sender.finished:
            machine.write(bytes(5000))
        elif step == "r":
            machine.read()
        elif step == "f":
            machine.finish()
        elif step == "t":
            side.wait(300 * MS)
        elif step != "w":
            flags, seq, ack, payload, window, sacked = step
            side.say(flags, seq, ack, payload, window, sacked)
        side.out()
        sender, receiver = machine.sender, machine.receiver
        assert sender.una <= sender.nxt <= sender.buffer.end + 1
        assert 0 <= sender._scoreboard.total <= sender.flight
        assert sender.congestion.cwnd >= sender.mss
        assert receiver.buffer.nxt + receiver.buffer.unread >= receiver.buffer.nxt
        assert receiver.buffer.unread <= WINDOW
        assert machine.next_timeout() > side.now
