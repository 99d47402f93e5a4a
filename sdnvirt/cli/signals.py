"""Ctrl-C and SIGTERM: who handles them, for how long."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from sdnvirt.cli.status import killed_by

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def handled_by(handler: Handler) -> Iterator[None]:
    """Let a function handle both signals, except where one is ignored, as by ``nohup``."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = [number for number, was in before.items() if was is not signal.SIG_IGN]
    for number in ours:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])


def end_at_once(number: int, _frame: FrameType | None) -> NoReturn:
    """End the process.

    Not by an exception: Python ignores those that come while it is importing modules, and apps
    may catch them.
    """
    os.write(2, b"sdnvirt: interrupted\n")
    os._exit(killed_by(number))
