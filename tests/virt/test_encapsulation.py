"""Outer headers of VXLAN packets, against the codec of each protocol."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.frame import Frame
from sdnvirt.virt import encapsulation
from sdnvirt.virt.encapsulation import OuterHeaders, SourcePorts, source_port
from sdnvirt.wire.ethernet import Ethernet, EtherType
from sdnvirt.wire.flowkey import flow_key
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.udp import Udp
from sdnvirt.wire.vxlan import Vxlan

MACS = st.binary(min_size=6, max_size=6).map(Mac)
ADDRESSES = st.binary(min_size=4, max_size=4).map(Ipv4)


@given(
    MACS, MACS, ADDRESSES, ADDRESSES, st.integers(1, 2**24 - 1), st.integers(49152, 65535),
    st.binary(min_size=14, max_size=1600),
)  # fmt: skip
def test_the_prepared_headers_are_what_the_codecs_emit(src_mac, hop, src, dst, vni, port, inner):
    datagram = Udp(port, 4789, Vxlan(vni, inner).emit()).emit_without_checksum()
    packet = Ipv4Packet(src, dst, IpProtocol.UDP, datagram, ttl=64, dont_fragment=True)
    expected = Ethernet(hop, src_mac, EtherType.IPV4, packet.emit()).emit()
    assert OuterHeaders(src_mac, hop, src, dst).emit(vni, port, inner) == expected


def tcp_frame(source: int, identification: int = 0, payload: bytes = b"") -> bytes:
    ports = source.to_bytes(2, "big") + b"\0\x50" + bytes(16) + payload
    packet = Ipv4Packet(
        Ipv4("10.1.0.1"), Ipv4("10.1.0.2"), IpProtocol.TCP, ports, identification=identification
    )
    return Ethernet(Mac(2), Mac(1), EtherType.IPV4, packet.emit()).emit()


def test_a_flow_has_one_source_port():
    assert source_port(tcp_frame(1000, 1)) == source_port(tcp_frame(1000, 2, b"more"))


def test_flows_spread_over_the_dynamic_ports():
    ports = [source_port(tcp_frame(number)) for number in range(1, 4001)]
    assert min(ports) >= 49152
    assert max(ports) <= 65535
    assert len(set(ports)) > 3000
    halves = sum(port < 57344 for port in ports)
    assert 1800 < halves < 2200


def test_the_source_port_is_that_of_the_flow_whether_or_not_the_frame_carries_a_key(monkeypatch):
    monkeypatch.setattr(encapsulation, "FLOW_CACHE_LIMIT", 3)
    ports = SourcePorts()
    for number in [*range(10), 9, 8, 0]:
        frame = Frame(tcp_frame(number))
        assert ports.port(frame) == source_port(frame.data)
        frame.key = flow_key(frame.data)
        assert ports.port(frame) == source_port(frame.data)
        assert ports.port(frame) == source_port(frame.data)
        assert ports.remembered <= 3


@given(st.binary(max_size=120), st.binary(max_size=120), st.integers(0, 120))
def test_equal_flow_keys_mean_equal_source_ports(head, tail, cut):
    one, other = head + tail[:cut], head + tail[: cut // 2]
    if flow_key(one) == flow_key(other):
        assert source_port(one) == source_port(other)
