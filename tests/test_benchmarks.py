"""Every benchmark runs alone and prints one JSON object; how fast it was is not tested."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parent / "benchmarks"


@cache
def run(name, *options):
    """Run a benchmark from another folder than the project's, and return what it printed."""
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), "--quick", *options]
    printed = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, check=True).stdout
    return json.loads(printed)


def assert_summaries(figures):
    """Every figure has a median between its least and its greatest value, all above zero."""
    for figure in figures.values():
        assert 0 < figure["min"] <= figure["median"] <= figure["max"]


@pytest.mark.parametrize(
    "name", ["build", "chain", "engine", "packet_in", "startup", "switch", "tcp"]
)
def test_states_its_name_and_the_interpreter(name):
    printed = run(name)
    assert printed["benchmark"] == name
    assert printed["interpreter"]["version"].startswith(f"{sys.version_info.major}.")
    assert isinstance(printed["interpreter"]["pgo"], bool)


def test_chain_compares_with_simpy_at_three_lengths():
    printed = run("chain")
    sides = {"sdnvirt", "observed", "hosts", "simpy", "simpy_processes"}
    assert set(printed["hops_per_s"]) == sides
    for figures in [*printed["hops_per_s"].values(), *printed["ratio"].values()]:
        assert set(figures) == {"4", "16", "64"}
        assert_summaries(figures)


def test_chain_runs_a_program_built_on_ns3(tmp_path):
    program = tmp_path / "chain"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "assert sys.argv[1] == '--kind=bridge', sys.argv\n"
        "print('{\"pkt_hops_per_cpu_s\": 1000}')\n"
    )
    program.chmod(0o755)
    printed = run("chain", "--ns3", str(program))
    assert printed["hops_per_s"]["ns3_bridge"]["16"]["median"] == 1000
    assert_summaries(printed["ratio"]["sdnvirt / ns3_bridge"])


def test_engine_compares_with_simpy():
    printed = run("engine")
    assert set(printed["events_per_s"]) == {"sdnvirt", "simpy"}
    assert_summaries(printed["ratio"]["sdnvirt / simpy"])


def test_build_times_each_kind_of_network():
    printed = run("build")
    assert set(printed["cases"]) == {"openflow_40", "learning_switch_40", "bridges_40"}
    for figures in printed["cases"].values():
        assert {"resolve_cpu_s", "start_cpu_s", "cpu_s", "wall_s", "memory_mb"} <= set(figures)


def test_startup_times_whole_processes():
    printed = run("startup")
    for figures in (printed["wall_s"], printed["cpu_s"]):
        assert {"help", "run_quickstart"} <= set(figures)
        assert_summaries(figures)


def test_packet_in_counts_round_trips_of_both_kinds_on_both_ways():
    printed = run("packet_in")
    ways, kinds = ("network", "controller"), ("flow_mod_and_packet_out", "packet_out")
    assert_summaries({(way, kind): printed[f"{way}_{kind}"] for way in ways for kind in kinds})


def test_switch_measures_the_cache_its_misses_and_flow_mods():
    printed = run("switch")
    assert_summaries(printed["cached_hops_per_s"])
    for row in printed["miss"].values():
        assert_summaries(row)
    assert_summaries({key: printed[key] for key in ("flow_mods_per_s", "load_wall_s")})


def test_tcp_measures_both_families_and_many_connections():
    printed = run("tcp")
    for figures in (printed["bulk_mbit_per_wall_s"], printed["bulk_mbit_per_cpu_s"]):
        assert set(figures) == {"IPv4", "IPv6"}
        assert_summaries(figures)
    assert_summaries({key: printed[key] for key in ("connections_cpu_s", "bytes_per_connection")})
