"""Ctrl-C and SIGTERM: who handles them, for how long."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

Handler = Callable[[int, FrameType | None], Any]


@contextmanager
def handled_by(handler: Handler, *others: signal.Signals) -> Iterator[None]:
    """Let a function handle both signals, except where one is ignored, as by ``nohup``.

    Args:
        handler: called with the number of the signal and the frame that it interrupts.
        others: more signals that it is to handle, whether they are ignored or not.
    """
    both = (signal.SIGINT, signal.SIGTERM)
    ours = [number for number in both if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in (*ours, *others)}
    try:
        yield
    finally:
        for number, was in before.items():
            signal.signal(number, was)
