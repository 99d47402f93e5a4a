"""An Open vSwitch to hold our switch against.

An ordinary ``ovs-vswitchd`` with dummy ports runs as a process of the tests; all its files are in a
temporary folder.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from sdnvirt.openflow.channel import Channel, Received
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import OFPFC, OFPG, OFPGC, OFPM, OFPMC, OFPTT
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.groups import GroupMod
from sdnvirt.openflow.v13.meters import MeterMod

PROGRAMS: Final = ("ovsdb-tool", "ovsdb-server", "ovs-vsctl", "ovs-vswitchd")
SCHEMA: Final = Path("/usr/share/openvswitch/vswitch.ovsschema")
MISSING: Final = [name for name in PROGRAMS if shutil.which(name) is None]

PORTS: Final = (1, 2, 3, 4)
DEAD_PORT: Final = 5
"""Its link is down."""

PATIENCE_S: Final = 10
"""For a process of Open vSwitch to do one thing."""


EVERYTHING_DELETED: Final = (
    FlowMod(command=OFPFC.DELETE, table_id=OFPTT.ALL),
    GroupMod(OFPGC.DELETE, 0, OFPG.ALL),
    MeterMod(OFPMC.DELETE, 0, OFPM.ALL),
)


class OpenVSwitch:
    """A running Open vSwitch with one bridge of dummy ports.

    Args:
        folder: for all its files.

    Attributes:
        ordered: whether it can be told in which order the last packet was sent.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._seen = dict.fromkeys(PORTS, 0)
        self.ordered = True
        self._connection: socket.socket | None = None

    def start(self) -> None:
        database = f"unix:{self._path('db.sock')}"
        self._run("ovsdb-tool", "create", self._path("conf.db"), str(SCHEMA))
        self._start("ovsdb-server", self._path("conf.db"), f"--remote=p{database}")
        self._wait_for("db.sock")
        self._start("ovs-vswitchd", database, "--enable-dummy=override", "--disable-system")
        words = ["set", "open", ".", "other-config:vlan-limit=0", "--", "add-br", "br0"]
        words += ["--", "set", "bridge", "br0", "datapath-type=dummy", "fail-mode=secure"]
        words += ["protocols=OpenFlow13"]
        for port in (*PORTS, DEAD_PORT):
            words += ["--", "add-port", "br0", f"p{port}", "--", "set", "interface", f"p{port}"]
            words += ["type=dummy", f"ofport-request={port}"]
            words += [f"options:tx_pcap={self._pcap(port)}"]
        self._run("ovs-vsctl", f"--db={database}", f"--timeout={PATIENCE_S}", *words)
        self._wait_for("br0.mgmt")
        self.ask("netdev-dummy/set-admin-state", f"p{DEAD_PORT}", "down")
        # What looks after the cache in the background holds on to flows that are to be forgotten.
        self.ask("revalidator/pause")
        self._connection = self._connect("br0.mgmt")
        self._channel = Channel(echo_idle_ns=None)
        self._channel.start()
        self._connection.sendall(self._channel.outgoing())
        while not self._channel.established:
            self._channel.receive(self._connection.recv(65536))

    def stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        for process in reversed(self._processes):
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE_S)
            process.kill()
            process.wait()

    def tell(self, *messages: Message) -> list[Message]:
        """Send messages; return what is answered before a barrier is."""
        assert self._connection is not None
        answers: list[Message] = []
        for message in (*messages, BarrierRequest()):
            self._channel.send(message)
        self._connection.sendall(self._channel.outgoing())
        while not any(isinstance(answer, BarrierReply) for answer in answers):
            events = self._channel.receive(self._connection.recv(65536))
            answers += [event.message for event in events if isinstance(event, Received)]
            self._connection.sendall(self._channel.outgoing())
        return [answer for answer in answers if not isinstance(answer, BarrierReply)]

    def load(self, *messages: Message) -> str:
        """Replace all entries, groups and meters; return the errors that this is answered with."""
        answers = self.tell(*EVERYTHING_DELETED, *messages)
        errors = [answer for answer in answers if isinstance(answer, Error)]
        return ", ".join(error_name(error.error_type, error.code) for error in errors)

    def ask(self, command: str, *arguments: str) -> str:
        """Have ovs-vswitchd carry out one of ovs-appctl's commands."""
        with self._connect("vswitchd.ctl") as control:
            request = {"method": command, "params": arguments, "id": 0}
            control.sendall(json.dumps(request).encode())
            answer = b""
            while True:
                answer += control.recv(65536)
                with suppress(json.JSONDecodeError):
                    told = json.loads(answer)
                    break
        assert told["error"] is None, told["error"]
        return str(told["result"])

    def send(self, in_port: int, data: bytes) -> list[tuple[int, bytes]]:
        """Return to which ports a packet is sent, each time with its bytes, in order.

        Where the order cannot be told, it is that of the ports, and ``ordered`` is false.
        """
        # What was cached for other packets must not decide about this one.
        self.ask("revalidator/purge")
        self.ask("netdev-dummy/receive", f"p{in_port}", data.hex())
        order = self._order(in_port, data)
        if order is None:
            return [(port, packet) for port in PORTS for packet in self._sent(port, None)]
        packets = {port: self._sent(port, order.count(port)) for port in PORTS}
        return [(port, packets[port].pop(0)) for port in order]

    def send_many(self, in_port: int, data: bytes, count: int, out: int) -> tuple[int, float]:
        """Return how often a packet that is sent again and again leaves, and in how many seconds.

        Args:
            in_port: where the packets arrive.
            data: the packet.
            count: how often.
            out: the port that those are counted at which are not dropped.
        """
        self.ask("revalidator/purge")
        begun = time.monotonic()
        for _ in range(count):
            self.ask("netdev-dummy/receive", f"p{in_port}", data.hex())
        # The first one makes the flow in the cache, which counts the others.
        while f" packets:{count - 1}," not in self.ask("dpctl/dump-flows", "dummy@ovs-dummy"):
            assert time.monotonic() < begun + PATIENCE_S, "not all packets are received"
        took = time.monotonic() - begun
        passed = len(read_pcap(self._pcap(out))) - self._seen[out]
        self._seen[out] += passed
        return passed, took

    def set_port(self, port: int, up: bool) -> None:
        """Take a port's link down or up."""
        self.ask("netdev-dummy/set-admin-state", f"p{port}", "up" if up else "down")

    def _order(self, in_port: int, data: bytes) -> list[int] | None:
        """Return the ports that the packet just received is sent to, in order, if that can be told.

        The cache tells. It has one flow for the packet as it came, and one for each time that the
        datapath had to look at it afresh: after an action that uncovers new headers, or to choose
        by a hash. It cannot tell where copies of the packet were looked at from the same place on
        and went different ways.
        """
        deadline = time.monotonic() + PATIENCE_S
        flows: dict[str, str] = {}
        while "0" not in flows:
            assert time.monotonic() < deadline, "the packet is not cached"
            told = self.ask("dpctl/dump-flows", "dummy@ovs-dummy")
            found = re.findall(r"recirc_id\((\w+)\).* actions:(.*)", told)
            flows = dict(found)
        # The datapath lacks an action, and does not know the others.
        slow = "slow_path" in told
        self.ordered = not (slow and len(found) > 1) and all(
            list(_outputs(flows, actions)) == list(_outputs(flows, flows[recirc_id]))
            for recirc_id, actions in found
        )
        if not self.ordered:
            return None
        if slow:
            told = self.ask("ofproto/trace", "br0", f"in_port={in_port}", data.hex())
            (flows["0"],) = re.findall(r"^Datapath actions: (.*)$", told, re.MULTILINE)
        return list(_outputs(flows, flows["0"]))

    def _sent(self, port: int, count: int | None) -> list[bytes]:
        """Return the packets that a port has sent since the last look, as many as are expected."""
        deadline = time.monotonic() + PATIENCE_S
        while len(packets := read_pcap(self._pcap(port))) < self._seen[port] + (count or 0):
            assert time.monotonic() < deadline, f"port {port} does not send"
            time.sleep(0.001)
        new = packets[self._seen[port] :]
        assert len(new) == count or count is None
        self._seen[port] += len(new)
        return new

    def _path(self, name: str) -> str:
        return str(self._folder / name)

    def _pcap(self, port: int) -> Path:
        return self._folder / f"p{port}.pcap"

    def _environment(self) -> dict[str, str]:
        names = ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR")
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **dict.fromkeys(names, str(self._folder))}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(shutil.which(program)), *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def _start(self, program: str, *arguments: str) -> None:
        control = self._path(program.removeprefix("ovs-") + ".ctl")
        command = [str(shutil.which(program)), *arguments, f"--unixctl={control}"]
        with (self._folder / f"{program}.log").open("wb") as log:
            process = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log)
        self._processes.append(process)

    def _wait_for(self, name: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not (self._folder / name).exists():
            assert time.monotonic() < deadline, f"no {name}"
            time.sleep(0.01)

    def _connect(self, name: str) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE_S)
        connection.connect(self._path(name))
        return connection


def _outputs(flows: dict[str, str], actions: str) -> Iterator[int]:
    """Yield the ports of a flow's actions, which other flows may continue in the middle."""
    for word in re.findall(r"[\w.]+(?:\((?:[^()]|\([^()]*\))*\))?", actions):
        if word.isdigit():
            yield int(word)
        elif word.startswith("recirc("):
            yield from _outputs(flows, flows[word[7:-1]])


def read_pcap(path: Path) -> list[bytes]:
    """Return the packets of a capture that may still be being written."""
    data = path.read_bytes()
    found, start = [], 24
    while start + 16 <= len(data):
        size = struct.unpack_from("<I", data, start + 8)[0]
        packet = data[start + 16 : start + 16 + size]
        if len(packet) < size:
            break
        found.append(packet)
        start += 16 + size
    return found
