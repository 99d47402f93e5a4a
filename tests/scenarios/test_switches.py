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
