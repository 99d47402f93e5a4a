"""Folders of captures: read back by scapy and tshark, equal for equal runs, whole after errors."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from scapy.utils import RawPcapNgReader

from sdnvirt.addresses import BROADCAST, Ipv4, Mac
from sdnvirt.capture import pcapng
from sdnvirt.capture.pcapng import PcapngFolder
from sdnvirt.errors import OutputError
from sdnvirt.frame import Frame
from sdnvirt.wire.arp import Arp, ArpOp
from sdnvirt.wire.ethernet import Ethernet, EtherType

A = Mac("02:00:00:00:00:01")
ARP = Arp(ArpOp.REQUEST, A, Ipv4("10.0.0.1"), Mac(0), Ipv4("10.0.0.2"))
FRAME = Ethernet(BROADCAST, A, EtherType.ARP, ARP.emit()).emit()


@dataclass(frozen=True)
class Record:
    """A packet as a reader of the file sees it."""

    time_ns: int
    interface: str
    direction: int
    comment: str
    data: bytes


def read(path: Path) -> list[Record]:
    with RawPcapNgReader(str(path)) as reader:
        return [
            Record(
                meta.tshigh << 32 | meta.tslow, meta.ifname.decode(), meta.direction,
                meta.comments[0].decode() if meta.comments else "", data,
            )
            for data, meta in reader
        ]  # fmt: skip


def add_all(folder: PcapngFolder, row) -> PcapngFolder:
    for device in row.devices:
        folder.add(device.name, device.ports.values())
    return folder


def capture(row, path: Path) -> PcapngFolder:
    return add_all(PcapngFolder(path, row.world), row)


def is_whole(path: Path) -> bool:
    """Whether a file consists of whole blocks (section 3.1: the length stands at both ends)."""
    data = path.read_bytes()
    while data:
        length = int.from_bytes(data[4:8], "little")
        if length < 12 or data[length - 4 : length] != data[4:8]:
            return False
        data = data[length:]
    return True


def test_each_node_has_a_file_and_each_port_an_interface(row, tmp_path: Path) -> None:
    with capture(row, tmp_path / "some" / "folder"):
        row.alice.send(FRAME)
        row.settle()
        row.bob.send(b"answer")
        row.settle()
    files = {file.name for file in (tmp_path / "some" / "folder").iterdir()}
    assert files == {"alice.pcapng", "s1.pcapng", "s2.pcapng", "bob.pcapng"}
    there, back = "packet 1 of alice (acme/web)", "packet 2 of bob (acme/web)"
    assert read(tmp_path / "some" / "folder" / "s1.pcapng") == [
        Record(1_000, "s1:alice", 1, there, FRAME),
        Record(1_000, "s1:s2", 2, there, FRAME),
        Record(6_000, "s1:s2", 1, back, b"answer"),
        Record(6_000, "s1:alice", 2, back, b"answer"),
    ]


def test_equal_runs_write_equal_bytes(row, another_row, tmp_path: Path) -> None:
    for each, name in ((row, "one"), (another_row, "two")):
        with capture(each, tmp_path / name):
            each.alice.send(FRAME)
            each.settle()
    for device in row.devices:
        name = f"{device.name}.pcapng"
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_nothing_of_the_machine_is_in_a_file(row, tmp_path: Path) -> None:
    with capture(row, tmp_path):
        pass
    data = (tmp_path / "alice.pcapng").read_bytes()
    assert b"sdnvirt" in data
    for word in (sys.platform, os.uname().nodename, os.uname().release, str(tmp_path)):
        assert word.encode() not in data


def test_a_file_of_an_earlier_run_is_overwritten(row, tmp_path: Path) -> None:
    (tmp_path / "s1.pcapng").write_bytes(b"x" * 100_000)
    with capture(row, tmp_path):
        row.alice.send(FRAME)
        row.settle()
    assert len(read(tmp_path / "s1.pcapng")) == 2


def test_a_node_may_get_more_ports_in_mid_run(row, tmp_path: Path) -> None:
    with PcapngFolder(tmp_path, row.world) as folder:
        folder.add("s1", [row.s1.ports[1]])
        row.alice.send(b"first")
        row.settle()
        folder.add("s1", [row.s1.ports[2]])
        row.alice.send(b"second")
        row.settle()
    assert [(each.interface, each.data) for each in read(tmp_path / "s1.pcapng")] == [
        ("s1:alice", b"first"), ("s1:alice", b"second"), ("s1:s2", b"second"),
    ]  # fmt: skip


def test_frames_made_outside_a_network_have_no_comment(row, tmp_path: Path) -> None:
    with capture(row, tmp_path):
        row.alice.ports[1].send(Frame(b"nobody's"))
        row.settle()
    assert [each.comment for each in read(tmp_path / "alice.pcapng")] == [""]


def test_closing_takes_the_taps_off_and_does_so_once(row, tmp_path: Path) -> None:
    folder = capture(row, tmp_path)
    row.alice.send(FRAME)
    row.settle()
    folder.close()
    assert not any(port.taps for port in row.ports)
    before = (tmp_path / "s1.pcapng").read_bytes()
    row.alice.send(FRAME)
    row.settle()
    folder.close()
    assert (tmp_path / "s1.pcapng").read_bytes() == before


def test_flush_makes_the_files_readable_in_mid_run(row, tmp_path: Path) -> None:
    with capture(row, tmp_path) as folder:
        row.alice.send(FRAME)
        row.settle()
        assert read(tmp_path / "bob.pcapng") == []
        folder.flush()
        assert len(read(tmp_path / "bob.pcapng")) == 1


def test_what_waits_to_be_written_is_bounded(row, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(pcapng, "BUFFER_BYTES", 1_000)
    with capture(row, tmp_path):
        empty = sum(file.stat().st_size for file in tmp_path.iterdir())
        sent = 0
        for _ in range(50):
            row.alice.send(FRAME)
            row.settle()
            sent += 6 * len(FRAME)
            written = sum(file.stat().st_size for file in tmp_path.iterdir()) - empty
            assert sent - written < 1_000


def test_no_file_stays_open(row, tmp_path: Path) -> None:
    opened = Path("/proc/self/fd")
    if not opened.is_dir():
        pytest.skip("the system does not list open files in /proc")
    before = len(list(opened.iterdir()))
    with PcapngFolder(tmp_path, row.world) as folder:
        for number in range(300):
            folder.add(f"n{number}", [])
        assert len(list(opened.iterdir())) == before
    assert len(list(tmp_path.iterdir())) == 300


def test_a_file_in_the_place_of_the_folder_is_named(row, tmp_path: Path) -> None:
    place = tmp_path / "captures"
    place.write_text("")
    with pytest.raises(OutputError) as caught:
        PcapngFolder(place, row.world)
    assert str(caught.value) == f"cannot write captures to {place}: it is not a folder"


def test_a_folder_that_cannot_be_made_is_named(row, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" / "captures"
    with pytest.raises(OutputError) as caught:
        PcapngFolder(place, row.world)
    assert str(caught.value) == f"cannot write {place}: {os.strerror(errno.ENOTDIR)}"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_unwritable_folder_is_named(row, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError) as caught:
        capture(row, tmp_path)
    path = tmp_path / "alice.pcapng"
    assert str(caught.value) == f"cannot write {path}: {os.strerror(errno.EACCES)}"


def test_a_folder_in_the_place_of_a_file_is_named(row, tmp_path: Path) -> None:
    path = tmp_path / "s1.pcapng"
    path.mkdir()
    with pytest.raises(OutputError) as caught, PcapngFolder(tmp_path, row.world) as folder:
        add_all(folder, row)
    assert str(caught.value) == f"cannot write {path}: {os.strerror(errno.EISDIR)}"
    assert read(tmp_path / "alice.pcapng") == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_device_that_takes_nothing_is_named(row, tmp_path: Path) -> None:
    path = tmp_path / "s1.pcapng"
    path.symlink_to("/dev/full")
    with pytest.raises(OutputError) as caught, PcapngFolder(tmp_path, row.world) as folder:
        add_all(folder, row)
    assert str(caught.value) == f"cannot write {path}: {os.strerror(errno.ENOSPC)}"


def test_an_error_in_mid_run_ends_the_capture_and_is_told_once(row, tmp_path, monkeypatch) -> None:
    folder = capture(row, tmp_path)
    row.alice.send(FRAME)
    row.settle()
    folder.flush()
    (tmp_path / "s1.pcapng").unlink()
    monkeypatch.setattr(pcapng, "BUFFER_BYTES", 1)
    row.alice.send(FRAME)
    with pytest.raises(OutputError, match=os.strerror(errno.ENOENT)):
        row.settle()
    assert not any(port.taps for port in row.ports)
    row.settle()
    folder.close()
    assert [len(read(tmp_path / f"{name}.pcapng")) for name in ("alice", "s2", "bob")] == [2, 2, 1]
    assert not (tmp_path / "s1.pcapng").exists()


def test_an_error_at_the_end_is_told_and_the_other_files_are_written(row, tmp_path: Path) -> None:
    folder = capture(row, tmp_path)
    row.alice.send(FRAME)
    row.settle()
    (tmp_path / "alice.pcapng").unlink()
    with pytest.raises(OutputError, match=r"cannot write .*alice\.pcapng"):
        folder.close()
    folder.close()
    assert len(read(tmp_path / "bob.pcapng")) == 1


DISK_THAT_FILLS = """
import resource, sys
from pathlib import Path
from sdnvirt.addresses import Mac
from sdnvirt.capture import pcapng
from sdnvirt.devices.device import Device
from sdnvirt.devices.world import World
from sdnvirt.errors import OutputError

class Station(Device):
    def receive(self, port, frame): pass

resource.setrlimit(resource.RLIMIT_FSIZE, (4001, 4001))
pcapng.BUFFER_BYTES = 3000
world = World()
ports = [Station(name, world).add_port(1, "eth0", Mac(1)) for name in ("idle", "busy")]
sent = 0
try:
    with pcapng.PcapngFolder(Path(sys.argv[1]), world) as folder:
        for port in ports:
            folder.add(port.device.name, [port])
        ports[0].send(world.originate(b"one frame", "idle"))
        while sent < 1000:
            ports[1].send(world.originate(b"x" * 99, "busy"))
            sent += 1
except OutputError as error:
    print(sent, error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not limit file sizes")
def test_a_full_disk_leaves_whole_packets_up_to_the_last_byte(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DISK_THAT_FILLS, str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    path = tmp_path / "busy.pcapng"
    sent, _, message = shown.stdout.strip().partition(" ")
    assert message == f"cannot write {path}: {os.strerror(errno.EFBIG)}"
    assert int(sent) < 1000
    block = len(pcapng.enhanced_packet(0, 0, b"x" * 99, comment="packet 10 of busy")) + 8
    assert 4001 - block < path.stat().st_size <= 4001
    assert is_whole(path)
    assert {each.data for each in read(path)} == {b"x" * 99}
    assert [each.data for each in read(tmp_path / "idle.pcapng")] == [b"one frame"]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not on the path")
def test_tshark_shows_interfaces_directions_and_packet_names(row, tmp_path: Path) -> None:
    with capture(row, tmp_path):
        row.alice.send(FRAME)
        row.settle()
    fields = [
        "frame.time_epoch", "frame.interface_name", "frame.interface_description",
        "frame.packet_flags_direction", "frame.comment", "arp.dst.proto_ipv4", "_ws.malformed",
    ]  # fmt: skip
    command = ["tshark", "-n", "-r", str(tmp_path / "s1.pcapng"), "-T", "fields", "-E"]
    command += ["separator=|", *(word for field in fields for word in ("-e", field))]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    name = "packet 1 of alice (acme/web)"
    assert shown.stdout.splitlines() == [
        f"0.000001000|s1:alice|port 1|0x00000001|{name}|10.0.0.2|",
        f"0.000001000|s1:s2|port 2|0x00000002|{name}|10.0.0.2|",
    ]
