"""The IP fabric under the tunnels: equal ways, lost ways, packets too big, and replication."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN

from sdnvirt.drops import DropReason
from sdnvirt.network.network import Network
from sdnvirt.network.routing import CONVERGENCE_NS
from sdnvirt.wire.pcapng import Direction

QUICKSTART = "topologies/quickstart.yaml"
GLOBEX = 70002
SPINES = {"spine1", "spine2"}
FLOWS = 64

VM_FRAMES_TOO_BIG = """
    name: small-underlay
    underlay:
      linear: {nodes: 2}
      link: {mtu: 1500}
    hypervisors:
      hv[1-2]: {attach: 'r[1-2]'}
    tenants:
      acme:
        networks:
          web: {vni: 5000, subnet: 10.0.0.0/24, mtu: 1500}
    vms:
      vm[1-2]: {network: acme/web, hypervisor: 'hv[1-2]', address: '10.0.0.[11-12]'}
    controller: {app: controllers/virtual_network.py}
"""


def spines_of_requests(network: Network, target: str = "10.0.0.12") -> set[str]:
    """Return the spines that the frames of acme-a's latest ping crossed on their way there."""
    stories = network.stories
    return {
        node
        for packet in stories.packets(network.last_cause)
        if stories.hops(network.last_cause, packet)[0].device == "acme-a"
        for node in stories.nodes(network.last_cause, packet)
        if node in SPINES
    }


@pytest.mark.topology(QUICKSTART)
def test_pings_go_on_over_the_other_spine(network: Network) -> None:
    def ping() -> set[str]:
        assert network["acme-a"].ping("acme-b").received == 3
        return spines_of_requests(network)

    (before,) = ping()
    (other,) = SPINES - {before}
    network.set_link(f"leaf1--{before}", up=False)
    assert ping() == {other}  # the leaf itself knows at once
    network.run_for(CONVERGENCE_NS)
    assert ping() == {other}
    network.set_link(f"{before}--leaf1", up=True)
    network.run_for(CONVERGENCE_NS)
    assert ping() == {before}


@pytest.mark.topology(QUICKSTART)
def test_a_frame_on_the_link_that_is_cut_is_lost(network: Network) -> None:
    assert network["acme-a"].ping("acme-b", count=1).received == 1
    (spine,) = spines_of_requests(network)
    leaf = network.port(f"leaf1:{spine}")

    class Cutter:
        def sent(self, port: object, frame: object) -> None:
            leaf.taps = tuple(tap for tap in leaf.taps if tap is not self)
            at = network.now + 1
            network.world.scheduler.call_at(
                at, lambda _: network.set_link(f"leaf1--{spine}", False)
            )

        def received(self, port: object, frame: object) -> None:
            pass

    leaf.taps += (Cutter(),)
    result = network["acme-a"].ping("acme-b", count=5, interval="50ms")
    assert (result.sent, result.received) == (5, 4)
    (drop,) = network.stories.drops(network.last_cause)
    assert (drop.place, drop.reason) == (f"leaf1--{spine}", DropReason.CUT_IN_FLIGHT)


@pytest.mark.topology(QUICKSTART)
def test_flows_are_spread_over_both_spines(network: Network) -> None:
    """The outer UDP source port carries the inner flow's hash (RFC 7348, section 5)."""
    captures = [network.capture(f"leaf1:{spine}") for spine in sorted(SPINES)]
    for flow in range(FLOWS):
        frame = (
            Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b")
            / IP(src="10.0.0.11", dst="10.0.0.12")
            / UDP(sport=10000 + flow, dport=9)
        )
        for _ in range(2):
            network.inject("hv1:acme-a", frame)
    network.run_for("10ms")
    ways: list[dict[int, set[int]]] = []
    for capture in captures:
        outbound = [one for one in capture if one.direction is Direction.OUTBOUND]
        flows: dict[int, set[int]] = {}
        for one in outbound:
            packet = Ether(one.data)
            inner = packet[UDP].payload[Ether]
            flows.setdefault(packet[UDP].sport, set()).add(inner[UDP].sport)
        ways.append(flows)
        assert len(outbound) == 2 * sum(map(len, flows.values()))
    assert all(len(flows) > FLOWS // 4 for flows in ways)
    assert ways[0].keys() & ways[1].keys() == set()
    sent = [sport for flows in ways for sports in flows.values() for sport in sports]
    assert sorted(sent) == list(range(10000, 10000 + FLOWS))


@pytest.mark.topology(text=VM_FRAMES_TOO_BIG)
def test_what_is_too_big_for_the_underlay_is_dropped_with_both_sizes(network: Network) -> None:
    fits = 1500 - 50 - 28  # without VXLAN's 50 bytes and 28 of IP and ICMP
    assert network["vm1"].ping("vm2", size=fits, count=1).received == 1
    for size in (fits + 1, 1472):
        assert network["vm1"].ping("vm2", size=size, count=1).received == 0
        (drop,) = network.stories.drops(network.last_cause)
        assert (drop.place, drop.reason) == ("hv1.vtep", DropReason.ENCAP_TOO_BIG)
        inner = size + 28 + 14
        assert drop.detail == (
            f"a frame of {inner} B becomes a packet of {inner + 36} B, the MTU is 1500"
        )


@pytest.mark.topology(QUICKSTART)
def test_a_broadcast_goes_once_to_each_endpoint_of_its_network(network: Network) -> None:
    """Head-end replication at the sender, split horizon at the receivers."""
    nics = {name: network.capture(f"{name}.vtep:nic") for name in ("hv1", "hv2", "hv3", "hv4")}
    frame = Ether(src="02:00:00:00:00:0c", dst="ff:ff:ff:ff:ff:ff", type=0x88B5) / bytes(46)
    cause = network.inject("hv1:globex-c", frame)
    network.run_for("10ms")
    vteps = {
        name: hypervisor.vtep.address for name, hypervisor in network.plant.hypervisors.items()
    }

    sent = [Ether(one.data) for one in nics["hv1"] if one.direction is Direction.OUTBOUND]
    assert sorted(packet[IP].dst for packet in sent) == [str(vteps["hv3"]), str(vteps["hv4"])]
    assert {packet[VXLAN].vni for packet in sent} == {GLOBEX}
    assert {bytes(packet[VXLAN].payload) for packet in sent} == {bytes(frame)}

    for name in ("hv3", "hv4"):
        assert [one.direction for one in nics[name]] == [Direction.INBOUND]
    assert len(nics["hv2"]) == 0  # no machine of globex is there
    machines = {"globex-a", "globex-b", "globex-web-dhcp"}
    assert {drop.place for drop in network.stories.drops(cause)} == machines
