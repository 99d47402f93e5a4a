"""Ethernet II frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Ether

from sdnvirt.addresses import BROADCAST, Mac
from sdnvirt.errors import TruncatedError
from sdnvirt.wire.ethernet import HEADER_LENGTH, MIN_FRAME_LENGTH, Ethernet, EtherType

MAC = st.binary(min_size=6, max_size=6).map(Mac)
FRAMES = st.builds(Ethernet, MAC, MAC, st.integers(0, 0xFFFF), st.binary(max_size=80))

A = Mac("02:00:00:00:00:01")


@given(FRAMES)
def test_what_is_emitted_parses_to_the_same_frame(frame: Ethernet) -> None:
    assert Ethernet.parse(frame.emit()) == frame


@given(FRAMES)
def test_bytes_are_those_of_scapy(frame: Ethernet) -> None:
    theirs = Ether(dst=str(frame.dst), src=str(frame.src), type=frame.ethertype) / frame.payload
    assert frame.emit() == bytes(theirs)


def test_a_cut_header_is_truncated() -> None:
    frame = Ethernet(BROADCAST, A, EtherType.ARP, b"").emit()
    assert len(frame) == HEADER_LENGTH
    for length in range(HEADER_LENGTH):
        with pytest.raises(TruncatedError):
            Ethernet.parse(frame[:length])


def test_short_frames_are_not_padded() -> None:
    assert len(Ethernet(BROADCAST, A, EtherType.IPV4, b"x").emit()) < MIN_FRAME_LENGTH


@pytest.mark.parametrize(
    ("ethertype", "text"),
    [(0x0800, "IPv4 (0x0800)"), (0x1234, "Unknown (0x1234)"), (0x0026, "802.3 (0x0026)")],
)
def test_text(ethertype: int, text: str) -> None:
    frame = Ethernet(BROADCAST, A, ethertype, b"12345678")
    assert str(frame) == f"02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype {text}, length 22"
