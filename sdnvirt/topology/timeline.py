"""The section ``timeline``: from its file form to events in order."""

from __future__ import annotations

from collections.abc import Iterator

from sdnvirt.errors import UserError
from sdnvirt.topology import spec
from sdnvirt.topology.events import (
    BreakDirection,
    ChangeLink,
    ControllerEvent,
    ControllerFault,
    Crash,
    Event,
    Heal,
    LinkDown,
    LinkUp,
    MendDirection,
    Partition,
    Restart,
    RunCommand,
)
from sdnvirt.topology.problems import Path, Problems, Words
from sdnvirt.topology.quality import changes
from sdnvirt.topology.registry import Kind, Registry
from sdnvirt.topology.resolved import Link, index_links

_LINK: str = "the name of a link, NODE--NODE"


def build_timeline(
    written: spec.TopologySpec,
    links: tuple[Link, ...],
    registry: Registry,
    problems: Problems,
) -> tuple[Event, ...]:
    """Return the events of the section ``timeline`` in order of time, then of the file.

    Links and nodes that are not there are problems, and so are repairs of what is not broken.
    """
    builder = _Builder(links, registry, problems, written.controller is not None)
    numbered = [
        (event, n) for n, one in enumerate(written.timeline) for event in builder.events(one, n)
    ]
    numbered.sort(key=lambda entry: entry[0].at_ns)
    _check_order(numbered, problems)
    return tuple(event for event, _ in numbered)


class _Builder:
    def __init__(
        self,
        links: tuple[Link, ...],
        registry: Registry,
        problems: Problems,
        has_controller: bool,
    ) -> None:
        self._has_controller = has_controller
        self._links = index_links(links)
        self._registry = registry
        self._problems = problems

    def events(self, written: spec.EventSpec, number: int) -> Iterator[Event]:
        """Yield the events that one entry stands for; those with mistakes are left out."""
        path: Path = ("timeline", number)
        at, where = written.at, self._problems.where(path)
        match written:
            case spec.EventSpec(down=str(name)):
                if link := self._link(name, (*path, "down")):
                    yield LinkDown(at, where, link.name)
            case spec.EventSpec(up=str(name)):
                if link := self._link(name, (*path, "up")):
                    yield LinkUp(at, where, link.name)
            case spec.EventSpec(flap=spec.FlapSpec() as flap):
                cycle = flap.down + flap.up
                if link := self._link(flap.link, (*path, "flap", "link")):
                    for begin in range(at, at + flap.times * cycle, cycle):
                        yield LinkDown(begin, where, link.name)
                        yield LinkUp(begin + flap.down, where, link.name)
            case spec.EventSpec(break_=spec.DirectionSpec() as way):
                if link := self._direction(way, (*path, "break")):
                    yield BreakDirection(at, where, link.name, way.start)
            case spec.EventSpec(mend=spec.DirectionSpec() as way):
                if link := self._direction(way, (*path, "mend")):
                    yield MendDirection(at, where, link.name, way.start)
            case spec.EventSpec(change=spec.ChangeSpec() as change):
                if link := self._direction(change, (*path, "change")):
                    given = tuple(changes(change).items())
                    yield ChangeLink(at, where, link.name, change.start, given)
            case spec.EventSpec(partition=list(parts)):
                yield from self._partition(parts, at, (*path, "partition"))
            case spec.EventSpec(heal=True):
                yield Heal(at, where)
            case spec.EventSpec(crash=str(node)):
                if self._registry.require(node, tuple(Kind), (*path, "crash")):
                    yield Crash(at, where, node)
            case spec.EventSpec(restart=str(node)):
                if self._registry.require(node, tuple(Kind), (*path, "restart")):
                    yield Restart(at, where, node)
            case spec.EventSpec(controller=str(fault)):
                if self._has_controller:
                    yield ControllerEvent(at, where, ControllerFault(fault))
                else:
                    found = Words(f"{fault} in a file without a controller")
                    self._problems.add((*path, "controller"), found, "a section controller")

            case spec.EventSpec(run=spec.RunSpec() as run):
                if self._command(run, (*path, "run")):
                    stdin = "" if run.stdin is None else f"{run.stdin}\n"
                    yield RunCommand(at, where, run.on, run.command, run.background, stdin)

    def _command(self, run: spec.RunSpec, path: Path) -> bool:
        """Return whether there are such a host and such a command."""
        from sdnvirt.commands.line import read

        there = self._registry.require(run.on, (Kind.HOST, Kind.VM, Kind.FUNCTION), (*path, "on"))
        try:
            mistake = read(run.command).mistake()
        except UserError as error:
            mistake = str(error)
        if mistake is not None:
            expected = "a command such as ping -c 3 10.0.0.2"
            self._problems.add((*path, "command"), Words(mistake), expected)
        return there and mistake is None

    def _link(self, name: str, path: Path) -> Link | None:
        if name not in self._links:
            self._problems.add(path, name, _LINK, self._links)
            return None
        return self._links[name]

    def _direction(self, written: spec.DirectionSpec | spec.ChangeSpec, path: Path) -> Link | None:
        link = self._link(written.link, (*path, "link"))
        if link is not None and written.start is not None:
            ends = (link.a.node, link.b.node)
            if written.start not in ends:
                expected = f"an end of {link.name}"
                self._problems.add((*path, "from"), written.start, expected, ends)
                return None
        return link

    def _partition(self, parts: list[tuple[str, ...]], at: int, path: Path) -> Iterator[Event]:
        part_of: dict[str, int] = {}
        right = True
        for number, part in enumerate(parts):
            for node in part:
                here = (*path, number)
                right &= self._registry.require(node, tuple(Kind), here)
                if part_of.setdefault(node, number) != number:
                    found = Words(f"{node} in two parts", node)
                    self._problems.add(here, found, "every node in one part at most")
                    right = False
        if right:
            yield Partition(at, self._problems.where(path), tuple(parts))


def _check_order(events: list[tuple[Event, int]], problems: Problems) -> None:
    """Note what crashes or is killed while it is down, and what restarts while it is not."""
    down: set[str] = set()
    dead = False
    for event, number in events:
        path: Path = ("timeline", number)
        match event:
            case Crash(node=node) if node in down:
                found = Words(f"a crash of {node}, which is down")
                problems.add((*path, "crash"), found, "a restart before it")
            case Restart(node=node) if node not in down:
                found = Words(f"a restart of {node}, which is not down")
                problems.add((*path, "restart"), found, "a crash before it")
            case ControllerEvent(fault=ControllerFault.RESTART) if not dead:
                found = Words("a restart of the controller, which was not killed")
                problems.add((*path, "controller"), found, "kill before it")
            case ControllerEvent(fault=fault) if dead and fault is not ControllerFault.RESTART:
                found = Words(f"{fault.value} while the controller is dead")
                problems.add((*path, "controller"), found, "restart before it")
            case ControllerEvent(fault=fault):
                dead = fault is ControllerFault.KILL
            case Crash(node=node):
                down.add(node)
            case Restart(node=node):
                down.discard(node)
