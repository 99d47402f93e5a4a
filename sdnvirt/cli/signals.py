"""What the command line does at Ctrl-C and SIGTERM, where it does nothing better."""

from __future__ import annotations

import os
from types import FrameType
from typing import NoReturn

from sdnvirt.cli.status import killed_by


def end_at_once(number: int, _frame: FrameType | None) -> NoReturn:
    """End the process.

    Not by an exception: Python ignores those that come while it is importing modules, and apps
    may catch them.
    """
    os.write(2, b"sdnvirt: interrupted\n")
    os._exit(killed_by(number))
