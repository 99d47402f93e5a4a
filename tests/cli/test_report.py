"""What a user reads at the end of a run, and what a program reads."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import click
import pytest

from sdnvirt.cli.report import report_text
from sdnvirt.network.checks import CheckResult, PingFigures
from sdnvirt.network.connectivity import Reached
from sdnvirt.network.report import DropLine, Happening, Isolation, Loops, Report, Settled, Totals
from sdnvirt.units import NS_PER_S

Run = Callable[..., Any]
Write = Callable[..., Path]

ROOT = Path(__file__).parents[2]
MS = 1_000_000

GOOD = CheckResult(
    "ping a > b", "net.yaml:7", 1500 * MS, True, "2/2 answered, rtt 1.000/2.000/3.000 ms",
    ping=PingFigures(2, 2, True, 1 * MS, 2 * MS, 3 * MS),
)  # fmt: skip
APART = CheckResult(
    "ping a > c", "net.yaml:8", 2 * NS_PER_S, True, "unreachable, as expected",
    "dropped at s1: no flow entry matched and the table has no table-miss entry (table 0)",
    PingFigures(2, 0, False, None, None, None),
)  # fmt: skip
FAILED = replace(APART, title="ping long-name > c", where="net.yaml:9", held=False,
                 figures="0/2 answered")  # fmt: skip

REPORT = Report(
    name="lab",
    description="Two hosts.",
    seed=1,
    built={"switches": 1, "hosts": 2, "links": 2},
    controller="app.py, embedded in virtual time",
    timeline=(Happening(1700 * MS, "down a--s1"),),
    checks=(APART, GOOD),
    traffic=(),
    drops=(DropLine("the link is down", 1204, {"a": 1200, "b": 2, "c": 1, "d": 1}),),
    ledger=Totals(1300, 4, 100, 1204, 0),
    isolation=Isolation(0, 0, ()),
    loops=Loops(0, False, ()),
    connectivity=None,
    switches={},
    virtual_ns=3 * NS_PER_S,
    wall_s=0.5,
    run_s=0.25,
    hops=1000,
    digest="0123",
    interrupted=False,
)


def text(report: Report, width: int = 80) -> str:
    return click.unstyle(report_text(report, width))


def test_a_run_that_went_well() -> None:
    assert (
        text(REPORT)
        == """\
lab
Two hosts.
built       1 switch, 2 hosts, 2 links; seed 1
controller  app.py, embedded in virtual time

checks  (round trip times are min/avg/max)
  ok  1.5 s  ping a > b  2/2 answered, rtt 1.000/2.000/3.000 ms
      1.7 s  down a--s1
  ok    2 s  ping a > c  unreachable, as expected
             dropped at s1: no flow entry matched and the table has no
             table-miss entry (table 0)

drops
 1,204  the link is down: a, b, c and 1 more

ledger      1,300 sent + 4 copied = 100 delivered + 1,204 dropped + 0 in flight
loops       none
time        3 s of virtual time in 0.50 s: 0.25 s to start, 0.25 s to run 1,000
            packet-hops (4,000 a second)
digest      0123

all 2 checks held"""
    )


def test_a_failed_check_stands_out_by_its_line() -> None:
    told = report_text(replace(REPORT, checks=(GOOD, FAILED)), 120)
    assert click.style("FAIL", fg="red", bold=True) in told
    assert click.style("ping long-name > c", bold=True) in told
    plain = click.unstyle(told)
    assert "\nFAIL    2 s  ping long-name > c  0/2 answered\n" in plain
    assert "\n             net.yaml:9: dropped at s1: no flow entry matched and" in plain
    assert plain.endswith("\n1 of 2 checks held; failed: net.yaml:9")


def test_expected_failures_are_told_in_a_quiet_voice() -> None:
    told = report_text(replace(REPORT, checks=(GOOD, APART)), 120)
    assert f"\x1b[2m{'':13}{APART.why}\x1b[0m" in told
    assert "FAIL" not in told


@pytest.mark.parametrize("width", [80, 100, 120, 500])
def test_prose_fits_the_terminal(width: int) -> None:
    wide = replace(REPORT, description="word " * 60, checks=(FAILED, replace(GOOD, why="w " * 200)))
    assert width - 5 <= max(map(len, text(wide, width).splitlines())) <= width or width > 120
    assert max(map(len, text(wide, width).splitlines())) <= 120


def test_a_terminal_can_be_too_narrow() -> None:
    assert text(REPORT, 1) == text(REPORT, 60)


def test_no_checks_is_said_and_is_no_failure() -> None:
    empty = replace(REPORT, checks=())
    assert empty.held
    assert text(empty).endswith("\nno checks in the file")


def test_a_leak_between_tenants_fails_the_run() -> None:
    leak = replace(REPORT, isolation=Isolation(9, 2, ("a frame of acme/web at globex-a",)))
    assert not leak.held
    assert "\nisolation   9 deliveries to tenants, 2 from another network\n" in text(leak)
    assert "\n            a frame of acme/web at globex-a\n" in text(leak)
    assert text(leak).endswith("\nall 2 checks held; isolation is broken")


def test_a_loop_fails_the_run_unless_the_file_allows_it() -> None:
    loop = "packet 7 of a came back again and again to s1:s2, s2:s1 (by 2 s)"
    found = replace(REPORT, loops=Loops(2, False, (loop,)))
    assert not found.held
    assert f"\nloops       2 packets ran in circles\n            {loop}\n" in text(found)
    assert text(found).endswith("\nall 2 checks held; packets ran in a loop")
    allowed = replace(REPORT, loops=Loops(1, True, (loop,)))
    assert allowed.held
    assert "\nloops       1 packet, which the file allows\ntime " in text(allowed)


RECOVERED = Settled(
    14 * NS_PER_S, 10 * NS_PER_S, True, Reached(3, 3, 2, "2 of 3 pairs connected", ())
)


def test_a_network_that_recovers_from_its_faults_says_so() -> None:
    good = replace(REPORT, connectivity=RECOVERED)
    assert good.held
    line = "reachable   2 of 3 pairs connected, 10 s after the last fault\n"
    assert f"loops       none\n{line}time" in text(good)


def test_one_that_does_not_fails_the_run_and_says_why() -> None:
    why = tuple(f"a does not reach b{n}, though links connect them: no answer" for n in range(5))
    reached = Reached(9, 9, 9, "9 of 9 pairs connected, 5 otherwise than the network is", why)
    bad = replace(REPORT, connectivity=replace(RECOVERED, held=False, reached=reached))
    assert not bad.held
    told = text(bad, 100)
    assert "9 of 9 pairs connected, 5 otherwise than the network is, 10 s after the last" in told
    assert f"\n            {why[0]}\n            {why[1]}\n            {why[2]}\n" in told
    assert "\n            and 2 more\ntime" in told
    assert told.endswith("\nall 2 checks held; the network did not recover from its faults")


def test_a_run_that_ended_before_it_could_tell_has_not_held() -> None:
    early = replace(REPORT, connectivity=replace(RECOVERED, held=None, reached=None))
    assert not early.held
    assert "\nreachable   the run ended before it was asked, 10 s after the last fault\n" in text(
        early
    )


def test_a_frame_that_got_lost_fails_the_run() -> None:
    lost = replace(REPORT, ledger=Totals(5, 0, 3, 1, 0))
    assert not lost.held
    assert "\nledger      5 sent + 0 copied ≠ 3 delivered + 1 dropped + 0 in flight\n" in text(lost)


def test_lost_answers_are_a_share() -> None:
    assert str(PingFigures(20, 18, True, MS, MS, MS)) == (
        "18/20 answered, 10% lost, rtt 1.000/1.000/1.000 ms"
    )
    assert str(PingFigures(3, 0, False, None, None, None)) == "0/3 answered"
    assert str(PingFigures(1, 1, False, MS, MS, MS)).startswith("1/1 answered by another node, rtt")


# real runs


def test_failed_checks_have_status_1(sdnvirt: Run, bridged: Write) -> None:
    file = bridged("""
        checks:
          - {ping: {from: h1, to: h2, count: 1}, at: 10ms, expect: unreachable}
          - {ping: {from: h1, to: 10.0.0.9, count: 1, timeout: 100ms}, at: 20ms}
          - {ping: {from: h1, to: h2, count: 1}, at: 30ms, via: b1}
          - {ping: {from: h1, to: h2, count: 2, interval: 1ms}, at: 40ms, via: b2}
    """)
    file.write_text(file.read_text().replace("{b1: {", "{b1: {kind: bridge}, b2: {"))
    done = sdnvirt("run", "net.yaml", "--json", "report.json")
    assert (done.status, done.err) == (1, "")
    first, why_first, second, why_second, third, fourth, why_fourth = done.out.split("checks ")[
        1
    ].splitlines()[1:8]
    assert re.fullmatch(r"FAIL  10 ms  ping h1 > h2 +1/1 answered, rtt [\d./]+ ms", first)
    assert why_first.strip() == "net.yaml:8: h2 was to be unreachable, and answered"
    assert re.fullmatch(r"FAIL  20 ms  ping h1 > 10.0.0.9 +0/1 answered", second)
    assert why_second.strip() == "net.yaml:9: 10.0.0.9: no ARP answer"
    assert re.fullmatch(r"  ok  30 ms  ping h1 > h2 +1/1 answered, rtt [\d./]+ ms, via b1", third)
    assert re.fullmatch(r"FAIL  40 ms  ping h1 > h2 +2/2 answered, rtt [\d./]+ ms", fourth)
    assert why_fourth.strip() == "net.yaml:11: 2 of 2 requests did not cross b2"
    assert done.out.endswith("\n1 of 4 checks held; failed: net.yaml:8, net.yaml:9, net.yaml:11\n")


def test_without_checks_the_network_boots(sdnvirt: Run, bridged: Write) -> None:
    bridged()
    done = sdnvirt("run", "net.yaml", "--seed", "7")
    assert (done.status, done.err) == (0, "")
    assert "; seed 7\n" in done.out
    assert done.out.endswith("\nno checks in the file\n")


def test_the_seed_decides_what_is_random(sdnvirt: Run, bridged: Write) -> None:
    file = bridged(
        "checks: [{ping: {from: h1, to: h2, count: 99, interval: 1ms}, at: 1ms, max_loss: 100%}]\n"
    )
    file.write_text(file.read_text().replace("[h1, b1]}", "[h1, b1], loss: 50%}"))
    first, again, other = (
        json.loads(sdnvirt("run", file, "--seed", seed, "--json", "-").out)["digest"]
        for seed in ("1", "1", "2")
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals(
    bridged: Write, tmp_path: Path, variables: dict[str, str], coloured: bool
) -> None:
    bridged()
    terminal, ours = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "sdnvirt", "run", "net.yaml"],
        cwd=tmp_path, stdout=ours, env={**environment, **variables, "TERM": "xterm"},
    )  # fmt: skip
    os.close(ours)
    printed = b""
    while chunk := _read(terminal):
        printed += chunk
    os.close(terminal)
    assert process.wait() == 0
    assert (b"\x1b[1mbridged" in printed) == coloured
    assert (b"\x1b" in printed) == coloured


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""


# invariants


UNHEALED = """
    timeline: [{at: 1s, change: {link: h2--b1, loss: 100%}}]
    invariants: {connectivity: {settle: 1s, timeout: 100ms}}
"""


def test_a_network_that_does_not_recover_is_status_1(sdnvirt: Run, bridged: Write) -> None:
    bridged(UNHEALED)
    done = sdnvirt("run", "net.yaml")
    assert done.status == 1
    assert "\nreachable   1 of 1 pairs connected, 1 otherwise than the network is, 1 s" in done.out
    told = " ".join(done.out.split())
    assert "h1 does not reach h2, though links connect them: dropped at h2--b1: lost on" in told
    assert done.out.endswith("checks in the file; the network did not recover from its faults\n")


CIRCLE = """\
name: circle
switches: {'s[1-3]': {kind: openflow}}
hosts: {h1: {address: 10.0.0.1/24}}
links:
  - {between: [h1, s1]}
  - {between: ['s[1-2]', 's[2-3]'], delay: 10ms}
  - {between: [s1, s3], delay: 10ms}
controller: {app: app.py}
timeline: [{at: 1s, run: {on: h1, command: ping -c 1 -W 1 10.0.0.2}}]
"""

FLOOD = """
datapath = event.datapath
ofproto, parser = datapath.ofproto, datapath.ofproto_parser
actions = [parser.OFPActionOutput(ofproto.OFPP_FLOOD)]
flood = [parser.OFPInstructionActions(ofproto.OFPIT_APPLY_ACTIONS, actions)]
datapath.send_msg(parser.OFPFlowMod(datapath, instructions=flood))
"""


def test_a_packet_in_a_loop_is_status_1(sdnvirt: Run, app: Write, tmp_path: Path) -> None:
    app(dedent(FLOOD))
    file = tmp_path / "net.yaml"
    file.write_text(CIRCLE)
    done = sdnvirt("run", file)
    assert done.status == 1
    assert re.search(r"^loops +\d+ packets? ran in circles\n", done.out, re.MULTILINE)
    told = " ".join(done.out.split())
    assert re.search(r"packet \d+ of h1 came back again and again to \S+:\S+, \S+:\S+", told)
    assert done.out.endswith("; packets ran in a loop\n")
    file.write_text(f"{CIRCLE}invariants: {{loops: false}}\n")
    done = sdnvirt("run", file)
    assert done.status == 0
    assert re.search(r"^loops +\d+ packets?, which the file allows\n", done.out, re.MULTILINE)


# JSON


def test_every_key_of_the_json_report_is_documented(sdnvirt: Run, steered: Write) -> None:
    steered("""
        checks: [{ping: {from: h1, to: 10.0.0.9, count: 1, timeout: 100ms}, at: 10ms}]
        timeline:
          - {at: 5ms, down: h2--s1}
          - {at: 1ms, run: {on: h1, command: ip addr}}
    """)
    done = sdnvirt("run", "net.yaml", "--json", "-")
    assert done.status == 1
    told = json.loads(done.out)
    told["drops"] = told["drops"] or [{"reason": "", "count": 0, "places": {}}]
    page = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([\w.\[\]]+)` \|", page, re.MULTILINE))
    assert set(_keys(told)) == documented


def _keys(value: Any, path: str = "") -> set[str]:
    """Return the paths of all keys, with [] for the items of a list."""
    if isinstance(value, list):
        return set().union(*(_keys(item, f"{path}[]") for item in value))
    if not isinstance(value, dict) or path in ("built", "drops[].places"):
        return set()
    found = set()
    for key, inner in value.items():
        if path == "switches":
            key = "NAME"
        here = f"{path}.{key}" if path else key
        found |= {here} | _keys(inner, here)
    return found
