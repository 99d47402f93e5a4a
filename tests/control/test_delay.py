"""A control channel that takes time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdnvirt.control.delay import DelayedController
from sdnvirt.engine.scheduler import Scheduler

MS = 1_000_000
DELAY = 10 * MS


class Controller:
    """The near end of the channel: notes what arrives, and when."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.got: list[tuple[int, Any]] = []

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> Controller:
        self.deliver, self.closed = deliver, closed
        return self

    def feed(self, data: bytes) -> None:
        self.got.append((self.scheduler.now, data))

    def close(self) -> None:
        self.got.append((self.scheduler.now, "closed"))


class Switch:
    """The far end."""

    def __init__(self) -> None:
        self.scheduler = Scheduler()
        self.controller = Controller(self.scheduler)
        self.got: list[tuple[int, Any]] = []
        far = DelayedController(self.controller, self.scheduler, DELAY)
        self.side = far.connect(1, self._take, self._take)

    def _take(self, what: Any) -> None:
        self.got.append((self.scheduler.now, what))


@pytest.fixture
def switch() -> Switch:
    return Switch()


def test_bytes_are_on_their_way_for_the_delay_and_keep_their_order(switch: Switch) -> None:
    for piece in (b"a", b"b", b"c"):
        switch.side.feed(piece)
        switch.controller.deliver(piece.upper())
    switch.scheduler.run_until(DELAY - 1)
    assert switch.controller.got == switch.got == []
    switch.scheduler.run_until(DELAY)
    assert switch.controller.got == [(DELAY, b"a"), (DELAY, b"b"), (DELAY, b"c")]
    assert switch.got == [(DELAY, b"A"), (DELAY, b"B"), (DELAY, b"C")]


def test_hanging_up_comes_after_the_last_words(switch: Switch) -> None:
    switch.controller.deliver(b"bye")
    switch.controller.closed("done")
    switch.scheduler.run_until(DELAY)
    assert switch.got == [(DELAY, b"bye"), (DELAY, "done")]


def test_a_switch_that_hung_up_hears_nothing_more(switch: Switch) -> None:
    switch.controller.deliver(b"too late")
    switch.side.feed(b"bye")
    switch.side.close()
    switch.side.close()
    switch.side.feed(b"never")
    switch.scheduler.run_until(2 * DELAY)
    assert switch.got == []
    assert switch.controller.got == [(DELAY, b"bye"), (DELAY, "closed")]
