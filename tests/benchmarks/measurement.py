"""What the benchmarks share: medians with their spread, and the interpreter they were taken on.

Other work on the machine makes a figure of one run worthless. So a benchmark measures its sides in
turns (A B A B ...), takes ratios turn by turn, and states the median of each with the least and the
greatest. Times are CPU time of the process unless a benchmark says that they are wall time.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sysconfig
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

Summary = dict[str, float]
_T = TypeVar("_T")


def arguments(description: str | None, repeats: int = 5) -> argparse.ArgumentParser:
    """Return a parser of the options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=repeats, help="turns to take medians of")
    parser.add_argument("--quick", action="store_true", help="one small turn: only shows it works")
    return parser


def summary(values: Iterable[float], digits: int | None = 3) -> Summary:
    """Return the median, the least and the greatest value; whole numbers without digits."""
    found = sorted(values)
    return {
        "median": round(statistics.median(found), digits),
        "min": round(found[0], digits),
        "max": round(found[-1], digits),
    }


def in_turns(sides: Mapping[str, Callable[[], _T]], repeats: int) -> dict[str, list[_T]]:
    """Measure every side once a turn; the first turn only warms up, unless it is the only one."""
    taken: dict[str, list[_T]] = {name: [] for name in sides}
    for turn in range(repeats + 1 if repeats > 1 else 1):
        for name, measure in sides.items():
            value = measure()
            if turn or repeats == 1:
                taken[name].append(value)
    return taken


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Summary:
    """Return how many times ours is theirs, turn by turn."""
    return summary(a / b for a, b in zip(ours, theirs, strict=True))


def interpreter() -> dict[str, Any]:
    """Describe the interpreter.

    ``pgo`` tells whether its build options name profile-guided optimization, which makes it 10 to
    25% faster; some distributions optimize without naming it.
    """
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return {
        "implementation": platform.python_implementation(),
        "version": platform.python_version(),
        "pgo": "--enable-optimizations" in options,
    }


def report(benchmark: str, **figures: Any) -> None:
    """Print the one JSON object of a benchmark."""
    print(json.dumps({"benchmark": benchmark, "interpreter": interpreter(), **figures}, indent=2))
