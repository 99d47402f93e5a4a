"""A controller in a process of its own, and networks that connect to it, over loopback."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Start = Callable[..., subprocess.Popen[str]]
Write = Callable[..., Path]

ROOT = Path(__file__).parents[2]
LEARNING_SWITCH = ROOT / "controllers" / "learning_switch.py"
TIMEOUT_S = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def is_connected(port: int) -> bool:
    """Whether anybody has a connection to a loopback port; where /proc does not tell, yes."""
    table = Path("/proc/net/tcp")
    established, end = "01", f":{port:04X}"
    return not table.exists() or any(
        remote.endswith(end) and state == established
        for _, _, remote, state, *_ in map(str.split, table.read_text().splitlines()[1:])
    )


@pytest.fixture
def serve(start: Start) -> Callable[[int], subprocess.Popen[str]]:
    """Start the learning switch at a port, and wait until it listens."""

    def begin(port: int) -> subprocess.Popen[str]:
        process = start("controller", LEARNING_SWITCH, "--port", str(port))
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline and process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", port)):
                    return process
            except ConnectionRefusedError:
                time.sleep(0.1)
        raise AssertionError(process.communicate()[1])

    return begin


def test_the_same_checks_hold_in_real_time(sdnvirt: Run, serve: Callable[[int], Any]) -> None:
    port = free_port()
    serve(port)
    file = ROOT / "topologies" / "learning-switch.yaml"
    begun = time.monotonic()
    done = sdnvirt("run", file, "--controller", f"tcp:127.0.0.1:{port}")
    took_s = time.monotonic() - begun
    assert (done.status, done.err) == (0, "")
    assert f"controller  tcp:127.0.0.1:{port}, in real time\n" in done.out
    assert done.out.endswith("\nall 3 checks held\n")
    assert took_s > 3.4  # the checks begin at 2 s, and ARP gives up after another 1.4 s


def test_tools_can_look_into_switches_that_listen(start: Start, steered: Write) -> None:
    steered("checks: [{ping: {from: h1, to: h2, count: 1}, at: 20s}]")
    port = free_port()
    network = start("run", "net.yaml", "--listen", str(port))
    deadline = time.monotonic() + TIMEOUT_S
    hello = b""
    while not hello and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as tool:
                tool.sendall(bytes.fromhex("0400000800000001"))
                hello = tool.recv(8)
        except ConnectionRefusedError:
            time.sleep(0.1)
    assert hello[:2] == b"\x04\x00"
    network.send_signal(signal.SIGINT)
    _, err = network.communicate(timeout=TIMEOUT_S)
    assert (network.returncode, err) == (130, "")


def test_tls_takes_all_three_files_or_none(sdnvirt: Run, steered: Write) -> None:
    steered()
    done = sdnvirt("run", "net.yaml", "--controller", "ssl:127.0.0.1:1", "--certificate", "c.pem")
    assert done.err == "sdnvirt: --private-key, --certificate and --ca-cert go together\n"
    assert done.status == 2


def test_a_port_that_is_taken(sdnvirt: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = sdnvirt("controller", LEARNING_SWITCH, "--port", str(port))
    assert done.err == f"sdnvirt: cannot listen on 127.0.0.1:{port}: address already in use\n"
    assert (done.status, done.out) == (2, "")


def test_an_app_that_is_missing(sdnvirt: Run) -> None:
    done = sdnvirt("controller", "nowhere.py")
    assert done.err == "sdnvirt: controller app nowhere.py: no such file\n"
    assert done.status == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_controller_ends_in_order(start: Start, number: signal.Signals) -> None:
    """A server that is told to end has not failed: status 0."""
    process = start("controller", LEARNING_SWITCH, "--port", str(free_port()))
    assert process.stderr is not None
    while "instantiating app ryu.controller.ofp_handler" not in process.stderr.readline():
        pass
    time.sleep(0.5)
    process.send_signal(number)
    _, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, err) == (0, "")


def test_a_controller_that_goes_away_comes_back(
    start: Start, serve: Callable[[int], Any], steered: Write
) -> None:
    """Entries stay when the connection is lost; what needs the controller waits for it."""
    steered("""
        checks:
          - ping: {from: h1, to: h2, count: 5, interval: 500ms, timeout: 2s}
            at: 1s
            max_loss: 80%
          - {ping: {from: h1, to: h2, count: 60, timeout: 2s}, at: 2s, max_loss: 95%}
    """)
    port = free_port()
    first = serve(port)
    network = start("run", "net.yaml", "--controller", f"tcp:127.0.0.1:{port}", "--json", "-")
    deadline = time.monotonic() + TIMEOUT_S
    while not is_connected(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(5)  # until the first check is over, of whose requests a busy machine loses some
    first.kill()
    first.wait()
    assert network.stderr is not None
    assert network.stderr.readline().endswith(
        f" WARNING controller tcp:127.0.0.1:{port}: the controller closed the connection; "
        "switches dial it again\n"
    )
    serve(port)
    assert network.stderr.readline().endswith(
        f" WARNING controller tcp:127.0.0.1:{port}: connected again\n"
    )
    network.send_signal(signal.SIGINT)
    out, err = network.communicate(timeout=TIMEOUT_S)
    assert (network.returncode, err) == (130, "")
    assert json.loads(out)["checks"][0]["held"] is True
