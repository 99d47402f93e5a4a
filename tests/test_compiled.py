"""The hot modules can be compiled as they are, and do the same then, to the byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

HOT = (
    "frame", "engine/scheduler", "wire/flowkey", "devices/device", "devices/ledger", "devices/link",
    "devices/switch", "datapath/flow",
)  # fmt: skip


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("gcc") is None, reason="mypyc needs a C compiler")
def test_compiled_hot_modules_give_the_same_digest(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "sdnvirt", tmp_path / "sdnvirt")
    bin_path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    modules = [f"sdnvirt/{name}.py" for name in HOT]
    subprocess.run(
        ["mypyc", *modules],
        cwd=tmp_path,
        env={**os.environ, "PATH": bin_path},
        check=True,
        capture_output=True,
    )
    assert len(list((tmp_path / "sdnvirt").rglob("*.so"))) == len(HOT)
    assert digest(tmp_path) == digest(ROOT)


def digest(package: Path) -> str:
    """Return the trace digest of the quickstart, run by the package in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "sdnvirt", "run", "topologies/quickstart.yaml", "--json", "-"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(package), "PYTHONSAFEPATH": "1"},
        check=True,
        capture_output=True,
    )
    return str(json.loads(done.stdout)["digest"])
