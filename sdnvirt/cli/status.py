"""Exit statuses of ``sdnvirt``; 128 and the number of a signal stand for its end by that signal."""

from __future__ import annotations

import signal
from typing import Final

FAILED: Final = 1
"""A check or an invariant did not hold."""

WRONG: Final = 2
"""Something that the user gave is wrong: a file, an option, an app, an output."""

BUG: Final = 3
"""sdnvirt itself is wrong."""


def killed_by(number: int) -> int:
    """Return the exit status of a program that a signal ended, as shells have it."""
    return 128 + number


INTERRUPTED: Final = killed_by(signal.SIGINT)
TERMINATED: Final = killed_by(signal.SIGTERM)
PIPE_CLOSED: Final = killed_by(signal.SIGPIPE)
