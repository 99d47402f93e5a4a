"""Cases that this switch is right to fail, each with the section of the specification that decides.

The file is read strictly: an entry that names no case, or a case that passes, is a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

Waivers = dict[str, str]
"""Name of each waived case to the section and the reason."""


class WaiverError(Exception):
    """The file of waivers does not fit the cases."""


def read_waivers(path: Path, version: str, names: Iterable[str]) -> Waivers:
    """Return the waivers of one OpenFlow version.

    Args:
        path: the file; its form is described at its top.
        version: the OpenFlow version.
        names: the names of all cases of that version.

    Raises:
        WaiverError: an entry lacks something or names no case.
    """
    known = list(names)
    waivers: Waivers = {}
    entries = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get(version) or []
    for entry in entries:
        if set(entry) != {"cases", "section", "reason"} or not all(entry.values()):
            raise WaiverError(f"expected cases, section and reason, found {entry}")
        text = f"{entry['section']}: {_one_line(entry['reason'])}"
        for prefix in entry["cases"]:
            meant = [name for name in known if name.startswith(prefix)]
            if not meant:
                raise WaiverError(f"no case begins with {prefix!r}")
            for name in meant:
                if name in waivers:
                    raise WaiverError(f"{name} is waived twice")
                waivers[name] = text
    return waivers


def _one_line(text: Any) -> str:
    return " ".join(str(text).split())
