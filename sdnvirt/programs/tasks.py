"""Tasks that know on which host they run.

The host is in a task's context (:mod:`sdnvirt.programs.place`), which asyncio keeps to itself. Who
ends all tasks of a host, or tells of an exception that one of them raised, has to know it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context, copy_context
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from sdnvirt.programs.place import BOOT, HOST

if TYPE_CHECKING:
    from sdnvirt.host.stack import Host

_NUMBERS: Final = count()

number_of: Final = attrgetter("number")
"""By which tasks are sorted into the order in which they were made."""


class HostTask(asyncio.Task[Any]):
    """A task of a program, or of a library that a program uses.

    Attributes:
        host: where it runs, or None for what no program has made.
        boot: how often the host had crashed when the program was put there.
        number: tasks that were made later have higher ones.
    """

    host: Host | None
    boot: int
    number: int


def make_task(
    loop: asyncio.AbstractEventLoop,
    program: Coroutine[Any, Any, Any],
    *,
    context: Context | None = None,
    **options: Any,
) -> HostTask:
    """Return a new task on the host of its context; asyncio calls this for every task."""
    task = HostTask(program, loop=loop, context=context, **options)
    inside = copy_context() if context is None else context
    task.host, task.boot = inside.get(HOST), inside.get(BOOT, 0)
    task.number = next(_NUMBERS)
    return task
