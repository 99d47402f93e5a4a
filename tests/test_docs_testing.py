"""Every example of docs/testing.md is a test that passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


def test_the_examples_pass(pytester: pytest.Pytester) -> None:
    examples = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(examples) == PAGE.count("def test_") == 8
    (pytester.path / "topologies").symlink_to(ROOT / "topologies")
    (pytester.path / "controllers").symlink_to(ROOT / "controllers")
    for number, example in enumerate(examples):
        (pytester.path / f"test_example_{number}.py").write_text(example)
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:xdist")
    result.assert_outcomes(passed=len(examples))
