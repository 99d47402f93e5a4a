"""Wireshark reads every frame of a run: no bad checksum, nothing malformed, nothing unknown."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / "topologies" / "quickstart.yaml"
TSHARK = shutil.which("tshark")

pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not on the PATH")

CHECKSUMS = ("ip", "udp", "tcp")
"""Protocols whose checksums tshark does not look at unless it is asked to."""

WRONG = (
    '_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad" '
    '|| icmp.checksum.status == "Bad" || _ws.expert.severity == error'
)


@pytest.fixture(scope="module")
def captures(sdnvirt: Callable[..., object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of captures of one run of the quickstart."""
    folder = tmp_path_factory.mktemp("captures")
    assert sdnvirt("run", QUICKSTART, "--pcap", folder) == 0
    return folder


def tshark(file: Path, *options: str) -> list[str]:
    """Return the lines that tshark prints."""
    assert TSHARK is not None
    checks = [word for one in CHECKSUMS for word in ("-o", f"{one}.check_checksum:TRUE")]
    command = [TSHARK, "-n", "-r", str(file), *checks, *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def fields(file: Path, display_filter: str, *names: str) -> list[tuple[str, ...]]:
    """Return fields of the packets that a filter keeps."""
    options = [word for name in names for word in ("-e", name)]
    lines = tshark(file, "-Y", display_filter, "-T", "fields", *options)
    return [tuple(line.split("\t")) for line in lines]


def test_nothing_is_wrong_with_any_frame(captures: Path) -> None:
    files = sorted(captures.iterdir())
    assert len(files) == 21  # one for each node
    with ThreadPoolExecutor() as pool:  # tshark takes its time to start
        found = list(pool.map(lambda file: tshark(file, "-Y", WRONG), files))
    assert [(file.name, wrong) for file, wrong in zip(files, found, strict=True) if wrong] == []


def test_a_wrong_checksum_would_be_seen(captures: Path, tmp_path: Path) -> None:
    """The same filter finds what it looks for."""
    data = (captures / "leaf1.pcapng").read_bytes()
    header = data.index(b"\x08\x00\x45\x00") + 2  # the first IPv4 header
    ttl = header + 8
    broken = tmp_path / "broken.pcapng"
    broken.write_bytes(data[:ttl] + bytes([data[ttl] ^ 1]) + data[ttl + 1 :])
    assert len(tshark(broken, "-Y", WRONG)) == 1


def test_the_fabric_carries_tenants_in_vxlan(captures: Path) -> None:
    stacks = fields(captures / "leaf1.pcapng", "frame", "frame.protocols")
    assert {protocols for (protocols,) in stacks} == {
        "eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:icmp:data",
        "eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:udp:dhcp",
    }
    vnis = {vni for (vni,) in fields(captures / "leaf1.pcapng", "vxlan", "vxlan.vni")}
    assert vnis == {"70001", "70002"}


def test_vlans_are_tagged_on_the_trunk_only(captures: Path) -> None:
    seen = fields(captures / "b1.pcapng", "frame", "frame.interface_name", "vlan.id")
    assert set(seen) == {
        ("b1:m1", ""),
        ("b1:m2", ""),
        ("b1:b2", "10"),
        ("b1:b2", "20"),
    }


def test_lengths_are_those_of_the_frames(captures: Path) -> None:
    """50 bytes around the inner frame: outer Ethernet, IPv4, UDP and VXLAN."""
    rows = fields(captures / "leaf1.pcapng", "vxlan", "frame.len", "ip.len", "udp.length")
    assert rows
    for frame, ip, udp in rows:
        outer_ip, inner_ip = map(int, ip.split(","))
        assert int(frame) == outer_ip + 14 == inner_ip + 14 + 50
        assert int(udp.split(",")[0]) == outer_ip - 20


def test_packets_are_named_and_times_are_in_nanoseconds(captures: Path) -> None:
    first, *_ = fields(
        captures / "acme-a.pcapng", "icmp",
        "frame.interface_name", "frame.packet_flags_direction", "frame.comment", "frame.time_epoch",
    )  # fmt: skip
    interface, direction, comment, time = first
    assert interface == "acme-a:eth0"
    assert int(direction, 16) == 2  # outbound
    assert comment.startswith("packet ")
    assert comment.endswith(" of acme-a (acme/web)")
    assert time == "2.000000000"  # when its first ping begins
    assert fields(captures / "leaf1.pcapng", "frame.number == 1", "frame.time_epoch") != [
        ("2.000000000",)
    ]
