"""Hosts with several interfaces, as files describe them, at work."""

from __future__ import annotations

import pytest

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.drops import DropReason
from sdnvirt.network.checks import Checks
from sdnvirt.network.network import Network
from sdnvirt.network.report import make_report

ROUTED = """
    name: routed
    switches:
      b1: {kind: bridge}
    hosts:
      h1: {address: 10.0.1.1/24, gateway: 10.0.1.254, ipv6: true}
      r1:
        forward: true
        interfaces:
          h1: {address: 10.0.1.254/24, addresses: ['2001:db8:1::fe/64'], advertise: true}
          b1:
            vlans:
              5: {address: 10.5.0.254/24, addresses: ['2001:db8:5::fe/64'], mtu: 1400}
        routes: [{to: 10.9.0.0/16, via: 10.5.0.9}]
        dns: [10.5.0.53, '2001:db8:5::53']
      h5: {address: 10.5.0.9/24, addresses: ['2001:db8:5::9/64', 10.9.0.1/32],
           gateway: 10.5.0.254, gateway6: '2001:db8:5::fe'}
    links:
      - {between: [h1, r1]}
      - {between: [r1, b1], trunk: [5]}
      - {between: [h5, b1], vlan: 5}
    checks:
      - {at: 5s, ping: {from: h1, to: h5}, via: r1}
      - {at: 5s, ping: {from: h5, to: h1}, via: b1}
      - {at: 5s, ping: {from: h1, to: '2001:db8:5::9'}}
      - {at: 5s, connectivity: {}}
"""

pytestmark = pytest.mark.topology(text=ROUTED)

SETTLED_NS = 5_000_000_000
"""Router advertisements have come, and IPv6 addresses are known to be unique."""


@pytest.fixture
def settled(network: Network) -> Network:
    network.run_until(SETTLED_NS)
    return network


def test_the_checks_of_the_file_hold(network: Network) -> None:
    checks = Checks(network)
    network.run_until(4 * SETTLED_NS)
    assert not checks.pending
    assert [result.why for result in checks.results()] == ["", "", "", ""]


BESIDE = """
    name: beside
    switches:
      s[1-2]: {kind: bridge}
    hosts:
      h[1-2]: {address: '10.0.0.[1-2]/24'}
      r1:
        forward: true
        interfaces:
          s1: {address: 10.0.0.254/24}
          s2: {address: 10.1.0.254/24}
    links:
      - {between: ['h[1-2]', 's[1-2]']}
      - {between: [s1, s2]}
      - {between: [r1, s1]}
      - {between: [r1, s2], vlan: 2}
    checks:
      - {at: 1s, connectivity: {}}
      - {at: 5s, connectivity: {}}
"""


@pytest.mark.topology(text=BESIDE)
def test_a_way_through_a_router_makes_no_neighbours(network: Network) -> None:
    checks = Checks(network)
    network.run_until("3s")
    network.set_link("s1--s2", up=False)
    network.run_until("20s")
    assert [(one.held, one.figures, one.why) for one in checks.results()] == [
        (True, "3 of 3 pairs connected", ""),
        (True, "1 of 3 pairs connected", ""),
    ]


@pytest.mark.parametrize("target", ["h5", "10.9.0.1", "2001:db8:5::9", "r1"])
def test_a_router_forwards_by_its_subnets_and_routes(settled: Network, target: str) -> None:
    assert settled["h1"].ping(target).received == 3


def test_what_passes_a_vlan_of_a_trunk_is_tagged_there_only(settled: Network) -> None:
    ports = "r1:h1", "r1:b1", "h5:b1"
    captures = [settled.capture(port) for port in ports]
    assert settled["h1"].ping("h5", count=1).received == 1
    ethertypes = [{frame.data[12:14].hex() for frame in one.frames} for one in captures]
    assert ethertypes == [{"0806", "0800"}, {"8100"}, {"0806", "0800"}]


def test_a_host_learns_its_prefix_and_router_from_an_advertisement(settled: Network) -> None:
    h1, r1 = settled["h1"].host, settled["r1"].host
    assert any(str(one).startswith("2001:db8:1:") for one in h1.interface.addresses)
    via = h1.ip.routes.lookup(Ipv6("2001:db8:5::9"))
    assert via is not None
    assert via.gateway == r1.interfaces[1].link_local


def test_interfaces_have_their_names_and_mtus_and_hosts_their_name_servers(
    settled: Network,
) -> None:
    r1 = settled["r1"].host
    assert [(one.name, one.mtu) for one in r1.all_interfaces()] == [
        ("h1", 1500),
        ("b1", 1500),
        ("b1.5", 1400),
    ]
    assert r1.dns_servers == (Ipv4("10.5.0.53"), Ipv6("2001:db8:5::53"))


def test_a_node_is_known_by_the_first_address_that_it_has(settled: Network) -> None:
    assert settled["r1"].address == Ipv4("10.0.1.254")
    r1 = settled["r1"].host
    r1.unconfigure(r1.interfaces[1])
    assert settled["h5"].address_of("r1") == Ipv4("10.5.0.254")  # of the interface on VLAN 5
    r1.unconfigure(r1.interfaces[2].vlans[5])
    assert settled["h5"].address_of("r1") == Ipv6("2001:db8:1::fe")


def test_a_packet_too_big_for_the_next_link_is_told(settled: Network) -> None:
    assert settled["h1"].ping("h5", count=1, size=1372).received == 1  # 1400 bytes in all
    result = settled["h1"].ping("h5", count=1, size=1373)
    assert (result.received, settled.world.ledger.drops["r1", DropReason.TOO_BIG]) == (0, 1)
    assert result.errors == ("from 10.0.1.254: fragmentation needed",)


@pytest.mark.topology(text=ROUTED.replace("forward: true", "").replace(", advertise: true", ""))
def test_a_host_that_was_not_told_to_forward_does_not(settled: Network) -> None:
    assert settled["h1"].ping("10.5.0.9").received == 0
    assert settled["h1"].ping("r1").received == 3


def test_the_graph_and_the_report_know_a_router_as_a_host(settled: Network) -> None:
    assert settled.graph.nodes["r1"]["kind"] == "host"
    assert sorted(settled.graph["r1"]) == ["b1", "h1"]
    report = make_report(settled, [], "", 0, 0, False)
    assert report.built == {"switches": 1, "hosts": 3, "links": 3}
    assert [one.name for one in report.traffic] == ["VLAN 5", "hosts"]
