"""What becomes of programs whose host crashes.

A program belongs to one boot of its host, which is in its context as the host is. A crash ends all
of older boots: they are cancelled, and get no time any more.
"""

from __future__ import annotations

from asyncio import Handle
from collections import Counter
from collections.abc import Callable
from contextvars import Context
from typing import Final

from sdnvirt.host.stack import Host
from sdnvirt.programs.place import BOOT, HOST
from sdnvirt.programs.tasks import HostTask

END_ROUNDS: Final = 4
"""How often a program is cancelled, at the end or when its host crashes, that waits for something
while it cleans up."""


class Crashes:
    """The crashes of the hosts of one network, and who has to end by them.

    Args:
        tasks: tells the tasks that have not ended.
    """

    def __init__(self, tasks: Callable[[], list[HostTask]]) -> None:
        self._tasks = tasks
        self._counts: Counter[Host] = Counter()
        self._rounds_left = 0

    def boot(self, host: Host) -> int:
        """Return the boot of a host that programs belong to which are put there now."""
        return self._counts[host]

    def ended(self, handle: Handle) -> bool:
        """Whether a callback is of a program whose host has crashed since."""
        inside: Context = handle._context  # type: ignore[attr-defined]
        return self._is_over(inside.get(HOST), inside.get(BOOT, 0))

    def add(self, host: Host) -> None:
        """Cancel the programs of a host that crashes."""
        self._counts[host] += 1
        self._rounds_left = END_ROUNDS + 1  # the last one only looks who is left
        self.go_on()

    def go_on(self) -> bool:
        """Cancel again who waits for something again; return whether that is to be repeated."""
        if not self._rounds_left:
            return False
        left = [task for task in self._tasks() if self._is_over(task.host, task.boot)]
        self._rounds_left = self._rounds_left - 1 if left else 0
        for task in left:
            if self._rounds_left:
                task.cancel()
            else:  # it waits for ever, which is no defect of its own
                task._log_destroy_pending = False  # type: ignore[attr-defined]
        return self._rounds_left > 0

    def _is_over(self, host: Host | None, boot: int) -> bool:
        return host is not None and boot < self._counts[host]
