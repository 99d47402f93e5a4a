"""When to dial a controller again: at once, then after 1, 2, 4 and at most 8 seconds.

These are the figures of Open vSwitch (``inactivity_probe`` and ``max_backoff`` of its controller
table, and ``lib/reconnect.c``).
"""

from __future__ import annotations

from typing import Final

from sdnvirt.units import NS_PER_S

SHORTEST_NS: Final = 1 * NS_PER_S
LONGEST_NS: Final = 8 * NS_PER_S


class Backoff:
    """The dialling times of one switch."""

    def __init__(self) -> None:
        self._last_dial: int | None = None
        self._delay = 0

    def next_dial(self, now: int) -> int:
        """Return when to dial (ns), given that a connection is wanted now.

        The first dial is at once. A connection that lasted longer than LONGEST_NS was a good one,
        after which the delays start again at SHORTEST_NS.
        """
        if self._last_dial is None:
            self._delay = 0
        elif self._delay == 0 or now - self._last_dial > LONGEST_NS:
            self._delay = SHORTEST_NS
        else:
            self._delay = min(2 * self._delay, LONGEST_NS)
        self._last_dial = now + self._delay
        return self._last_dial
