"""Run Ryu's switch test suite on our switch: embedded, in virtual time, or over TCP, in real time.

``uv run python tests/conformance/ryu_suite.py --version 1.3``

The last line is ``OK n ERROR m``, as Ryu's tester counts. The exit status is 0 if every case passes
but those of ``waivers.yaml``, and these fail.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from cases import FOLDERS, Case, read_cases, selected, shipped_folder, write_cases
from report import Outcome, complaints, tally, write_junit
from stock_tester import StockTester
from testbed import Testbed
from waivers import WaiverError, read_waivers

SECONDS: Final = 3
"""How long the cases that measure a meter's rate send, in virtual seconds. The files say 30, as a
measurement in real time is rough; here it is exact sooner, though a meter's burst weighs more."""

SHIPPED_WAIVERS: Final = Path(__file__).with_name("waivers.yaml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite as the command line says; return the exit status."""
    given = _parser().parse_args(arguments)
    folder = given.dir or shipped_folder(given.version)
    waiver_file = given.waivers or (None if given.dir else SHIPPED_WAIVERS)
    every = read_cases(folder)
    cases = selected(every, given.only, given.every)
    if not cases:
        _tell(f"{folder}: no such case")
        return 2
    try:
        names = [case.name for case in every]
        waivers = read_waivers(waiver_file, given.version, names) if waiver_file else {}
    except WaiverError as error:
        _tell(f"{waiver_file}: {error}")
        return 2
    faults = _run(cases, given)
    outcomes = [
        Outcome(case, faults.get(case.name, "was not run"), waivers.get(case.name, ""))
        for case in cases
    ]
    if given.junit is not None:
        write_junit(outcomes, given.junit)
    for line in (*complaints(outcomes), *tally(outcomes)):
        sys.stdout.write(line + "\n")
    return 0 if all(outcome.expected for outcome in outcomes) else 1


def _run(cases: list[Case], given: argparse.Namespace) -> dict[str, str]:
    """Return the fault of each case that was run."""
    with TemporaryDirectory(prefix="sdnvirt-ryu-suite-") as folder:
        write_cases(cases, Path(folder), given.seconds)
        log = _tell if given.verbose else None
        if given.tcp:
            tester = StockTester(Path(folder), given.version, log)
            faults = tester.run()
            _tell(f"sent {tester.pace.frames} packets, {tester.pace.per_second:.1f} a second")
            return faults
        testbed = Testbed(Path(folder), given.version, log)
        faults = testbed.run()
    if testbed.error is not None:
        _tell(str(testbed.error))
    return faults


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Run Ryu's switch test suite on our switch.")
    parser.add_argument("--version", choices=FOLDERS, default="1.3", help="OpenFlow version")
    parser.add_argument("--dir", type=Path, help="folder of JSON files (default: os-ken's)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME",
        help="run only cases whose name begins so, as match/03_ETH_DST; can be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="run only each N-th of these cases"
    )
    parser.add_argument(
        "--tcp", action="store_true",
        help="run stock Ryu in a process of its own, which our switches dial, in real time",
    )  # fmt: skip
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write results as JUnit XML")
    parser.add_argument(
        "--seconds", type=int, default=SECONDS,
        help="how long cases that measure a rate send; the files say 30 (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--waivers", type=Path, metavar="FILE",
        help="cases that fail rightly, and why (default: waivers.yaml for os-ken's cases)",
    )  # fmt: skip
    parser.add_argument("--verbose", action="store_true", help="show what Ryu's tester logs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
