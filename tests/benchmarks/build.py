"""Time and memory to build and start large networks: 1,000 hosts on 100 switches, 10,000 on 1,000.

The switches form a tree of fan-out 4 with hosts on every switch, as in Mininet's and ns-3's
figures for the same size. Each case runs in a fresh process, imports not included:

* ``openflow``: OpenFlow switches without a controller;
* ``learning_switch``: the same with the embedded app, until every switch has its controller;
* ``bridges``: learning bridges; then the first host pings the last.

Stages: ``resolve`` checks the description, ``build`` makes the live network, ``start`` starts it.
Memory is what the peak of the process grew by.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

from measurement import arguments, report, summary

from sdnvirt import topology
from sdnvirt.session import FROM_TOPOLOGY, NO_CONTROLLER, open_network

ROOT: Final = Path(__file__).resolve().parents[2]
FANOUT: Final = 4
CASES: Final = {
    "openflow_1000": ("openflow", 1_000, 100),
    "learning_switch_1000": ("learning_switch", 1_000, 100),
    "bridges_1000": ("bridges", 1_000, 100),
    "openflow_10000": ("openflow", 10_000, 1_000),
    "bridges_10000": ("bridges", 10_000, 1_000),
}
QUICK: Final = {
    "openflow_40": ("openflow", 40, 10),
    "learning_switch_40": ("learning_switch", 40, 10),
    "bridges_40": ("bridges", 40, 10),
}


def description(kind: str, hosts: int, switches: int) -> dict[str, Any]:
    """Return the topology file of a case, as a dict."""
    tree = [{"between": [f"s{i}", f"s{(i - 2) // FANOUT + 1}"]} for i in range(2, switches + 1)]
    addresses = {n: f"10.0.{n // 250}.{n % 250 + 1}/16" for n in range(1, hosts + 1)}
    spec: dict[str, Any] = {
        "name": kind.replace("_", "-"),
        "switches": {f"s[1-{switches}]": {"kind": "bridge" if kind == "bridges" else "openflow"}},
        "hosts": {f"h{n}": {"address": address} for n, address in addresses.items()},
        "links": [*tree, {"between": [f"h[1-{hosts}]", f"s[1-{switches}]"]}],
    }
    if kind == "learning_switch":
        spec["controller"] = {"app": "controllers/learning_switch.py"}
    return spec


def peak_mb() -> float:
    """Return the greatest memory that this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def measure(kind: str, hosts: int, switches: int) -> dict[str, float]:
    """Build and start one network in this process; return its figures."""
    controller = FROM_TOPOLOGY if kind == "learning_switch" else NO_CONTROLLER
    spec = description(kind, hosts, switches)
    small = topology.from_dict(description(kind, 2, 2), path=str(ROOT / "small"))
    open_network(small, controller).close()  # imports what is needed
    memory, wall = peak_mb(), time.perf_counter()
    begun = time.process_time()
    resolved = topology.from_dict(spec, path=str(ROOT / "large"))
    checked = time.process_time()
    network = open_network(resolved, controller)
    network.boot()
    started = time.process_time()
    figures = {
        "resolve_cpu_s": checked - begun,
        "start_cpu_s": started - checked,
        "cpu_s": started - begun,
        "wall_s": time.perf_counter() - wall,
        "memory_mb": peak_mb() - memory,
    }
    if kind == "bridges":
        begun = time.process_time()
        ping = network["h1"].ping(f"h{hosts}")  # type: ignore[attr-defined]
        assert ping.received == ping.sent
        figures["ping_cpu_s"] = time.process_time() - begun
    closing = time.process_time()
    network.close()
    figures["stop_cpu_s"] = time.process_time() - closing
    return figures


def in_fresh_process(case: tuple[str, int, int]) -> dict[str, float]:
    """Return the figures of one case, taken by a new process."""
    command = [sys.executable, __file__, "--case", *map(str, case)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    figures: dict[str, float] = json.loads(answer)
    return figures


def main() -> None:
    """Measure, and print the figures."""
    parser = arguments(__doc__, repeats=3)
    parser.add_argument("--case", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        kind, hosts, switches = options.case
        print(json.dumps(measure(kind, int(hosts), int(switches))))
        return
    cases, repeats = (QUICK, 1) if options.quick else (CASES, options.repeats)
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in cases}
    for _ in range(repeats):
        for name, case in cases.items():
            turns[name].append(in_fresh_process(case))
    report(
        "build",
        cases={
            name: {figure: summary(turn[figure] for turn in taken) for figure in taken[0]}
            for name, taken in turns.items()
        },
    )


if __name__ == "__main__":
    main()
