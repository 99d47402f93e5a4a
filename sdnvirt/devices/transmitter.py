"""A transmitter: it sends one frame at a time, at a link's rate, of those that wait for it.

Who goes next is the affair of a backlog: the OpenFlow queues of a port, or the queue discipline of
a link. All is arithmetic on picoseconds, as in :mod:`~sdnvirt.devices.link`: nothing is lost to
rounding.
"""

from __future__ import annotations

from typing import Final, Protocol

from sdnvirt.devices.device import Egress
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.frame import Frame

PS_PER_NS: Final = 1000
PS_BITS_PER_BYTE: Final = 8 * 10**12
"""Divided by bits a second, the picoseconds that a byte takes."""


def ps_per_byte(rate_bps: int | None) -> int:
    """Return the picoseconds that a byte takes at a rate, 0 where that is unlimited."""
    return 0 if rate_bps is None else PS_BITS_PER_BYTE // rate_bps


class Backlog(Protocol):
    """Frames that wait for a transmitter."""

    def ready_ps(self) -> int | None:
        """Return from when on a frame may go, 0 for at once; None if no frame waits."""

    def take(self, start_ps: int, until_ps: int) -> Frame | None:
        """Take the frame whose turn it is.

        Args:
            start_ps: when its transmission begins.
            until_ps: what is due before this time is due now.

        Returns:
            the frame; None if those that waited were lost instead.
        """


class Transmitter:
    """Sends the frames of a backlog to an egress, which gets each when its transmission begins.

    Args:
        scheduler: virtual time.
        backlog: what waits.
        egress: where frames go.
        rate_bps: bits a second, or None for unlimited.
    """

    __slots__ = (
        "_backlog", "_busy_until_ps", "_egress", "_ps_per_byte", "_scheduler", "_wake_ns",
    )  # fmt: skip

    def __init__(
        self, scheduler: Scheduler, backlog: Backlog, egress: Egress, rate_bps: int | None
    ) -> None:
        self._scheduler = scheduler
        self._backlog = backlog
        self._busy_until_ps = 0
        self._wake_ns: int | None = None
        self.lead_to(egress, rate_bps)

    def lead_to(self, egress: Egress, rate_bps: int | None) -> None:
        """Send to another egress, or at another rate, from the next frame on."""
        self._egress = egress
        self._ps_per_byte = ps_per_byte(rate_bps)

    def fall_idle(self) -> None:
        """Forget the frame that is being sent."""
        self._busy_until_ps = 0

    def send(self) -> None:
        """Send frames as long as the transmitter is free, and come back when it will be."""
        backlog = self._backlog
        now_ps = self._scheduler.now * PS_PER_NS
        until_ps = now_ps + PS_PER_NS  # what is due within this nanosecond is due now
        while True:
            ready_ps = backlog.ready_ps()
            if ready_ps is None:
                return
            if self._busy_until_ps >= until_ps:
                self._wake_at(self._busy_until_ps)
                return
            if ready_ps >= until_ps:
                self._wake_at(ready_ps)
                return
            start_ps = max(self._busy_until_ps, now_ps)
            frame = backlog.take(start_ps, until_ps)
            if frame is not None:
                self._busy_until_ps = start_ps + frame.size * self._ps_per_byte
                self._egress.carry(frame)

    def _wake_at(self, time_ps: int) -> None:
        wake_ns = time_ps // PS_PER_NS
        if self._wake_ns is None or wake_ns < self._wake_ns:
            self._wake_ns = wake_ns
            self._scheduler.call_at(wake_ns, self._wake, wake_ns)

    def _wake(self, wake_ns: int) -> None:
        if wake_ns == self._wake_ns:  # not overtaken by an earlier one
            self._wake_ns = None
            self.send()
