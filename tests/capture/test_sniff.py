"""Captures at a port: bytes, times and scapy packets, of one direction or by choice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scapy.layers.dns import DNS
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN
from scapy.utils import PcapNgReader

from sdnvirt.capture import sniff
from sdnvirt.capture.sniff import Capture
from sdnvirt.wire.pcapng import Direction

QUERY = bytes(Ether() / IP(dst="10.0.0.2") / UDP(sport=53) / DNS())
TUNNELLED = bytes(
    Ether() / IP(dst="10.255.0.2") / UDP(sport=50000, dport=4789) / VXLAN(vni=70001) / Ether(QUERY)
)


def exchange(row) -> None:
    row.alice.send(b"there")
    row.settle()
    row.bob.send(b"and back")
    row.settle()


def test_a_port_shows_what_arrives_and_what_leaves(row) -> None:
    with Capture(row.s1.ports[1]) as capture:
        exchange(row)
    assert [(each.time_ns, each.direction, each.data) for each in capture] == [
        (1_000, Direction.INBOUND, b"there"),
        (6_000, Direction.OUTBOUND, b"and back"),
    ]
    assert [each.frame.provenance.origin for each in capture.frames] == ["alice", "bob"]


def test_one_direction_only(row) -> None:
    port = row.s1.ports[1]
    with Capture(port, Direction.INBOUND) as inbound, Capture(port, Direction.OUTBOUND) as outbound:
        exchange(row)
    assert [each.data for each in inbound] == [b"there"]
    assert [each.data for each in outbound] == [b"and back"]


def test_only_the_frames_that_the_filter_keeps(row) -> None:
    with Capture(row.s1.ports[1], keep=lambda frame: frame.size > 5) as capture:
        exchange(row)
    assert [each.data for each in capture] == [b"and back"]


def test_frames_count_from_start_to_stop(row) -> None:
    capture = Capture(row.s1.ports[1])
    exchange(row)
    assert len(capture) == 0
    capture.start()
    capture.start()
    exchange(row)
    capture.stop()
    capture.stop()
    exchange(row)
    assert len(capture) == 2
    capture.start()
    exchange(row)
    assert len(capture) == 4
    capture.clear()
    assert (capture.frames, capture.packets) == ([], [])


def test_packets_are_dissected_through_the_tunnel_with_their_time(row) -> None:
    with Capture(row.bob.ports[1]) as capture:
        row.alice.send(TUNNELLED)
        row.settle()
    (packet,) = capture.packets
    assert isinstance(packet, Ether)
    assert packet.time == 0.000003
    assert packet[VXLAN].vni == 70001
    assert packet[VXLAN].payload.haslayer(DNS)
    assert bytes(packet) == TUNNELLED


def test_packets_grow_with_the_capture(row) -> None:
    with Capture(row.bob.ports[1]) as capture:
        row.alice.send(QUERY)
        row.settle()
        first = capture.packets
        row.alice.send(TUNNELLED)
        row.settle()
        assert len(first) == 1
        assert len(capture.packets) == 2
        assert capture.packets[0] is first[0]


def test_a_capture_is_bounded_and_tells_what_it_missed(row, monkeypatch) -> None:
    monkeypatch.setattr(sniff, "MAX_FRAMES", 3)
    with Capture(row.s1.ports[1]) as capture:
        for _ in range(2):
            exchange(row)
        row.alice.send(b"too many")
        row.settle()
    assert (len(capture), capture.missed) == (3, 2)
    capture.clear()
    assert capture.missed == 0


def test_a_capture_becomes_a_file(row, tmp_path: Path) -> None:
    with Capture(row.s1.ports[1]) as capture:
        row.alice.send(QUERY)
        row.settle()
    capture.to_pcapng(tmp_path / "s1.pcapng")
    with PcapNgReader(str(tmp_path / "s1.pcapng")) as reader:
        (packet,) = reader
    assert bytes(packet) == QUERY
    assert packet.time == capture.packets[0].time
    assert packet.comment == b"packet 1 of alice (acme/web)"
    assert (packet.sniffed_on, packet.direction) == ("s1:alice", Direction.INBOUND)


NEW_PROCESS = """
import sys
from sdnvirt.addresses import Mac
from sdnvirt.capture.sniff import Capture
from sdnvirt.devices.device import Device
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame

class Station(Device):
    def receive(self, port, frame): pass

with Capture(Station("h1", World()).add_port(1, "s1", Mac(1))) as capture:
    capture.port.receive(Frame(bytes.fromhex(sys.argv[1])))
assert "scapy" not in sys.modules
print(*(layer.__name__ for layer in capture.packets[0].layers()))
"""


def test_scapy_is_imported_with_all_layers_but_only_for_packets() -> None:
    command = [sys.executable, "-c", NEW_PROCESS, TUNNELLED.hex()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.split() == ["Ether", "IP", "UDP", "VXLAN", "Ether", "IP", "UDP", "DNS"]
