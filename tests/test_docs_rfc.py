"""docs/rfc.md names a test, or a reason, for every must; the tests are there."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

import pytest

TESTS: Final = Path(__file__).parent
PAGE: Final = TESTS.parent / "docs" / "rfc.md"
REFERENCE: Final = re.compile(r"`([a-z_0-9/]+\.py)::([A-Za-z_0-9:]+)`")


def rows() -> list[tuple[str, str]]:
    """Return each must with what stands for it."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(row[0], row[2]) for row in cells if row[0] not in ("must", "---")]


def names_in(file: str) -> set[str]:
    """Return the names of the tests of a file, those in classes as ``Class::test``."""
    names: set[str] = set()
    for node in ast.parse((TESTS / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef):
            members = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            names |= {f"{node.name}::{one.name}" for one in members}
    return names


def test_the_list_is_there() -> None:
    assert len(rows()) > 70


@pytest.mark.parametrize(("must", "shown"), rows())
def test_a_must_is_shown_or_left_out_for_a_reason(must: str, shown: str) -> None:
    references = REFERENCE.findall(shown)
    assert references or re.search(r"left out: \w+", shown), must
    for file, name in references:
        assert name.split("::")[-1].startswith("test_"), name
        assert name in names_in(file), f"{must}: there is no {file}::{name}"
