"""What a command has printed so far, and what is left of it when it has ended."""

from __future__ import annotations

from typing import Final

OUTPUT_LIMIT: Final = 4 << 20
"""Characters that a command may print; more are cut, since a server may run for ever."""

_CUT: Final = "\n[more than {} characters: the rest is cut]\n"


class CommandOutput(str):
    """What a command printed, on both of its outputs, in order.

    Attributes:
        status: its exit status; 0 if it did what it was asked to.
    """

    status: int

    def __new__(cls, text: str, status: int) -> CommandOutput:
        """Join text and status."""
        made = super().__new__(cls, text)
        made.status = status
        return made


class Sink:
    """Takes what a command prints."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._room = OUTPUT_LIMIT

    def line(self, text: str = "") -> None:
        """Print a line."""
        self.write(text + "\n")

    def write(self, text: str) -> None:
        """Print text."""
        if self._room < 0:
            return
        if len(text) > self._room:
            text = text[: self._room] + _CUT.format(OUTPUT_LIMIT)
            self._room = -1
        else:
            self._room -= len(text)
        self._parts.append(text)

    @property
    def text(self) -> str:
        """All that was printed."""
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""
