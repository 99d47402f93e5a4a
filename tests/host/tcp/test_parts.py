"""The parts of a connection, one by one: numbers, buffers, scoreboard, round trips, cookies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4
from sdnvirt.host.tcp.challenge import LIMIT, PERIOD_NS, ChallengeLimit
from sdnvirt.host.tcp.isn import COOKIE_MSS, COOKIE_PERIOD_NS, SequenceNumbers
from sdnvirt.host.tcp.parameters import SMALLEST_BUFFER, TcpParameters
from sdnvirt.host.tcp.reassembly import MAX_BLOCKS, ReceiveBuffer
from sdnvirt.host.tcp.rtt import INITIAL_RTO_NS, MAX_RTO_NS, MIN_VARIATION_NS, RttEstimator
from sdnvirt.host.tcp.scoreboard import MAX_RANGES, Scoreboard
from sdnvirt.host.tcp.send_buffer import SendBuffer
from sdnvirt.host.tcp.sequence import MASK, unwrap
from sdnvirt.host.tcp.timestamps import OUTDATED_NS, TICK_NS, Timestamps, clock

MS = 1_000_000


class TestSequence:
    @given(st.integers(-(1 << 40), 1 << 40), st.integers(-(1 << 31), (1 << 31) - 1))
    def test_what_is_near_is_found_again(self, near: int, distance: int) -> None:
        assert unwrap((near + distance) & MASK, near) == near + distance

    def test_around_the_wrap(self) -> None:
        assert unwrap(3, 0xFFFFFFFE) == (1 << 32) + 3
        assert unwrap(0xFFFFFFFE, (1 << 32) + 3) == 0xFFFFFFFE


class TestSendBuffer:
    @given(st.lists(st.tuples(st.binary(max_size=50), st.integers(0, 60)), max_size=60))
    def test_holds_what_was_written_and_not_released(self, steps) -> None:
        buffer = SendBuffer(start=-7, capacity=100)
        stream = b""
        for data, released in steps:
            accepted = buffer.append(data)
            assert accepted == min(len(data), 100 - len(stream) + (buffer.start + 7))
            stream += data[:accepted]
            buffer.release(min(buffer.start + released, buffer.end))
            assert buffer.slice(buffer.start, buffer.end) == stream[buffer.start + 7 :]
            assert buffer.free == 100 - (buffer.end - buffer.start)

    def test_memory_follows_what_is_released(self) -> None:
        buffer = SendBuffer(0, 1 << 20)
        for _ in range(100):
            buffer.append(bytes(1 << 20))
            buffer.release(buffer.end - 10)
            assert len(buffer._data) <= 1 << 20


class TestScoreboard:
    UNA, NXT = 1000, 1200
    BLOCKS = st.lists(st.tuples(st.integers(990, 1210), st.integers(990, 1210)), max_size=30)

    @given(BLOCKS, st.integers(1000, 1200), st.integers(1000, 1200), st.integers(1000, 1200))
    def test_is_a_set_of_bytes(self, blocks, start: int, end: int, una: int) -> None:
        board, model = Scoreboard(), set()
        for block in blocks:
            before = len(model)
            if self.UNA < block[0] < block[1] <= self.NXT:
                model |= set(range(*block))
            assert board.record((block,), self.UNA, self.NXT) == (len(model) > before)
        board.forget(una)
        model = {number for number in model if number >= una}
        assert board.total == len(model)
        missing = [number for number in range(start, end) if number not in model]
        if start >= una:
            assert board.missing(start, end) == len(missing)
            hole = board.hole(start, end)
            assert (hole is None) == (not missing)
            if hole is not None:
                assert hole[0] == missing[0]
                assert set(range(*hole)) <= set(missing)
                assert hole[1] == end or hole[1] in model

    @given(BLOCKS)
    def test_lost_is_what_three_ranges_or_two_segments_are_above(self, blocks) -> None:
        board, mss = Scoreboard(), 20
        board.record(tuple(blocks), self.UNA, self.NXT)
        ranges = list(zip(board._starts, board._ends, strict=True))

        def is_lost(number: int) -> bool:
            above = [(a, b) for a, b in ranges if b > number]
            return len(above) >= 3 or sum(b - a for a, b in above) > 2 * mss

        edge = board.lost_edge(mss)
        for number in range(self.UNA, self.NXT):
            if not any(a <= number < b for a, b in ranges):
                assert is_lost(number) == (number < edge)

    def test_is_bounded(self) -> None:
        board = Scoreboard()
        for number in range(2 * MAX_RANGES):
            board.record(((2 * number + 2, 2 * number + 3),), 0, 1 << 20)
        assert len(board) == MAX_RANGES
        assert board.record(((3, 4),), 0, 1 << 20)  # which joins two

    def test_wraps(self) -> None:
        board, una = Scoreboard(), 0xFFFFFFF0
        assert board.record(((0xFFFFFFFA, 4),), una, una + 100)
        assert board.hole(una, una + 100) == (una, 0xFFFFFFFA)
        assert board.highest == (1 << 32) + 4


class TestReceiveBuffer:
    STREAM = bytes(range(100))
    PARTS = st.lists(st.tuples(st.integers(0, 99), st.integers(1, 30)), max_size=40)

    @given(PARTS)
    def test_hands_out_the_stream_as_far_as_it_is_whole(self, parts) -> None:
        buffer, have, read = ReceiveBuffer(500), set(), b""
        for start, length in parts:
            end = min(start + length, 100)
            if 500 + end > buffer.nxt:
                assert buffer.insert(500 + start, self.STREAM[start:end])
            have |= set(range(start, end))
            whole = next(n for n in range(101) if n not in have)
            assert buffer.nxt == 500 + whole
            assert buffer.unread == whole - len(read)
            assert bool(buffer.gaps) == (max(have) >= whole)
            read += b"".join(buffer.read())
            assert read == self.STREAM[:whole]
            for block in buffer.sack(4):
                assert {n - 500 for n in range(*block)} <= have
                assert block[0] - 501 not in have
                assert block[1] - 500 not in have

    def test_tells_the_latest_blocks_first(self) -> None:
        buffer = ReceiveBuffer(0)
        for start in (10, 30, 20, 50, 40):
            buffer.insert(start, b"ab")
        assert buffer.sack(3) == ((40, 42), (50, 52), (20, 22))
        buffer.insert(12, bytes(8))
        assert buffer.sack(4) == ((10, 22), (40, 42), (50, 52), (30, 32))
        buffer.insert(0, bytes(45))
        assert buffer.sack(4) == ((50, 52),)

    def test_is_bounded(self) -> None:
        buffer = ReceiveBuffer(0)
        kept = [buffer.insert(2 * n + 1, b"x") for n in range(2 * MAX_BLOCKS)]
        assert kept == [True] * MAX_BLOCKS + [False] * MAX_BLOCKS
        assert buffer.insert(2, b"x")  # touches two


class TestRtt:
    def test_begins_with_a_second(self) -> None:
        assert RttEstimator().rto_ns == INITIAL_RTO_NS == 10**9

    def test_first_and_next_measurements(self) -> None:
        """RFC 6298, 2.2 and 2.3."""
        rtt = RttEstimator()
        rtt.measured(400 * MS)
        assert (rtt.smoothed_ns, rtt.rto_ns) == (400 * MS, 1200 * MS)
        rtt.measured(800 * MS)
        assert rtt.smoothed_ns == 450 * MS
        assert rtt.rto_ns == 450 * MS + 4 * (3 * 200 + 400) // 4 * MS

    def test_has_a_floor_and_a_ceiling(self) -> None:
        rtt = RttEstimator()
        rtt.measured(1000)
        assert rtt.rto_ns == 1000 + MIN_VARIATION_NS
        for _ in range(20):
            rtt.back_off()
        assert rtt.rto_ns == MAX_RTO_NS == 60 * 10**9

    def test_doubles_until_it_is_measured_again(self) -> None:
        rtt = RttEstimator()
        rtt.measured(100 * MS)
        before = rtt.rto_ns
        rtt.back_off()
        rtt.back_off()
        assert rtt.rto_ns == 4 * before
        rtt.settle()
        assert rtt.rto_ns == before

    @given(st.lists(st.integers(0, 10**11), min_size=1))
    def test_stays_in_bounds(self, samples: list[int]) -> None:
        rtt = RttEstimator()
        for sample in samples:
            rtt.measured(sample)
            assert rtt.smoothed_ns >= 1
            assert rtt.rto_ns >= min(rtt.smoothed_ns + MIN_VARIATION_NS, MAX_RTO_NS)
            assert rtt.rto_ns <= MAX_RTO_NS


class TestTimestamps:
    def test_older_ones_are_stale_across_the_wrap(self) -> None:
        times = Timestamps(0, 0xFFFFFFFE, 0)
        assert times.is_stale((0xFFFFFFFD, 0), MS)
        assert not times.is_stale((0xFFFFFFFE, 0), MS)
        times.heard((5, 0), 2 * MS)
        assert times.is_stale((0xFFFFFFFE, 0), 3 * MS)
        assert times.pair(3 * MS) == (3, 5)

    def test_are_believed_again_after_24_days(self) -> None:
        times = Timestamps(0, 1000, 0)
        assert times.is_stale((999, 0), OUTDATED_NS)
        assert not times.is_stale((999, 0), OUTDATED_NS + 1)

    def test_measure_a_round_trip(self) -> None:
        times = Timestamps(0xFFFFFFF0, 1, 0)
        sent = clock(0xFFFFFFF0, 10 * TICK_NS)
        assert times.round_trip((9, sent), 50 * TICK_NS) == 40 * TICK_NS
        assert times.round_trip((9, 0), 50 * TICK_NS) is None
        assert times.round_trip((9, sent + 1000), 50 * TICK_NS) is None  # from the future


class TestChallenges:
    def test_ten_in_five_seconds(self) -> None:
        limit = ChallengeLimit()
        assert [limit.allows(0) for _ in range(12)] == [True] * LIMIT + [False] * 2
        assert not limit.allows(PERIOD_NS - 1)
        assert limit.allows(PERIOD_NS)


ENDS = (Ipv4("10.0.0.1"), 80, Ipv4("10.0.0.2"), 4000)
OTHERS = (Ipv4("10.0.0.1"), 80, Ipv4("10.0.0.3"), 4000)


class TestSequenceNumbers:
    numbers = SequenceNumbers(bytes(16))

    def test_grow_with_time_for_the_same_ends(self) -> None:
        first = self.numbers.initial(ENDS, 0)
        assert (self.numbers.initial(ENDS, 4 * MS) - first) & MASK == 1000

    def test_are_unlike_for_others_and_other_secrets(self) -> None:
        first = self.numbers.initial(ENDS, 0)
        assert self.numbers.initial(OTHERS, 0) != first
        assert SequenceNumbers(bytes(15) + b"x").initial(ENDS, 0) != first

    @given(st.integers(0, MASK), st.integers(0, 65535), st.integers(0, 10**15))
    def test_cookies_come_back(self, irs: int, mss: int, now: int) -> None:
        cookie = self.numbers.cookie(ENDS, irs, mss, now)
        size = self.numbers.read_cookie(ENDS, irs, cookie, now + COOKIE_PERIOD_NS)
        assert size == max([known for known in COOKIE_MSS if known <= mss] or [COOKIE_MSS[0]])

    def test_cookies_of_others_or_old_ones_are_refused(self) -> None:
        cookie = self.numbers.cookie(ENDS, 5, 1460, 0)
        assert self.numbers.read_cookie(OTHERS, 5, cookie, 0) is None
        assert self.numbers.read_cookie(ENDS, 6, cookie, 0) is None
        assert self.numbers.read_cookie(ENDS, 5, cookie ^ 1, 0) is None
        assert self.numbers.read_cookie(ENDS, 5, cookie, 2 * COOKIE_PERIOD_NS) is None
        assert self.numbers.read_cookie(ENDS, 5, cookie ^ 1 << 24, 0) is None


class TestParameters:
    @pytest.mark.parametrize("size", [SMALLEST_BUFFER, 65535, 65536, 1 << 20, (1 << 30) - 16384])
    def test_the_scale_is_the_least_that_serves(self, size: int) -> None:
        scale = TcpParameters(receive_buffer=size).window_scale
        assert size >> scale <= 0xFFFF
        assert scale == 0 or size >> (scale - 1) > 0xFFFF
        assert scale <= 14

    @pytest.mark.parametrize(
        "wrong", [{"send_buffer": 10}, {"receive_buffer": 10}, {"receive_buffer": 1 << 30},
                  {"delayed_ack_ns": 500 * MS}],
    )  # fmt: skip
    def test_what_cannot_work_is_refused(self, wrong) -> None:
        with pytest.raises(AssertionError):
            TcpParameters(**wrong)
