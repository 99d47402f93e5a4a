"""What is a forwarding loop, and what only looks like one."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.capture.loops import RETURNS
from sdnvirt.frame import NOBODY
from sdnvirt.network.network import Network
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13.actions import Output, PushVlan
from sdnvirt.openflow.v13.constants import OFPP
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match

RING = """
    name: ring
    switches:
      s[1-3]: {kind: openflow}
    hosts:
      h[1-3]: {address: '10.0.0.[1-3]/24'}
    links:
      - {between: ['h[1-3]', 's[1-3]']}
      - {between: [s1, s2]}
      - {between: [s2, s3]}
      - {between: [s3, s1]}
"""

IN_LOOPS = pytest.mark.topology(text=RING, allow_violations=True)
BROADCAST = bytes.fromhex("ffffffffffff 0a0000000099 88b5") + bytes(46)


def flood(network: Network, *actions: Action) -> None:
    """Let every switch flood everything."""
    for switch in network.plant.switches.values():
        everywhere = ApplyActions((*actions, Output(OFPP.FLOOD)))
        switch.modify_flow(FlowMod(match=Match.of(), instructions=(everywhere,)))


@IN_LOOPS
def test_a_flood_in_a_ring_is_one_and_is_told_by_packet_ports_and_devices(network: Network) -> None:
    flood(network)
    network.inject("s1:h1", BROADCAST)
    network.run_for("1ms")
    found = network.trace.loops
    assert found.count == 1
    (loop,) = found.loops
    assert loop.packet == "packet 1 of an injection at s1:h1"
    inside = {"s1:s2", "s1:s3", "s2:s1", "s2:s3", "s3:s1", "s3:s2"}
    assert inside <= set(loop.ports) <= inside | {"h1:s1", "h2:s2", "h3:s3"}
    assert network.invariants.broken() == [
        f"1 packet ran in a loop; first, {loop}",
    ]


@IN_LOOPS
def test_each_packet_is_told_once(network: Network) -> None:
    flood(network)
    for number in range(3):
        network.inject("s1:h1", BROADCAST + bytes([number]))
    network.run_for("1ms")
    assert network.trace.loops.count == 3


@IN_LOOPS
@pytest.mark.topology(text=f"{RING}    invariants: {{loops: false}}\n")
def test_a_file_may_allow_them(network: Network) -> None:
    flood(network)
    network.inject("s1:h1", BROADCAST)
    network.run_for("1ms")
    assert network.trace.loops.count == 1
    assert network.invariants.broken() == []


ROUTERS = """
    name: routers
    hosts:
      r[1-2]: {address: '10.0.0.[1-2]/24', addresses: ['2001:db8::[1-2]/64']}
    links: [{between: [r1, r2]}]
"""


@pytest.mark.topology(text=ROUTERS, allow_violations=True)
@pytest.mark.parametrize("target", ["192.0.2.1", "2001:db8:9::1"])
def test_two_routers_that_send_to_each_other_are_one_although_the_time_to_live_ends_it(
    network: Network, target: str
) -> None:
    network.run_for("3s")
    r1, r2 = (network.plant.hosts[name] for name in ("r1", "r2"))
    for here, v4, v6 in ((r1, "10.0.0.2", "2001:db8::2"), (r2, "10.0.0.1", "2001:db8::1")):
        here.enable_forwarding()
        here.ip.add_route(IPv4Network("0.0.0.0/0"), Ipv4(v4), here.interface)
        here.ip.add_route(IPv6Network("::/0"), Ipv6(v6), here.interface)
    ip = IPv6(src="2001:db8::9") if ":" in target else IP(src="10.0.0.9")
    ip.dst = target
    frame = Ether(src="02:00:00:00:00:09", dst=str(r1.interface.mac)) / ip / UDP()
    network.inject("r1:r2", frame)
    network.run_for("1s")
    (loop,) = network.trace.loops.loops
    assert set(loop.ports) == {"r1:r2", "r2:r1"}


@pytest.mark.topology(text=RING)
def test_a_packet_that_passes_every_port_once_is_none(network: Network) -> None:
    flood(network)
    network.set_link("s3--s1", up=False)
    assert network["h1"].ping("h3").received == 3
    assert network.trace.loops.count == 0


ROW = """
    name: row
    switches:
      b[1-7]: {kind: bridge}
    hosts:
      h[1-2]: {address: '10.0.0.[1-2]/24'}
    links:
      - {between: ['b[1-6]', 'b[2-7]'], duplicate: 100%}
      - {between: ['h[1-2]', b1]}
      - {between: [far, b7]}
""".replace("h[1-2]: {address: '10.0.0.[1-2]/24'}", "h[1-2]: {address: '10.0.0.[1-2]/24'}\n"
            "      far: {address: 10.0.0.3/24}")  # fmt: skip


@pytest.mark.topology(text=ROW)
def test_what_links_duplicate_is_none(network: Network) -> None:
    before = network.port("far:b7").rx_packets
    network["h1"].ping("far", count=1)
    assert network.port("far:b7").rx_packets - before >= 2**6 > 16 + RETURNS
    assert network.trace.loops.count == 0


TUNNELS = """
    name: tunnels
    underlay: {leaf_spine: {spines: 1, leaves: 2}}
    hypervisors:
      hv[1-12]: {attach: 'leaf[1-2]'}
    tenants: {acme: {networks: {web: {vni: 70001, subnet: 10.0.0.0/24}}}}
    vms:
      a[1-12]: {network: acme/web, hypervisor: 'hv[1-12]'}
    controller: {app: controllers/virtual_network.py}
"""


@pytest.mark.topology(text=TUNNELS)
def test_the_copies_of_a_flood_for_many_tunnels_are_none(network: Network) -> None:
    host = network.plant.hosts["a1"]
    frame = b"\xff" * 6 + host.interface.mac + b"\x88\xb5" + bytes(46)
    uplink = network.port("leaf1:hv1")
    before = uplink.rx_packets
    host.interface.port.send(network.world.originate(frame, "a1", "acme", "acme/web"))
    network.run_for("10ms")
    assert uplink.rx_packets - before == 11  # of one packet, at one port
    assert network.trace.loops.count == 0


@IN_LOOPS
def test_one_that_gets_a_tag_on_each_round_is_one(network: Network) -> None:
    flood(network, PushVlan(0x8100))
    network.inject("s1:h1", BROADCAST)
    network.run_for("100us")
    assert network.trace.loops.count == 1


def test_what_nobody_sent_is_not_one_packet(row: Any) -> None:
    from sdnvirt.capture.taps import tap_all
    from sdnvirt.capture.trace import TraceTap
    from sdnvirt.frame import Frame

    tap = TraceTap(row.world)
    tap_all(row.ports, tap)
    for _ in range(100):
        row.bob.ports[1].receive(Frame(bytes(60)))
    assert NOBODY.visits is None
    assert tap.loops.count == 0
