"""The programs of one network: who runs where, and what becomes of those that fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sdnvirt.devices.world import World
from sdnvirt.host.stack import Host
from sdnvirt.programs.loop import ProgramLoop
from sdnvirt.programs.program import Program, ProgramError, failure, name_of


class Programs:
    """Coroutines on the hosts of one network, on one event loop in virtual time.

    Args:
        world: the surroundings of the hosts.
        fail: ends the run with an error, that of the first program that did not catch one.
        ended: called whenever a program has ended.
    """

    def __init__(
        self, world: World, fail: Callable[[Exception], None], ended: Callable[[], None]
    ) -> None:
        self._fail = fail
        self._ended = ended
        self._loop = ProgramLoop(world.scheduler, self._problem)
        self._scheduler = world.scheduler
        self._running: dict[asyncio.Task[Any], Program] = {}
        self._killed_at: dict[Host, int] = {}

    def run(
        self, host: Host, program: Coroutine[Any, Any, Any], name: str | None = None
    ) -> Program:
        """Put a program on a host; it begins at the end of this instant.

        Args:
            host: the host.
            program: a coroutine.
            name: what reports call it; by default its function's name.
        """
        name = name or name_of(program)
        task = self._loop.put(host, program, name)
        made = self._running[task] = Program(host, name, task)
        task.add_done_callback(self._done)
        return made

    def kill(self, host: Host) -> None:
        """End the programs of a host that crashes, with all tasks and timers that they made.

        They are not to blame for what they raise meanwhile: their connections are gone.
        """
        self._killed_at[host] = self._scheduler.now
        self._loop.kill(host)

    def close(self) -> None:
        """End all programs."""
        self._loop.end()

    def _done(self, task: asyncio.Task[Any]) -> None:
        program = self._running.pop(task)
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                self._report(program.host, program.name, error)
        self._ended()

    def _problem(self, host: Host | None, error: BaseException | None, what: str) -> None:
        """An exception in a callback or in a task that nobody waited for."""
        self._report(host, "", error or RuntimeError(what))

    def _report(self, host: Host | None, name: str, error: BaseException) -> None:
        if host is not None and self._killed_at.get(host) == self._scheduler.now:
            return
        told: ProgramError = failure(host, name, error)
        told.__cause__ = error
        self._fail(told)
