"""docs/cli.md has the help of every command; run this file as a program to write it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from sdnvirt.cli import cli, status

TARGET: Final = Path(__file__).parents[2] / "docs" / "cli.md"

INTRODUCTION: Final = f"""\
# The command line

<!-- Made by `uv run python tests/cli/test_docs_cli.py` from sdnvirt/cli. -->

`sdnvirt` and `python -m sdnvirt` are the same. Reports go to standard output, and all that is wrong
to standard error: a line for each mistake, which begins with `FILE:LINE:COLUMN` where there is one.

## Exit status

| status | when |
|---|---|
| 0 | All went well: every check held, or the file has none. Also for a controller that was ended. |
| {status.FAILED} | A check failed, or something that must always hold did not: a frame got lost \
without a reason, a tenant saw another's frames, a packet ran in a loop, or nodes did not reach \
each other as links connect them when the network had settled after its last fault. |
| {status.WRONG} | Something that was given is wrong: an option, a file, a controller app \
(also when it raises in mid-run), a controller out of reach, an output that cannot be written. |
| {status.BUG} | sdnvirt has a bug; please report it, with what `--debug` shows. |
| {status.INTERRUPTED} | Ctrl-C. A run prints the report so far; a second Ctrl-C ends it at once, \
without one. |
| {status.PIPE_CLOSED} | Whoever reads the output stopped before all of it was written. |
| {status.TERMINATED} | SIGTERM, which is treated as Ctrl-C. |

When an app raises, or a capture cannot be written any more, the run ends with that one line and
without a report. Captures hold what was written until then, and can be read.

Colours and wrapping suit the terminal; `NO_COLOR=1` turns the colours off, and `COLUMNS=80` sets
the width. [report.md](report.md) explains the report as JSON, [topology.md](topology.md) the
topology files.
"""


def reference() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION, _section("sdnvirt", cli)]
    parts += [_section(f"sdnvirt {name}", command) for name, command in cli.commands.items()]
    return "".join(parts)


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name, max_content_width=80, terminal_width=80)
    context.help_option_names = ["-h", "--help"]
    return f"\n## {name}\n\n```\n{command.get_help(context)}\n```\n"


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == reference(), (
        "run: uv run python tests/cli/test_docs_cli.py"
    )


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
