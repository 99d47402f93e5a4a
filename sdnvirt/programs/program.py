"""A coroutine that was put on a host, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from sdnvirt.errors import UserError
from sdnvirt.host.stack import Host


class ProgramError(UserError):
    """A program on a host raised what it did not catch; the cause is that exception."""


class Program:
    """A program on a host.

    Attributes:
        host: the host.
        name: what reports call it.
    """

    def __init__(self, host: Host, name: str, task: asyncio.Task[Any]) -> None:
        self.host = host
        self.name = name
        self._task = task

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._task.done()

    @property
    def result(self) -> Any:
        """What it returned.

        Raises:
            UserError: it has not ended, or was cancelled.
            ProgramError: it raised.
        """
        if not self.done:
            raise UserError(f"{self} has not ended")
        if self._task.cancelled():
            raise UserError(f"{self} was cancelled")
        error = self._task.exception()
        if error is not None:
            raise failure(self.host, self.name, error) from error
        return self._task.result()

    def cancel(self) -> None:
        """End it: asyncio.CancelledError is raised where it waits."""
        self._task.cancel()

    def __str__(self) -> str:
        return f"the program {self.name} on {self.host.name}"

    def __repr__(self) -> str:
        return f"<Program {self.name} on {self.host.name}>"


def name_of(program: Coroutine[Any, Any, Any]) -> str:
    """Return the name of a coroutine's function."""
    return getattr(program, "__qualname__", type(program).__name__).rpartition(".")[2]


def failure(host: Host | None, name: str, error: BaseException) -> ProgramError:
    """Return the error that tells of an exception in a program."""
    program = f"the program {name}" if name else "a program"
    where = program if host is None else f"{host.name}: {program}"
    return ProgramError(f"{where} raised {_words(error)}")


def _words(error: BaseException) -> str:
    """Return what an exception says, with those that a group of exceptions holds."""
    words = f"{type(error).__name__}: {error}"
    if isinstance(error, BaseExceptionGroup):
        words += f": {'; '.join(map(_words, error.exceptions))}"
    return words
