"""Errors of controller apps, told in one line: ``file:line: app NAME raised in FUNCTION: ...``.

The line is the innermost one of the app's own files in the traceback. The exception itself is kept
as the cause, for those who ask for the whole traceback.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from traceback import walk_stack, walk_tb
from types import FrameType
from typing import Final

from sdnvirt.errors import ControllerError

LONGEST_MESSAGE: Final = 300
"""Characters of an exception's own text that are shown; some contain whole packets."""

Place = tuple[str, int, str]
"""A file, a line and the name of a function."""


_REMEDY: Final = (
    "either it never sleeps for longer than 0, or switches in a loop flood for ever "
    "(an app such as controllers/shortest_path.py knows loops)"
)


class Blame:
    """Knows which file belongs to which app, and so who made a mistake."""

    def __init__(self) -> None:
        self._app_of: dict[str, str] = {}

    def claim(self, path: str, app: str) -> None:
        """Note that a source file, or every file directly in a folder, belongs to an app."""
        self._app_of[path] = app

    def error(self, error: BaseException, app: str | None = None) -> ControllerError:
        """Return what an app raised as an error for the user; ``app`` if no file of one shows."""
        if isinstance(error, ControllerError):
            return error
        file, line, function = self._innermost(_places(error))
        text = " ".join(str(error).split())[:LONGEST_MESSAGE]
        where = "at import" if function == "<module>" else f"in {function}"
        name = self._owner(file) or app
        told = ControllerError(
            f"{_shown(file)}:{line}: {f'app {name}' if name else 'Ryu'} raised {where}: "
            f"{type(error).__name__}" + (f": {text}" if text else "")
        )
        told.__cause__ = error
        return told

    def spinning(self, frames: list[FrameType]) -> ControllerError:
        """Return the error of an app that never lets time pass; the first of an app is it."""
        for frame in frames:
            file, line, function = self._innermost(_stack(frame))
            app = self._owner(file)
            if app is not None:
                return ControllerError(
                    f"{_shown(file)}:{line}: app {app} keeps running in {function} without "
                    f"letting time pass; {_REMEDY}"
                )
        return ControllerError(f"the controller keeps running without letting time pass; {_REMEDY}")

    def _innermost(self, places: list[Place]) -> Place:
        own = [place for place in places if self._owner(place[0]) is not None]
        return (own or places or [("?", 0, "?")])[-1]

    def _owner(self, file: str) -> str | None:
        return self._app_of.get(file) or self._app_of.get(os.path.dirname(file))


def _places(error: BaseException) -> list[Place]:
    return list(_traceback(error)) + list(_syntax(error))


def _stack(frame: FrameType) -> list[Place]:
    stack = [(at.f_code.co_filename, line, at.f_code.co_name) for at, line in walk_stack(frame)]
    return stack[::-1]


def _traceback(error: BaseException) -> Iterator[Place]:
    for frame, line in walk_tb(error.__traceback__):
        yield frame.f_code.co_filename, line, frame.f_code.co_name


def _syntax(error: BaseException) -> Iterator[Place]:
    # The place of a syntax error is in no frame: nothing of that file has run.
    if isinstance(error, SyntaxError) and error.filename is not None:
        yield error.filename, error.lineno or 0, "<module>"


def _shown(file: str) -> str:
    """Return a path as a user would write it: relative if it is below the working directory."""
    relative = os.path.relpath(file)
    return file if relative.startswith(os.pardir) else relative
