"""Time of whole processes: ``sdnvirt --help``, and quickstart from nothing to its report.

Both the time that a user waits and the CPU time of the process, which says more where other work
keeps the machine busy. The first run of each only warms the disk's cache and leaves the bytecode
that later runs of any user find.
"""

from __future__ import annotations

import os
import resource
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


def cpu_of_children() -> float:
    """Return the CPU seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(words: Sequence[str]) -> tuple[float, float]:
    """Run the command line once; return its wall time and its CPU time."""
    command = [sys.executable, "-m", "sdnvirt", *words]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    begun, used = time.perf_counter(), cpu_of_children()
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    return time.perf_counter() - begun, cpu_of_children() - used


def main() -> None:
    """Measure, and print the figures."""
    options = arguments(__doc__).parse_args()
    sides = {name: partial(run, words) for name, words in COMMANDS.items()}
    taken = in_turns(sides, 1 if options.quick else options.repeats)
    report(
        "startup",
        unit="seconds",
        wall_s={name: summary(wall for wall, _ in turns) for name, turns in taken.items()},
        cpu_s={name: summary(cpu for _, cpu in turns) for name, turns in taken.items()},
    )


if __name__ == "__main__":
    main()
