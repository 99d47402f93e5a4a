"""The VXLAN tunnel endpoint (RFC 7348)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.drops import DropReason
from sdnvirt.frame import TUNNEL_DST_SHIFT, Frame
from sdnvirt.virt.tunnel import REMOTES_LIMIT
from sdnvirt.virt.vtep import Traffic
from sdnvirt.wire.ethernet import Ethernet, EtherType
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.udp import Udp
from sdnvirt.wire.vxlan import Vxlan

INNER = Ethernet(
    Mac("02:00:00:00:01:02"), Mac("02:00:00:00:01:01"), EtherType.ARP, bytes(28)
).emit()
V1, V2 = Ipv4("10.0.0.1"), Ipv4("10.0.0.2")


def test_a_frame_comes_out_of_the_tunnel_as_it_went_in(underlay):
    sent = underlay.send(INNER, vni=5002)
    ((port, frame),) = underlay.sw2.frames
    assert port is underlay.sw2.ports[1]
    assert (frame.data, frame.tunnel_id) == (INNER, 5002)
    assert frame.provenance is sent.provenance
    assert underlay.world.ledger.imbalance() == 0


def test_the_tunnels_port_counts_like_any_port(underlay):
    underlay.send(INNER)
    assert (underlay.sw1.ports[1].tx_packets, underlay.sw1.ports[1].tx_bytes) == (1, len(INNER))
    assert (underlay.sw2.ports[1].rx_packets, underlay.sw2.ports[1].rx_bytes) == (1, len(INNER))
    assert underlay.sw1.ports[1].up


def test_what_is_on_the_underlay_is_vxlan(underlay):
    ethernet = Ethernet.parse(underlay.outer(INNER))
    assert (ethernet.dst, ethernet.src) == (underlay.router.ports[1].mac, underlay.v1.nic.mac)
    packet = Ipv4Packet.parse(ethernet.payload)
    assert (packet.src, packet.dst, packet.ttl) == (V1, V2, 64)
    assert (packet.dont_fragment, packet.identification, packet.dscp) == (True, 0, 0)
    datagram = Udp.parse(packet.payload, packet.src, packet.dst)
    assert datagram.dst_port == 4789
    assert 49152 <= datagram.src_port <= 65535
    assert packet.payload[6:8] == b"\0\0"
    assert Vxlan.parse(datagram.payload) == Vxlan(5001, INNER)


def test_the_outer_frame_carries_no_tunnel_id(underlay):
    seen = []
    underlay.router.receive = lambda port, frame: seen.append(frame)
    underlay.send(INNER)
    assert seen[0].tunnel_id == 0


@pytest.mark.parametrize("tunnel_id", [0, 1 << 24])
def test_without_a_vni_there_is_no_network_to_send_to(underlay, tunnel_id):
    underlay.send(INNER, vni=tunnel_id)
    (drop,) = underlay.world.ledger.recent
    assert drop.reason == DropReason.NO_TUNNEL_ID
    assert drop.detail == f"tunnel id {tunnel_id}"


def test_a_frame_that_fills_the_underlay_passes_and_one_more_byte_does_not(underlay):
    underlay.send(INNER.ljust(1564, b"\0"))
    assert len(underlay.sw2.frames) == 1
    underlay.send(INNER.ljust(1565, b"\0"))
    (drop,) = underlay.world.ledger.recent
    assert drop.reason == DropReason.ENCAP_TOO_BIG
    assert drop.detail == "a frame of 1565 B becomes a packet of 1601 B, the MTU is 1600"
    assert len(underlay.sw2.frames) == 1


def test_traffic_is_counted_by_network(underlay):
    for vni in (5002, 5001, 5002):
        underlay.send(INNER, vni)
    size = len(INNER)
    assert underlay.v1.traffic() == {
        5001: Traffic(tx_frames=1, tx_bytes=size),
        5002: Traffic(tx_frames=2, tx_bytes=2 * size),
    }
    assert list(underlay.v2.traffic()) == [5001, 5002]
    assert underlay.v2.traffic()[5002] == Traffic(rx_frames=2, rx_bytes=2 * size)


# -- what an endpoint refuses


def outer(
    payload: bytes = Vxlan(5001, INNER).emit(),
    src: Ipv4 = V1,
    dst: Ipv4 = V2,
    port: int = 4789,
    checksum: bool = False,
    **fields,
) -> bytes:
    datagram = Udp(50_000, port, payload)
    data = datagram.emit(src, dst) if checksum else datagram.emit_without_checksum()
    return Ipv4Packet(src, dst, IpProtocol.UDP, data, **fields).emit()


def flipped(data: bytes, offset: int, bits: int = 1) -> bytes:
    return data[:offset] + bytes([data[offset] ^ bits]) + data[offset + 1 :]


REFUSED = {
    "not an IPv4 header": (outer()[:19], DropReason.MALFORMED),
    "a packet cut short": (outer()[:-1], DropReason.MALFORMED),
    "a wrong header checksum": (flipped(outer(), 10), DropReason.BAD_CHECKSUM),
    "for another endpoint": (outer(dst=Ipv4("10.0.0.3")), DropReason.NOT_FOR_ME_L3),
    "a first fragment": (outer(more_fragments=True), DropReason.FRAGMENT),
    "a later fragment": (outer(fragment_offset=1480), DropReason.FRAGMENT),
    "another port": (outer(port=4790), DropReason.NOT_VXLAN),
    "not UDP": (
        Ipv4Packet(V1, V2, 6, bytes(2) + b"\x12\xb5" + bytes(40)).emit(),
        DropReason.NOT_VXLAN,
    ),
    "no UDP header": (Ipv4Packet(V1, V2, 17, b"").emit(), DropReason.NOT_VXLAN),
    "half a UDP header": (Ipv4Packet(V1, V2, 17, outer()[20:25]).emit(), DropReason.MALFORMED),
    "half a VXLAN header": (outer(b"\x08\0\0\0"), DropReason.MALFORMED),
    "no inner frame": (outer(Vxlan(5001, INNER[:13]).emit()), DropReason.MALFORMED),
    "a UDP length past the end": (flipped(outer(), 24, 0x10), DropReason.MALFORMED),
    "a wrong UDP checksum": (flipped(outer(checksum=True), 26), DropReason.BAD_CHECKSUM),
    "no VNI flag": (outer(b"\xf7" + Vxlan(5001, INNER).emit()[1:]), DropReason.VXLAN_FLAGS),
    "a network that is not here": (outer(Vxlan(6000, INNER).emit()), DropReason.UNKNOWN_VNI),
    "an unknown source": (outer(src=Ipv4("10.0.0.9")), DropReason.UNKNOWN_VTEP),
}


@pytest.mark.parametrize(("packet", "reason"), REFUSED.values(), ids=REFUSED)
def test_each_check_has_its_own_reason(underlay, packet, reason):
    receive(underlay, packet)
    assert underlay.world.ledger.by_reason() == {reason: 1}
    assert underlay.sw2.frames == []


def receive(
    underlay, packet: bytes, ethertype: int = EtherType.IPV4, dst: Mac | None = None
) -> None:
    """Let v2 receive a packet; check that its explanation agrees with what it does."""
    nic = underlay.v2.nic
    data = Ethernet(dst or nic.mac, Mac(6), ethertype, packet).emit()
    (story,) = underlay.v2.explain(nic, Frame(data))
    delivered, dropped = underlay.world.ledger.delivered, underlay.world.ledger.dropped
    nic.receive(underlay.world.originate(data, "test"))
    ledger = underlay.world.ledger
    assert ("takes" in story) == (ledger.delivered == delivered + 1)
    assert ("drops" in story) == (ledger.dropped == dropped + 1)
    assert ledger.imbalance() == 0


def test_frames_for_other_stations_are_refused(underlay):
    receive(underlay, outer(), dst=Mac("02:00:00:00:00:99"))
    assert underlay.world.ledger.by_reason() == {DropReason.NOT_FOR_ME_L2: 1}


def test_only_ipv4_is_understood(underlay):
    receive(underlay, outer(), ethertype=EtherType.ARP)
    assert underlay.world.ledger.by_reason() == {DropReason.NOT_VXLAN: 1}


@pytest.mark.parametrize(
    "packet",
    [
        outer(),
        outer(checksum=True),
        outer() + bytes(6),
        outer(options=b"\x01" * 8),
        outer(b"\xff\xff\xff\xff\x00\x13\x89\xff" + INNER),
    ],
    ids=["plain", "right UDP checksum", "padding", "IPv4 options", "reserved bits set"],
)
def test_what_the_rfc_allows_is_accepted(underlay, packet):
    receive(underlay, packet)
    ((_, frame),) = underlay.sw2.frames
    assert (frame.data, frame.tunnel_id) == (INNER, 5001)


def test_networks_come_and_go(underlay):
    underlay.v2.networks.discard(5001)
    underlay.send(INNER)
    underlay.v2.networks.add(5001)
    underlay.send(INNER)
    assert underlay.world.ledger.by_reason() == {DropReason.UNKNOWN_VNI: 1}
    assert len(underlay.sw2.frames) == 1


# -- explanations


def test_explain_tells_the_way_through_the_tunnel(underlay):
    tunnel = underlay.v1.tunnel_to(V2, underlay.sw1.ports[1])
    (into,) = tunnel.explain(Frame(INNER, tunnel=5001))
    port = int.from_bytes(underlay.outer(INNER)[34:36], "big")
    assert into == f"v1 puts it into VNI 5001 and sends it from 10.0.0.1:{port} to 10.0.0.2:4789"
    data = Ethernet(underlay.v2.nic.mac, Mac(6), EtherType.IPV4, outer()).emit()
    assert underlay.v2.explain(underlay.v2.nic, Frame(data)) == [
        f"v2 takes {len(INNER)} B of VNI 5001 out of the packet from 10.0.0.1 "
        "and hands them to sw2:v1"
    ]


def test_explain_tells_why_a_frame_cannot_enter_the_tunnel(underlay):
    tunnel = underlay.v1.tunnel_to(V2, underlay.sw1.ports[1])
    assert tunnel.explain(Frame(INNER)) == [
        "v1 drops the frame: sent to a tunnel without a VNI (tunnel id 0)"
    ]


# -- hostile input

SEEDS = [outer(), outer(checksum=True), outer(options=b"\x01" * 8)]


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_upset_the_endpoint_or_the_ledger(build_underlay: Callable, data):
    underlay = build_underlay()
    mutated = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(0, 3))):
        mutated[data.draw(st.integers(0, 50))] = data.draw(st.integers(0, 255))
    receive(underlay, bytes(mutated[: data.draw(st.integers(0, len(mutated)))]))


@given(st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_from_the_underlay_reach_a_network_by_chance(build_underlay: Callable, data):
    underlay = build_underlay()
    underlay.v2.nic.receive(
        underlay.world.originate(underlay.v2.nic.mac[: len(data)] + data, "test")
    )
    assert underlay.world.ledger.dropped == 1
    assert underlay.world.ledger.imbalance() == 0


@given(st.binary(max_size=80), st.integers(0, 2**25))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_switch_sends_is_delivered_or_dropped(build_underlay: Callable, data, vni):
    underlay = build_underlay()
    underlay.send(data, vni)
    ledger = underlay.world.ledger
    assert ledger.delivered + ledger.dropped == 1
    assert ledger.imbalance() == 0


def keyed(underlay, vtep, switch, number: int, remote: Ipv4, key: int):
    """Give a virtual switch one more port, the tunnel of one network."""
    return vtep.keyed_tunnel_to(remote, key, switch.add_port(number, f"vx{key}", Mac(number)))


def test_a_keyed_tunnel_takes_every_frame_into_its_network(underlay):
    keyed(underlay, underlay.v1, underlay.sw1, 7, V2, 77)
    keyed(underlay, underlay.v2, underlay.sw2, 8, V1, 77)
    for tunnel_id in (0, 5001):
        frame = underlay.world.originate(INNER, "vm1")
        frame.tunnel = tunnel_id
        underlay.sw1.ports[7].send(frame)
    underlay.world.scheduler.run_until(0)
    assert [(port.number, frame.tunnel_id) for port, frame in underlay.sw2.frames] == [(8, 77)] * 2
    assert underlay.v1.traffic()[77].tx_frames == underlay.v2.traffic()[77].rx_frames == 2


def test_a_keyed_tunnel_comes_before_the_one_of_all_networks(underlay):
    keyed(underlay, underlay.v2, underlay.sw2, 8, V1, 5001)
    underlay.send(INNER, vni=5001)
    underlay.send(INNER, vni=5002)
    assert [port.number for port, _ in underlay.sw2.frames] == [8, 1]


def test_a_closed_tunnel_takes_and_gives_nothing(underlay):
    there = keyed(underlay, underlay.v2, underlay.sw2, 8, V1, 77)
    here = keyed(underlay, underlay.v1, underlay.sw1, 7, V2, 77)
    underlay.v2.close(there)
    assert not underlay.v2.has_keyed_tunnel(V1, 77)
    assert not there.switch_port.up
    here.switch_port.send(underlay.world.originate(INNER, "vm1"))
    there.switch_port.send(underlay.world.originate(INNER, "vm2"))
    underlay.world.scheduler.run_until(0)
    assert underlay.sw2.frames == []
    reasons = {drop.reason for drop in underlay.world.ledger.recent}
    assert reasons == {DropReason.UNKNOWN_VNI, DropReason.NO_LINK}
    assert underlay.world.ledger.imbalance() == 0
    keyed(underlay, underlay.v2, underlay.sw2, 9, V1, 77)  # it may be made again


def addressed(underlay, tunnel_id: int, dst: Ipv4 | None):
    """Return a frame whose metadata names a network and, if any, an endpoint."""
    frame = underlay.world.originate(INNER, "vm1")
    address = 0 if dst is None else int.from_bytes(dst, "big")
    frame.tunnel = address << TUNNEL_DST_SHIFT | tunnel_id
    return frame


def test_a_flow_based_tunnel_leads_where_the_frame_says(underlay):
    here = underlay.v1.flow_tunnel(underlay.sw1.add_port(7, "vxlan0", Mac(7)))
    underlay.v2.flow_tunnel(underlay.sw2.add_port(8, "vxlan0", Mac(8)))
    here.switch_port.send(addressed(underlay, 77, V2))
    underlay.world.scheduler.run_until(0)
    ((port, frame),) = underlay.sw2.frames
    assert (port.number, frame.data, frame.tunnel_id) == (8, INNER, 77)
    assert (Ipv4(frame.tunnel_src), Ipv4(frame.tunnel_dst)) == (V1, V2)


def test_a_tunnel_of_one_endpoint_comes_before_the_one_of_all(underlay):
    underlay.v2.flow_tunnel(underlay.sw2.add_port(8, "vxlan0", Mac(8)))
    keyed(underlay, underlay.v2, underlay.sw2, 9, V1, 5002)
    keyed(underlay, underlay.v1, underlay.sw1, 7, V2, 77)
    underlay.send(INNER, vni=5001)
    underlay.send(INNER, vni=5002)
    underlay.sw1.ports[7].send(underlay.world.originate(INNER, "vm1"))
    underlay.world.scheduler.run_until(0)
    assert [port.number for port, _ in underlay.sw2.frames] == [1, 9, 8]
    # Whoever it is for, it is told from where it came.
    assert {Ipv4(frame.tunnel_src) for _, frame in underlay.sw2.frames} == {V1}


@pytest.mark.parametrize(
    ("tunnel_id", "dst", "reason"),
    [(77, None, DropReason.NO_TUNNEL_DESTINATION), (0, V2, DropReason.NO_TUNNEL_ID)],
)
def test_a_flow_based_tunnel_needs_a_network_and_an_endpoint(underlay, tunnel_id, dst, reason):
    here = underlay.v1.flow_tunnel(underlay.sw1.add_port(7, "vxlan0", Mac(7)))
    frame = addressed(underlay, tunnel_id, dst)
    assert reason.value in here.explain(frame)[0]
    here.switch_port.send(frame)
    (drop,) = underlay.world.ledger.recent
    assert drop.reason == reason
    underlay.v1.close(here)
    assert not underlay.v1.has_flow_tunnel


def test_headers_are_remembered_for_so_many_endpoints(underlay):
    here = underlay.v1.flow_tunnel(underlay.sw1.add_port(7, "vxlan0", Mac(7)))
    sent = []
    underlay.v1.nic.egress = type("Wire", (), {"carry": lambda _, frame: sent.append(frame)})()
    for number in range(REMOTES_LIMIT + 2):
        here.carry(addressed(underlay, 77, Ipv4(0x0A000000 + number)))
    assert len(here._headers) <= REMOTES_LIMIT
    assert [int.from_bytes(frame.data[30:34], "big") for frame in sent] == [
        0x0A000000 + number for number in range(REMOTES_LIMIT + 2)
    ]
    assert {frame.tunnel for frame in sent} == {0}
