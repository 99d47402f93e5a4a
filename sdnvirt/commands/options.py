"""How the options of commands are read: argparse, which tells the caller instead of exiting."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from sdnvirt.units import NS_PER_S

HELP_WIDTH: Final = 80
"""Columns of help, whatever the terminal of the run."""

USAGE_STATUS: Final = 2
"""Exit status of a command that was called wrongly."""

SECONDS_LIMIT: Final = 10**9
"""The longest time that an option takes: thirty years."""


class UsageError(Exception):
    """A command was called wrongly; the text is what it prints."""


class HelpRequested(Exception):  # noqa: N818 - nothing is wrong
    """A command was asked how it is called; the text is what it prints."""


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=HELP_WIDTH)


class Options(argparse.ArgumentParser):
    """The options of one command.

    Args:
        name: the command.
        description: what it does, a sentence.
    """

    def __init__(self, name: str, description: str = "") -> None:
        super().__init__(
            prog=name, description=description, add_help=False, allow_abbrev=False,
            formatter_class=_Formatter,
        )  # fmt: skip
        self.color = False  # where argparse knows colours
        self.add_argument("--help", action="help", help="tell this")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Return what the words ask for; options may stand between other words, as in getopt.

        Raises:
            UsageError: they make no sense.
            HelpRequested: they ask how the command is called.
        """
        if any(action.nargs == argparse.REMAINDER for action in self._actions):
            return self.parse_args(words)
        return self.parse_intermixed_args(words)

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong, as the command prints it."""
        raise UsageError(f"{self.prog}: {message}\n{self.format_usage()}")

    def print_help(self, file: Any = None) -> NoReturn:
        """Raise the help, as the command prints it."""
        raise HelpRequested(self.format_help())


def seconds(text: str) -> int:
    """Return nanoseconds that text in seconds says, such as ``0.2``.

    Raises:
        argparse.ArgumentTypeError: it is no number, negative, or longer than SECONDS_LIMIT.
    """
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid time: '{text}'") from None
    if not 0 <= value <= SECONDS_LIMIT:
        raise argparse.ArgumentTypeError(f"time out of range: '{text}'")
    return round(value * NS_PER_S)


class Number:
    """A whole number within a range, for ``type=``."""

    def __init__(self, low: int, high: int) -> None:
        self._low = low
        self._high = high

    def __call__(self, text: str) -> int:
        """Return the number.

        Raises:
            argparse.ArgumentTypeError: the text is none, or it is out of the range.
        """
        try:
            value = int(text, 0)
        except ValueError:
            raise argparse.ArgumentTypeError(f"invalid argument: '{text}'") from None
        if not self._low <= value <= self._high:
            raise argparse.ArgumentTypeError(
                f"invalid argument: '{text}': out of range: {self._low} <= value <= {self._high}"
            )
        return value


PORT: Final = Number(1, 0xFFFF)
"""A port of TCP or UDP."""
