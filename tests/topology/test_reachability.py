"""Who is to reach whom: segments, the section ``invariants``, and the versions of IP."""

from __future__ import annotations

from ipaddress import IPv6Interface

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.topology import loads
from sdnvirt.topology.checks import ConnectivityCheck, PingCheck, Segment
from sdnvirt.topology.invariants import Invariants, Settling


def test_connectivity_is_asked_of_pairs_that_share_a_segment() -> None:
    loaded = loads(
        "name: x\n"
        "switches: {b: {kind: bridge}}\n"
        "hosts: {a[1-3]: {address: '10.0.0.[1-3]/24'}, c1: {address: 10.0.1.9/24}}\n"
        "links:\n"
        "- {between: ['a[1-2]', b], vlan: 10}\n"
        "- {between: [a3, b], vlan: 20}\n"
        "- {between: [c1, b], vlan: 10}\n"
        "underlay: {leaf_spine: {spines: 1, leaves: 1}}\n"
        "hypervisors: {hv1: {attach: leaf1}}\n"
        "tenants: {t: {networks: {n: {vni: 7, subnet: 10.0.0.0/24}, "
        "m: {vni: 8, subnet: 10.0.0.0/24}}}}\n"
        "vms: {v[1-2]: {network: t/n, hypervisor: hv1}, w: {network: t/m, hypervisor: hv1}}\n"
        "controller: {app: my.app}\n"
        "checks:\n"
        "- connectivity: {}\n"
        "- {connectivity: {among: [v1, 'v[1-2]', a1], timeout: 5ms}, at: 3s}\n"
    )
    everybody, some = loaded.checks
    assert isinstance(everybody, ConnectivityCheck)
    hosts, vms = everybody.segments
    assert hosts == Segment((("a1", Ipv4("10.0.0.1")), ("a2", Ipv4("10.0.0.2"))))
    assert vms == Segment((("v1", Ipv4("10.0.0.10")), ("v2", Ipv4("10.0.0.11"))))
    assert some == ConnectivityCheck("topology.yaml:15", 3 * 10**9, (vms,), 5_000_000)
    settling = loaded.invariants.connectivity
    assert settling is not None
    assert (settling.segments, settling.settle_ns) == ((hosts, vms), 10 * 10**9)


def test_hosts_of_a_fabric_have_addresses_of_both_versions() -> None:
    loaded = loads(
        "name: x\n"
        "fabric: {star: {leaves: 2}, kind: bridge, hosts: {per_edge: 2, subnet6: 2001:db8::/64}}\n"
        "checks: [{ping: {from: h1, to: h4, family: 6}}, {ping: {from: h1, to: h4}}]\n"
    )
    interfaces = [interface for host in loaded.hosts for interface in host.interfaces]
    assert [interface.addresses[1:] for interface in interfaces] == [
        (IPv6Interface(f"2001:db8::{number}/64"),) for number in range(1, 5)
    ]
    assert all(interface.ipv6 for interface in interfaces)
    six, four = loaded.checks
    assert isinstance(six, PingCheck)
    assert isinstance(four, PingCheck)
    assert (six.address, six.node) == (Ipv6("2001:db8::4"), "h4")
    assert (four.address, four.node) == (Ipv4("10.0.0.4"), "h4")
    settling = loaded.invariants.connectivity
    assert settling is not None
    assert [segment.members[0] for segment in settling.segments] == [
        ("h1", Ipv4("10.0.0.1")), ("h1", Ipv6("2001:db8::1")),
    ]  # fmt: skip


def test_invariants_are_as_the_file_says() -> None:
    usual = loads("name: x").invariants
    assert usual.loops
    assert usual.connectivity == Settling(10 * 10**9, (), 10**9)
    assert loads("name: x\ninvariants: {connectivity: true}").invariants == usual
    none = loads("name: x\ninvariants: {connectivity: false, loops: false}").invariants
    assert none == Invariants(None, False)


def test_the_last_fault_is_what_breaks_changes_or_repairs() -> None:
    loaded = loads(
        "name: x\nswitches: {s[1-2]: {kind: openflow}}\nhosts: {h1: {address: 10.0.0.1/24}}\n"
        "links: [{between: [h1, s1]}, {between: [s1, s2]}]\n"
        "timeline: [{at: 7s, run: {on: h1, command: ip addr}}, {at: 3s, crash: s1}, "
        "{at: 1s, flap: {link: s1--s2, down: 1s, up: 1s, times: 2}}]\n"
    )
    assert loaded.last_fault_ns == 4 * 10**9
    assert loads("name: x").last_fault_ns is None
