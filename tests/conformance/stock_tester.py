"""Ryu's switch tester, unmodified, in a Ryu of its own that both switches dial in real time.

What the embedded tester (:mod:`tester_app`) leaves out is here: the process, the sockets, and the
clock on the wall.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from testbed import PROTOCOLS

from sdnvirt import topology
from sdnvirt.capture.taps import tap_all
from sdnvirt.devices.device import Port
from sdnvirt.frame import Frame
from sdnvirt.session import open_network
from sdnvirt.units import NS_PER_S

TESTBED: Final = Path(__file__).with_name("testbed.yaml")

START_S: Final = 30
"""For Ryu to listen."""

BEGIN, END = "--- Test start ---", "---  Test end  ---"
"""Lines of the tester's log around its results."""

PATIENCE_S: Final = 60
"""Without a further line in the tester's log; a case may send for 30 s."""


class Pace:
    """Counts the frames that arrive, as a tap of a port.

    Attributes:
        frames: how many there were.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._first_ns = self._last_ns = 0

    @property
    def per_second(self) -> float:
        """Frames a second from the first to the last, or 0."""
        lasted_ns = self._last_ns - self._first_ns
        return (self.frames - 1) * NS_PER_S / lasted_ns if lasted_ns else 0.0

    def received(self, port: Port, frame: Frame) -> None:
        """Count one."""
        self._last_ns = port.device.world.scheduler.now
        if not self.frames:
            self._first_ns = self._last_ns
        self.frames += 1

    def sent(self, port: Port, frame: Frame) -> None:
        """What leaves does not count."""


class StockTester:
    """The network and the tester.

    Args:
        folder: where the tester finds its cases.
        version: OpenFlow version of both switches.
        log: called with each line that the tester logged, at the end, or None.

    Attributes:
        pace: what the tester sent to the switch that is tested.
    """

    def __init__(self, folder: Path, version: str, log: Callable[[str], None] | None) -> None:
        # Ryu reads options from the environment as well, as all that is built on oslo.config.
        options = {
            "DIR": str(folder),
            "TARGET_VERSION": PROTOCOLS[version],
            "TESTER_VERSION": PROTOCOLS[version],
        }
        named = {f"OS_TEST-SWITCH__{name}": value for name, value in options.items()}
        self._environment = {**os.environ, **named}
        self._log = log
        self.pace = Pace()

    def run(self) -> dict[str, str]:
        """Run the tester to its end; return the name of each case that was run, and its fault."""
        with ExitStack() as undo:
            told = undo.enter_context(TemporaryFile("w+", encoding="utf-8"))
            with socket.create_server(("127.0.0.1", 0)) as server:
                port = server.getsockname()[1]
            process = self._start(port, told)
            undo.callback(process.wait)
            undo.callback(process.kill)
            _wait_for(port)
            network = open_network(topology.load(TESTBED), f"tcp:127.0.0.1:{port}")
            undo.callback(network.close)
            tap_all([network.plant.switches["target"].ports[1]], self.pace)
            size, quiet_since = 0, time.monotonic()
            while process.poll() is None and time.monotonic() < quiet_since + PATIENCE_S:
                network.run_for(NS_PER_S // 10)
                if (grown := os.fstat(told.fileno()).st_size) > size:
                    size, quiet_since = grown, time.monotonic()
            told.seek(0)
            lines = told.read().splitlines()
        for line in lines if self._log is not None else ():
            self._log(line)
        return results(lines)

    def _start(self, port: int, told: IO[str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "sdnvirt.control.launch", "ryu.tests.switch.tester"]
        return subprocess.Popen(
            [*command, "--port", str(port)],
            env=self._environment,
            stdout=subprocess.DEVNULL,  # dots, one in three seconds
            stderr=told,
        )


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_S
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", port)) != 0:
            if time.monotonic() > deadline:
                raise TimeoutError("Ryu does not listen")
            time.sleep(0.02)


def results(lines: list[str]) -> dict[str, str]:
    """Return the faults that the tester's log tells of, by name of the case.

    Of each case it tells the file's description, which is the name here; then, indented by 4, the
    case's own with OK or ERROR; then, indented by 8, what went wrong.
    """
    found: dict[str, str] = {}
    name = ""
    for line in lines[lines.index(BEGIN) + 1 : lines.index(END)]:
        if line.startswith(" " * 8):
            found[name] = line.strip()
        elif line.startswith(" " * 4):
            found[name] = "" if line.endswith(" OK") else "no reason told"
        else:
            name = line
    return found
