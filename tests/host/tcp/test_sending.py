"""When segments go out, when again, and when acknowledgements do (RFC 9293, 3.8)."""

from __future__ import annotations

import itertools

import pytest

from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.tcp.congestion import NewReno
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.host.tcp.parameters import DELAYED_ACK_NS, QUICK_ACKS, KeepAlive
from sdnvirt.host.tcp.sender import Recovery
from sdnvirt.host.tcp.states import State
from sdnvirt.wire.tcp import ACK, FIN, PSH, RST, SYN, URG, SynOptions

MS = 1_000_000
S = 1000 * MS
MSS = 1460


@pytest.fixture
def side(script):
    side = script()
    side.establish()
    return side


def lengths(segments) -> list[int]:
    return [len(segment.payload) for segment in segments]


class TestSegments:
    def test_are_full_and_the_last_is_pushed(self, side) -> None:
        """MUST-61: and nothing but the last."""
        side.machine.write(bytes(3 * MSS))
        sent = side.out()
        assert lengths(sent) == [MSS] * 3
        assert [segment.flags for segment in sent] == [ACK, ACK, ACK | PSH]

    @pytest.mark.parametrize(("offered", "size"), [(None, 536), (500, 500), (9000, MSS), (10, 64)])
    def test_are_as_large_as_the_peer_and_the_link_take(self, script, offered, size) -> None:
        """MUST-15 and MUST-16; a size that would make every byte a packet is not believed."""
        side = script()
        side.establish(SynOptions(offered))
        side.machine.write(bytes(5000))
        assert lengths(side.out())[0] == size

    def test_leave_room_for_timestamps(self, script) -> None:
        side = script()
        side.machine.open(side.now)
        [syn] = side.out()
        assert syn.timestamp is not None
        side.say(SYN | ACK, 0, 1, options=SynOptions(1460), timestamp=(5, syn.timestamp[0]))
        side.machine.write(bytes(5000))
        assert lengths(side.out())[0] == MSS - 12

    def test_no_options_of_a_syn_are_in_others(self, side) -> None:
        """MUST-65."""
        side.machine.write(b"x")
        assert side.out()[0].syn_options == SynOptions()

    def test_urgent_data_are_data(self, side) -> None:
        assert side.say(ACK | URG, 1, 1, b"!data") is None
        assert side.machine.read() == [b"!data"]


class TestPush:
    """What is sent when no more may be sent asks to be acknowledged at once."""

    def test_the_last_of_a_window_has_it(self, script) -> None:
        side = script(congestion=NewReno)
        side.establish()
        side.machine.write(bytes(40 * MSS))
        sent = side.out()
        assert [bool(segment.flags & PSH) for segment in sent] == [False] * 9 + [True]
        side.say(ACK, 1, 1 + 2 * MSS)
        assert [bool(segment.flags & PSH) for segment in side.out()] == [False] * 2 + [True]

    @pytest.fixture
    def old(self, side):
        """A connection that acknowledges no more at once because it is young."""
        for n in range(QUICK_ACKS):
            side.say(ACK, 1 + n, 1, b"x")
            side.machine.read()
            side.out()
        side.seq = 1 + QUICK_ACKS
        return side

    def test_is_acknowledged_at_once(self, old) -> None:
        old.say(ACK, old.seq, 1, b"x")
        assert old.out() == []
        old.say(ACK | PSH, old.seq + 1, 1, b"y")
        assert [segment.ack for segment in old.out()] == [old.seq + 2]

    def test_behind_a_gap_too(self, old) -> None:
        old.say(ACK | PSH, old.seq + 1, 1, b"y")
        old.out()
        old.say(ACK | PSH, old.seq, 1, b"x")
        assert [segment.ack for segment in old.out()] == [old.seq + 2]

    def test_whoever_answers_is_waited_for(self, old) -> None:
        """The answer carries the acknowledgement (RFC 9293, 3.8.6.3)."""
        old.say(ACK, old.seq, 1, b"question")
        old.machine.write(b"answer")
        assert [segment.ack for segment in old.out()] == [old.seq + 8]
        old.say(ACK | PSH, old.seq + 8, 7, b"question")
        assert old.out() == []
        old.machine.write(b"answer")
        assert [segment.ack for segment in old.out()] == [old.seq + 16]

    def test_whoever_sent_long_ago_does_not_answer(self, old) -> None:
        old.wait(S)
        old.machine.write(b"not an answer")
        old.out()
        old.say(ACK | PSH, old.seq, 14, b"x")
        assert [segment.ack for segment in old.out()] == [old.seq + 1]


class TestNagle:
    def test_a_small_segment_waits_for_the_acknowledgement(self, side) -> None:
        """SHLD-7."""
        side.machine.write(b"a")
        assert lengths(side.out()) == [1]
        side.machine.write(b"b")
        side.machine.write(b"c")
        assert side.out() == []
        side.say(ACK, 1, 2)
        assert [segment.payload for segment in side.out()] == [b"bc"]

    def test_full_segments_do_not_wait(self, side) -> None:
        side.machine.write(b"a")
        side.out()
        side.machine.write(bytes(MSS + 10))
        assert lengths(side.out()) == [MSS]

    def test_can_be_switched_off(self, script) -> None:
        """MUST-17."""
        side = script(no_delay=True)
        side.establish()
        for data in (b"a", b"b"):
            side.machine.write(data)
            assert [segment.payload for segment in side.out()] == [data]

    def test_the_end_does_not_wait(self, side) -> None:
        side.machine.write(b"a")
        side.out()
        side.machine.write(b"b")
        side.machine.finish()
        [last] = side.out()
        assert (last.payload, last.flags & FIN) == (b"b", FIN)


class TestWindows:
    def test_are_unsigned(self, script) -> None:
        """MUST-1."""
        side = script()
        side.establish(window=65535)
        assert side.machine.sender.window == 65535

    def test_are_shifted_except_in_a_syn(self, script) -> None:
        """RFC 7323, 2.2; a shift above 14 is taken for 14 (2.3)."""
        side = script()
        side.establish(SynOptions(1460, 200), window=1000)
        assert side.machine.sender.window == 1000
        side.say(ACK, 1, 1, window=2)
        assert side.machine.sender.window == 2 << 14

    def test_are_not_shifted_unless_both_agree(self, script) -> None:
        side = script()
        side.establish(SynOptions(1460, None))
        side.say(ACK, 1, 1, b"x")
        side.machine.read()
        [ack] = side.out()
        assert ack.window == 65535

    def test_nothing_is_sent_beyond(self, side) -> None:
        side.say(ACK, 1, 1, window=2000)
        side.machine.write(bytes(10_000))
        assert sum(lengths(side.out())) == MSS  # what is left of the window would be silly
        side.say(ACK, 1, 1 + MSS, window=2000)
        assert sum(lengths(side.out())) == MSS

    def test_small_ones_are_used_by_half(self, side) -> None:
        """MUST-38: a segment goes that is half of the largest window seen."""
        side.machine.sender.largest_window = 0
        side.say(ACK, 1, 1, window=1000)
        side.machine.sender.largest_window = 1000
        side.machine.write(bytes(10_000))
        assert lengths(side.out()) == [1000]
        side.say(ACK, 1, 1001, window=499)
        assert side.out() == []
        side.say(ACK, 1, 1001, window=500)
        assert lengths(side.out()) == [500]

    def test_a_window_that_shrinks_is_survived(self, side) -> None:
        """MUST-34: data beyond it are sent again when it opens."""
        side.machine.write(bytes(5 * MSS))
        assert lengths(side.out()) == [MSS] * 5
        side.say(ACK, 1, 1, window=MSS)
        side.machine.write(b"more")
        assert side.out() == []
        assert all(segment.seq == 1 for segment in side.wait(2 * S))
        side.say(ACK, 1, 1 + MSS, window=65535)
        sent = side.wait(10 * S) + side.out()
        assert {segment.seq for segment in sent} >= {1 + MSS}

    def test_a_closed_one_is_probed_for_ever(self, side) -> None:
        """MUST-35 to MUST-37: exponentially slower, by one byte."""
        side.machine.write(bytes(100))
        side.say(ACK, 1, 1, window=0)
        assert side.out() == []
        times = []
        for _ in range(40):
            [probe] = side.wait(side.machine.next_timeout() - side.now)
            times.append(side.now)
            assert (probe.seq, lengths([probe])) == (1, [1])
            side.say(ACK, 1, 1, window=0)
            side.out()
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert gaps[1] == 2 * gaps[0]
        assert gaps[-1] == 60 * S
        assert side.machine.state is State.ESTABLISHED
        assert side.machine.sender.congestion.cwnd == 10 * MSS  # it is no sign of congestion
        side.say(ACK, 1, 1, window=5000)
        assert lengths(side.out()) == [1]
        side.say(ACK, 1, 2, window=5000)
        assert lengths(side.out()) == [99]

    def test_a_peer_that_is_gone_is_noticed_while_probing(self, side) -> None:
        side.machine.write(bytes(100))
        side.say(ACK, 1, 1, window=0)
        side.out()
        side.wait(300 * S)
        assert side.machine.loss is Loss.TIMED_OUT

    def test_resets_and_acknowledgements_count_in_a_closed_window(self, script) -> None:
        """MUST-66."""
        side = script(receive_buffer=5000)
        side.establish()
        side.machine.write(b"x")
        side.out()
        side.say(ACK, 1, 1, bytes(5000))
        [ack] = side.out()
        assert ack.window == 0
        assert side.say(ACK, 5001, 2) is None
        assert side.machine.sender.flight == 0
        assert side.say(ACK, 5001, 2, b"y") is DropReason.SEGMENT_UNACCEPTABLE
        side.say(RST, 5001, 2)
        assert side.machine.loss is Loss.RESET

    def test_ours_opens_by_whole_segments(self, script) -> None:
        """MUST-39: the receiver's part against silly windows."""
        side = script(receive_buffer=20_000)
        side.establish()
        for n in range(10):
            side.say(ACK, 1 + 2000 * n, 1, bytes(2000))
        assert side.out()[-1].window == 0
        side.machine.receiver.buffer.unread -= 1000  # as if a little had been read
        assert side.machine.receiver.acknowledge()[1] == 0
        side.machine.read()
        [update] = side.out()
        assert update.window == 20_000


class TestAcknowledgements:
    def test_a_young_connection_is_answered_at_once(self, side) -> None:
        side.say(ACK, 1, 1, b"hello")
        assert [segment.ack for segment in side.out()] == [6]

    def later(self, side) -> int:
        """Take what is acknowledged at once; return the next number."""
        for n in range(16):
            side.say(ACK, 1 + MSS * n, 1, bytes(MSS))
            side.machine.read()
            assert len(side.out()) == 1
        return 1 + 16 * MSS

    def test_wait_for_a_second_segment(self, side) -> None:
        """SHLD-18 and SHLD-19; MUST-58."""
        seq = self.later(side)
        side.say(ACK, seq, 1, bytes(MSS))
        assert side.out() == []
        side.say(ACK, seq + MSS, 1, bytes(MSS))
        assert [segment.ack for segment in side.out()] == [seq + 2 * MSS]

    def test_wait_for_40_ms_at_most(self, side) -> None:
        """MUST-40."""
        seq = self.later(side)
        side.say(ACK, seq, 1, b"x")
        assert side.wait(DELAYED_ACK_NS - 1) == []
        assert [segment.ack for segment in side.wait(1)] == [seq + 1]
        assert side.machine.next_timeout() == NEVER

    def test_go_with_data(self, side) -> None:
        seq = self.later(side)
        side.say(ACK, seq, 1, b"x")
        side.machine.write(b"y")
        assert [(segment.ack, segment.payload) for segment in side.out()] == [(seq + 1, b"y")]
        assert side.wait(100 * MS) == []

    def test_tell_of_gaps_at_once_and_of_their_end(self, side) -> None:
        """RFC 5681, 4.2; RFC 2018; MUST-59: all that waits is taken first."""
        seq = self.later(side)
        side.say(ACK, seq + 10, 1, b"0123456789")
        side.say(ACK, seq + 30, 1, b"0123456789")
        [ack] = side.out()
        assert (ack.ack, ack.sack) == (seq, ((seq + 30, seq + 40), (seq + 10, seq + 20)))
        side.say(ACK, seq, 1, b"0123456789")
        [ack] = side.out()
        assert (ack.ack, ack.sack) == (seq + 20, ((seq + 30, seq + 40),))


class TestRecovery:
    def start(self, script, sack: bool, count: int = 10):
        side = script(sack=sack, congestion=NewReno)
        side.establish(SynOptions(1460, 0, sack))
        side.machine.write(bytes(40 * MSS))
        assert len(side.out()) == count
        return side

    def sacks(self, side, *numbers: int, ack: int = 1) -> list[int]:
        """Tell that segments arrived; return the numbers of those that are sent."""
        sent = []
        for number in numbers:
            block = (1 + number * MSS, 1 + (number + 1) * MSS)
            side.say(ACK, 1, ack, sack=(block,) if side.machine.sender.sack_permitted else ())
            sent += [(segment.seq - 1) // MSS for segment in side.out()]
        return sent

    @pytest.mark.parametrize("sack", [True, False])
    def test_three_duplicates_repeat_the_first(self, script, sack: bool) -> None:
        """RFC 5681, 3.2; the first two let new segments out, which do not count (RFC 3042)."""
        side = self.start(script, sack)
        assert self.sacks(side, 1, 2) == [10, 11]
        assert self.sacks(side, 3) == [0]
        sender = side.machine.sender
        assert sender.recovery is Recovery.FAST
        assert sender.congestion.cwnd == sender.congestion.ssthresh == 5 * MSS
        assert self.sacks(side, 4, 5, 6, 7, 8, 9) == [12, 13]
        side.say(ACK, 1, 1 + 12 * MSS)
        assert sender.recovery is Recovery.NONE
        assert sender.congestion.cwnd == 5 * MSS

    @pytest.mark.parametrize("sack", [True, False])
    def test_the_repeated_has_the_whole_timeout(self, script, sack: bool) -> None:
        """Else the timer would expire a moment before its acknowledgement, as in Linux it does not.

        RFC 6298, 5.1 starts it only if it is not running.
        """
        side = self.start(script, sack)
        assert side.wait(150 * MS) == []
        assert 0 in self.sacks(side, 1, 2, 3)
        assert side.wait(199 * MS) == []
        assert [segment.seq for segment in side.wait(2 * MS)] == [1]

    def test_sack_repeats_just_what_is_lost(self, script) -> None:
        side = self.start(script, sack=True)
        sent = self.sacks(side, 1, 3, 4, 5, 7, 8, 9)
        assert [number for number in sent if number < 10] == [0, 2, 6]

    def test_a_repetition_that_is_lost_is_repeated_without_a_timeout(self, script) -> None:
        """Three segments came that were sent after it; it counts as congestion once more."""
        side = self.start(script, sack=True)
        assert self.sacks(side, 1, 2, 3)[-1] == 0
        threshold = side.machine.sender.congestion.ssthresh
        assert self.sacks(side, 4, 5, 6, 7, 8, 9) == [12, 13]
        assert 0 not in self.sacks(side, 10, 11, 12, 13)
        assert self.sacks(side, 14)[0] == 0
        assert side.machine.sender.congestion.ssthresh < threshold

    def test_what_ends_recovery_counts_as_far_as_it_was_not_known(self, script) -> None:
        """The repeated segment opens the window; those that were told of before do not."""
        side = self.start(script, sack=True)
        assert self.sacks(side, *range(1, 10))[2] == 0
        control = side.machine.sender.congestion
        side.say(ACK, 1, 1 + 12 * MSS)  # 0, and 10 and 11, of which it told nothing
        side.out()
        assert side.machine.sender.recovery is Recovery.NONE
        assert control.cwnd == 5 * MSS
        side.say(ACK, 1, 1 + 14 * MSS)  # two more are a window of five
        assert control.cwnd == 6 * MSS

    def test_newreno_repeats_one_at_each_partial_acknowledgement(self, script) -> None:
        """RFC 6582, 3.2."""
        side = self.start(script, sack=False)
        self.sacks(side, 1, 2, 3, 4, 5, 6, 7)
        side.say(ACK, 1, 1 + 4 * MSS)
        repeated = [(segment.seq - 1) // MSS for segment in side.out()]
        assert repeated[0] == 4
        assert side.machine.sender.recovery is Recovery.FAST

    @pytest.mark.parametrize("sack", [True, False])
    def test_a_timeout_begins_with_one_segment(self, script, sack: bool) -> None:
        """RFC 5681, 3.1; MUST-19."""
        side = self.start(script, sack)
        [again] = side.wait(300 * MS)
        assert again.seq == 1
        sender = side.machine.sender
        assert sender.congestion.cwnd == MSS
        assert sender.congestion.ssthresh == 5 * MSS
        side.say(ACK, 1, 1 + MSS)
        assert [(segment.seq - 1) // MSS for segment in side.out()] == [1, 2]
        side.say(ACK, 1, 1 + 10 * MSS)
        assert sender.recovery is Recovery.NONE

    def test_timeouts_double(self, script) -> None:
        """MUST-19."""
        side = self.start(script, sack=True)
        times = []
        for _ in range(5):
            side.wait(side.machine.next_timeout() - side.now)
            times.append(side.now)
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert all(b == 2 * a for a, b in itertools.pairwise(gaps))

    def test_what_was_sent_twice_is_not_timed(self, script) -> None:
        """MUST-18: Karn's algorithm."""
        side = self.start(script, sack=True)
        smoothed = side.machine.sender.rtt.smoothed_ns
        side.wait(300 * MS)
        doubled = side.machine.sender.rtt.rto_ns
        side.say(ACK, 1, 1 + MSS)
        assert side.machine.sender.rtt.smoothed_ns == smoothed
        assert side.machine.sender.rtt.rto_ns == doubled

    def test_a_timeout_forgets_what_the_peer_may_have_forgotten(self, script) -> None:
        """RFC 2018, section 8."""
        side = self.start(script, sack=True)
        self.sacks(side, 1, 2)
        side.wait(300 * MS)
        assert len(side.machine.sender._scoreboard) == 0

    def test_an_idle_connection_begins_with_the_initial_window(self, script) -> None:
        """RFC 5681, 4.1."""
        side = self.start(script, sack=True)
        for n in range(1, 41):
            side.say(ACK, 1, 1 + n * MSS)
            side.out()
        assert side.machine.sender.congestion.cwnd > 20 * MSS
        side.now += 10 * S
        side.machine.write(bytes(40 * MSS))
        assert len(side.out()) == 10

    def test_a_window_that_is_not_used_does_not_grow(self, script) -> None:
        side = self.start(script, sack=True)
        side.say(ACK, 1, 1 + 10 * MSS)
        side.out()
        sender = side.machine.sender
        sender.buffer.end = sender.nxt  # nothing is left to be sent
        side.out()
        before = sender.congestion.cwnd
        side.say(ACK, 1, sender.nxt - side.iss)
        assert sender.congestion.cwnd == before

    def test_an_owner_may_give_up_sooner(self, script) -> None:
        """MUST-21."""
        side = script(give_up_ns=2 * S)
        side.establish()
        side.machine.write(b"x")
        side.out()
        side.wait(5 * S)
        assert side.machine.loss is Loss.TIMED_OUT


class TestKeepAlive:
    def test_is_off(self, side) -> None:
        """MUST-25."""
        assert side.machine.next_timeout() == NEVER

    def test_asks_after_two_hours(self, script) -> None:
        """MUST-24, MUST-26 to MUST-28; SHLD-12: without data."""
        side = script(keep_alive=KeepAlive())
        side.establish()
        assert side.wait(7200 * S - 1) == []
        [probe] = side.wait(1)
        assert (probe.seq, probe.ack, probe.payload, probe.flags) == (0, 1, b"", ACK)
        side.say(ACK)
        assert side.wait(7200 * S - 1) == []

    def test_gives_up_after_all_probes_only(self, script) -> None:
        """MUST-29."""
        side = script(keep_alive=KeepAlive(10 * S, S, 3))
        side.establish()
        sent = side.wait(13 * S - 1)
        assert len(sent) == 3
        assert side.machine.state is State.ESTABLISHED
        [reset] = side.wait(S)
        assert reset.flags & RST
        assert side.machine.loss is Loss.TIMED_OUT

    def test_is_answered(self, side) -> None:
        assert side.say(ACK, 0, 1) is DropReason.SEGMENT_UNACCEPTABLE
        assert [(segment.seq, segment.ack) for segment in side.out()] == [(1, 1)]


class TestPaws:
    """Segments of long ago (RFC 7323, 5)."""

    @pytest.fixture
    def timed(self, script):
        side = script()
        side.machine.open(side.now)
        [syn] = side.out()
        side.say(SYN | ACK, 0, 1, options=SynOptions(1460), timestamp=(1000, syn.timestamp[0]))
        side.out()
        return side

    def test_are_dropped_and_answered(self, timed) -> None:
        assert timed.say(ACK, 1, 1, b"old", timestamp=(999, 0)) is DropReason.SEGMENT_STALE
        assert [segment.ack for segment in timed.out()] == [1]
        assert timed.machine.read() == []

    def test_without_timestamps_are_dropped(self, timed) -> None:
        assert timed.say(ACK, 1, 1, b"none") is DropReason.SEGMENT_STALE
        assert timed.out() == []

    def test_resets_are_exempt(self, timed) -> None:
        timed.say(RST, 1, 1)
        assert timed.machine.loss is Loss.RESET

    def test_the_clock_that_is_echoed_is_of_the_first_that_waits(self, timed) -> None:
        """RFC 7323, 4.3."""
        for n in range(16):
            timed.say(ACK, 1 + n, 1, b"x", timestamp=(1001 + n, 0))
            timed.out()
        timed.say(ACK, 17, 1, b"x", timestamp=(2000, 0))
        assert timed.out() == []
        timed.say(ACK, 18, 1, b"x", timestamp=(3000, 0))
        assert [segment.timestamp[1] for segment in timed.out()] == [2000]
