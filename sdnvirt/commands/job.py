"""A command that runs on a host."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from sdnvirt.commands.command import Failure, Surroundings
from sdnvirt.commands.line import Invocation
from sdnvirt.commands.options import USAGE_STATUS, HelpRequested, UsageError
from sdnvirt.commands.output import CommandOutput, Sink
from sdnvirt.errors import UserError

if TYPE_CHECKING:
    from sdnvirt.host.stack import Host
    from sdnvirt.programs.programs import Programs

INTERRUPTED: Final = 130
"""Exit status of a command that Ctrl-C ended, as shells tell it: 128 and the signal's number."""


class Job:
    """A command that was started on a host, and what it has printed so far.

    Args:
        programs: what runs programs in the host's network.
        host: the host.
        invocation: the command.
        stdin: what it reads.
    """

    def __init__(
        self, programs: Programs, host: Host, invocation: Invocation, stdin: bytes = b""
    ) -> None:
        self.invocation = invocation
        self._sink = Sink()
        self._status: int | None = None
        at = Surroundings(host, self._sink, stdin)
        self._program = programs.run(host, self._run(at), invocation.name)

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self._program.done

    @property
    def status(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._status if self._status is not None or not self.done else INTERRUPTED

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._sink.text

    @property
    def result(self) -> CommandOutput:
        """What it printed, with its exit status.

        Raises:
            UserError: it has not ended.
            ProgramError: it has a defect.
        """
        status = self.status
        if status is None:
            raise UserError(f"{self} has not ended")
        return CommandOutput(self.output, status)

    def stop(self) -> None:
        """End it as Ctrl-C does, at the end of this instant: it prints its summary."""
        self._program.cancel()

    async def _run(self, at: Surroundings) -> None:
        try:
            self._status = await execute(self.invocation, at)
        except asyncio.CancelledError:
            self._status = INTERRUPTED

    def __str__(self) -> str:
        return f"{str(self.invocation)!r} on {self._program.host.name}"

    def __repr__(self) -> str:
        return f"<Job {self}>"


async def execute(invocation: Invocation, at: Surroundings) -> int:
    """Run a command; return its exit status."""
    options = invocation.command.options(invocation.name)
    try:
        given = options.read(invocation.arguments)
        return await invocation.command.run(given, at)
    except UsageError as error:
        at.out.write(str(error))
        return USAGE_STATUS
    except HelpRequested as told:
        at.out.write(str(told))
        return 0
    except Failure as failure:
        at.out.line(str(failure))
        return failure.status
