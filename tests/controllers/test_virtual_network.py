"""The tenant overlay, on the datapaths of hypervisors.

Addresses are those of topologies/quickstart.yaml: two tenants with the same ones.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sdnvirt import topology
from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.openflow.v13.constants import OFPP
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.packets import PacketOut
from sdnvirt.topology.resolved import Vnic
from sdnvirt.wire.arp import Arp, ArpOp
from sdnvirt.wire.ethernet import Ethernet, EtherType

ROOT = Path(__file__).parents[2]
QUICKSTART = topology.load(ROOT / "topologies" / "quickstart.yaml")
BROADCAST = Mac("ff:ff:ff:ff:ff:ff")
NOBODY = Mac(0)
DISCOVERY = bytes.fromhex("4500001c 00000000 4011 0000 00000000 ffffffff 0044 0043 0008 0000")


@pytest.fixture
def data_centre(run: Any, program: Any) -> dict[str, Any]:
    """The datapath of each hypervisor, by name."""
    network = run("virtual_network", "quickstart")
    datapaths = {}
    for hypervisor in QUICKSTART.hypervisors:
        vnics = [vnic.port for vnic in QUICKSTART.vnics if vnic.hypervisor == hypervisor.name]
        ports = [*vnics, *(tunnel.port for tunnel in hypervisor.tunnels)]
        datapaths[hypervisor.name] = program(network.switch(hypervisor.dpid, ports))
    assert not any(datapath.switch.messages(PacketOut) for datapath in datapaths.values())
    return datapaths


def members(network: str) -> list[Vnic]:
    return [vnic for vnic in QUICKSTART.vnics if vnic.network == network]


def tunnel(near: str, far: str) -> int:
    (hypervisor,) = (one for one in QUICKSTART.hypervisors if one.name == near)
    return next(tunnel.port for tunnel in hypervisor.tunnels if tunnel.remote == far)


def datagram(dst: bytes, src: bytes) -> bytes:
    return dst + src + b"\x08\x00\x45" + bytes(45)


def arp_request(asker: Vnic, target: Ipv4, sender: Ipv4 | None = None) -> bytes:
    own = asker.address if sender is None else sender
    asked = Arp(ArpOp.REQUEST, asker.mac, own, NOBODY, target)
    return Ethernet(BROADCAST, asker.mac, EtherType.ARP, asked.emit()).emit()


NETWORKS = [network.name for network in QUICKSTART.networks]
PAIRS = [(a, b) for name in NETWORKS for a in members(name) for b in members(name) if a != b]


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=lambda vnic: vnic.owner)
def test_members_reach_each_other_and_resolve_each_other_at_once(
    data_centre: dict[str, Any], a: Vnic, b: Vnic
) -> None:
    vni = QUICKSTART.network(a.network).vni
    sent = data_centre[a.hypervisor].send(a.port, datagram(b.mac, a.mac))
    if a.hypervisor == b.hypervisor:
        assert sent == [(b.port, datagram(b.mac, a.mac), vni)]
    else:
        assert sent == [(tunnel(a.hypervisor, b.hypervisor), datagram(b.mac, a.mac), vni)]
        back = tunnel(b.hypervisor, a.hypervisor)
        assert data_centre[b.hypervisor].ports(back, sent[0][1], vni) == [b.port]

    ((port, data, _),) = data_centre[a.hypervisor].send(a.port, arp_request(a, b.address))
    assert port in (a.port, OFPP.IN_PORT)
    answer = Ethernet.parse(data)
    assert (answer.dst, answer.src) == (a.mac, b.mac)
    assert Arp.parse(answer.payload) == Arp(ArpOp.REPLY, b.mac, b.address, a.mac, a.address)


def any_vnic() -> Vnic:
    return members(NETWORKS[0])[0]


def test_a_frame_with_a_forged_source_address_is_dropped(data_centre: dict[str, Any]) -> None:
    one, other = members(NETWORKS[0])[:2]
    forged = datagram(other.mac, other.mac)
    assert data_centre[one.hypervisor].send(one.port, forged) == []


def test_unknown_addresses_are_dropped_whether_asked_for_or_sent_to(
    data_centre: dict[str, Any],
) -> None:
    vnic = any_vnic()
    switch = data_centre[vnic.hypervisor]
    assert switch.send(vnic.port, datagram(Mac(0x02FFFFFFFFFF), vnic.mac)) == []
    assert switch.send(vnic.port, arp_request(vnic, Ipv4("10.99.99.99"))) == []


def test_nobody_answers_a_host_that_asks_for_its_own_address(data_centre: dict[str, Any]) -> None:
    vnic = any_vnic()
    switch = data_centre[vnic.hypervisor]
    announcement = arp_request(vnic, vnic.address)
    probe = arp_request(vnic, vnic.address, sender=Ipv4("0.0.0.0"))
    assert switch.send(vnic.port, announcement) == switch.send(vnic.port, probe) == []


def test_an_address_that_is_taken_is_defended(data_centre: dict[str, Any]) -> None:
    one, other = members(NETWORKS[0])[:2]
    probe = arp_request(one, other.address, sender=Ipv4("0.0.0.0"))
    assert len(data_centre[one.hypervisor].send(one.port, probe)) == 1


@pytest.mark.parametrize("network", NETWORKS)
def test_broadcasts_reach_every_member_once_and_no_other_network(
    data_centre: dict[str, Any], network: str
) -> None:
    vni = QUICKSTART.network(network).vni
    for sender in members(network):
        here = sender.hypervisor
        reached = []
        for port, data, _ in data_centre[here].send(sender.port, datagram(BROADCAST, sender.mac)):
            far = next(
                (one for one in data_centre if one != here and tunnel(here, one) == port), ""
            )
            if far:
                ports = data_centre[far].ports(tunnel(far, here), data, vni)
                assert ports, "a copy for a hypervisor without members"
                reached += [(far, port) for port in ports]
            else:
                reached.append((here, port))
        others = [vnic for vnic in members(network) if vnic != sender]
        assert sorted(reached) == sorted((vnic.hypervisor, vnic.port) for vnic in others)


def test_what_came_out_of_a_tunnel_never_goes_into_another(data_centre: dict[str, Any]) -> None:
    for network in QUICKSTART.networks:
        for vnic in members(network.name):
            for name, switch in data_centre.items():
                for far in data_centre:
                    if far != name:
                        for target in (vnic.mac, BROADCAST):
                            frame = datagram(target, NOBODY)
                            ports = switch.ports(tunnel(name, far), frame, network.vni)
                            assert all(port < 1 << 16 for port in ports)


@pytest.mark.parametrize("network", [one.name for one in QUICKSTART.networks if one.dhcp])
def test_dhcp_discovery_reaches_the_server_and_nobody_else(
    data_centre: dict[str, Any], network: str
) -> None:
    of = QUICKSTART.network(network)
    assert of.dhcp is not None
    server = next(vnic for vnic in members(network) if vnic.owner == of.dhcp.function)
    for vnic in members(network):
        if vnic == server:
            continue
        discovery = BROADCAST + vnic.mac + b"\x08\x00" + DISCOVERY
        (port,) = data_centre[vnic.hypervisor].ports(vnic.port, discovery)
        if vnic.hypervisor != server.hypervisor:
            assert port == tunnel(vnic.hypervisor, server.hypervisor)
            back = tunnel(server.hypervisor, vnic.hypervisor)
            (port,) = data_centre[server.hypervisor].ports(back, discovery, of.vni)
        assert port == server.port


def test_a_tunnel_carries_only_networks_that_both_ends_have(data_centre: dict[str, Any]) -> None:
    vnic = any_vnic()
    elsewhere = replace(vnic, port=tunnel(vnic.hypervisor, other_than(vnic.hypervisor)))
    frame = datagram(vnic.mac, NOBODY)
    assert data_centre[vnic.hypervisor].send(elsewhere.port, frame, tunnel_id=0xABCDEF) == []


def other_than(name: str) -> str:
    return next(one.name for one in QUICKSTART.hypervisors if one.name != name)


def test_every_entry_says_what_it_is_for(data_centre: dict[str, Any]) -> None:
    for datapath in data_centre.values():
        deletion, *entries = datapath.switch.messages(FlowMod)
        assert deletion.command == 3
        assert all(entry.cookie for entry in entries)


def test_a_switch_that_is_no_hypervisors_is_left_alone(run: Any) -> None:
    network = run("virtual_network", "quickstart")
    assert network.switch(0xDEAD).messages(FlowMod) == []


def test_without_a_topology_the_app_says_so(run: Any) -> None:
    with pytest.raises(Exception, match=r"app virtual_network raised in __init__.*no topology"):
        run("virtual_network")
