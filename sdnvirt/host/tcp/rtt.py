"""The retransmission timeout, from measured round trips (RFC 6298)."""

from __future__ import annotations

from typing import Final

from sdnvirt.units import NS_PER_S

INITIAL_RTO_NS: Final = NS_PER_S
"""Before there is a measurement (RFC 6298, 2.1)."""

MIN_VARIATION_NS: Final = NS_PER_S // 5
"""The least that the timeout is above the smoothed round trip: 200 ms, as Linux has it.

RFC 6298, 2.4 has the whole timeout at least 1 s, for the clocks and delayed acknowledgements of
its time, and lets that be lowered; people know hosts that recover in 200 ms. It is a floor for the
variation, not for the sum, so that an acknowledgement delayed by a peer is not taken for a loss
however long the way is."""

MAX_RTO_NS: Final = 60 * NS_PER_S
"""The longest pause between repetitions; RFC 6298, 2.5 asks for no less."""

AFTER_LOST_SYN_NS: Final = 3 * NS_PER_S
"""The timeout to begin data with if the SYN had to be repeated (RFC 6298, 5.7)."""


class RttEstimator:
    """Round trips of one connection.

    Attributes:
        smoothed_ns: the smoothed round-trip time, 0 before the first measurement.
        rto_ns: the timeout, doubled for each repetition until there is a new measurement.
    """

    __slots__ = ("_variation_ns", "rto_ns", "smoothed_ns")

    def __init__(self) -> None:
        self.smoothed_ns: int = 0
        self._variation_ns: int = 0
        self.rto_ns: int = INITIAL_RTO_NS

    @property
    def variation_ns(self) -> int:
        """The round-trip time variation, 0 before the first measurement."""
        return self._variation_ns

    def measured(self, rtt_ns: int) -> None:
        """Take a round trip (ns) of a segment that was sent once (Karn's rule)."""
        if not self.smoothed_ns:
            self.smoothed_ns = max(rtt_ns, 1)
            self._variation_ns = rtt_ns >> 1
        else:
            self._variation_ns += (abs(self.smoothed_ns - rtt_ns) - self._variation_ns) >> 2
            self.smoothed_ns = max(self.smoothed_ns + ((rtt_ns - self.smoothed_ns) >> 3), 1)
        self.settle()

    def settle(self) -> None:
        """Take doublings back: the timeout is what the measurements say."""
        if self.smoothed_ns:
            variation = max(4 * self._variation_ns, MIN_VARIATION_NS)
            self.rto_ns = min(self.smoothed_ns + variation, MAX_RTO_NS)

    def back_off(self) -> None:
        """Double the timeout, as it has expired (RFC 6298, 5.5)."""
        self.rto_ns = min(2 * self.rto_ns, MAX_RTO_NS)

    def after_lost_syn(self) -> None:
        """Begin data with a careful timeout (RFC 6298, 5.7)."""
        if not self.smoothed_ns:
            self.rto_ns = AFTER_LOST_SYN_NS
