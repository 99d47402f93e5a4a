"""Interfaces that are set down and up (RFC 2863, ifAdminStatus), and what others see of it."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Interface
from random import Random

import pytest

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.drops import DropReason
from sdnvirt.host.addressing import AddressState
from sdnvirt.host.membership import ROBUSTNESS
from sdnvirt.host.routes import NoRoute
from sdnvirt.host.udp import UdpSocket
from sdnvirt.network.network import Network

PREFIX = {"IPv4": "10.0.0.1/24", "IPv6": "2001:db8::1/64"}


def pings(pair, ip) -> int:
    """Return how many of two pings are answered."""
    ping = pair.alice.start_ping(ip.bob, 2, interval_ns=10**8)
    pair.run(3)
    return ping.result().received


def routes(pair) -> list[str]:
    return [str(route) for route in pair.alice.routes]


def test_a_link_carries_frames_while_both_interfaces_are_up(dual) -> None:
    alice, bob = dual.alice.interface, dual.bob.interface
    alice.set_up(False)
    assert (dual.link.up, alice.port.up, bob.port.up) == (False, False, False)
    bob.set_up(False)
    alice.set_up(True)
    assert not dual.link.up
    bob.set_up(True)
    assert (dual.link.up, alice.port.up, bob.port.up) == (True, True, True)


def test_a_link_that_was_pulled_out_meanwhile_stays_down(pair) -> None:
    pair.alice.interface.set_up(False)
    pair.link.set_up(False)
    pair.alice.interface.set_up(True)
    assert not pair.link.up
    pair.link.set_up(True)
    assert pair.link.up


def test_what_is_on_the_way_is_lost_and_what_is_sent_is_too(dual, ip) -> None:
    assert pings(dual, ip) == 2
    ledger = dual.world.ledger
    received = UdpSocket(dual.bob, 7, lambda *_: pytest.fail("nothing arrives"))
    UdpSocket(dual.alice, 0, lambda *_: None).send(ip.bob, received.port, b"on its way")
    dual.alice.interface.set_up(False)
    dual.run(0.1)
    assert ledger.drops["alice--bob", DropReason.CUT_IN_FLIGHT] == 1
    dual.alice.interface.arp.announce(Ipv4("10.0.0.1"))  # a program that sends all the same
    assert ledger.drops["alice:bob", DropReason.INTERFACE_DOWN] == 1
    UdpSocket(dual.bob, 0, lambda *_: None).send(ip.alice, 7, b"to nobody")
    dual.run(0.1)
    assert ledger.drops["alice--bob", DropReason.LINK_DOWN] >= 1


def test_routes_leave_and_those_of_addresses_of_ipv4_come_back(dual) -> None:
    alice = dual.alice
    alice.ip.add_route(IPv4Interface("10.7.0.0/16").network, Ipv4("10.0.0.2"))
    alice.interface.set_up(False)
    assert routes(dual) == []
    assert alice.ip.path(Ipv4("10.0.0.2")) == NoRoute(Ipv4("10.0.0.2"))
    assert alice.ip.path(Ipv6("2001:db8::2")) == NoRoute(Ipv6("2001:db8::2"))
    alice.interface.set_up(True)
    assert routes(dual) == ["10.0.0.0/24 dev bob", "fe80::/64 dev bob", "ff00::/8 dev bob"]


def test_addresses_of_ipv4_stay_and_those_of_ipv6_go(dual) -> None:
    interface = dual.alice.interface
    interface.set_up(False)
    assert list(interface.addresses) == [Ipv4("10.0.0.1")]
    interface.set_up(True)
    (link_local,) = (one for one in interface.addresses.values() if isinstance(one.address, Ipv6))
    assert link_local.address.is_link_local
    assert link_local.state is AddressState.TENTATIVE
    dual.run(3)
    assert link_local.state is AddressState.PREFERRED


def test_neighbours_are_forgotten(dual, ip) -> None:
    assert pings(dual, ip) == 2
    resolver = dual.alice.interface.resolver(ip.bob)
    assert len(resolver.neighbours)
    dual.alice.interface.set_up(False)
    assert len(resolver.neighbours) == 0


def test_up_again_it_speaks_again(dual, ip) -> None:
    interface = dual.alice.interface
    interface.set_up(False)
    refused = dual.alice.start_ping(ip.bob, 1)
    dual.run(1)
    assert refused.result().received == 0
    interface.set_up(True)
    dual.alice.add_address(IPv6Interface(PREFIX["IPv6"]))
    dual.run(4)
    assert pings(dual, ip) == 2


def test_an_address_that_is_given_while_it_is_down_is_used_when_it_is_up(pair) -> None:
    interface = pair.alice.interface
    interface.set_up(False)
    pair.alice.add_address(IPv4Interface("10.5.0.1/24"))
    pair.alice.add_address(IPv6Interface("2001:db8:5::1/64"))
    pair.run(3)
    given = interface.addresses[Ipv6("2001:db8:5::1")]
    assert (routes(pair), given.state) == ([], AddressState.TENTATIVE)
    interface.set_up(True)
    pair.run(3)
    assert "10.5.0.0/24 dev bob" in routes(pair)
    assert "2001:db8:5::/64 dev bob" in routes(pair)
    assert given.state is AddressState.PREFERRED
    assert pair.world.ledger.by_reason().get(DropReason.INTERFACE_DOWN, 0) == 0


def test_groups_of_programs_are_told_again(wired6, ip) -> None:
    group = Ipv4("239.1.2.3") if ip.is_v4 else Ipv6("ff05::123")
    host, wire = wired6.host, wired6.wire
    UdpSocket(host, 7, lambda *_: None).join(group)
    wired6.world.scheduler.run_until(20 * 10**9)
    wire.heard.clear()
    host.interface.set_up(False)
    wired6.world.scheduler.run_until(25 * 10**9)
    assert wire.heard == []
    host.interface.set_up(True)
    wired6.world.scheduler.run_until(30 * 10**9)
    reports = Ipv4("224.0.0.22") if ip.is_v4 else Ipv6("ff02::16")
    told = [data for data in wire.heard if data[:6] == reports.group_mac and group in data]
    assert len(told) == ROBUSTNESS


def test_a_connection_outlives_it(dual) -> None:
    got: list[bytes] = []

    def accept(connection) -> None:
        connection.on_data = got.append

    dual.bob.tcp.listen(80, accept)
    connection = dual.alice.tcp.connect(Ipv4("10.0.0.2"), 80)
    dual.run(1)
    dual.alice.interface.set_up(False)
    connection.write(b"hello")
    dual.run(1)
    assert got == []
    dual.alice.interface.set_up(True)
    dual.run(10)
    assert b"".join(got) == b"hello"


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_every_frame_is_accounted_for(dual, seed: int) -> None:
    random = Random(seed)
    vlans = [host.add_vlan(5) for host in (dual.alice, dual.bob)]
    lo = dual.alice.loopback
    steps = [
        lambda: random.choice([dual.alice, dual.bob]).interface.set_up(random.random() < 0.6),
        lambda: [one.set_up(not one.admin_up) for one in vlans if one.parent.admin_up],
        lambda: dual.link.set_up(random.random() < 0.6),
        lambda: lo.set_up(random.random() < 0.6),
        lambda: dual.alice.add_address(IPv6Interface("2001:db8::1/64")),
        lambda: (dual.bob.crash(), dual.bob.restart()),
        lambda: dual.alice.start_ping(random.choice([Ipv4("10.0.0.2"), Ipv4("127.0.0.1")]), 3),
        lambda: dual.alice.start_ping(Ipv6("2001:db8::2"), 3),
    ]
    for _ in range(200):
        random.choice(steps)()
        dual.run(random.choice([0, 1e-6, 0.3, 2]))
        assert dual.world.ledger.imbalance() == 0
    assert dual.world.ledger.by_reason().get(DropReason.INTERFACE_DOWN, 0) > 0


class TestVlan:
    """An interface on a VLAN of another one."""

    @pytest.fixture
    def tagged(self, dual):
        for host, n in ((dual.alice, 1), (dual.bob, 2)):
            vlan = host.add_vlan(5)
            host.configure(IPv4Interface(f"10.5.0.{n}/24"), interface=vlan)
            host.configure(IPv6Interface(f"2001:db8:5::{n}/64"), interface=vlan)
        dual.run(3)
        return dual

    def test_it_goes_down_alone(self, tagged, ip) -> None:
        (vlan,) = tagged.alice.interface.vlans.values()
        vlan.set_up(False)
        assert tagged.link.up
        assert pings(tagged, ip) == 2
        ledger = tagged.world.ledger
        vlan.arp.announce(Ipv4("10.5.0.1"))
        assert ledger.drops["alice", DropReason.INTERFACE_DOWN] == 1
        far = Ipv4("10.5.0.1") if ip.is_v4 else Ipv6("2001:db8:5::1")
        tagged.bob.start_ping(far, 1)
        tagged.run(1)
        assert ledger.drops["alice", DropReason.INTERFACE_DOWN] > 1

    def test_it_follows_the_one_below(self, tagged) -> None:
        below = tagged.alice.interface
        (vlan,) = below.vlans.values()
        below.set_up(False)
        assert not vlan.admin_up
        assert routes(tagged) == []
        below.set_up(True)
        assert vlan.admin_up
        assert "10.5.0.0/24 dev bob.5" in routes(tagged)

    def test_one_that_is_made_above_a_downed_one_is_down(self, pair) -> None:
        pair.alice.interface.set_up(False)
        vlan = pair.alice.add_vlan(7)
        assert not vlan.admin_up
        pair.alice.interface.set_up(True)
        assert vlan.admin_up

    def test_it_sends_no_larger_packets_than_the_one_below(self, tagged) -> None:
        below = tagged.alice.interface
        (vlan,) = below.vlans.values()
        below.set_mtu(1400)
        assert (below.mtu, vlan.mtu) == (1400, 1400)
        path = tagged.alice.ip.path(Ipv4("10.5.0.2"))
        assert path.mtu == 1400


@pytest.mark.topology("topologies/learning-switch.yaml")
def test_the_switch_and_its_controller_see_the_carrier_go(network: Network) -> None:
    interface = network["h1"].host.interface
    port = network["s1"].port("h1")
    assert network.graph.has_edge("h1", "s1")
    interface.set_up(False)
    network.run_for("10ms")
    assert not port.up
    assert not network.graph.has_edge("h1", "s1")
    assert network["h2"].ping("10.0.0.1", count=1).received == 0
    interface.set_up(True)
    network.run_for("10ms")
    assert port.up
    assert network.graph.has_edge("h1", "s1")
    assert network["h2"].ping("10.0.0.1", count=1).received == 1


@pytest.mark.topology("topologies/learning-switch.yaml")
def test_a_link_is_up_when_nothing_holds_it_down(network: Network) -> None:
    interface, link = network["h1"].host.interface, network.link("h1--s1")
    interface.set_up(False)
    network.set_link("h1--s1", False)
    interface.set_up(True)
    assert not link.up
    network.faults.crash("s1")
    interface.set_up(False)
    network.set_link("h1--s1", True)
    network.faults.restart("s1")
    assert not link.up
    interface.set_up(True)
    assert link.up


@pytest.mark.topology("topologies/learning-switch.yaml")
def test_a_frame_that_comes_all_the_same_is_not_taken(network: Network) -> None:
    interface = network["h1"].host.interface
    interface.set_up(False)
    frame = bytes(interface.mac) + bytes(54)
    assert network["h1"].explain("s1", frame)[0].endswith("the interface is set down")
    network.inject("h1:s1", frame)
    network.run_for("1ms")
    assert network.world.ledger.drops["h1", DropReason.INTERFACE_DOWN] == 1
