"""docs/tcp.md names every MUST of RFC 9293 once, and tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "tcp.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| MUST-(\d+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


def test_every_must_is_there_once() -> None:
    assert [int(number) for number, _, _ in ROWS] == list(range(1, 70))


def test_every_test_exists() -> None:
    named = re.findall(r"`(tests/\S+\.py)::(\S+)`", PAGE)
    assert len(named) > 50
    for file, name in named:
        scope: list[ast.stmt] = ast.parse((ROOT / file).read_text(encoding="utf-8")).body
        for part in name.split("::"):
            found = [
                one
                for one in scope
                if isinstance(one, ast.ClassDef | ast.FunctionDef) and one.name == part
            ]
            assert found, f"{file} has no {name}"
            scope = found[0].body


def test_what_is_left_out_has_a_reason() -> None:
    for number, _, how in ROWS:
        assert "tests/" in how or len(how) > 15, f"MUST-{number}"
