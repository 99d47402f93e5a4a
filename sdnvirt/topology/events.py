"""The events of a resolved timeline: what breaks, changes and is repaired, and when.

Links go by their own names, and nodes by theirs; all of them are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at a virtual time.

    Attributes:
        at_ns: when, ns.
        where: ``file:line`` of the event.
    """

    at_ns: int
    where: str


@dataclass(frozen=True, slots=True)
class LinkEvent(Event):
    """Something that happens to a link; ``verb`` is the word for it in reports."""

    verb: ClassVar[str]
    link: str

    def __str__(self) -> str:
        return f"{self.verb} {self.link}"


class LinkDown(LinkEvent):
    """A link is pulled out."""

    __slots__ = ()
    verb = "down"


class LinkUp(LinkEvent):
    """A link is plugged in again."""

    __slots__ = ()
    verb = "up"


@dataclass(frozen=True, slots=True)
class DirectionEvent(LinkEvent):
    """Something that happens to the direction of a link that begins at the node ``start``."""

    start: str

    def __str__(self) -> str:
        return f"{self.verb} {self.link} from {self.start}"


class BreakDirection(DirectionEvent):
    """The direction loses all frames."""

    __slots__ = ()
    verb = "break"


class MendDirection(DirectionEvent):
    """The direction works again."""

    __slots__ = ()
    verb = "mend"


@dataclass(frozen=True, slots=True)
class ChangeLink(Event):
    """A link becomes another.

    Attributes:
        link: its name.
        start: the node at which the one direction begins that is changed, or None for both.
        changes: fields of LinkParameters, with their values.
    """

    link: str
    start: str | None
    changes: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        return f"change {self.link}" + (f" from {self.start}" if self.start else "")


@dataclass(frozen=True, slots=True)
class Partition(Event):
    """Links between nodes of different parts go down."""

    parts: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        return f"partition in {len(self.parts)} parts"


@dataclass(frozen=True, slots=True)
class Heal(Event):
    """All partitions end."""

    def __str__(self) -> str:
        return "heal"


@dataclass(frozen=True, slots=True)
class NodeEvent(Event):
    """Something that happens to a node; ``verb`` is the word for it in reports."""

    verb: ClassVar[str]
    node: str

    def __str__(self) -> str:
        return f"{self.verb} {self.node}"


class Crash(NodeEvent):
    """A node loses its power."""

    __slots__ = ()
    verb = "crash"


class Restart(NodeEvent):
    """A node that crashed starts again."""

    __slots__ = ()
    verb = "restart"


class ControllerFault(Enum):
    """What is done to the embedded controller."""

    KILL = "kill"
    RESTART = "restart"
    STALL = "stall"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class ControllerEvent(Event):
    """The embedded controller dies, begins anew, hangs or goes on."""

    fault: ControllerFault

    def __str__(self) -> str:
        return f"{self.fault.value} controller"


@dataclass(frozen=True, slots=True)
class RunCommand(Event):
    """A command runs on a host.

    Attributes:
        host: its name.
        line: the command and its options.
        background: whether the run ends without waiting for it.
        stdin: what it reads.
    """

    host: str
    line: str
    background: bool
    stdin: str

    def __str__(self) -> str:
        return f"{self.host}: {self.line}"
