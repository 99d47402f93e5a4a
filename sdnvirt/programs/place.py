"""On which host a program runs.

The host is in the context of the program's task, which asyncio hands on to every task, callback and
timer that the program makes. So libraries that know nothing of hosts open their connections there.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sdnvirt.host.stack import Host

HOST: ContextVar[Host] = ContextVar("sdnvirt host")

BOOT: ContextVar[int] = ContextVar("sdnvirt boot")
"""How often the host had crashed when the program was put there: a crash ends all older ones."""


def here() -> Host:
    """Return the host on which the running program is.

    Raises:
        RuntimeError: no program is running.
    """
    try:
        return HOST.get()
    except LookupError:
        raise RuntimeError(
            "this code does not run on a host; put it there with host.run(coroutine)"
        ) from None
