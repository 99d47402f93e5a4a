"""Open vSwitch and this switch, given the same flow entries and packets, do the same.

An ordinary ``ovs-vswitchd`` with dummy ports runs as a process of the test; all its files are in a
temporary folder. Both switches get the bytes of the same flow mods. For each packet
``ofproto/trace`` says in which order Open vSwitch sends to which ports, and what its dummy ports
wrote down says with which bytes. Entries whose order the specification leaves open, which are those
of equal priority that overlap, are not generated, and neither is what DIFFERENCES lists.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

from sdnvirt.datapath.consistency import check_consistent
from sdnvirt.datapath.datapath import Datapath
from sdnvirt.frame import Frame
from sdnvirt.openflow.channel import Channel, Received
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import (
    Action,
    DecNwTtl,
    Output,
    PopVlan,
    PushVlan,
    SetField,
    SetNwTtl,
)
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import OFPFC, OFPTT
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    GotoTable,
    Instruction,
    WriteActions,
    WriteMetadata,
)
from sdnvirt.openflow.v13.match import Match

PROGRAMS: Final = ("ovsdb-tool", "ovsdb-server", "ovs-vsctl", "ovs-vswitchd")
SCHEMA: Final = Path("/usr/share/openvswitch/vswitch.ovsschema")
MISSING: Final = [name for name in PROGRAMS if shutil.which(name) is None]

pytestmark = pytest.mark.skipif(
    bool(MISSING) or not SCHEMA.exists(),
    reason="ovs-vswitchd of Debian's openvswitch-switch is not installed",
)

NIGHTLY: Final = settings.get_current_profile_name() == "nightly"
PORTS: Final = (1, 2, 3, 4)
PATIENCE_S: Final = 10
"""For a process of Open vSwitch to do one thing."""


# Open vSwitch


class OpenVSwitch:
    """A running Open vSwitch with one bridge of dummy ports.

    Args:
        folder: for all its files.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._seen = dict.fromkeys(PORTS, 0)
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
        for port in PORTS:
            words += ["--", "add-port", "br0", f"p{port}", "--", "set", "interface", f"p{port}"]
            words += ["type=dummy", f"ofport-request={port}"]
            words += [f"options:tx_pcap={self._pcap(port)}"]
        self._run("ovs-vsctl", f"--db={database}", f"--timeout={PATIENCE_S}", *words)
        self._wait_for("br0.mgmt")
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

    def load(self, *mods: FlowMod) -> str:
        """Replace all flow entries; return the errors that this is answered with."""
        answers = self.tell(FlowMod(command=OFPFC.DELETE, table_id=OFPTT.ALL), *mods)
        # What was cached for the last entries must not decide about the next packets.
        self.ask("revalidator/purge")
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
        """Return to which ports a packet is sent, in order, each with its bytes."""
        told = self.ask("ofproto/trace", "br0", f"in_port={in_port}", data.hex())
        (actions,) = re.findall(r"^Datapath actions: (.*)$", told, re.MULTILINE)
        order = [int(word) for word in re.findall(r"(?:^|,)(\d+)(?=,|$)", actions)]
        self.ask("netdev-dummy/receive", f"p{in_port}", data.hex())
        packets = {port: self._sent(port, order.count(port)) for port in PORTS}
        return [(port, packets[port].pop(0)) for port in order]

    def _sent(self, port: int, count: int) -> list[bytes]:
        """Return the packets that a port has sent since the last look."""
        deadline = time.monotonic() + PATIENCE_S
        while len(packets := read_pcap(self._pcap(port))) < self._seen[port] + count:
            assert time.monotonic() < deadline, f"port {port} does not send"
            time.sleep(0.001)
        new = packets[self._seen[port] :]
        assert len(new) == count
        self._seen[port] += count
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


@pytest.fixture(scope="module")
def open_vswitch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenVSwitch]:
    running = OpenVSwitch(tmp_path_factory.mktemp("ovs"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


# generated tables and packets


def _packets() -> list[bytes]:
    macs = ("02:00:00:00:00:01", "02:00:00:00:00:02")
    tags = [[], [Dot1Q(vlan=1)], [Dot1Q(vlan=2, prio=3)]]
    ips = [IP(src="10.0.0.1", dst=f"10.0.{n}.2", ttl=64, tos=4 * n) for n in (0, 1)]
    uppers = [UDP(sport=1, dport=2), UDP(sport=2, dport=1, chksum=0), TCP(sport=1, dport=2), ICMP()]
    networks = [ip / upper / Raw(bytes(18)) for ip, upper in product(ips, uppers)]
    networks += [ARP(op=op, psrc="10.0.0.1", pdst="10.0.0.2") / Raw(bytes(18)) for op in (1, 2)]
    found = []
    for number, (dst, stack, network) in enumerate(product(macs, tags, networks)):
        packet = Ether(src=macs[number % 2], dst=dst)
        for layer in (*stack, network):
            packet = packet / layer.copy()
        found.append(bytes(packet))
    return found


IP_TYPE, ARP_TYPE = {"eth_type": 0x0800}, {"eth_type": 0x0806}
MATCHES = st.sampled_from([
    Match.of(**tests)
    for tests in (
        {}, {}, {}, {"in_port": 1}, {"in_port": 2}, {"eth_dst": 0x020000000001},
        {"eth_src": 0x020000000002}, {"eth_dst": (0x020000000000, 0xFF0000000003)},
        {"metadata": 1}, {"metadata": (2, 2)},
        {"vlan_vid": 0}, {"vlan_vid": 0x1001}, {"vlan_vid": (0x1000, 0x1000)},
        {"vlan_vid": 0x1002, "vlan_pcp": 3}, IP_TYPE, IP_TYPE, {**IP_TYPE, "vlan_vid": 0x1001},
        {**IP_TYPE, "ipv4_dst": 0x0A000002}, {**IP_TYPE, "ipv4_dst": (0x0A000100, 0xFFFFFF00)},
        {**IP_TYPE, "ip_dscp": 1}, {**IP_TYPE, "ip_proto": 17}, {**IP_TYPE, "ip_proto": 6},
        {**IP_TYPE, "ip_proto": 17, "udp_dst": 2}, {**IP_TYPE, "ip_proto": 17, "udp_src": 2},
        {**IP_TYPE, "ip_proto": 6, "tcp_src": 1}, {**IP_TYPE, "ip_proto": 6, "tcp_dst": 1},
        ARP_TYPE, {**ARP_TYPE, "arp_op": 1}, {**ARP_TYPE, "arp_tpa": 0x0A000002},
    )
])  # fmt: skip
SETS = st.sampled_from((
    SetNwTtl(30), DecNwTtl(), SetField(oxm.ETH_DST, 0x020000000001),
    SetField(oxm.ETH_SRC, 0x020000000009),
    SetField(oxm.IPV4_DST, 0x0A000002), SetField(oxm.IPV4_SRC, 0x0A000909),
    SetField(oxm.IP_DSCP, 1), SetField(oxm.UDP_DST, 2), SetField(oxm.UDP_SRC, 7),
    SetField(oxm.TCP_SRC, 1), SetField(oxm.TCP_DST, 9), SetField(oxm.ARP_OP, 1),
    SetField(oxm.ARP_SPA, 0x0A000707),
))  # fmt: skip
OUTPUTS = st.sampled_from([Output(port) for port in PORTS])
TAG_SETS = st.sampled_from(
    [SetField(oxm.VLAN_VID, 0x1001), SetField(oxm.VLAN_VID, 0x1064), SetField(oxm.VLAN_PCP, 5)]
)
TAG_ACTIONS = TAG_SETS | st.just(PopVlan())
WRITTEN = st.lists(OUTPUTS | SETS | st.just(PopVlan()), min_size=1, max_size=6)
APPLIED = st.lists(OUTPUTS | OUTPUTS | SETS | TAG_ACTIONS, min_size=1, max_size=6)
PACKETS = st.tuples(st.sampled_from((1, 2)), st.sampled_from(_packets()))


PUSHES: Final = [
    (PushVlan(tag), SetField(oxm.VLAN_VID, 0x1007), SetField(oxm.VLAN_PCP, 1))
    for tag in (0x8100, 0x88A8)
]
"""A tag gets its values at once, and a packet gets one tag at most, see DIFFERENCES."""


def fitting(match: Match, actions: Sequence[Action]) -> tuple[Action, ...]:
    """The actions without those that cannot stand where they do, for packets of that match.

    Tags and TTLs are touched only of packets that are known to have them, see DIFFERENCES.
    """
    kept: tuple[Action, ...] = ()
    tagged = any(field is oxm.VLAN_VID and value for field, value, _ in match.fields)
    is_ip = any(field is oxm.ETH_TYPE and value == 0x0800 for field, value, _ in match.fields)
    for action in actions:
        of_tag = action == PopVlan() or (
            isinstance(action, SetField) and action.field in (oxm.VLAN_VID, oxm.VLAN_PCP)
        )
        if (of_tag and not tagged) or (isinstance(action, SetNwTtl | DecNwTtl) and not is_ip):
            continue
        tagged = action != PopVlan() and (tagged or isinstance(action, PushVlan))
        with suppress(OpenFlowError):
            check_consistent(match, (ApplyActions((*kept, action)),))
            kept += (action,)
    return kept


@st.composite
def tables(draw: st.DrawFn) -> list[FlowMod]:
    found = [FlowMod(table_id=table_id, priority=0) for table_id in (1, 2)]
    for priority in range(1, draw(st.integers(2, 11))):
        table_id = draw(st.sampled_from((0, 0, 1, 2)))
        match = draw(MATCHES)
        instructions: list[Instruction] = []
        if draw(st.integers(0, 3)):
            applied = draw(APPLIED)
            if table_id == 0 and draw(st.booleans()):
                where = draw(st.integers(0, len(applied)))
                applied[where:where] = draw(st.sampled_from(PUSHES))
            instructions.append(ApplyActions(fitting(match, applied)))
        if draw(st.integers(0, 4)) == 0:
            instructions.append(ClearActions())
        if draw(st.integers(0, 2)) == 0:
            instructions.append(WriteActions(fitting(match, draw(WRITTEN))))
        if table_id < 2 and draw(st.integers(0, 2)) == 0:
            instructions.append(WriteMetadata(draw(st.integers(0, 3)), draw(st.integers(1, 3))))
        if table_id < 2 and draw(st.booleans()):
            instructions.append(GotoTable(draw(st.integers(table_id + 1, 2))))
        found.append(
            FlowMod(
                table_id=table_id, priority=priority, match=match, instructions=tuple(instructions)
            )
        )
    return found


def ours(datapath: Datapath, in_port: int, data: bytes) -> list[tuple[int, bytes]]:
    frame = Frame(data)
    sent = datapath.translate(in_port, frame).run(frame, 0)
    return [(target, out.data) for out, target in sent if isinstance(target, int)]


@settings(
    max_examples=2000 if NIGHTLY else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(mods=tables(), packets=st.lists(PACKETS, min_size=4, max_size=8))
def test_the_same_packets_leave_by_the_same_ports_in_the_same_order(
    open_vswitch: OpenVSwitch, mods: list[FlowMod], packets: list[tuple[int, bytes]]
) -> None:
    datapath = Datapath()
    for port in PORTS:
        datapath.set_port(port, True)
    for mod in mods:
        datapath.modify(mod, 0)
    assert open_vswitch.load(*mods) == ""
    for in_port, data in packets:
        assert ours(datapath, in_port, data) == open_vswitch.send(in_port, data)


# where they differ


def entry(*instructions: Instruction, **match: int) -> FlowMod:
    return FlowMod(match=Match.of(**match), instructions=instructions)


TAGGED: Final = bytes(Ether(dst="02:00:00:00:00:01") / Dot1Q(vlan=1, prio=3) / Raw(bytes(46)))
PUSH, PUSH_AGAIN = PushVlan(0x8100), PushVlan(0x88A8)
THREE_TAGS: Final = TAGGED[:12] + bytes.fromhex("88a86001 81006001") + TAGGED[12:]
ZERO_TAG: Final = TAGGED[:12] + bytes.fromhex("81000000") + TAGGED[12:]
COPIED_TAG: Final = TAGGED[:12] + bytes.fromhex("81006001") + TAGGED[12:]
UNTAGGED: Final = TAGGED[:12] + TAGGED[16:]
VLAN_7: Final = TAGGED[:14] + bytes.fromhex("6007") + TAGGED[16:]

DIFFERENCES: Final = {
    "5.4: a packet that matches no entry of a table is dropped, whatever its action set": (
        entry(WriteActions((Output(2),)), GotoTable(1)), [], [(2, TAGGED)],
    ),
    "5.12.1: a pushed tag has the VLAN and the priority of the one that was there": (
        entry(ApplyActions((PUSH, Output(2)))), [(2, COPIED_TAG)], [(2, ZERO_TAG)],
    ),
    "7.2.5: a packet may have more than two tags": (
        entry(ApplyActions((PUSH, PUSH_AGAIN, Output(2))), vlan_vid=0x1001),
        [(2, THREE_TAGS)], "BAD_ACTION/BAD_TAG",
    ),
    "7.2.5: the match must have what the field requires, and vlan_vid requires nothing": (
        entry(ApplyActions((SetField(oxm.VLAN_VID, 0x1007), Output(2)))),
        [(2, VLAN_7)], "BAD_ACTION/MATCH_INCONSISTENT",
    ),
    "6.4: a switch may leave it open whether packets of the match have a tag to pop": (
        entry(ApplyActions((PopVlan(), Output(2)))),
        [(2, UNTAGGED)], "BAD_ACTION/MATCH_INCONSISTENT",
    ),
    "6.4: a switch may leave it open whether packets of the match have a TTL": (
        entry(ApplyActions((SetNwTtl(30), Output(2)))),
        [(2, TAGGED)], "BAD_ACTION/MATCH_INCONSISTENT",
    ),
}  # fmt: skip
"""Section and rule of OpenFlow 1.3.5 to an entry, what becomes of TAGGED by it, and what Open
vSwitch 3.1 does instead."""


@pytest.mark.parametrize("rule", DIFFERENCES)
def test_where_they_differ_the_specification_says_so(open_vswitch: OpenVSwitch, rule: str) -> None:
    mod, right, known = DIFFERENCES[rule]
    datapath = Datapath()
    for port in PORTS:
        datapath.set_port(port, True)
    datapath.modify(mod, 0)
    assert ours(datapath, 1, TAGGED) == right
    refused = open_vswitch.load(mod)
    # A later Open vSwitch may be right, too.
    assert (refused or open_vswitch.send(1, TAGGED)) in (right, known)
