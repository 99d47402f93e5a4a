"""The ``time`` module as an embedded controller sees it: its clock starts at 0 with the run.

Only what depends on the present is replaced; the rest is Python's own. Calendar functions answer
in UTC, so that a run is the same in every time zone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from sdnvirt.units import NS_PER_S

BUSY_LIMIT: Final = 10_000_000
"""Readings of the clock without a pause after which the caller is waiting for it to move, which
it cannot: ``while time.time() < deadline: pass`` would never end."""


class BusyWaitError(Exception):
    """The clock was read BUSY_LIMIT times without any pause."""


class VirtualTime:
    """Stands in for the module ``time``.

    Args:
        now: returns the present, in nanoseconds.
        pause: waits for a number of seconds of virtual time.
    """

    def __init__(self, now: Callable[[], int], pause: Callable[[float], None]) -> None:
        self._now = now
        self._pause = pause
        self._seen = 0
        self._readings = 0
        self.time = self.monotonic = self.perf_counter = self._seconds
        self.time_ns = self.monotonic_ns = self.perf_counter_ns = self._nanoseconds

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        """Wait for a number of seconds of virtual time."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self._pause(seconds)

    def gmtime(self, seconds: float | None = None) -> time.struct_time:
        """Return a time, by default the present, as fields."""
        return time.gmtime(self._seconds() if seconds is None else seconds)

    localtime = gmtime

    def strftime(self, form: str, fields: Any = None) -> str:
        """Return a time, by default the present, as text."""
        return time.strftime(form, self.gmtime() if fields is None else fields)

    def asctime(self, fields: Any = None) -> str:
        """Return a time, by default the present, as text in the usual form."""
        return time.asctime(self.gmtime() if fields is None else fields)

    def ctime(self, seconds: float | None = None) -> str:
        """Return a time, by default the present, as text in the usual form."""
        return time.asctime(self.gmtime(seconds))

    def _nanoseconds(self) -> int:
        now = self._now()
        if now != self._seen:
            self._seen = now
            self._readings = 0
        self._readings += 1
        if self._readings > BUSY_LIMIT:
            self._readings = 0
            raise BusyWaitError("waits for the clock without sleeping; virtual time stands still")
        return now

    def _seconds(self) -> float:
        return self._nanoseconds() / NS_PER_S
