"""Captures: what is written is read back by scapy and by tshark."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.utils import RawPcapNgReader

from sdnvirt.addresses import BROADCAST, Ipv4, Mac
from sdnvirt.wire.arp import Arp, ArpOp
from sdnvirt.wire.ethernet import Ethernet, EtherType
from sdnvirt.wire.pcapng import (
    Direction,
    enhanced_packet,
    interface_description,
    section_header,
)

NAMES = ["h1-eth0", "s1-eth1", "größer"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
PACKETS = st.tuples(
    st.integers(0, len(NAMES) - 1),
    st.integers(0, (1 << 64) - 1),
    st.binary(max_size=70),
    st.sampled_from(Direction),
    TEXT,
)

A = Mac("02:00:00:00:00:01")
ARP = Arp(ArpOp.REQUEST, A, Ipv4("10.0.0.1"), Mac(0), Ipv4("10.0.0.2"))
FRAME = Ethernet(BROADCAST, A, EtherType.ARP, ARP.emit()).emit()


def capture(*packets: bytes) -> bytes:
    return b"".join([section_header("test"), *map(interface_description, NAMES), *packets])


@given(st.lists(PACKETS, max_size=5))
def test_scapy_reads_what_is_written(packets: list[tuple[int, int, bytes, Direction, str]]) -> None:
    data = capture(*(enhanced_packet(*packet) for packet in packets))
    read = list(RawPcapNgReader(io.BytesIO(data)))
    assert len(read) == len(packets)
    for (frame, meta), (interface, time_ns, sent, direction, comment) in zip(
        read, packets, strict=True
    ):
        assert frame == sent
        assert meta.wirelen == len(sent)
        assert (meta.tsresol, meta.tshigh << 32 | meta.tslow) == (10**9, time_ns)
        assert meta.ifname == NAMES[interface].encode()
        assert (meta.direction or Direction.UNKNOWN) == direction
        assert (meta.comments or []) == ([comment.encode()] if comment else [])


@given(TEXT, st.binary(max_size=9))
def test_blocks_are_whole_words_with_their_length_at_both_ends(text: str, frame: bytes) -> None:
    for block in (
        section_header(text, text, text, text),
        interface_description(text, text),
        enhanced_packet(0, 0, frame, Direction.INBOUND, text),
    ):
        assert len(block) % 4 == 0
        assert int.from_bytes(block[4:8], "little") == len(block)
        assert block[-4:] == block[4:8]


def test_equal_captures_are_equal_bytes() -> None:
    assert section_header() == bytes.fromhex(
        "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000"
    )


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not on the path")
def test_tshark_shows_times_names_directions_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "arp.pcapng"
    path.write_bytes(
        section_header("sdnvirt", "virtual", "none", "a capture")
        + interface_description("h1-eth0", "the first host")
        + interface_description("s1-eth1")
        + enhanced_packet(0, 1_000_000_001, FRAME, Direction.OUTBOUND, "who is it")
        + enhanced_packet(1, 1_000_005_002, FRAME + b"x", Direction.INBOUND)
    )
    fields = [
        "frame.time_epoch", "frame.interface_name", "frame.interface_description",
        "frame.packet_flags_direction", "frame.comment", "frame.len", "arp.dst.proto_ipv4",
    ]  # fmt: skip
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "separator=|"]
    for field in fields:
        command += ["-e", field]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout.splitlines() == [
        "1.000000001|h1-eth0|the first host|0x00000002|who is it|42|10.0.0.2",
        "1.000005002|s1-eth1||0x00000001||43|10.0.0.2",
    ]
