"""Wall time of whole processes: ``sdnvirt --help``, and quickstart from nothing to its report.

The first run of each only warms the disk's cache and Python's bytecode.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from measurement import arguments, in_turns, report, summary

ROOT: Final = Path(__file__).resolve().parents[2]
COMMANDS: Final = {
    "help": ("--help",),
    "validate_quickstart": ("validate", "topologies/quickstart.yaml"),
    "run_quickstart": ("run", "topologies/quickstart.yaml"),
}


def wall(words: Sequence[str]) -> float:
    """Run the command line once; return its wall time."""
    command = [sys.executable, "-m", "sdnvirt", *words]
    begun = time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - begun


def main() -> None:
    """Measure, and print the figures."""
    options = arguments(__doc__).parse_args()
    sides = {name: partial(wall, words) for name, words in COMMANDS.items()}
    taken = in_turns(sides, 1 if options.quick else options.repeats)
    report(
        "startup",
        unit="seconds of wall time",
        wall_s={name: summary(values) for name, values in taken.items()},
    )


if __name__ == "__main__":
    main()
