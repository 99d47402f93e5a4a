"""Commands that the timeline runs on hosts, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from sdnvirt.commands.job import Job
    from sdnvirt.network.network import Network
    from sdnvirt.topology.events import RunCommand

COMMAND_LIMIT_NS: Final = 3600 * NS_PER_S
"""Virtual time that a run waits for commands that are not in the background."""

STOP_LIMIT_NS: Final = NS_PER_S
"""Virtual time that commands have to end in when they are stopped: most do at once."""


@dataclass(frozen=True, slots=True)
class CommandRun:
    """A command of the timeline.

    Attributes:
        at_ns: when it began.
        host: where it ran.
        line: the command and its options.
        background: whether it was to be stopped at the end of the run.
        status: its exit status, or None if it had not ended.
        output: what it printed.
    """

    at_ns: int
    host: str
    line: str
    background: bool
    status: int | None
    output: str


class TimelineCommands:
    """The commands of a network's timeline that have begun.

    Args:
        network: the network.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._begun: list[tuple[RunCommand, Job]] = []

    def start(self, event: RunCommand) -> None:
        """Let a command begin.

        Raises:
            UserError: its host has crashed.
        """
        from sdnvirt.network.nodes import HostNode

        node = self._network[event.host]
        assert isinstance(node, HostNode), "the topology names hosts only"
        self._begun.append((event, node.start(event.line, event.stdin)))

    def finish(self) -> None:
        """Run until those that are not in the background have ended, and stop the others."""
        network = self._network
        if not self._begun:
            return
        network.run_while(
            lambda: any(not job.done for event, job in self._begun if not event.background),
            COMMAND_LIMIT_NS,
        )
        for _, job in self._begun:
            if not job.done:
                job.stop()
        network.run_while(lambda: any(not job.done for _, job in self._begun), STOP_LIMIT_NS)

    def results(self) -> tuple[CommandRun, ...]:
        """Return what became of them so far, in the order in which they began."""
        return tuple(
            CommandRun(
                event.at_ns, event.host, event.line, event.background, job.status, job.output
            )
            for event, job in self._begun
        )
