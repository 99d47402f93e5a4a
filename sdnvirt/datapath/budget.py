"""How much work one packet may be, when actions lead back to tables."""

from __future__ import annotations

from typing import Final

from sdnvirt.drops import DropReason

RESUBMIT_DEPTH_LIMIT: Final = 64
"""Resubmits within resubmits, as in Open vSwitch: more are a loop."""

RESUBMITS_LIMIT: Final = 4096
"""Resubmits of one packet in all, as in Open vSwitch, so that entries which double it end."""

RECIRCULATIONS_LIMIT: Final = 6
"""Times that a packet may come back from connection tracking; Open vSwitch's userspace has six."""


class Budget:
    """What one packet has cost, its copies included.

    Attributes:
        exceeded: why the packet is dropped, whatever was done with it; None if it is not.
        recirculations: how often it came back from connection tracking.
    """

    __slots__ = ("_depth", "_resubmits", "exceeded", "recirculations")

    def __init__(self, recirculations: int = 0) -> None:
        self.exceeded: DropReason | None = None
        self.recirculations = recirculations
        self._depth = 0
        self._resubmits = 0

    def begin_resubmit(self) -> bool:
        """Enter a resubmit; return whether that is within the limits."""
        self._depth += 1
        self._resubmits += 1
        if self._depth > RESUBMIT_DEPTH_LIMIT or self._resubmits > RESUBMITS_LIMIT:
            self.exceeded = DropReason.RESUBMIT_LIMIT
        return self.exceeded is None

    def end_resubmit(self) -> None:
        """Leave a resubmit."""
        self._depth -= 1
