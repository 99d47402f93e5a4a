"""What controller apps log, on standard error; the error that ends a run is told only once."""

from __future__ import annotations

import click


class AppLog:
    """Prints the lines that apps log, errors when it is known whether the run ends with them.

    What an app raises is logged, and ends the run at the same instant: so lines with errors wait
    for the next line or the end.
    """

    def __init__(self) -> None:
        self._errors: list[str] = []

    def __call__(self, line: str) -> None:
        """Take a line."""
        if " ERROR " in line:
            self._errors.append(line)
            return
        self.finish(None)
        click.echo(line, err=True)

    def finish(self, told: Exception | None) -> None:
        """Print the errors that wait, but not one that the user is told of anyway."""
        text = None if told is None else str(told)
        for line in self._errors:
            if text is None or not line.endswith(text):
                click.echo(line, err=True)
        self._errors.clear()
