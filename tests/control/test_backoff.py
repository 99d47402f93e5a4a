"""When a switch dials again."""

from __future__ import annotations

from sdnvirt.control.backoff import Backoff

SECOND = 1_000_000_000


def test_delays_double_from_one_to_eight_seconds() -> None:
    backoff = Backoff()
    now = 5 * SECOND
    delays = []
    for _ in range(6):
        dial = backoff.next_dial(now)
        delays.append((dial - now) // SECOND)
        now = dial  # refused at once
    assert delays == [0, 1, 2, 4, 8, 8]


def test_a_connection_that_lasted_makes_the_next_delay_short_again() -> None:
    backoff = Backoff()
    now = 0
    for _ in range(5):
        now = backoff.next_dial(now)
    assert backoff.next_dial(now + 9 * SECOND) == now + 10 * SECOND
