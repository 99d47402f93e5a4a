"""Ctrl-C and SIGTERM end a run in order, with the report so far; at start-up, without one."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Start = Callable[..., subprocess.Popen[str]]
Write = Callable[..., Path]

TIMEOUT_S = 60

# A minute of work at least: nothing but the signal ends these runs in time.
PINGS = "  - {ping: {from: h1, to: h2, count: 65535, interval: 1ms}, at: 10ms}\n"
LONG = (
    """
checks:
  - {ping: {from: h1, to: h2, count: 1}, at: 5ms}
"""
    + 20 * PINGS
    + """\
  - {ping: {from: h2, to: h1, count: 1}, at: 10h}
"""
)


def wait_for(path: Path) -> None:
    """Wait until a run has begun to write captures, then until it is well under way."""
    deadline = time.monotonic() + TIMEOUT_S
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.02)
    time.sleep(0.5)


def running(start: Start, tmp_path: Path, *arguments: str) -> subprocess.Popen[str]:
    process = start("run", "net.yaml", "--pcap", "captures", *arguments)
    wait_for(tmp_path / "captures" / "h2.pcapng")
    return process


def test_ctrl_c_ends_a_run_with_the_report_so_far(
    start: Start, bridged: Write, tmp_path: Path
) -> None:
    bridged(LONG)
    process = running(start, tmp_path)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (130, "")
    first, second, *_ = out.partition("checks  ")[2].splitlines()[1:]
    assert first.split()[:2] == ["ok", "5"]
    assert second.startswith("   ?  ")
    assert second.endswith(" so far") or ", rtt " in second
    assert "ping h2 > h1  not begun\n" in out
    assert out.endswith("\n1 of 22 checks held; the run was interrupted\n")


def test_what_was_captured_before_ctrl_c_can_be_read(
    start: Start, bridged: Write, tmp_path: Path
) -> None:
    bridged(LONG)
    process = running(start, tmp_path)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=TIMEOUT_S)
    capture = (tmp_path / "captures" / "h2.pcapng").read_bytes()
    count = 0
    while capture:
        size = int.from_bytes(capture[4:8], "little")
        assert capture[size - 4 : size] == capture[4:8]
        capture = capture[size:]
        count += 1
    assert count > 10


def test_sigterm_does_the_same_and_json_says_so(
    start: Start, bridged: Write, tmp_path: Path
) -> None:
    bridged(LONG)
    process = running(start, tmp_path, "--json", "-")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (143, "")
    report = json.loads(out)
    assert report["interrupted"] is True
    assert report["held"] is False
    assert [check["held"] for check in report["checks"]] == [True] + 21 * [None]


def test_ctrl_c_twice_ends_at_once(start: Start, steered: Write, app: Write) -> None:
    """The first is taken up between two events; an app that never returns leaves no such time."""
    steered("controller: {app: app.py}\nchecks: [{ping: {from: h1, to: h2}}]\n")
    app("print('busy', flush=True)\nwhile True: pass")
    process = start("run", "net.yaml")
    assert process.stdout is not None
    assert process.stdout.readline() == "busy\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out, err) == (130, "", "sdnvirt: interrupted\n")


def test_what_does_not_end_after_ctrl_c_is_ended(start: Start, steered: Write, app: Write) -> None:
    steered("controller: {app: app.py}\nchecks: [{ping: {from: h1, to: h2}}]\n")
    app("print('busy', flush=True)\nwhile True: pass")
    process = start("run", "net.yaml")
    assert process.stdout is not None
    assert process.stdout.readline() == "busy\n"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out, err) == (143, "", "sdnvirt: interrupted\n")


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.3])
def test_ctrl_c_while_modules_are_imported(
    start: Start, steered: Write, app: Write, delay_s: float
) -> None:
    steered("controller: {app: app.py}\nchecks: [{ping: {from: h1, to: h2}}]\n")
    app("while True: pass")
    program = (
        "import sdnvirt.cli as cli\n"
        "run = cli._run\n"
        "cli._run = lambda settings: print('begun', flush=True) or run(settings)\n"
        "cli.main()"
    )
    process = start("run", "net.yaml", command=[sys.executable, "-c", program])
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out, err) == (130, "", "sdnvirt: interrupted\n")


def test_ctrl_c_while_an_app_is_imported(start: Start, steered: Write, tmp_path: Path) -> None:
    steered("controller: {app: app.py}\nchecks: [{ping: {from: h1, to: h2}}]\n")
    (tmp_path / "app.py").write_text("print('begun', flush=True)\nwhile True: pass\n")
    process = start("run", "net.yaml")
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out, err) == (130, "", "sdnvirt: interrupted\n")


def test_ctrl_c_ends_a_run_in_real_time(start: Start, steered: Write, tmp_path: Path) -> None:
    """With a controller that listens and says nothing, the network waits in its sockets."""
    steered("checks: [{ping: {from: h1, to: h2, count: 1}, at: 10h}]\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp:127.0.0.1:{silent.getsockname()[1]}"
        process = running(start, tmp_path, "--controller", address)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (130, "")
    assert f"controller  {address}, in real time\n" in out
    assert out.endswith("\n0 of 1 checks held; the run was interrupted\n")
