"""A packet is followed through the whole network, with every device's reasons."""

from __future__ import annotations

from pathlib import Path

import sdnvirt
from sdnvirt.network.nodes import HostNode
from sdnvirt.network.trace import Trace, trace

TOPOLOGIES = Path(__file__).parents[2] / "topologies"


def follow(file: str, source: str, target: str, udp: int | None = None) -> Trace:
    with sdnvirt.load(TOPOLOGIES / file) as net:
        ends = net[source], net[target]
        assert isinstance(ends[0], HostNode)
        assert isinstance(ends[1], HostNode)
        found = trace(net, ends[0], ends[1], udp)
        assert net.world.ledger.imbalance() == 0
        return found


def places(found: Trace) -> list[list[str]]:
    return [[hop.place for hop in packet.hops] for packet in found.packets]


def test_a_ping_is_followed_through_the_overlay_and_back() -> None:
    found = follow("quickstart.yaml", "acme-a", "acme-b")
    assert found.answered
    asked, request, _, reply = places(found)
    assert asked == ["acme-a:eth0", "hv1:acme-a", "acme-a:eth0"]
    assert request == [
        "acme-a:eth0", "hv1:acme-a", "hv1:vx-hv2", "leaf1:hv1", "spine1:leaf1", "leaf2:spine1",
        "hv2.vtep:nic", "hv2:vx-hv1", "acme-b:eth0",
    ]  # fmt: skip
    assert reply[0] == "acme-b:eth0"
    assert reply[-1] == "acme-a:eth0"
    text = found.text()
    assert text.startswith("acme-a > acme-b (10.0.0.12), ICMP echo\n\npacket ")
    assert "set_field:70001->tunnel_id" in text
    assert "hv1.vtep puts it into VNI 70001 and sends it from 172.16.0.1:" in text
    assert "VXLAN, vni 70001: 10.0.0.11 > 10.0.0.12: ICMP echo request, id 1, seq 1" in text


def test_a_tunnel_that_has_queues_is_followed_all_the_same() -> None:
    with sdnvirt.load(TOPOLOGIES / "quickstart.yaml") as net:
        switch = net.plant.switches["hv1"]
        switch.add_queue(net.port("hv1:vx-hv2").number, 1)
        ends = net["acme-a"], net["acme-b"]
        assert isinstance(ends[0], HostNode)
        assert isinstance(ends[1], HostNode)
        text = trace(net, *ends).text()
    assert "hv1.vtep puts it into VNI 70001 and sends it from 172.16.0.1:" in text


def test_what_is_dropped_says_where_and_why() -> None:
    found = follow("quickstart.yaml", "acme-a", "globex-c")
    assert not found.answered
    assert all(packet.hops[-1].place == "hv1" for packet in found.packets)
    assert all(packet.hops[-1].what.startswith("dropped: ") for packet in found.packets)


def test_an_answer_of_somebody_with_the_same_address_is_not_the_targets() -> None:
    found = follow("quickstart.yaml", "acme-a", "globex-b")
    assert not found.answered
    assert found.verdict == "answered, but not by globex-b: nothing reached it"


def test_a_frame_that_is_kept_out_of_a_vlan_is_followed_to_its_end() -> None:
    found = follow("vlan-trunk.yaml", "red1", "blue2")
    assert not found.answered
    text = found.text()
    assert "ARP, Request who-has" in text
    assert "access port of VLAN 20, the frame is in VLAN 10" in text


def test_a_datagram_to_a_closed_port_is_answered_by_icmp() -> None:
    found = follow("vlan-trunk.yaml", "red1", "red2", udp=53)
    assert found.answered
    assert "UDP to port 53" in found.title
    assert "unreachable" in found.text()
