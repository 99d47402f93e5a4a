"""A host that crashed and starts again is new to its links, in both versions of IP."""

from __future__ import annotations

from ipaddress import IPv6Interface, IPv6Network

import pytest
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6ND_RS, IPv6
from scapy.layers.l2 import Ether

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.host.addressing import AddressState
from sdnvirt.host.advertiser import Advertised, Advertiser
from sdnvirt.host.membership import ROBUSTNESS
from sdnvirt.host.udp import UdpSocket
from sdnvirt.network.network import Network


def states(host) -> dict[str, AddressState]:
    return {str(one.address): one.state for one in host.interface.addresses.values()}


def restart(wired) -> list[Ether]:
    """Let the host crash and start again; return what it says in the time after."""
    scheduler = wired.world.scheduler
    wired.host.crash()
    wired.wire.listen()
    scheduler.run_until(scheduler.now + 10**9)
    assert wired.wire.listen() == []
    wired.host.restart()
    scheduler.run_until(scheduler.now + 15 * 10**9)
    return [Ether(data) for data in wired.wire.listen()]


def test_every_address_is_tried_again(wired6) -> None:
    """RFC 4862, 5.4: on all unicast addresses prior to assigning them to an interface."""
    host = wired6.host
    before = states(host)
    host.crash()
    now = states(host)
    assert {state for one, state in now.items() if ":" in one} == {AddressState.TENTATIVE}
    assert now["10.0.0.1"] is AddressState.PREFERRED
    said = restart(wired6)
    probed = [one[ICMPv6ND_NS].tgt for one in said if ICMPv6ND_NS in one and one[IPv6].src == "::"]
    assert sorted(probed) == sorted(address for address in before if ":" in address)
    assert states(host) == before


def test_an_address_that_somebody_took_meanwhile_is_not_used(dual) -> None:
    dual.alice.crash()
    dual.bob.add_address(IPv6Interface("2001:db8::1/64"))
    dual.run(3)
    dual.alice.restart()
    dual.run(3)
    assert states(dual.alice)["2001:db8::1"] is AddressState.DUPLICATE
    assert states(dual.bob)["2001:db8::1"] is AddressState.PREFERRED


def test_routers_are_asked_for_again(wired6) -> None:
    """RFC 4861, 6.3.7: when an interface becomes enabled."""
    asked = [one for one in restart(wired6) if ICMPv6ND_RS in one]
    assert len(asked) == 3
    assert all(one[IPv6].dst == "ff02::2" for one in asked)


def test_what_a_router_told_is_gone_until_it_tells_it_again(pair) -> None:
    alice, bob = pair.alice, pair.bob
    prefix = IPv6Network("2001:db8:1::/64")
    bob.enable_forwarding()
    Advertiser(bob, Advertised.of(prefix))
    alice.enable_ipv6()
    pair.run(20)
    (made,) = (one for one in states(alice) if one.startswith("2001:db8:1:"))
    alice.crash()
    assert made not in states(alice)
    assert not [route for route in alice.routes if route.metric]
    alice.restart()
    pair.run(20)
    assert states(alice)[made] is AddressState.PREFERRED
    assert any(str(route).startswith("default via fe80:") for route in alice.routes)


def test_groups_are_told_again(wired6) -> None:
    """RFC 3810, 6.1, and RFC 4862, 5.4.2: the solicited-node groups of its addresses."""
    groups = [one.solicited_node for one in wired6.host.interface.addresses if len(one) == 16]
    said = restart(wired6)
    reports = [bytes(one) for one in said if one.dst == "33:33:00:00:00:16"]
    assert len(groups) == 2
    for group in groups:
        assert sum(group in data for data in reports) == ROBUSTNESS


def test_groups_of_programs_died_with_them(wired6, ip) -> None:
    group = Ipv4("239.1.2.3") if ip.is_v4 else Ipv6("ff05::123")
    socket = UdpSocket(wired6.host, 7, lambda *_: None)
    socket.join(group)
    said = restart(wired6)
    assert group not in wired6.host.interface.groups
    assert not [one for one in said if group in bytes(one)]
    socket.close()  # as the program's clean-up does, too late


def test_groups_that_were_joined_without_a_program_are_told_again(wired, ip) -> None:
    group = Ipv4("239.1.2.3") if ip.is_v4 else Ipv6("ff05::123")
    wired.host.enable_ipv6()
    wired.host.interface.join(group)
    said = [bytes(one) for one in restart(wired)]
    assert sum(group in data for data in said) == ROBUSTNESS


def test_a_timer_of_the_life_before_counts_for_nothing(wired) -> None:
    """A host that crashes while it tries an address tries it for the whole time afterwards."""
    scheduler = wired.world.scheduler
    wired.host.configure(IPv6Interface("2001:db8::1/64"))
    scheduler.run_until(scheduler.now + 900_000_000)
    said = restart(wired)
    probed = [one[ICMPv6ND_NS].tgt for one in said if ICMPv6ND_NS in one and one[IPv6].src == "::"]
    assert len(probed) == len(set(probed)) == 2
    assert len([one for one in said if ICMPv6ND_RS in one]) == 3


def test_one_that_was_set_down_stays_so(pair) -> None:
    pair.alice.interface.set_up(False)
    pair.alice.crash()
    pair.alice.restart()
    pair.run(1)
    assert not pair.alice.interface.admin_up
    pair.alice.interface.set_up(True)
    ping = pair.alice.start_ping(Ipv4("10.0.0.2"), 1)
    pair.run(1)
    assert ping.result().received == 1


@pytest.mark.topology("topologies/learning-switch.yaml")
def test_nothing_of_it_is_sent_before_the_links_are_up(network: Network) -> None:
    network["h1"].host.configure(IPv6Interface("2001:db8::1/64"))
    network.run_for("5s")
    lost = network.world.ledger.dropped
    network.faults.crash("h1")
    network.run_for("1s")
    network.faults.restart("h1")
    network.run_for("5s")
    assert not [drop for drop in list(network.world.ledger.recent)[lost:] if drop.place == "h1--s1"]
    assert states(network["h1"].host)["2001:db8::1"] is AddressState.PREFERRED
