"""The cases of Ryu's switch test suite: JSON files, each with a description and a list of cases.

Ryu's own package has only the tester; its fork os-ken ships the cases, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

FOLDERS: Final = {"1.0": "of10", "1.3": "of13"}
"""Where in the package the cases of each OpenFlow version are."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case.

    Attributes:
        file: the path of its file below the folder, without extension, as ``match/03_ETH_DST``.
        description: unique in the file.
        content: the JSON object.
    """

    file: str
    description: str
    content: dict[str, Any]

    @property
    def name(self) -> str:
        """What the case is called in reports and waivers."""
        return f"{self.file}: {self.description}"

    @property
    def category(self) -> str:
        """The folder of its file: match, action, group or meter."""
        return self.file.partition("/")[0]


def shipped_folder(version: str) -> Path:
    """Return the folder of an OpenFlow version's cases in the installed os-ken."""
    spec = find_spec("os_ken.tests.switch")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("os-ken, whose package has the cases, is not installed")
    return Path(spec.origin).parent / FOLDERS[version]


def read_cases(folder: Path) -> list[Case]:
    """Return every case below a folder, in order of files, then of their place in the file."""
    found = []
    for path in sorted(folder.rglob("*.json")):
        file = path.relative_to(folder).with_suffix("").as_posix()
        items = json.loads(path.read_text(encoding="utf-8"))
        found += [Case(file, item["description"], item) for item in items[1:]]
    return found


def selected(cases: Iterable[Case], prefixes: Sequence[str], every: int) -> list[Case]:
    """Return each ``every``-th case of those whose name begins with one of the prefixes, if any."""
    wanted = tuple(prefixes) or ("",)
    return [case for case in cases if case.name.startswith(wanted)][::every]


def write_cases(cases: Iterable[Case], folder: Path, seconds: int) -> None:
    """Write each case to a file of its own, in which the tester looks for it.

    The tester keys its files by their descriptions, of which two pairs are alike in the cases for
    OpenFlow 1.0; here the description is the case's name, so that none gets lost.

    Args:
        cases: what to write.
        folder: an empty folder.
        seconds: how long the cases that measure a rate send packets, at most.
    """
    for number, case in enumerate(cases):
        content = _lasting(case.content, seconds)
        (folder / f"{number:04d}.json").write_text(json.dumps([case.name, content]), "utf-8")


def _lasting(content: dict[str, Any], seconds: int) -> dict[str, Any]:
    """Return a case that sends no longer than that; a share of random packets needs all of them."""
    copy: dict[str, Any] = deepcopy(content)
    for test in copy["tests"]:
        if isinstance(test["ingress"], dict):
            packets = test["ingress"]["packets"]
            if not any("randint" in line for line in packets["data"]):
                packets["duration_time"] = min(seconds, packets["duration_time"])
    return copy
