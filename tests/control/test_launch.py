"""A Ryu of its own, in a process of its own, steering a switch over TCP."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sdnvirt.control.launch import main
from sdnvirt.control.remote import RemoteController
from sdnvirt.control.transport import Transport
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.openflow.v13.flow import FlowMod
from tests.control.speaker import Switch

ROOT = Path(__file__).parents[2]
LAUNCH = [sys.executable, "-m", "sdnvirt.control.launch"]
PATIENCE_S = 20


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the controller does not listen")


def heed_ctrl_c() -> None:
    """Undo what a shell does to its background jobs; the tests may be part of one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_app_runs_remotely_and_knows_the_topology() -> None:
    port = free_port()
    app, file = ROOT / "controllers/virtual_network.py", ROOT / "topologies/quickstart.yaml"
    process = subprocess.Popen(
        [*LAUNCH, str(app), "--port", str(port), "--topology", str(file)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    try:
        wait_for(port)
        scheduler = Scheduler()
        errors: list[Any] = []
        transport = Transport(scheduler)
        remote = RemoteController(f"tcp:127.0.0.1:{port}", transport, errors.append)
        switch = Switch(scheduler, 1)
        switch.connect(remote)
        for _ in range(50):
            transport.pacer.run_until(scheduler.now + 100_000_000)
            if len(switch.messages(FlowMod)) > 10:
                break
        transport.close()
        assert errors == []
        assert switch.channel.established
        assert len(switch.messages(FlowMod)) > 10
    finally:
        process.send_signal(signal.SIGINT)
        _, noise = process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in noise
    assert "greened" not in noise


SWALLOWS = """
import sys

from ryu.base import app_manager
from ryu.lib import hub


class Swallows(app_manager.RyuApp):
    def start(self):
        return hub.spawn(self._busy)

    def _busy(self):
        try:
            print("busy", file=sys.stderr, flush=True)
            while True:
                pass
        except:
            print("swallowed", file=sys.stderr, flush=True)
        while True:
            hub.sleep(60)

    def stop(self):
        print("stopped", file=sys.stderr, flush=True)
"""


def test_an_interrupt_that_is_swallowed_is_repeated(tmp_path: Path) -> None:
    app = tmp_path / "swallows.py"
    app.write_text(SWALLOWS)
    process = subprocess.Popen(
        [*LAUNCH, str(app), "--port", str(free_port())],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    )
    assert process.stderr is not None
    try:
        while process.stderr.readline() not in ("busy\n", ""):
            pass
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert told.splitlines() == ["swallowed", "stopped"]
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.py"], "controller app nowhere.py: no such file"),
        (["no.module"], "controller app no.module: no module of that name"),
        (
            ["ryu.app.simple_switch_13", "--port", "70000"],
            "cannot listen on port 70000: expected 1",
        ),
        (["ryu.app.simple_switch_13", "--listen", "x.invalid"], "cannot listen on x.invalid:6653"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"sdnvirt: {told}")
    assert message.count("\n") == 1


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert main(["ryu.app.simple_switch_13", "--port", str(port)]) == 2
    told = f"sdnvirt: cannot listen on 127.0.0.1:{port}: address already in use\n"
    assert capsys.readouterr().err == told


def test_a_syntax_error_is_told_before_ryu_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = tmp_path / "broken.py"
    app.write_text("\nclass Broken(:\n")
    assert main([str(app)]) == 2
    assert f"{app}:2: app broken raised at import: SyntaxError" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\n", "no class derived from ryu.base.app_manager.RyuApp"),
        ("1 / 0\n", ":1: app app raised at import: ZeroDivisionError"),
    ],
)
def test_an_app_that_cannot_be_loaded(tmp_path: Path, text: str, told: str) -> None:
    app = tmp_path / "app.py"
    app.write_text(text)
    run = subprocess.run(
        [*LAUNCH, str(app), "--port", str(free_port())],
        capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert told in run.stderr
    assert "Traceback" not in run.stderr
