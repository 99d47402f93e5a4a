"""Two tenants with equal addresses on the same hypervisors: no leak, or one that is caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

from sdnvirt.drops import DropReason
from sdnvirt.network.network import Network
from sdnvirt.network.report import Report
from sdnvirt.openflow.v13.actions import Output, SetField
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.oxm import BY_NAME

QUICKSTART = "topologies/quickstart.yaml"
ACME, GLOBEX = 70001, 70002
RESOLVE, FORWARD = 1, 3  # tables of controllers/virtual_network.py
ABOVE_ALL = 1000  # a priority that the app does not use

BROADCAST = "ff:ff:ff:ff:ff:ff"
EXPERIMENTAL = 0x88B5  # IEEE 802, for local experiments

MEMBERS = {
    "acme": {"acme-a", "acme-b", "acme-web-dhcp"},
    "globex": {"globex-a", "globex-b", "globex-c", "globex-web-dhcp"},
}
VMS = sorted(name for members in MEMBERS.values() for name in members if "dhcp" not in name)

pytestmark = pytest.mark.topology(QUICKSTART)


def mac(network: Network, name: str) -> str:
    return str(network[name].port().mac)


def switch_port(network: Network, vm: str) -> str:
    """Return the name of the port of the virtual switch that a machine is plugged into."""
    return network.plant.peers[network[vm].port()].full_name


def test_dhcp_hands_out_the_addresses_of_the_file(network: Network) -> None:
    leases = {name: network.plant.hosts[name].lease for name in VMS}
    assert {name: str(lease and lease.address.ip) for name, lease in leases.items()} == {
        "acme-a": "10.0.0.11",
        "acme-b": "10.0.0.12",
        "globex-a": "10.0.0.11",
        "globex-b": "10.0.0.12",
        "globex-c": "10.0.0.13",
    }
    assert {str(lease and lease.server) for lease in leases.values()} == {"10.0.0.2"}


def test_twins_do_not_see_each_other(network: Network, deliveries: Any) -> None:
    acme, globex = network["acme-b"], network["globex-b"]
    assert (acme.port().mac, acme.address) == (globex.port().mac, globex.address)
    before = globex.port().rx_packets
    assert network["acme-a"].ping("acme-b").received == 3
    assert globex.port().rx_packets == before
    assert deliveries.frames
    for name, frame in deliveries.frames:
        assert frame.provenance.tenant == name.partition("-")[0]
    assert network.plant.monitor.deliveries > 0


@pytest.mark.parametrize("vm", VMS)
def test_a_broadcast_reaches_each_machine_of_its_network_once(
    network: Network, deliveries: Any, vm: str
) -> None:
    frame = Ether(src=mac(network, vm), dst=BROADCAST, type=EXPERIMENTAL) / bytes(46)
    cause = network.inject(switch_port(network, vm), frame)
    network.run_for("100ms")
    assert deliveries.receivers(cause) == sorted(MEMBERS[vm.partition("-")[0]] - {vm})


def test_a_forged_source_address_gets_no_further_than_the_vnic(
    network: Network, deliveries: Any
) -> None:
    frame = Ether(src="02:00:00:00:00:0c", dst=BROADCAST, type=EXPERIMENTAL) / bytes(46)
    cause = network.inject(switch_port(network, "acme-a"), frame)
    network.run_for("100ms")
    assert deliveries.receivers(cause) == []
    (drop,) = network.stories.drops(cause)
    assert (drop.place, drop.reason) == ("hv1", DropReason.TABLE_MISS)


def test_arp_is_answered_on_the_hypervisor(network: Network) -> None:
    nics = [network.capture(f"hv{number}.vtep:nic") for number in (1, 2, 3, 4)]
    with network.capture("acme-a:eth0") as vnic:
        assert network["acme-a"].ping("acme-b", count=1).received == 1
    request, reply = (packet[ARP] for packet in vnic.packets if ARP in packet)
    assert (request.pdst, reply.psrc, reply.hwsrc) == (
        "10.0.0.12",
        "10.0.0.12",
        "02:00:00:00:00:0b",
    )
    tunnelled = [packet for nic in nics for packet in nic.packets]
    assert tunnelled
    assert [packet for packet in tunnelled if ARP in packet] == []


def leak_to_a_vnic(network: Network) -> None:
    """Let acme's frames for acme-b go to globex-c, which is on the same hypervisor as acme-a."""
    port = network.port("hv1:globex-c").number
    network.plant.switches["hv1"].modify_flow(
        FlowMod(
            table_id=FORWARD,
            priority=ABOVE_ALL,
            match=Match.of(tunnel_id=ACME, eth_dst=network["acme-b"].port().mac),
            instructions=(ApplyActions((Output(port),)),),
        )
    )


def leak_by_a_wrong_vni(network: Network) -> None:
    """Take acme-a for a machine of globex."""
    network.plant.switches["hv1"].modify_flow(
        FlowMod(
            table_id=0,
            priority=ABOVE_ALL,
            match=Match.of(in_port=network.port("hv1:acme-a").number),
            instructions=(
                ApplyActions((SetField(BY_NAME["tunnel_id"], GLOBEX),)),
                GotoTable(RESOLVE),
            ),
        )
    )


@pytest.mark.topology(QUICKSTART, allow_violations=True)
@pytest.mark.parametrize(
    ("leak", "victim"),
    [(leak_to_a_vnic, "globex-c"), (leak_by_a_wrong_vni, "globex-b")],
    ids=["to a vNIC", "by a wrong VNI"],
)
def test_a_leak_is_caught(
    network: Network,
    report_of: Callable[[Network], Report],
    leak: Callable[[Network], None],
    victim: str,
) -> None:
    network["acme-a"].ping("acme-b")  # what caches hold now must not hide the leak
    assert report_of(network).held
    leak(network)
    network["acme-a"].ping("acme-b", count=1)
    (violation,) = network.plant.monitor.violations
    assert (violation.port, violation.network) == (f"{victim}:eth0", "globex/web")
    assert (violation.origin, violation.origin_network) == ("acme-a", "acme/web")
    assert not report_of(network).held


def test_what_comes_from_the_underlay_must_be_of_a_known_network(
    network: Network, deliveries: Any
) -> None:
    """hv2 takes part in acme's network only; a packet of globex's VNI ends at its endpoint."""
    from scapy.layers.vxlan import VXLAN

    hv1, hv2 = (network.plant.hypervisors[name].vtep for name in ("hv1", "hv2"))
    router = network.plant.peers[hv2.nic]
    outer = (
        Ether(src=str(router.mac), dst=str(hv2.nic.mac))
        / IP(src=str(hv1.address), dst=str(hv2.address))
        / UDP(sport=50000, dport=4789, chksum=0)
    )
    inner = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b", type=EXPERIMENTAL) / bytes(46)
    causes = {
        vni: network.inject("hv2.vtep:nic", outer / VXLAN(vni=vni, flags="Instance") / inner)
        for vni in (ACME, GLOBEX)
    }
    network.run_for("10ms")
    assert deliveries.receivers(causes[ACME]) == ["acme-b"]
    assert deliveries.receivers(causes[GLOBEX]) == []
    (drop,) = network.stories.drops(causes[GLOBEX])
    assert str(drop) == "hv2.vtep: the VNI is not one of this VTEP's networks (VNI 70002)"
