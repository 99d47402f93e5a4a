"""The database over TCP, asked by Open vSwitch's own tool and by Ryu's library."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sdnvirt.control.ovsdb.framing import DEPTH_LIMIT
from sdnvirt.control.ovsdb.server import CONNECTIONS_LIMIT, OvsdbServer
from sdnvirt.control.transport import Transport
from sdnvirt.errors import ControllerError
from sdnvirt.network.network import RUNTIME_PORT_BASE, Network

TIMEOUT_S = 20
STEP_NS = 5_000_000
OVS_VSCTL = shutil.which("ovs-vsctl")

RYU_LIBRARY = """
import sys
import sdnvirt.control.stock_ryu
from ryu import cfg
from ryu.lib.ovs.bridge import OVSBridge
from sdnvirt.control.shim import complete_ovs
complete_ovs()
cfg.CONF(args=[])
bridge = OVSBridge(cfg.CONF, 1, sys.argv[1])
bridge.init()
bridge.add_vxlan_port("vx9", "172.16.0.2", key=9)
print(bridge.br_name, bridge.get_ofport("vx9"), *bridge.get_port_name_list())
bridge.del_port("vx9")
print(*bridge.get_port_name_list())
"""


class Running:
    """A network in real time, with the database of its first hypervisor."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network = network
        self.transport = Transport(network.world.scheduler)
        self.server = OvsdbServer("ptcp:0", self.transport, network, "hv1")
        self.target = f"tcp:127.0.0.1:{self.server.address.port}"
        self._output = folder / "output"

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline, "it did not happen"
            self.transport.pacer.run_until(self.network.now + STEP_NS)

    def run(self, *command: str) -> tuple[int, str]:
        """Run a program while the network runs; return its status and what it said."""
        with self._output.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
            try:
                self.until(lambda: process.poll() is not None)
            finally:
                process.kill()
                process.wait()
        return process.returncode, self._output.read_text()

    def vsctl(self, *arguments: str) -> tuple[int, str]:
        assert OVS_VSCTL is not None
        return self.run(OVS_VSCTL, f"--db={self.target}", "--timeout=10", "-voff", *arguments)

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.server.address.port))
        connection.setblocking(False)
        return connection


@pytest.fixture
def running(network: Network, tmp_path: Path) -> Iterator[Running]:
    one = Running(network, tmp_path)
    yield one
    one.server.close()
    one.transport.close()


def ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1 << 16) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


@pytest.mark.skipif(OVS_VSCTL is None, reason="ovs-vsctl of openvswitch-switch is not installed")
def test_ovs_vsctl_adds_and_deletes_a_tunnel(running: Running) -> None:
    assert running.vsctl("list-ports", "hv1") == (0, "vm1\nvx-hv2\n")
    options = ("type=vxlan", "options:remote_ip=172.16.0.2", "options:key=9")
    assert running.vsctl("add-port", "hv1", "vx9", "--", "set", "interface", "vx9", *options) == (
        0, ""
    )  # fmt: skip
    assert running.network.port("hv1:vx9").number == RUNTIME_PORT_BASE
    assert running.vsctl("get", "interface", "vx9", "ofport") == (0, f"{RUNTIME_PORT_BASE}\n")
    assert running.vsctl("del-port", "vx9") == (0, "")
    assert running.vsctl("list-ports", "hv1") == (0, "vm1\nvx-hv2\n")


@pytest.mark.skipif(OVS_VSCTL is None, reason="ovs-vsctl of openvswitch-switch is not installed")
def test_ovs_vsctl_is_told_what_cannot_be(running: Running) -> None:
    status, said = running.vsctl("add-port", "hv1", "eth7")
    assert "type '': only vxlan interfaces can be added" in said
    status, said = running.vsctl("del-port", "vm1")
    assert (status, "Port vm1 is part of the topology" in said) == (1, True)
    status, _ = running.vsctl("add-br", "br0")
    assert status == 1


def test_ryus_library_adds_and_deletes_a_tunnel(running: Running) -> None:
    status, said = running.run(sys.executable, "-W", "ignore", "-c", RYU_LIBRARY, running.target)
    assert (status, said) == (
        0, f"hv1 {RUNTIME_PORT_BASE} vm1 vx-hv2 vx9\nvm1 vx-hv2\n"
    )  # fmt: skip


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"{" * 9, b'{"a":' * DEPTH_LIMIT])
def test_who_speaks_something_else_is_hung_up_on(running: Running, data: bytes) -> None:
    with running.connect() as connection:
        connection.send(data + b"[" * DEPTH_LIMIT + b"}")
        running.until(lambda: ended(connection))


def test_connections_are_bounded_and_a_place_that_is_left_is_free(running: Running) -> None:
    made = [running.connect() for _ in range(CONNECTIONS_LIMIT + 1)]
    running.until(lambda: ended(made[-1]))
    made.pop(0).close()
    running.until(lambda: not ended(made[0]))
    running.transport.pacer.run_until(running.network.now + 4 * STEP_NS)
    with running.connect() as another:
        another.send(b'{"method":"list_dbs","params":[],"id":1}')
        received = b""

        def answered() -> bool:
            nonlocal received
            try:
                received += another.recv(1 << 16)
            except BlockingIOError:
                return False
            return True

        running.until(answered)
        assert received == b'{"id":1,"result":["Open_vSwitch"],"error":null}'
    for connection in made:
        connection.close()


@pytest.mark.parametrize("address", ["pssl:0", "6640", "ptcp:99999", "ptcp:0:203.0.113.1"])
def test_an_address_that_cannot_be_is_told(running: Running, address: str) -> None:
    with pytest.raises(ControllerError):
        OvsdbServer(address, running.transport, running.network, "hv1")
