"""The VXLAN header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire.ethernet import Ethernet, EtherType
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.udp import Udp
from sdnvirt.wire.vxlan import FRAME_OVERHEAD, IP_OVERHEAD, UDP_PORT, Vxlan

PACKETS = st.builds(Vxlan, st.integers(0, (1 << 24) - 1), st.binary(max_size=60))


@given(PACKETS)
def test_what_is_emitted_parses_to_the_same_packet(packet: Vxlan) -> None:
    assert Vxlan.parse(packet.emit()) == packet


@given(PACKETS)
def test_bytes_are_those_of_scapy(packet: Vxlan) -> None:
    assert packet.emit() == bytes(VXLAN(flags="Instance", vni=packet.vni) / packet.payload)


def test_scapy_finds_the_inner_frame() -> None:
    inner = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02", type=0x9000) / b"data"
    assert bytes(VXLAN(Vxlan(5000, bytes(inner)).emit())[Ether]) == bytes(inner)


def test_a_cut_header_is_truncated() -> None:
    data = Vxlan(5000, b"").emit()
    for length in range(len(data)):
        with pytest.raises(TruncatedError):
            Vxlan.parse(data[:length])


@given(st.binary(min_size=8, max_size=40))
def test_only_the_flag_of_a_valid_vni_counts(data: bytes) -> None:
    if data[0] & 0x08:
        assert Vxlan.parse(data) == Vxlan(int.from_bytes(data[4:7], "big"), data[8:])
    else:
        with pytest.raises(MalformedError):
            Vxlan.parse(data)


def test_the_overheads_are_what_encapsulation_adds() -> None:
    inner = bytes(100)
    a, b = Ipv4("10.0.0.1"), Ipv4("10.0.0.2")
    datagram = Udp(50000, UDP_PORT, Vxlan(1, inner).emit()).emit_without_checksum()
    packet = Ipv4Packet(a, b, IpProtocol.UDP, datagram).emit()
    frame = Ethernet(Mac(1), Mac(2), EtherType.IPV4, packet).emit()
    assert len(packet) - len(inner) == IP_OVERHEAD == 36
    assert len(frame) - len(inner) == FRAME_OVERHEAD == 50


def test_text() -> None:
    assert str(Vxlan(5000, b"")) == "VXLAN, flags [I] (0x08), vni 5000"
