"""What is wrong with a topology file, collected until all of it is known.

Each problem becomes one line: ``FILE:LINE:COLUMN: where: found VALUE, expected WHAT; did you mean
NAME?``. ``where`` is the path of keys to the value, such as ``hosts.h1.address``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path as FilePath
from typing import Final, Protocol

from sdnvirt.errors import TopologyError

Path = tuple[str | int, ...]
"""The keys and indexes that lead from the top of a file to a value."""

Position = tuple[int, int]
"""Line and column in a file, from 1."""

MAX_PROBLEMS: Final = 100
"""Lines reported at most: nobody reads more, and looking for similar names takes time for each."""

MAX_NAMES_COMPARED: Final = 2_000
"""Names searched for a similar one: the search takes 10 us a name, for each problem."""

MAX_SHOWN: Final = 60
"""Characters of a value that a message repeats: a line of a terminal has room for the rest."""


class Locator(Protocol):
    """Knows where in a file a value stands."""

    def locate(self, path: Path, *, key: bool) -> Position:
        """Return line and column, from 1, of the value at ``path``, or of its key."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is, what is there, and what should be."""

    path: Path
    found: str
    expected: str
    names: tuple[str, ...] = ()
    wrong_name: str = ""
    at_key: bool = False
    position: Position | None = None


class Problems:
    """The mistakes found so far in one file."""

    def __init__(self, file: str, locator: Locator | None = None) -> None:
        self.file = file
        self._locator = locator
        self._found: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(
        self,
        path: Path,
        found: object,
        expected: str,
        names: Iterable[str] = (),
        *,
        at_key: bool = False,
    ) -> None:
        """Note a mistake.

        Args:
            path: where it is.
            found: the wrong value; a :class:`Words` is printed as it is.
            expected: what should be there, as a noun phrase.
            names: the valid names, of which the nearest is suggested.
            at_key: whether the key is wrong rather than its value.
        """
        wrong = found.name if isinstance(found, Words) else found if isinstance(found, str) else ""
        near = tuple(islice(names, MAX_NAMES_COMPARED if len(self) < MAX_PROBLEMS else 0))
        self._found.append(Problem(path, show(found), expected, near, wrong, at_key))

    def add_at(self, position: Position, found: str, expected: str) -> None:
        """Note a mistake in the text itself, where there is no path yet."""
        self._found.append(Problem((), found, expected, position=position))

    def where(self, path: Path) -> str:
        """Return ``file:line`` of the value at ``path``, or ``file`` where lines are unknown."""
        if self._locator is None:
            return self.file
        return f"{self.file}:{self._locator.locate(path, key=False)[0]}"

    def raise_if_any(self) -> None:
        """Raise all mistakes in the order of the file.

        Raises:
            TopologyError: there is at least one.
        """
        if not self._found:
            return
        placed = [(self._position(problem), problem) for problem in self._found]
        placed.sort(key=lambda entry: entry[0])
        lines = [self._line(position, problem) for position, problem in placed[:MAX_PROBLEMS]]
        lines = list(dict.fromkeys(lines))
        if len(placed) > MAX_PROBLEMS:
            lines.append(f"{self.file}: and {len(placed) - MAX_PROBLEMS} more")
        raise TopologyError(lines)

    def _position(self, problem: Problem) -> Position:
        if problem.position is not None:
            return problem.position
        if self._locator is None:
            return (0, 0)
        return self._locator.locate(problem.path, key=problem.at_key)

    def _line(self, position: Position, problem: Problem) -> str:
        line, column = position
        place = f"{self.file}:{line}:{column}: " if line else f"{self.file}: "
        where = f"{path_text(problem.path)}: " if problem.path else ""
        near = nearest(problem.wrong_name, problem.names)
        hint = f"; did you mean {near}?" if near else ""
        return f"{place}{where}found {problem.found}, expected {problem.expected}{hint}"


@dataclass(frozen=True, slots=True)
class Words:
    """What was found, told in words; ``name`` is the wrong name in it, if one is."""

    text: str
    name: str = ""


def nearest(wrong: str, names: tuple[str, ...]) -> str:
    """Return the valid name that is most like a wrong one, or "" if none is."""
    lowered = wrong[:MAX_SHOWN].lower()
    close = difflib.get_close_matches(lowered, names, n=1)
    return close[0] if close else ""


def similar_files(written: str, folders: Iterable[FilePath], pattern: str) -> Iterator[str]:
    """Yield what a file that is not there could have been meant to be, written in the same way.

    Args:
        written: its name in the topology file.
        folders: where it was looked for.
        pattern: what the names of such files are like, as ``*.py``.
    """
    beside = FilePath(written).parent
    for folder in folders:
        with suppress(OSError):
            yield from (str(beside / file.name) for file in sorted(folder.glob(pattern)))


def show(value: object) -> str:
    """Return a value as a message shows it: as in YAML, on one line, cut if long."""
    if isinstance(value, Words):
        return value.text
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping" if value else "{}"
    if isinstance(value, list | tuple):
        flat = not any(isinstance(item, dict | list | tuple) for item in value)
        return _cut(f"[{', '.join(map(str, value))}]") if flat else "a list of lists or mappings"
    if isinstance(value, int) and value.bit_length() > 4 * MAX_SHOWN:
        return f"an integer of {value.bit_length()} bits"
    return _cut(repr(value))


def path_text(path: Path) -> str:
    """Return a path as ``links[2].between[0]``; printable whatever the keys are."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + _cut(step if step.isprintable() else repr(step))
    return text


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "..."
