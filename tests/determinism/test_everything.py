"""The same bytes with everything switched on: impairments, faults, TCP of both versions of IP."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("everything.py")


@pytest.fixture(scope="module")
def outputs() -> list[str]:
    """What processes with different hashing print, side by side."""
    processes = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            cwd=SCRIPT.parents[2], env={**os.environ, "PYTHONHASHSEED": seed}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for seed in ("0", "1", "random")
    ]  # fmt: skip
    found = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], found
    return found


def test_every_process_finds_the_same(outputs: list[str]) -> None:
    assert len(set(outputs)) == 1


def test_every_stream_arrived_whole_and_every_frame_is_accounted_for(outputs: list[str]) -> None:
    first, drops = outputs[0].splitlines()
    _digest, imbalance, *_ = first.split()
    assert imbalance == "0"
    assert first.count("True") == 4
    assert "False" not in first
    for reason in ("LINK_LOSS", "CUT_IN_FLIGHT", "ONE_WAY", "LINK_DOWN", "BAD_CHECKSUM"):
        assert f"'{reason}'" in drops
