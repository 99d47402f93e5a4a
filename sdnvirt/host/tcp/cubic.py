"""CUBIC (RFC 9438): a window that is a cubic function of the time since the last loss.

In bytes, milliseconds and integers: a cube root of floats would depend on the machine's library.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.host.tcp.congestion import MIN_SEGMENTS, CongestionControl
from sdnvirt.units import NS_PER_S

_NS_PER_MS: Final = NS_PER_S // 1000

BETA_TENTHS: Final = 7
"""What stays of the window at a loss, beta_cubic = 0.7 (RFC 9438, 4.6)."""

C_TENTHS: Final = 4
"""How steep the function is, C = 0.4 segments a cubic second (RFC 9438, 5.1)."""

_SCALE: Final = 10 * 1000**3
"""Tenths of cubic seconds, as tenths of cubic milliseconds."""

ALPHA: Final = (9, 17)
"""Segments a round trip that make it as fast as Reno with beta: 3 (1 - beta) / (1 + beta) (4.3).

RFC 9438 adds there that it SHOULD be 1 from the window of the last loss on. Hosts stand for the
machines that people know, and Linux keeps it: with 1, the goodput at 3% loss was 1.14 times that
of the kernel (docs/performance.md)."""


def cube_root(number: int) -> int:
    """Return the greatest integer whose cube is not above the number, which is at least 0."""
    root = 1 << -(-number.bit_length() // 3)  # at least the root: Newton's steps go down
    while root**3 > number:
        root = (2 * root + number // root**2) // 3
    return root


class Cubic(CongestionControl):
    """CUBIC with fast convergence and its Reno-friendly region."""

    __slots__ = ("_credit", "_epoch_ns", "_k_ms", "_reno", "_reno_credit", "_top")

    def __init__(self, mss: int) -> None:
        super().__init__(mss)
        self._top = 0
        """W_max: the window at the last loss, or less by fast convergence, bytes."""
        self._epoch_ns: int | None = None
        self._k_ms = 0
        self._reno = self._reno_credit = self._credit = 0

    def avoid_congestion(self, count: int, now: int, rtt_ns: int) -> None:
        if self._epoch_ns is None:
            self._begin(now)
        assert self._epoch_ns is not None, "an epoch has begun"
        elapsed_ms = (now - self._epoch_ns) // _NS_PER_MS
        self._follow_reno(count)
        if self._window(elapsed_ms) < self._reno:  # the Reno-friendly region (4.3)
            self.cwnd = max(self.cwnd, self._reno)
            return
        target = self._window(elapsed_ms + rtt_ns // _NS_PER_MS)
        gain = min(max(target, self.cwnd), self.cwnd * 3 // 2) - self.cwnd  # (4.2)
        grown, self._credit = divmod(self._credit + gain * count, self.cwnd)
        self.cwnd += grown

    def reduce(self, flight: int, now: int) -> None:
        self._epoch_ns = None
        # Fast convergence (4.7): whoever lost twice in a row leaves room for a newcomer.
        self._top = flight * (10 + BETA_TENTHS) // 20 if flight < self._top else flight
        # In whole segments, as hosts count their windows: a part of one could not be sent.
        segments = flight * BETA_TENTHS // (10 * self.mss)
        self.ssthresh = max(segments, MIN_SEGMENTS) * self.mss

    def timed_out(self, flight: int, now: int, again: bool) -> None:
        super().timed_out(flight, now, again)
        self._epoch_ns = None

    def restarted(self) -> None:
        super().restarted()
        self._epoch_ns = None  # time without data does not count (5.8)

    def _begin(self, now: int) -> None:
        """Begin an epoch: congestion avoidance from now on (4.2)."""
        self._epoch_ns = now
        self._reno = self.cwnd
        self._credit = self._reno_credit = 0
        self._top = max(self._top, self.cwnd)
        missing = self._top - self.cwnd
        self._k_ms = cube_root(missing * _SCALE // (C_TENTHS * self.mss))

    def _window(self, elapsed_ms: int) -> int:
        """Return W_cubic, the window after so long (figure 1 of RFC 9438)."""
        return C_TENTHS * self.mss * (elapsed_ms - self._k_ms) ** 3 // _SCALE + self._top

    def _follow_reno(self, count: int) -> None:
        """Let W_est grow, so that it is as fast as Reno on average (figure 4 of RFC 9438).

        By whole segments, each for a whole number of others, as in Linux; that makes small windows
        grow a little faster.
        """
        gain, per = ALPHA
        price = per * (self.cwnd // self.mss) // gain * self.mss
        grown, self._reno_credit = divmod(self._reno_credit + count, max(price, self.mss))
        self._reno += grown * self.mss
