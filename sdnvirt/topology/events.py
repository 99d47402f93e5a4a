"""The events of a resolved timeline: what breaks, changes and is repaired, and when.

Links go by their own names, and nodes by theirs; all of them are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


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
class LinkDown(Event):
    """A link is pulled out."""

    link: str

    def __str__(self) -> str:
        return f"down {self.link}"


@dataclass(frozen=True, slots=True)
class LinkUp(Event):
    """A link is plugged in again."""

    link: str

    def __str__(self) -> str:
        return f"up {self.link}"


@dataclass(frozen=True, slots=True)
class BreakDirection(Event):
    """The direction of a link that begins at a node loses all frames."""

    link: str
    start: str

    def __str__(self) -> str:
        return f"break {self.link} from {self.start}"


@dataclass(frozen=True, slots=True)
class MendDirection(Event):
    """The direction works again."""

    link: str
    start: str

    def __str__(self) -> str:
        return f"mend {self.link} from {self.start}"


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
class Crash(Event):
    """A node loses its power."""

    node: str

    def __str__(self) -> str:
        return f"crash {self.node}"


@dataclass(frozen=True, slots=True)
class Restart(Event):
    """A node that crashed starts again."""

    node: str

    def __str__(self) -> str:
        return f"restart {self.node}"


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
