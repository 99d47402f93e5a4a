"""Open vSwitch's own tool, ``ovs-ofctl``, manages a running switch through its listener."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sdnvirt import topology
from sdnvirt.network.network import Network
from sdnvirt.session import open_network

OVS_OFCTL = shutil.which("ovs-ofctl")
TIMEOUT_S = 10
STEP_NS = 5_000_000

pytestmark = pytest.mark.skipif(
    OVS_OFCTL is None, reason="ovs-ofctl of Debian's openvswitch-common is not installed"
)

STAR = """
name: star
switches: {"s[1-2]": {kind: openflow}}
hosts: {"h[1-2]": {address: "10.0.0.[1-2]/24"}}
links: [{between: ["h[1-2]", s1]}]
"""


class Running:
    """A network in real time whose switches listen.

    Args:
        network: the network.
        port: where the first switch listens; the second has the next one.
        folder: for what ovs-ofctl prints; a pipe could fill up and stop it.
    """

    def __init__(self, network: Network, port: int, folder: Path) -> None:
        self.network = network
        self._port = port
        self._folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *arguments: str, listener: int = 0) -> Callable[[], str]:
        """Start ovs-ofctl; ``tcp:`` stands for the switch. Returns what tells the output so far."""
        target = f"tcp:127.0.0.1:{self._port + listener}"
        words = [target if word == "tcp:" else word for word in arguments]
        command = [str(OVS_OFCTL), "-O", "OpenFlow13", *words]
        output = self._folder / str(len(self.processes))
        # Where snoop opens a control socket; the system's own folder is the superuser's.
        environment = {**os.environ, "OVS_RUNDIR": str(self._folder)}
        with output.open("wb") as file:
            process = subprocess.Popen(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment
            )
        self.processes.append(process)
        return output.read_text

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self.network.run_for(STEP_NS)

    def ofctl(self, *arguments: str, listener: int = 0, status: int = 0) -> list[str]:
        """Let the network run until ovs-ofctl is through; return its lines."""
        output = self.start(*arguments, listener=listener)
        process = self.processes[-1]
        self.until(lambda: process.poll() is not None)
        assert process.returncode == status, output()
        return [line.strip() for line in output().splitlines()]


def free_ports() -> int:
    """Return the first of two free ports in a row."""
    while True:
        with suppress(OSError), socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            with socket.create_server(("127.0.0.1", port + 1)):
                return port


@pytest.fixture(params=["none"])
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    file = tmp_path / "star.yaml"
    file.write_text(STAR)
    port = free_ports()
    with open_network(topology.load(file), request.param, listen=f"ptcp:{port}") as network:
        running = Running(network, port, tmp_path)
        yield running
    for process in running.processes:
        process.kill()
        process.wait()


def test_show_tells_the_switch_and_its_ports(running: Running) -> None:
    lines = running.ofctl("show", "tcp:")
    assert "dpid:0000000000000001" in lines[0]
    assert [line for line in lines if "(h1): addr:06:" in line]
    assert "dpid:0000000000000002" in running.ofctl("show", "tcp:", listener=1)[0]


def test_flows_are_added_used_counted_and_deleted(running: Running) -> None:
    for source, target in (1, 2), (2, 1):
        running.ofctl("add-flow", "tcp:", f"in_port={source},actions=output:{target}")
    assert running.network["h1"].ping("h2", count=1).received == 1
    flows = running.ofctl("dump-flows", "tcp:")[1:]
    assert [flow.rpartition(", ")[2] for flow in flows] == [
        "in_port=1 actions=output:2",
        "in_port=2 actions=output:1",
    ]
    assert "n_packets=2" in flows[0]
    ports = running.ofctl("dump-ports", "tcp:", "1")
    assert [line for line in ports if "rx pkts=2" in line]
    running.ofctl("del-flows", "tcp:", "in_port=1")
    assert len(running.ofctl("dump-flows", "tcp:")[1:]) == 1


def test_groups_and_meters(running: Running) -> None:
    bucket = "group_id=5,type=select,bucket=weight:1,output:1,bucket=weight:2,output:2"
    running.ofctl("add-group", "tcp:", bucket)
    (group,) = running.ofctl("dump-groups", "tcp:")[1:]
    assert group.startswith("group_id=5,type=select,bucket=")
    running.ofctl("add-meter", "tcp:", "meter=3,pktps,band=type=drop,rate=10")
    (meter,) = (line for line in running.ofctl("meter-stats", "tcp:") if "meter:3" in line)
    assert "packet_in_count:0" in meter


def test_a_wrong_request_is_refused_by_name(running: Running) -> None:
    told = running.ofctl("add-flow", "tcp:", "actions=group:77", status=1)
    assert "OFPBAC_BAD_OUT_GROUP" in told[0]


def test_snoop_shows_what_the_switch_tells(running: Running) -> None:
    running.ofctl("add-flow", "tcp:", "priority=0,actions=controller")
    agents = running.network.plant.switches["s1"].agents
    running.until(lambda: not agents)
    seen = running.start("snoop", "tcp:")
    running.until(lambda: agents)
    running.network.inject("s1:h1", bytes.fromhex("ffffffffffff02000000000188b5") + bytes(46))
    running.until(lambda: "OFPT_PACKET_IN (OF1.3)" in seen())


@pytest.mark.parametrize("running", ["ryu.app.simple_switch_13"], indirect=True)
def test_the_tool_and_an_embedded_app_get_on(running: Running) -> None:
    assert running.network.boot()
    assert running.network["h1"].ping("h2", count=1).received == 1
    flows = running.ofctl("dump-flows", "tcp:")[1:]
    assert {flow.rpartition("actions=")[2] for flow in flows} == {
        "output:1",
        "output:2",
        "CONTROLLER:65535",
    }
    running.ofctl("del-flows", "tcp:")
    assert running.network["h1"].ping("h2", count=1).received == 0
