"""A line of text to a command and what it was asked, as a shell without features reads it."""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from sdnvirt.commands.command import Command
from sdnvirt.commands.options import HelpRequested, UsageError
from sdnvirt.errors import UserError

LINE_LIMIT: Final = 4096
"""Characters of a line, as terminals take at most."""

_SHELL: Final = frozenset({"|", "||", "&", "&&", ";", ">", ">>", "<", "2>&1", "2>"})


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command that is to be run.

    Attributes:
        name: what it was called.
        command: the command.
        arguments: what stands behind the name.
    """

    name: str
    command: Command
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join([self.name, *self.arguments])

    def mistake(self) -> str | None:
        """Return what the command would say of its options, or None if they are right."""
        try:
            self.command.options(self.name).read(self.arguments)
        except UsageError as error:
            return str(error).partition("\n")[0]
        except HelpRequested:
            return None
        return None


def read(line: str) -> Invocation:
    """Return what a line asks for; options are not looked at yet.

    Raises:
        UserError: there is no such command, a quote is open, it needs a shell, or is no text.
    """
    if not isinstance(line, str):
        raise UserError(f"{line!r} is not a command; expected text such as 'ping -c 3 10.0.0.2'")
    if len(line) > LINE_LIMIT:
        raise UserError(f"a command of {len(line)} characters; expected {LINE_LIMIT} at most")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise UserError(f"{line!r}: {error}") from None
    if not words:
        raise UserError("an empty command; expected such as ping -c 3 10.0.0.2")
    return find(words)


def find(words: list[str]) -> Invocation:
    """Return what the words of a line ask for; raises as :func:`read`."""
    from sdnvirt.commands.table import COMMANDS

    name = PurePosixPath(words[0]).name
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        known = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(COMMANDS)}"
        raise UserError(f"no command {words[0]!r}{known}")
    for word in words:
        if word in _SHELL:
            raise UserError(f"{word!r} needs a shell, and hosts have none; run one command at once")
    return Invocation(name, COMMANDS[name], tuple(words[1:]))
