"""docs/drops.md is the table of drop reasons; run this file as a program to write it anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sdnvirt import drops
from sdnvirt.drops import DropReason

TARGET: Final = Path(__file__).parents[1] / "docs" / "drops.md"

INTRODUCTION: Final = """\
# Why frames are dropped

<!-- Made by `uv run python tests/test_docs_drops.py` from sdnvirt/drops.py. -->

Every frame that is not delivered ends with exactly one of these reasons, at a named device or
link. Reports, explanations and packet stories print the sentence.
"""


def groups() -> dict[str, list[DropReason]]:
    """Return the reasons under the comments that head them in the source, in its order."""
    found: dict[str, list[DropReason]] = {}
    for line in Path(drops.__file__).read_text(encoding="utf-8").splitlines():
        if heading := re.fullmatch(r" {4}# (.+)", line):
            reasons = found[heading[1]] = []
        elif member := re.match(r" {4}([A-Z][A-Z0-9_]*) = ", line):
            reasons.append(DropReason[member[1]])
    return found


def reference() -> str:
    """Return the whole document."""
    parts = [INTRODUCTION]
    for heading, reasons in groups().items():
        rows = "".join(f"| `{reason.name}` | {reason.value} |\n" for reason in reasons)
        title = heading[0].upper() + heading[1:]
        parts.append(f"\n## {title}\n\n| reason | sentence |\n|---|---|\n{rows}")
    return "".join(parts)


def test_every_reason_is_in_a_group_once() -> None:
    assert [reason for reasons in groups().values() for reason in reasons] == list(DropReason)


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text(encoding="utf-8") == reference(), (
        "run: uv run python tests/test_docs_drops.py"
    )


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
