"""Commands in the timeline of a topology file, and in the report."""

from __future__ import annotations

import json

import pytest

from sdnvirt import load
from sdnvirt.errors import TopologyError, UserError

FILE = """\
name: commands
switches: {s1: {kind: bridge}}
hosts:
  h[1-2]: {address: '10.0.0.[1-2]/24'}
links: [{between: ['h[1-2]', s1], rate: 100Mbit/s}]
timeline:
"""

ENDING = "invariants: {connectivity: false} # so that the run ends with the timeline\n"


@pytest.fixture
def write(tmp_path):
    """Return what writes the file with a timeline, and tells its path."""

    def written(*events: str):
        path = tmp_path / "topology.yaml"
        timeline = "".join(f"  - {one}\n" for one in events)
        path.write_text(FILE + timeline + ENDING, encoding="utf-8")
        return path

    return written


def test_the_report_shows_what_they_print(write, sdnvirt, capsys) -> None:
    path = write(
        '{at: 1s, run: {on: h2, command: "iperf -s", background: true}}',
        '{at: 2s, run: {on: h1, command: "iperf -c 10.0.0.2 -t 2"}}',
        '{at: 2s, run: {on: h1, command: "ping -c 1 10.0.0.9"}}',
        '{at: 1s, run: {on: h2, command: "nc -l 80", stdin: "hello you", background: true}}',
        '{at: 6s, run: {on: h1, command: "nc -N 10.0.0.2 80"}}',
    )
    assert sdnvirt("run", path) == 0
    text = capsys.readouterr().out
    assert "      1 s  h2$ iperf -s\n" in text
    assert "      2 s  h1$ ping -c 1 10.0.0.9  (status 1)\n" in text
    assert "\n           Server listening on TCP port 5001\n" in text
    assert "\n           hello you\n" in text


def test_the_report_as_json(write, sdnvirt, capsys) -> None:
    path = write(
        '{at: 2s, run: {on: h1, command: "ping -c 2 10.0.0.2"}}',
        '{at: 1s, run: {on: h2, command: "ping 10.0.0.1", background: true}}',
        "{at: 5s, down: h1--s1}",
    )
    reports = []
    for _ in range(2):
        assert sdnvirt("run", path, "--json", "-") == 0
        reports.append(json.loads(capsys.readouterr().out))
    background, ping = reports[0]["commands"]
    assert reports[1]["commands"] == [background, ping]
    assert {key: value for key, value in ping.items() if key != "output"} == {
        "at_ns": 2 * 10**9, "host": "h1", "line": "ping -c 2 10.0.0.2", "background": False,
        "status": 0,
    }  # fmt: skip
    assert "2 packets transmitted, 2 received" in ping["output"]
    # stopped at the end of the run, at 5 s, as by Ctrl-C
    assert "5 packets transmitted, 4 received" in background["output"]
    assert [one["what"] for one in reports[0]["timeline"]] == ["down h1--s1"]


def test_the_run_waits_for_what_is_not_in_the_background(write, sdnvirt, capsys) -> None:
    path = write('{at: 1s, run: {on: h1, command: "ping -c 5 10.0.0.2"}}')
    assert sdnvirt("run", path, "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["virtual_ns"] > 5 * 10**9


@pytest.mark.parametrize(
    ("run", "told"),
    [
        ("{on: h1, command: pnig 10.0.0.2}", "no command 'pnig'; did you mean ping?"),
        ("{on: h1, command: ping -c x 10.0.0.2}", "ping: argument -c: invalid argument: 'x'"),
        ("{on: h3, command: ping 10.0.0.2}", "found 'h3', expected the name of a host or VM"),
        ("{on: s1, command: ping 10.0.0.2}", "found the switch 's1'"),
        ("{on: h1, command: 'nc -l | head'}", "'|' needs a shell"),
        ("{on: h1}", "command"),
    ],
)
def test_mistakes_are_told_with_their_place(write, run: str, told: str) -> None:
    with pytest.raises(TopologyError) as caught:
        load(write(f"{{at: 1s, run: {run}}}"))
    assert told in str(caught.value)
    assert "topology.yaml:7:" in str(caught.value)


def test_a_host_that_is_down_runs_nothing(write) -> None:
    path = write("{at: 1s, crash: h1}", '{at: 2s, run: {on: h1, command: "ping 10.0.0.2"}}')
    with load(path) as network, pytest.raises(UserError) as caught:
        network.run_until("3s")
    assert str(caught.value).endswith("topology.yaml:8: h1 has crashed, and runs no command")
