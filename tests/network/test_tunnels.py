"""Tunnel ports that a hypervisor gets while the network runs."""

from __future__ import annotations

from typing import Any

from scapy.layers.l2 import Ether
from scapy.layers.vxlan import VXLAN

from sdnvirt.addresses import Ipv4
from sdnvirt.network.network import RUNTIME_PORT_BASE, Network
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output, SetField
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match

TWO = """
    name: two
    underlay: {routers: [r1]}
    hypervisors: {"hv[1-2]": {attach: r1}}
    tenants: {acme: {networks: {web: {vni: 10, subnet: 10.0.0.0/24}}}}
    vms: {"vm[1-2]": {network: acme/web, hypervisor: "hv[1-2]", address: "10.0.0.[1-2]"}}
"""
VTEPS = {"hv1": Ipv4("172.16.0.1"), "hv2": Ipv4("172.16.0.2")}


def connect(network: Network, a: int, b: int) -> FlowMod:
    return FlowMod(match=Match.of(in_port=a), instructions=(ApplyActions((Output(b),)),))


def test_a_tunnel_that_is_added_carries_its_network(load_network: Any) -> None:
    network: Network = load_network(text=TWO)
    for here, there in (("hv1", "hv2"), ("hv2", "hv1")):
        tunnel = network.add_tunnel(here, "vx10", VTEPS[there], 10)
        port = tunnel.switch_port.number
        assert port == RUNTIME_PORT_BASE
        switch = network.plant.switches[here]
        switch.modify_flow(connect(network, 1, port))
        switch.modify_flow(connect(network, port, 1))
    assert network["vm1"].ping("vm2", count=2).received == 2
    assert network.plant.hypervisors["hv1"].vtep.traffic()[10].tx_frames == 3  # ARP, and two
    network.plant.hypervisors["hv2"].remove_tunnel(tunnel)
    assert network["vm1"].ping("vm2", count=1).received == 0
    assert network.world.ledger.imbalance() == 0


def test_a_port_that_comes_later_is_observed_and_traced(load_network: Any) -> None:
    network: Network = load_network(text=TWO)
    network.add_tunnel("hv1", "vx10", VTEPS["hv2"], 10)
    before = network.trace.hops
    network.inject("hv1:vx10", Ether())
    network.run_for("1ms")
    assert network.trace.hops == before + 1


def test_flow_entries_say_where_a_flow_based_tunnel_leads(load_network: Any) -> None:
    """One port for all: out by VNI and endpoint, in by what the outer packet said."""
    network: Network = load_network(text=TWO)
    for here, there in (("hv1", "hv2"), ("hv2", "hv1")):
        port = network.add_flow_tunnel(here, "vxlan0").switch_port.number
        away = (
            SetField(oxm.TUNNEL_ID, 77),  # a network that the topology knows nothing of
            SetField(nxm.TUN_IPV4_DST, int.from_bytes(VTEPS[there], "big")),
            Output(port),
        )
        switch = network.plant.switches[here]
        switch.modify_flow(FlowMod(match=Match.of(in_port=1), instructions=(ApplyActions(away),)))
        came = Match.of(
            in_port=port,
            tunnel_id=77,
            tun_ipv4_src=int.from_bytes(VTEPS[there], "big"),
            tun_ipv4_dst=int.from_bytes(VTEPS[here], "big"),
        )
        switch.modify_flow(FlowMod(match=came, instructions=(ApplyActions((Output(1),)),)))
    with network.capture("r1:hv1") as underlay:
        assert network["vm1"].ping("vm2", count=2).received == 2
    assert {packet[VXLAN].vni for packet in underlay.packets} == {77}
    assert network.world.ledger.imbalance() == 0
    text = "\n".join(network["hv1"].explain(1, Ether(src="02:00:00:00:00:01")))
    assert "with tunnel id 77 for 172.16.0.2" in text
