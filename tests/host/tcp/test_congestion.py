"""How the congestion window moves: slow start, avoidance, losses, timeouts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.host.tcp.congestion import NewReno
from sdnvirt.host.tcp.cubic import Cubic, cube_root

MSS = 1000
MS = 1_000_000
S = 1000 * MS

STRATEGIES = pytest.mark.parametrize("strategy", [NewReno, Cubic])


@STRATEGIES
@pytest.mark.parametrize(("mss", "window"), [(536, 5360), (1460, 14600), (8960, 17920)])
def test_the_initial_window_is_of_rfc_6928(strategy, mss: int, window: int) -> None:
    assert strategy(mss).cwnd == window


@STRATEGIES
def test_slow_start_doubles_in_a_round_trip(strategy) -> None:
    control = strategy(MSS)
    for _ in range(10):
        control.acknowledged(MSS, 0, MS)
    assert control.cwnd == 20 * MSS


@STRATEGIES
def test_an_acknowledgement_opens_it_by_one_segment_at_most(strategy) -> None:
    """RFC 5681, equation 2."""
    control = strategy(MSS)
    control.acknowledged(5 * MSS, 0, MS)
    assert control.cwnd == 11 * MSS


@STRATEGIES
def test_a_timeout_begins_anew(strategy) -> None:
    control = strategy(MSS)
    control.timed_out(40 * MSS, 0, again=False)
    assert control.cwnd == MSS
    threshold = control.ssthresh
    assert threshold in (20 * MSS, 28 * MSS)
    control.timed_out(40 * MSS, 0, again=True)
    assert control.ssthresh == threshold


@STRATEGIES
@given(st.data())
def test_the_window_keeps_sane_whatever_happens(strategy, data: st.DataObject) -> None:
    control = strategy(MSS)
    now = 0
    for step in data.draw(st.lists(st.sampled_from("aaaaltri"), max_size=60)):
        now += data.draw(st.integers(0, 10 * S))
        before, flight = control.cwnd, data.draw(st.integers(0, control.cwnd))
        if step == "a":
            control.acknowledged(data.draw(st.integers(1, 20 * MSS)), now, 100 * MS)
            assert before <= control.cwnd <= 2 * before + 20 * MSS
        elif step == "l":
            control.congested(flight, now)
            assert control.cwnd <= max(flight, 2 * MSS)
        elif step == "t":
            control.timed_out(flight, now, again=False)
        elif step == "r":
            control.restarted()
        else:
            control.resize(data.draw(st.integers(64, 9000)))
            control.resize(MSS)
        assert control.cwnd >= MSS
        assert control.ssthresh >= 2 * MSS or control.mss != MSS


class TestNewReno:
    def test_one_segment_a_round_trip_and_half_at_a_loss(self) -> None:
        control = NewReno(MSS)
        control.congested(40 * MSS, 0)
        assert (control.cwnd, control.ssthresh) == (20 * MSS, 20 * MSS)
        for _ in range(10):  # one for two segments each
            control.acknowledged(2 * MSS, 0, MS)
        assert control.cwnd == 21 * MSS

    def test_the_threshold_is_two_segments_at_least(self) -> None:
        control = NewReno(MSS)
        control.congested(MSS, 0)
        assert control.ssthresh == 2 * MSS


class TestCubic:
    @staticmethod
    def after(control: Cubic, seconds: int, rtt_ms: int = 100) -> list[int]:
        """Acknowledge a window each round trip; return the window at each second."""
        windows = []
        for trip in range(seconds * 1000 // rtt_ms):
            if trip % (1000 // rtt_ms) == 0:
                windows.append(control.cwnd // MSS)
            left = control.cwnd
            while left > 0:
                control.acknowledged(2 * MSS, trip * rtt_ms * MS, rtt_ms * MS)
                left -= 2 * MSS
        return windows

    def test_follows_the_cubic_function(self) -> None:
        """W(t) = 0.4 (t - K)^3 + W_max with K = cbrt(0.3 W_max / 0.4) (RFC 9438, 4.2)."""
        control = Cubic(MSS)
        control.congested(1000 * MSS, 0)
        assert control.cwnd == 700 * MSS
        k = (0.3 * 1000 / 0.4) ** (1 / 3)
        for second, window in enumerate(self.after(control, 16)):
            expected = 0.4 * (second - k) ** 3 + 1000
            assert window == pytest.approx(expected, rel=0.02), second

    def test_is_as_fast_as_reno_on_short_ways(self) -> None:
        """RFC 9438, 4.3: the Reno-friendly region."""
        control = Cubic(MSS)
        control.congested(20 * MSS, 0)
        trips = 200
        for trip in range(trips):
            for _ in range(control.cwnd // MSS):
                control.acknowledged(MSS, trip * MS, MS)
        cubic_alone = 0.4 * (0.2 - (0.3 * 20 / 0.4) ** (1 / 3)) ** 3 + 20
        assert control.cwnd / MSS > cubic_alone + 0.4 * trips

    def test_it_is_no_faster_than_reno_beyond_the_window_of_the_last_loss(self) -> None:
        """Linux goes on so, where RFC 9438, 4.3 advises a whole segment a round trip."""
        control = Cubic(MSS)
        control.congested(40 * MSS, 0)
        windows = []
        for trip in range(50):
            windows.append(control.cwnd / MSS)
            for _ in range(control.cwnd // MSS):
                control.acknowledged(MSS, trip * MS, MS)
        assert windows[0] < 40 < windows[-1]
        below = [window for window in windows if window < 40]
        beyond = [window for window in windows if window >= 40]
        for part in (below, beyond):
            assert part[-1] - part[0] == pytest.approx(9 / 17 * (len(part) - 1), abs=1)

    def test_the_threshold_is_in_whole_segments(self) -> None:
        control = Cubic(MSS)
        control.congested(12 * MSS, 0)
        assert control.ssthresh == 8 * MSS

    def test_fast_convergence_gives_room(self) -> None:
        control = Cubic(MSS)
        control.congested(100 * MSS, 0)
        control.congested(70 * MSS, S)
        assert control._top == int(0.85 * 70 * MSS)  # (4.7)

    @given(st.integers(0, 10**30))
    def test_cube_roots_are_exact(self, number: int) -> None:
        root = cube_root(number)
        assert root**3 <= number < (root + 1) ** 3
