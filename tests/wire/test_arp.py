"""ARP packets of Ethernet and IPv4."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import ARP

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire.arp import LENGTH, Arp, ArpOp

MAC = st.binary(min_size=6, max_size=6).map(Mac)
IPV4 = st.binary(min_size=4, max_size=4).map(Ipv4)
PACKETS = st.builds(Arp, st.integers(0, 0xFFFF), MAC, IPV4, MAC, IPV4)

A_MAC, A = Mac("02:00:00:00:00:0a"), Ipv4("10.0.0.10")
B_MAC, B = Mac("02:00:00:00:00:0b"), Ipv4("10.0.0.11")
NOBODY = Mac(0)

REQUEST = Arp(ArpOp.REQUEST, A_MAC, A, NOBODY, B)
REPLY = Arp(ArpOp.REPLY, B_MAC, B, A_MAC, A)


@given(PACKETS, st.binary(max_size=20))
def test_what_is_emitted_parses_to_the_same_packet_with_or_without_padding(
    packet: Arp, padding: bytes
) -> None:
    assert Arp.parse(packet.emit() + padding) == packet


@given(PACKETS)
def test_bytes_are_those_of_scapy(packet: Arp) -> None:
    theirs = ARP(
        op=packet.op,
        hwsrc=str(packet.sender_mac),
        psrc=str(packet.sender_ip),
        hwdst=str(packet.target_mac),
        pdst=str(packet.target_ip),
    )
    assert packet.emit() == bytes(theirs)


def test_a_cut_packet_is_truncated() -> None:
    for length in range(LENGTH):
        with pytest.raises(TruncatedError):
            Arp.parse(REQUEST.emit()[:length])


@pytest.mark.parametrize("offset", [0, 2, 4, 5])
def test_other_address_types_are_malformed(offset: int) -> None:
    packet = bytearray(REQUEST.emit())
    packet[offset] ^= 0x10
    with pytest.raises(MalformedError):
        Arp.parse(bytes(packet))


@given(st.binary(max_size=40))
def test_any_bytes_are_a_packet_or_a_wire_error(data: bytes) -> None:
    try:
        packet = Arp.parse(REQUEST.emit()[:8] + data)
    except WireError:
        return
    assert packet.emit()[8:] == data[:20]


def test_text() -> None:
    assert str(REQUEST) == "ARP, Request who-has 10.0.0.11 tell 10.0.0.10"
    assert str(REPLY) == "ARP, Reply 10.0.0.11 is-at 02:00:00:00:00:0b"
    assert str(Arp(9, A_MAC, A, B_MAC, B)) == "ARP, operation 9, 10.0.0.10 to 10.0.0.11"
