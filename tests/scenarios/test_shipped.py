"""Every shipped topology keeps its promises when it is run as users run it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


@pytest.mark.parametrize("file", sorted(TOPOLOGIES.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_check_holds(sdnvirt: Callable[..., object], file: Path, tmp_path: Path) -> None:
    """Status 0 says besides that the ledger balances and that no tenant saw another's frames."""
    found = tmp_path / "report.json"
    status = sdnvirt("run", file, "--json", found)
    checks = json.loads(found.read_text())["checks"]
    assert checks
    assert [check for check in checks if check["held"] is not True] == []
    assert status == 0
