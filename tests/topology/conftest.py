"""The shipped topologies, in a place where the apps that they name exist."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sdnvirt import topology
from sdnvirt.errors import TopologyError

Told = Callable[..., list[str]]
"""Returns the mistakes in a text, line by line, as of the fixture ``problems``."""

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of topologies/, beside a folder with an empty file for each app."""
    copy = tmp_path_factory.mktemp("shipped") / "topologies"
    shutil.copytree(TOPOLOGIES, copy)
    for file in copy.glob("*.yaml"):
        for app in re.findall(r"controllers/\w+\.py", file.read_text()):
            stub = copy.parent / app
            stub.parent.mkdir(exist_ok=True)
            stub.touch()
    return copy


@pytest.fixture(scope="session")
def problems() -> Told:
    """Return the mistakes in the text of a topology that has a name, line by line."""

    def find(text: str, path: str = "f.yaml") -> list[str]:
        with pytest.raises(TopologyError) as caught:
            topology.loads("name: x\n" + text, path)
        return caught.value.problems

    return find
