"""The conservation ledger: no frame gets lost without a reason.

At every moment::

    sent + copied = delivered + dropped + in flight

*Sent* counts frames that hosts, functions and tools made; *copied* the additional frames that
floods and replication made; *delivered* the frames that a host's stack, a tool or a controller
took; *dropped* those that ended with a :class:`~sdnvirt.drops.DropReason`; *in flight* is counted
independently, from the frames that wait in the scheduler and in queues. Encapsulation keeps a
frame one frame.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sized
from dataclasses import dataclass
from typing import Final

from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.frame import Frame

RECENT_DROPS: Final = 4096
"""Dropped frames kept for explanations: some thousand checks' worth, about 2 MB."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One lost frame.

    Attributes:
        time_ns: when it was lost.
        place: the device or link, as ``s1`` or ``h1--s1``.
        reason: the one reason.
        frame: the frame as it was.
        detail: figures that belong to the reason, or "".
    """

    time_ns: int
    place: str
    reason: DropReason
    frame: Frame
    detail: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason.value}" + (f" ({self.detail})" if self.detail else "")


class Ledger:
    """Counts what became of every frame of one network.

    Attributes:
        sent: frames made by hosts, functions and tools.
        copied: additional frames made by floods and replication.
        delivered: frames that reached their end.
        drops: frames lost, by (place, reason).
        recent: the last RECENT_DROPS drops.
    """

    __slots__ = ("_queues", "_scheduler", "copied", "delivered", "drops", "recent", "sent")

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._queues: list[Sized] = []
        self.sent = 0
        self.copied = 0
        self.delivered = 0
        self.drops: Counter[tuple[str, DropReason]] = Counter()
        self.recent: deque[Drop] = deque(maxlen=RECENT_DROPS)

    def drop(self, frame: Frame, reason: DropReason, place: str, detail: str = "") -> None:
        """Enter a lost frame: why and where, and the figures that belong to the reason."""
        self.drops[place, reason] += 1
        self.recent.append(Drop(self._scheduler.now, place, reason, frame, detail))

    @property
    def dropped(self) -> int:
        """How many frames were lost."""
        return self.drops.total()

    def watch(self, queues: Sized) -> None:
        """Count the frames that wait there, of which ``len`` tells how many, as in flight."""
        self._queues.append(queues)

    def in_flight(self) -> int:
        """Count the frames that wait in the scheduler and in queues; O(pending events)."""
        scheduled = sum(1 for event in self._scheduler.pending() if isinstance(event[3], Frame))
        return scheduled + sum(map(len, self._queues))

    def imbalance(self) -> int:
        """Return sent + copied - delivered - dropped - in flight: 0 unless there is a bug."""
        return self.sent + self.copied - self.delivered - self.dropped - self.in_flight()

    def by_reason(self) -> dict[DropReason, int]:
        """Return the drops summed over places, in the order of the reasons' table."""
        sums: Counter[DropReason] = Counter()
        for (_, reason), count in self.drops.items():
            sums[reason] += count
        return {reason: sums[reason] for reason in DropReason if sums[reason]}
