"""Greenlets of apps that wait for one queue or event are served in the order in which they came."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("size", ["", "1"])
def test_items_go_to_those_who_wait_in_turn(start: Any, app: Any, size: str) -> None:
    path = app(
        f"""
        def start(self):
            self.queue = hub.Queue({size})
            self.taken = []
            for name in range(40):
                hub.spawn(self.take, name)
            hub.spawn(self.fill)

        def take(self, name):
            self.taken.append((name, self.queue.get()))

        def fill(self):
            for item in range(40):
                self.queue.put(item)
            hub.sleep(1)
            self.logger.warning("%s", self.taken == [(n, n) for n in range(40)])
        """
    )
    network = start(path)
    network.run(2)
    assert network.lines == ["1 s WARNING App: True"]


def test_those_who_wait_for_room_get_it_in_turn(start: Any, app: Any) -> None:
    path = app(
        """
        def start(self):
            self.queue = hub.Queue(1)
            for name in range(40):
                hub.spawn(self.queue.put, name)
            hub.spawn_after(1, self.drain)

        def drain(self):
            taken = [self.queue.get() for _ in range(40)]
            self.logger.warning("%s", taken == list(range(40)))
        """
    )
    network = start(path)
    network.run(2)
    assert network.lines == ["1 s WARNING App: True"]


def test_an_item_is_not_lost_with_one_who_gives_up(start: Any, app: Any) -> None:
    path = app(
        """
        def start(self):
            self.queue = hub.Queue()
            hub.spawn(self.take, "impatient", 1)
            hub.spawn(self.take, "patient", None)
            hub.spawn_after(2, self.queue.put, "item")

        def take(self, who, timeout):
            try:
                self.logger.warning("%s: %s", who, self.queue.get(timeout=timeout))
            except hub.QueueEmpty:
                self.logger.warning("%s leaves", who)
        """
    )
    network = start(path)
    network.run(3)
    assert network.lines == [
        "1 s WARNING App: impatient leaves",
        "2 s WARNING App: patient: item",
    ]


def test_those_who_wait_for_an_event_go_on_in_turn(start: Any, app: Any) -> None:
    path = app(
        """
        def start(self):
            self.event = hub.Event()
            self.woken = []
            for name in range(40):
                hub.spawn(self.sleep, name)
            hub.spawn_after(1, self.event.set)
            hub.spawn_after(2, self.tell)

        def sleep(self, name):
            self.event.wait()
            self.woken.append(name)

        def tell(self):
            self.logger.warning("%s", self.woken == list(range(40)))
        """
    )
    network = start(path)
    network.run(3)
    assert network.lines == ["2 s WARNING App: True"]
