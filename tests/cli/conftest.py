"""Running the real command in a process of its own, as users do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, NamedTuple

import pytest

COMMAND = [sys.executable, "-m", "sdnvirt"]

TIMEOUT_S = 60
"""Longer than any of these runs takes on a busy machine."""

BRIDGED = """\
name: bridged
switches: {b1: {kind: bridge}}
hosts:
  h[1-2]: {address: '10.0.0.[1-2]/24'}
links: [{between: [h1, b1]}, {between: [h2, b1]}]
"""

STEERED = """\
name: steered
switches: {s1: {kind: openflow, dpid: 1}}
hosts:
  h[1-2]: {address: '10.0.0.[1-2]/24'}
links: [{between: [h1, s1]}, {between: [h2, s1]}]
"""

APP = """\
from ryu.base import app_manager
from ryu.controller import ofp_event
from ryu.controller.handler import MAIN_DISPATCHER, set_ev_cls


class App(app_manager.RyuApp):
    OFP_VERSIONS = [4]

    @set_ev_cls(ofp_event.EventOFPStateChange, MAIN_DISPATCHER)
    def on_switch(self, event):
"""


class Done(NamedTuple):
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


def environment(**changes: str) -> dict[str, str]:
    """Return the environment without what changes how reports look."""
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    return {**kept, **changes}


def heed_ctrl_c() -> None:
    """Undo what a shell does to its background jobs; the tests may be part of one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def sdnvirt(tmp_path: Path) -> Callable[..., Done]:
    """Run a command to its end, in a folder of its own."""

    def run(*arguments: str | Path, command: list[str] = COMMAND, **options: Any) -> Done:
        given = {"stdout": subprocess.PIPE, "env": environment(), **options}
        done = subprocess.run(
            [*command, *map(str, arguments)], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
            timeout=TIMEOUT_S, check=False, **given,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command; it is killed if it still runs after the test."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str | Path, command: list[str] = COMMAND) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*command, *map(str, arguments)], cwd=tmp_path, env=environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_ctrl_c,
        )  # fmt: skip
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def bridged(tmp_path: Path) -> Callable[..., Path]:
    """Write a topology of two hosts on a bridge, with more text after it."""
    return lambda text="", name="net.yaml": _write(tmp_path / name, BRIDGED + dedent(text))


@pytest.fixture
def steered(tmp_path: Path) -> Callable[..., Path]:
    """Write a topology of two hosts on an OpenFlow switch, with more text after it."""
    return lambda text="", name="net.yaml": _write(tmp_path / name, STEERED + dedent(text))


@pytest.fixture
def app(tmp_path: Path) -> Callable[[str], Path]:
    """Write app.py, which does what the text says when a switch is ready."""
    return lambda body: _write(tmp_path / "app.py", APP + indent(body, " " * 8) + "\n")


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
