"""The same file and the same seed make the same bytes, in any process; another seed does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOPOLOGIES = {
    "quickstart": ROOT / "topologies" / "quickstart.yaml",
    "dual-stack": ROOT / "topologies" / "dual-stack.yaml",
    "lossy": Path(__file__).with_name("lossy.yaml"),
}

HASH_SEEDS = ("0", "1", "random")


@dataclass
class Runs:
    """What several processes made of one topology.

    Attributes:
        captures: the bytes of each capture file, by hash seed and name.
        digests: by hash seed; ``plain`` without captures, ``seed 2`` with another seed.
    """

    captures: dict[str, dict[str, bytes]]
    digests: dict[str, str]


@pytest.fixture(scope="module", params=TOPOLOGIES)
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Runs of one topology in processes of their own, side by side."""
    folder = tmp_path_factory.mktemp(request.param)
    commands = {
        name: ("--pcap", str(folder / name), hash_seed)
        for name, hash_seed in zip(HASH_SEEDS, HASH_SEEDS, strict=True)
    }
    commands["plain"] = ("--seed", "1", "2")
    commands["seed 2"] = ("--seed", "2", "0")
    processes = {
        name: _start(TOPOLOGIES[request.param], folder / f"{name}.json", *command)
        for name, command in commands.items()
    }
    outputs = {name: process.communicate()[0] for name, process in processes.items()}
    assert {name: outputs[name] for name, process in processes.items() if process.returncode} == {}
    return Runs(
        {
            name: {file.name: file.read_bytes() for file in (folder / name).iterdir()}
            for name in HASH_SEEDS
        },
        {name: json.loads((folder / f"{name}.json").read_text())["digest"] for name in processes},
    )


def _start(
    topology: Path, report: Path, option: str, value: str, hash_seed: str
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sdnvirt", "run", str(topology), "--json", str(report)]
    return subprocess.Popen(
        [*command, option, value],
        cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def test_the_digest_does_not_depend_on_hashing(runs: Runs) -> None:
    assert len({runs.digests[name] for name in HASH_SEEDS}) == 1


def test_captures_are_equal_to_the_byte(runs: Runs) -> None:
    first, *others = runs.captures.values()
    assert len(first) >= 6
    assert all(len(data) > 1000 for data in first.values())
    for other in others:
        assert other.keys() == first.keys()
        assert [name for name in first if other[name] != first[name]] == []


def test_looking_changes_nothing(runs: Runs) -> None:
    assert runs.digests["plain"] == runs.digests["0"]


def test_another_seed_is_another_run(runs: Runs) -> None:
    assert runs.digests["seed 2"] != runs.digests["0"]
