"""Following packets, and looking into switches, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LEARNING = ROOT / "topologies" / "learning-switch.yaml"

Run = Callable[..., Any]
Write = Callable[..., Path]


def test_a_trace_tells_every_device_and_its_reasons(sdnvirt: Run) -> None:
    done = sdnvirt("trace", ROOT / "topologies" / "vlan-trunk.yaml", "red1", "red2")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "red1 > red2 (192.168.1.2), ICMP echo"
    assert any("b1:b2 sends it tagged 10" in line for line in lines)
    assert lines[-1] == "answered"


def test_a_trace_is_told_as_json_too(sdnvirt: Run) -> None:
    topology = ROOT / "topologies" / "vlan-trunk.yaml"
    told = json.loads(sdnvirt("trace", topology, "red1", "red2", "--json").out)
    assert told["answered"] is True
    hop = told["packets"][0]["hops"][1]
    assert (hop["place"], hop["what"][:20]) == ("b1:red1", "ARP, Request who-has")
    assert hop["reasons"]


def test_a_trace_without_an_answer_fails(sdnvirt: Run) -> None:
    done = sdnvirt("trace", ROOT / "topologies" / "vlan-trunk.yaml", "red1", "blue1", "--at", "2s")
    assert done.status == 1
    assert done.out.endswith("\nno answer\n")
    assert "  2.000000 s  red1:b1  ARP, Request who-has" in done.out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("red1", "redd2"), "sdnvirt: no node 'redd2' in vlan-trunk; did you mean red2?"),
        (("red1", "red1"), "sdnvirt: nothing leaves red1 for itself; name two nodes"),
        (("b1", "red2"), "sdnvirt: b1 sends no packets of its own; name a host, VM or function"),
        (
            ("red1", "red2", "--at", "soon"),
            "sdnvirt: 'soon' is not a time; expected a number",
        ),
    ],
)
def test_a_wrong_trace_is_told_in_one_line(
    sdnvirt: Run, arguments: tuple[str, ...], line: str
) -> None:
    done = sdnvirt("trace", ROOT / "topologies" / "vlan-trunk.yaml", *arguments)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(line)
    assert done.err.count("\n") == 1


def test_flows_of_a_finished_run_come_from_its_report(sdnvirt: Run) -> None:
    assert sdnvirt("run", LEARNING, "--json", "report.json").status == 0
    done = sdnvirt("flows", "report.json", "s1")
    assert (done.status, done.err) == (0, "")
    name, *flows = done.out.splitlines()
    assert name == "s1"
    assert len(flows) == 5
    assert all(flow.startswith(" cookie=0x0, duration=") for flow in flows)
    assert flows[0].endswith("priority=20,eth_dst=01:80:c2:00:00:00/ff:ff:ff:ff:ff:f0 actions=drop")
    assert flows[-1].endswith("priority=0 actions=CONTROLLER:65535")
    ports = sdnvirt("ports", "report.json").out.splitlines()
    assert ports[0] == "s1"
    assert ports[1].startswith(" port 1(h1): up, addr=06:")
    assert sdnvirt("groups", "report.json").out == sdnvirt("meters", "report.json").out == "s1\n"


def test_flows_of_a_topology_are_those_after_booting(sdnvirt: Run) -> None:
    done = sdnvirt("flows", LEARNING)
    assert done.status == 0
    assert len(done.out.splitlines()) == 4


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "report.json: found no readable file (No such file or directory), expected the"),
        ("[]", "report.json: found JSON without the key switches, expected the JSON report of a"),
        ("{\n", "report.json:2:1: found broken JSON (Expecting property name enclosed in double"),
        ("[" * 100_000, "report.json: found no JSON, expected the JSON report of a run"),
        ('{"switches": 5}', "report.json: found JSON without the key switches, expected the JSON"),
        (
            '{"switches": {"s1": {}}}',
            "report.json: found no flows of the switch 's1', expected",
        ),
        (
            '{"switches": {"s2": {"flows": []}, "s3": {"flows": 5}}}',
            "report.json: found no flows of the switch 's3', expected the JSON report of a run",
        ),
        (
            '{"switches": {"s22": {"flows": []}}}',
            "no OpenFlow switch 's2' in report.json; did you mean s22?",
        ),
        (
            '{"switches": {"core": {"flows": []}}}',
            "no OpenFlow switch 's2' in report.json; there is core",
        ),
    ],
)
def test_what_is_no_report_is_told(
    sdnvirt: Run, tmp_path: Path, content: str | None, line: str
) -> None:
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    done = sdnvirt("flows", "report.json", "s2")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"sdnvirt: {line}")
    assert done.err.count("\n") == 1


def test_a_network_without_openflow_switches_has_no_flows(sdnvirt: Run) -> None:
    file = ROOT / "topologies" / "vlan-trunk.yaml"
    done = sdnvirt("flows", file)
    assert (done.status, done.out) == (0, "")
    assert done.err == f"sdnvirt: there is no OpenFlow switch in {file}\n"
