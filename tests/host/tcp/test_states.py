"""Every arrow of RFC 9293's figure 5, walked by segments and calls; and that these are all."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.tcp.parameters import (
    FIN_WAIT_2_NS,
    GIVE_UP_NS,
    GIVE_UP_SYN_NS,
    TIME_WAIT_NS,
)
from sdnvirt.host.tcp.states import TRANSITIONS, Event, State, diagram
from sdnvirt.wire.tcp import ACK, FIN, RST, SYN, SynOptions, Tcp

S = 10**9
SYN_OF_PEER = Tcp(80, 4000, 500, 0, SYN, 65535, syn_options=SynOptions(1460, 0, True))


def to_syn_sent(side):
    side.machine.open(side.now)
    [syn] = side.out()
    assert (syn.seq, syn.flags) == (0, SYN)


def to_syn_received(side):
    side.machine.accept(SYN_OF_PEER, side.now)
    [answer] = side.out()
    assert (answer.seq, answer.ack, answer.flags) == (0, 1, SYN | ACK)


def to_established(side):
    to_syn_received(side)
    side.say(ACK)
    assert side.out() == []


def to_fin_wait_1(side):
    to_established(side)
    side.machine.finish()
    [fin] = side.out()
    assert (fin.seq, fin.flags) == (1, FIN | ACK)


def to_fin_wait_2(side):
    to_fin_wait_1(side)
    side.say(ACK, 1, 2)
    assert side.out() == []


def to_close_wait(side):
    to_established(side)
    side.say(FIN | ACK)
    [ack] = side.out()
    assert (ack.ack, ack.flags) == (2, ACK)


def to_closing(side):
    to_fin_wait_1(side)
    side.say(FIN | ACK)
    [ack] = side.out()
    assert (ack.seq, ack.ack, ack.flags) == (2, 2, ACK)


def to_last_ack(side):
    to_close_wait(side)
    side.machine.finish()
    [fin] = side.out()
    assert (fin.seq, fin.ack, fin.flags) == (1, 2, FIN | ACK)


def to_time_wait(side):
    to_fin_wait_2(side)
    side.say(FIN | ACK, 1, 2)
    [ack] = side.out()
    assert (ack.seq, ack.ack, ack.flags) == (2, 2, ACK)


WAYS = {
    State.SYN_SENT: to_syn_sent, State.SYN_RECEIVED: to_syn_received,
    State.ESTABLISHED: to_established, State.FIN_WAIT_1: to_fin_wait_1,
    State.FIN_WAIT_2: to_fin_wait_2, State.CLOSE_WAIT: to_close_wait,
    State.CLOSING: to_closing, State.LAST_ACK: to_last_ack, State.TIME_WAIT: to_time_wait,
}  # fmt: skip
SYNCHRONIZED = [state for state in WAYS if state is not State.SYN_SENT]


@pytest.mark.parametrize("state", WAYS, ids=lambda state: state.value)
def test_every_state_is_reached(script, state: State) -> None:
    side = script()
    WAYS[state](side)
    assert side.machine.state is state


ARROWS = {
    (State.SYN_SENT, Event.SYN): lambda side: side.say(SYN, 0),
    (State.SYN_SENT, Event.SYN_ACK): lambda side: side.say(SYN | ACK, 0),
    (State.SYN_SENT, Event.CLOSE): lambda side: side.machine.finish(),
    (State.SYN_RECEIVED, Event.ACK_OF_SYN): lambda side: side.say(ACK),
    (State.ESTABLISHED, Event.CLOSE): lambda side: side.machine.finish(),
    (State.ESTABLISHED, Event.FIN): lambda side: side.say(FIN | ACK),
    (State.FIN_WAIT_1, Event.ACK_OF_FIN): lambda side: side.say(ACK, 1, 2),
    (State.FIN_WAIT_1, Event.FIN): lambda side: side.say(FIN | ACK),
    (State.FIN_WAIT_2, Event.FIN): lambda side: side.say(FIN | ACK, 1, 2),
    (State.CLOSE_WAIT, Event.CLOSE): lambda side: side.machine.finish(),
    (State.CLOSING, Event.ACK_OF_FIN): lambda side: side.say(ACK, 2, 2),
    (State.LAST_ACK, Event.ACK_OF_FIN): lambda side: side.say(ACK, 2, 2),
    (State.TIME_WAIT, Event.TIMEOUT): lambda side: side.wait(TIME_WAIT_NS),
}


@pytest.mark.parametrize(
    ("arrow", "act"), ARROWS.items(), ids=[f"{a.value}, {b.name}" for a, b in ARROWS]
)
def test_every_arrow(script, arrow, act) -> None:
    side = script()
    WAYS[arrow[0]](side)
    act(side)
    assert side.machine.state is TRANSITIONS[arrow]
    assert side.machine.loss is None


def test_the_arrows_are_all_that_are() -> None:
    opening = {
        (State.CLOSED, Event.PASSIVE_OPEN), (State.CLOSED, Event.ACTIVE_OPEN),
        (State.LISTEN, Event.SYN),
    }  # fmt: skip
    losses = {(state, Event.LOSS) for state in State if state is not State.CLOSED}
    assert set(TRANSITIONS) == set(ARROWS) | opening | losses


def test_the_page_shows_the_table() -> None:
    page = Path(__file__).parents[3] / "docs" / "tcp.md"
    assert f"```mermaid\n{diagram()}```" in page.read_text(encoding="utf-8")


def test_fin_and_its_acknowledgement_in_one(script) -> None:
    """From FIN-WAIT-1 to TIME-WAIT at once (RFC 9293, figure 5, note 2)."""
    side = script()
    to_fin_wait_1(side)
    side.say(FIN | ACK, 1, 2)
    assert side.machine.state is State.TIME_WAIT
    assert [segment.ack for segment in side.out()] == [2]


class TestOpening:
    def test_both_at_once(self, script) -> None:
        """Figure 8: each end gets the other's SYN, and answers it."""
        side = script()
        to_syn_sent(side)
        side.say(SYN, 0)
        [answer] = side.out()
        assert (answer.seq, answer.ack, answer.flags) == (0, 1, SYN | ACK)
        side.say(SYN | ACK, 0, 1)
        assert [segment.flags for segment in side.out()] == [ACK]
        side.say(ACK)
        assert side.machine.state is State.ESTABLISHED

    def test_both_at_once_on_a_wire(self, wire) -> None:
        net = wire()
        net._accepted = True
        net.client.open(0)
        net.server.open(0)
        net.sides[0].outbox, net.sides[1].outbox = b"ping", b"pong"
        net.settle()
        net.run(until=S)
        assert net.client.state is net.server.state is State.ESTABLISHED
        assert (net.sides[0].inbox, net.sides[1].inbox) == (b"pong", b"ping")

    def test_a_syn_is_repeated_and_given_up_after_three_minutes(self, script) -> None:
        """MUST-23."""
        side = script()
        begun = side.now
        to_syn_sent(side)
        repeated = side.wait(GIVE_UP_SYN_NS - 1)
        assert [segment.flags for segment in repeated] == [SYN] * 7
        assert side.machine.state is State.SYN_SENT
        side.wait(60 * S)
        assert side.machine.loss is Loss.TIMED_OUT
        assert side.machine.next_timeout() == NEVER
        assert side.now - begun > GIVE_UP_SYN_NS

    def test_a_refusal(self, script) -> None:
        side = script()
        to_syn_sent(side)
        side.say(RST | ACK, 0, 1)
        assert (side.machine.state, side.machine.loss) == (State.CLOSED, Loss.REFUSED)
        assert side.out() == []

    def test_a_reset_without_acknowledgement_proves_nothing(self, script) -> None:
        side = script()
        to_syn_sent(side)
        side.say(RST, 0)
        assert side.machine.state is State.SYN_SENT

    @pytest.mark.parametrize("ack", [0, 2, 5000])
    def test_an_old_duplicate_is_answered_by_a_reset(self, script, ack: int) -> None:
        """Figure 9: the peer is half open, or an old SYN and ACK comes back."""
        side = script()
        to_syn_sent(side)
        side.say(SYN | ACK, 0, ack)
        [reset] = side.out()
        assert (reset.seq, reset.flags) == (ack, RST)
        side.say(RST | ACK, 0, ack)
        assert side.out() == []
        assert side.machine.state is State.SYN_SENT

    def test_a_wrong_acknowledgement_of_the_handshake_is_reset(self, script) -> None:
        side = script()
        to_syn_received(side)
        side.say(ACK, 1, 77)
        [reset] = side.out()
        assert (reset.seq, reset.flags) == (77, RST)
        assert side.machine.state is State.SYN_RECEIVED

    def test_a_repeated_syn_is_answered_again(self, script) -> None:
        side = script()
        to_syn_received(side)
        side.say(SYN, 0)
        assert [segment.flags for segment in side.out()] == [SYN | ACK]

    def test_our_answer_is_repeated(self, script) -> None:
        side = script()
        to_syn_received(side)
        assert [segment.flags for segment in side.wait(S)] == [SYN | ACK]

    def test_data_in_the_answer_to_a_syn_are_taken(self, script) -> None:
        side = script()
        to_syn_sent(side)
        side.say(SYN | ACK, 0, 1, b"hello")
        assert side.machine.read() == [b"hello"]
        assert [segment.ack for segment in side.out()] == [6]

    def test_what_was_written_before_goes_out_with_the_acknowledgement(self, script) -> None:
        side = script()
        to_syn_sent(side)
        side.machine.write(b"GET /")
        side.say(SYN | ACK, 0, 1)
        [segment] = side.out()
        assert (segment.seq, segment.ack, segment.payload) == (1, 1, b"GET /")


class TestClosing:
    def test_the_peer_may_go_on_sending(self, script) -> None:
        side = script()
        to_fin_wait_2(side)
        assert side.machine.next_timeout() == NEVER
        side.say(ACK, 1, 2, b"more")
        assert side.machine.read() == [b"more"]
        assert side.machine.state is State.FIN_WAIT_2

    def test_we_may_go_on_sending(self, script) -> None:
        side = script()
        to_close_wait(side)
        side.machine.write(b"more")
        assert [segment.payload for segment in side.out()] == [b"more"]

    def test_the_end_comes_behind_what_was_written(self, script) -> None:
        side = script()
        to_established(side)
        side.machine.write(bytes(2000))
        side.machine.finish()
        first, last = side.out()
        assert (first.flags & FIN, last.flags & FIN, last.seq) == (0, FIN, 1461)
        assert side.machine.state is State.FIN_WAIT_1

    def test_a_lost_fin_is_sent_again(self, script) -> None:
        side = script()
        to_fin_wait_1(side)
        [again] = side.wait(S)[:1]
        assert (again.seq, again.flags) == (1, FIN | ACK)

    def test_a_repeated_fin_prolongs_time_wait(self, script) -> None:
        side = script()
        to_time_wait(side)
        side.wait(TIME_WAIT_NS - 1)
        side.say(FIN | ACK, 1, 2)
        assert [segment.ack for segment in side.out()] == [2]
        side.wait(TIME_WAIT_NS - 1)
        assert side.machine.state is State.TIME_WAIT
        side.wait(1)
        assert side.machine.state is State.CLOSED

    def test_an_owner_who_left_does_not_wait_for_ever(self, script) -> None:
        side = script()
        to_established(side)
        side.machine.abandon(side.now)
        side.out()
        side.say(ACK, 1, 2)
        assert side.machine.state is State.FIN_WAIT_2
        side.wait(FIN_WAIT_2_NS)
        assert (side.machine.state, side.machine.loss) == (State.CLOSED, None)

    def test_data_for_an_owner_who_left_are_answered_by_a_reset(self, script) -> None:
        """RFC 9293, 3.6.1."""
        side = script()
        to_established(side)
        side.machine.abandon(side.now)
        side.out()
        side.say(ACK, 1, 2, b"anybody there?")
        assert [segment.flags & RST for segment in side.out()] == [RST]
        assert side.machine.state is State.CLOSED

    def test_leaving_unread_data_is_a_reset(self, script) -> None:
        side = script()
        to_established(side)
        side.say(ACK, 1, 1, b"unread")
        side.machine.abandon(side.now)
        assert [segment.flags & RST for segment in side.out()] == [RST]

    @pytest.mark.parametrize("state", SYNCHRONIZED, ids=lambda state: state.value)
    def test_aborting_tells_the_peer(self, script, state: State) -> None:
        side = script()
        WAYS[state](side)
        side.machine.abort()
        expected = [] if state is State.TIME_WAIT else [RST | ACK]
        assert [segment.flags for segment in side.out()] == expected
        assert (side.machine.state, side.machine.loss) == (State.CLOSED, Loss.ABORTED)
        assert side.machine.next_timeout() == NEVER

    def test_a_silent_peer_is_given_up(self, script) -> None:
        side = script()
        to_established(side)
        side.machine.write(b"hello?")
        side.out()
        side.wait(GIVE_UP_NS - 1)
        assert side.machine.state is State.ESTABLISHED
        side.wait(120 * S)
        assert side.machine.loss is Loss.TIMED_OUT
