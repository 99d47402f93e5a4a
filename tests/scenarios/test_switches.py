"""Bridges with VLANs, and an OpenFlow switch that learns."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.l2 import ARP, Dot1Q, Ether

from sdnvirt.network.network import Network
from sdnvirt.openflow.v13.flow import FlowStatsRequest

VLANS = {"red": 10, "blue": 20, "plain": None}  # None: the native VLAN, untagged on the trunk


@pytest.mark.topology("topologies/vlan-trunk.yaml")
@pytest.mark.parametrize("colour", VLANS)
def test_a_vlan_is_a_network_of_its_own(network: Network, deliveries: Any, colour: str) -> None:
    frame = Ether(src="02:00:00:00:00:01", dst="ff:ff:ff:ff:ff:ff") / ARP(
        hwsrc="02:00:00:00:00:01", psrc="192.168.1.77", pdst="192.168.1.78"
    )
    with network.capture("b1:b2") as trunk:
        cause = network.inject(f"b1:{colour}1", frame)
        network.run_for("100ms")
    (tagged,) = trunk.packets
    assert (tagged[Dot1Q].vlan if Dot1Q in tagged else None) == VLANS[colour]
    assert deliveries.receivers(cause) == [f"{colour}2"]


@pytest.mark.topology("topologies/vlan-trunk.yaml")
def test_only_the_own_vlan_answers(network: Network) -> None:
    assert network["red1"].ping("red2").received == 3
    assert network["red1"].ping("blue1", count=1).received == 0
    assert network["red1"].ping("plain2", count=1).received == 0


@pytest.mark.topology("topologies/learning-switch.yaml")
def test_a_learning_switch_asks_its_controller_only_about_what_is_new(network: Network) -> None:
    datapath = network.plant.switches["s1"].datapath

    def packet_ins() -> int:
        (miss,) = (one for one in datapath.entries(FlowStatsRequest()) if one.priority == 0)
        return miss.packets

    assert packet_ins() == 0
    assert network["h1"].ping("h2", count=1).received == 1
    assert packet_ins() == 3  # the ARP request, its answer, the echo request
    assert network["h1"].ping("h2", count=10).received == 10
    assert network["h2"].ping("h1", count=10).received == 10
    assert packet_ins() == 3


@pytest.mark.topology("topologies/learning-switch.yaml", controller="none")
def test_without_a_controller_the_switch_forwards_nothing(network: Network) -> None:
    result = network["h1"].ping("h2", count=1)
    assert result.received == 0
    assert {drop.place for drop in network.stories.drops(network.last_cause)} == {"s1"}


STANDALONE = """
    name: standalone
    switches: {s1: {kind: openflow, fail_mode: standalone}}
    hosts: {'h[1-2]': {address: '10.0.0.[1-2]/24'}}
    links: [{between: ['h[1-2]', s1]}]
    controller: {app: controllers/learning_switch.py}
"""


@pytest.mark.topology(text=STANDALONE, controller="none")
def test_a_standalone_switch_is_a_bridge_without_its_controller(network: Network) -> None:
    assert network["h1"].ping("h2").received == 3
    assert [entry.port for entry in network.plant.switches["s1"].fdb()] == ["h1", "h2"]


@pytest.mark.topology(text=STANDALONE)
def test_a_standalone_switch_does_what_a_controller_says(network: Network) -> None:
    assert network["h1"].ping("h2").received == 3
    assert network.plant.switches["s1"].fdb() == []


@pytest.mark.topology("topologies/queues.yaml")
def test_queues_keep_a_busy_sender_from_a_quiet_one(network: Network) -> None:
    """Without queues, the quiet one waits behind what the busy one has sent, as all others do."""
    queues = network.plant.switches["s1"].queues[3].numbered
    server, quiet = network["server"], network["quiet"]
    busy = network["busy"].host.start_ping(server.address, 500, interval_ns=10**6, size=1400)
    figures = quiet.ping("server", count=20, interval="10ms", timeout="10ms")
    assert figures.received == 20
    assert queues[2].tx_packets == 20 + 1  # and an ARP answer
    network.run_until("3s")
    # 1400 bytes and their headers, at the 4 Mbit/s that the queue never passes
    assert busy.result().duration_ns / 10**9 == pytest.approx(500 * 1442 * 8 / 4e6, rel=0.01)


DISTANT = """
    name: distant
    switches: {s1: {kind: openflow}}
    hosts: {'h[1-2]': {address: '10.0.0.[1-2]/24'}}
    links: [{between: ['h[1-2]', s1]}]
    controller: {app: ryu.app.simple_switch_13, delay: 7ms}
"""


@pytest.mark.topology(text=DISTANT)
def test_a_file_says_how_far_away_its_controller_is(network: Network) -> None:
    network.run_until("1s")  # the handshake, too, takes its time
    first, second = (network["h1"].ping("h2", count=1).rtts_ns[0] for _ in range(2))
    # It is asked about three packets, ARP, its answer and the echo, which make two round trips.
    assert first - 2 * second == 3 * 2 * 7_000_000


DISCOVERED = """
    name: discovered
    fabric: {linear: {nodes: 2}}
    controller: {app: ryu.app.rest_topology, options: {observe-links: true}}
"""


@pytest.mark.topology(text=DISCOVERED)
def test_a_file_names_options_of_ryu(network: Network) -> None:
    network.run_until("3s")
    _, links = network.controller.rest("GET", "/v1.0/topology/links")
    assert len(links) == 2
