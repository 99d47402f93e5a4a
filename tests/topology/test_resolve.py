"""What resolving gives out: addresses, datapath ids, queues, events and checks."""

from __future__ import annotations

from ipaddress import IPv4Interface, IPv6Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt import topology
from sdnvirt.addresses import Ipv4, Ipv6, Mac
from sdnvirt.devices.failmode import FailMode
from sdnvirt.errors import TopologyError
from sdnvirt.topology import loads
from sdnvirt.topology.checks import LeaseCheck, PingCheck
from sdnvirt.topology.host import Route
from sdnvirt.topology.resolved import (
    TUNNEL_PORT_BASE,
    UPLINK_PORT,
    App,
    Endpoint,
    Queue,
    Tunnel,
)

SWITCHED = """\
name: x
hosts: {h[1-2]: {address: 10.0.0.[1-2]/24}}
links: [{between: [h[1-2], s1], rate: 1Gbit/s}, {between: [s1, s2]}, {between: [s2, s1]}]
"""

UNDERLAY = """\
name: x
underlay: {leaf_spine: {spines: 1, leaves: 2}}
hypervisors:
  hv[1-3]: {attach: leaf[1-2]}
"""


def test_the_least_topology_is_a_name() -> None:
    least = loads("name: x")
    assert (least.name, least.seed, least.path, len(least.nodes)) == ("x", 1, "topology.yaml", 0)


def test_hosts_have_addresses_of_both_versions_of_ip() -> None:
    first, second, plain = loads("""\
name: x
switches: {s1: {kind: bridge}}
hosts:
  h[1-2]:
    address: 10.0.0.[1-2]/24
    addresses: [10.1.0.[1-2]/16, "2001:db8::[1-2]/64"]
    gateway6: "2001:db8::ff"
  h3: {address: 10.0.0.3/24}
links: [{between: ["h[1-3]", s1]}]
""").hosts
    assert [[*map(str, host.interfaces[0].addresses)] for host in (first, second, plain)] == [
        ["10.0.0.1/24", "10.1.0.1/16", "2001:db8::1/64"],
        ["10.0.0.2/24", "10.1.0.2/16", "2001:db8::2/64"],
        ["10.0.0.3/24"],
    ]
    assert first.routes == (Route(IPv6Network("::/0"), Ipv6("2001:db8::ff")),)
    assert [host.interfaces[0].ipv6 for host in (first, second, plain)] == [True, True, False]
    assert plain.routes == ()


def test_a_seed_can_be_given_from_outside() -> None:
    assert topology.loads("name: x\nseed: 3").seed == 3
    assert topology.loads("name: x\nseed: 3", seed=0).seed == 0


@pytest.mark.parametrize("seed", [-1, 1 << 63])
def test_a_seed_from_outside_is_one_that_files_may_have(seed: int) -> None:
    with pytest.raises(TopologyError, match=f"^x.yaml: found the seed {seed}, expected 0 to "):
        topology.loads("name: x", "x.yaml", seed=seed)


def test_a_timeline_in_order_of_time_with_flaps_spelt_out() -> None:
    loaded = loads(
        "name: x\nswitches: {s[1-3]: {kind: openflow}}\n"
        "links: [{between: ['s[1-2]', 's[2-3]']}]\n"
        "timeline:\n"
        "- {at: 5s, heal: true}\n"
        "- {at: 4s, partition: ['s[1-2]', s3]}\n"
        "- {at: 1s, flap: {link: s2--s1, down: 1s, up: 3s, times: 2}}\n"
        "- {at: 2s, break: {link: s1--s2, from: s2}}\n"
        "- {at: 3s, mend: {link: s1--s2, from: s2}}\n"
        "- {at: 7s, crash: s1}\n"
        "- {at: 8s, restart: s1}\n"
    )
    assert [(event.at_ns // 10**9, str(event), event.where) for event in loaded.timeline] == [
        (1, "down s1--s2", "topology.yaml:7"),
        (2, "up s1--s2", "topology.yaml:7"),
        (2, "break s1--s2 from s2", "topology.yaml:8"),
        (3, "mend s1--s2 from s2", "topology.yaml:9"),
        (4, "partition in 2 parts", "topology.yaml:6"),
        (5, "heal", "topology.yaml:5"),
        (5, "down s1--s2", "topology.yaml:7"),
        (6, "up s1--s2", "topology.yaml:7"),
        (7, "crash s1", "topology.yaml:10"),
        (8, "restart s1", "topology.yaml:11"),
    ]


def test_the_same_address_may_be_in_two_vlans() -> None:
    loaded = loads(
        "name: x\nswitches: {b1: {kind: bridge}}\nhosts: {h[1-2]: {address: 10.0.0.1/24}}\n"
        "links: [{between: [h1, b1], vlan: 10}, {between: [h2, b1], vlan: 20}]\n"
    )
    assert [host.ip for host in loaded.hosts] == [Ipv4("10.0.0.1")] * 2


def test_ranges_in_values_go_in_step_with_the_names() -> None:
    loaded = loads(
        "name: x\nhosts: {h[1-3]: {address: 10.0.0.[11-13]/24, mac: 02:00:00:00:00:[01-03]}}"
    )
    assert [(str(host.address), str(host.mac)) for host in loaded.hosts] == [
        ("10.0.0.11/24", "02:00:00:00:00:01"),
        ("10.0.0.12/24", "02:00:00:00:00:02"),
        ("10.0.0.13/24", "02:00:00:00:00:03"),
    ]


def test_hypervisors_have_vteps_tunnels_and_datapath_ids() -> None:
    loaded = loads(UNDERLAY + "switches: {s1: {kind: openflow}, s2: {kind: openflow, dpid: 2}}\n")
    assert [(h.name, h.attach, str(h.vtep), h.dpid) for h in loaded.hypervisors] == [
        ("hv1", "leaf1", "172.16.0.1", 3),
        ("hv2", "leaf2", "172.16.0.2", 4),
        ("hv3", "leaf1", "172.16.0.3", 5),
    ]
    assert [switch.dpid for switch in loaded.switches] == [1, 2]
    assert loaded.hypervisors[1].tunnels == (
        Tunnel(TUNNEL_PORT_BASE + 1, "hv1"),
        Tunnel(TUNNEL_PORT_BASE + 3, "hv3"),
    )
    assert loaded.link("leaf2--hv2").end("hv2") == Endpoint("hv2", UPLINK_PORT)
    assert len({h.mac for h in loaded.hypervisors}) == 3


def test_vms_come_before_functions_at_the_virtual_switch() -> None:
    loaded = loads(
        UNDERLAY + "tenants: {a: {networks: {n: {vni: 1, subnet: 10.0.0.0/24, dhcp: true}}}}\n"
        "vms:\n  v[1-4]: {network: a/n, hypervisor: hv[1-3]}\n"
        "  w: {network: a/n, hypervisor: hv1, address: 10.0.0.11, dhcp: false}\n"
    )
    assert [(v.owner, v.hypervisor, v.port, str(v.address)) for v in loaded.vnics] == [
        ("v1", "hv1", 1, "10.0.0.10"),
        ("v2", "hv2", 1, "10.0.0.12"),
        ("v3", "hv3", 1, "10.0.0.13"),
        ("v4", "hv1", 2, "10.0.0.14"),
        ("w", "hv1", 3, "10.0.0.11"),
        ("a-n-dhcp", "hv1", 4, "10.0.0.2"),
    ]
    assert [vm.dhcp for vm in loaded.vms] == [True, True, True, True, False]
    macs = [vnic.mac for vnic in loaded.vnics]
    assert len(set(macs)) == len(macs)
    assert all(mac[0] & 3 == 2 for mac in macs), "locally administered, unicast"


def test_dhcp_can_be_placed_by_hand() -> None:
    loaded = loads(
        UNDERLAY + "tenants: {a: {networks: {n: {vni: 1, subnet: 10.0.0.0/24, "
        "dhcp: {hypervisor: hv2, address: 10.0.0.250, lease: 5min}}}}}\n"
    )
    (server,) = loaded.functions
    assert (server.name, server.vnic.hypervisor) == ("a-n-dhcp", "hv2")
    assert server.vnic.address == Ipv4("10.0.0.250")
    dhcp = loaded.network("a/n").dhcp
    assert dhcp is not None
    assert (dhcp.function, dhcp.lease_ns) == ("a-n-dhcp", 300 * 10**9)


def test_tenants_may_use_the_same_addresses() -> None:
    loaded = loads(
        UNDERLAY + "tenants:\n  a: {networks: {n: {vni: 1, subnet: 10.0.0.0/24}}}\n"
        "  b: {networks: {n: {vni: 2, subnet: 10.0.0.0/24}}}\nvms:\n"
        "  v: {network: a/n, hypervisor: hv1, mac: 02:00:00:00:00:01, address: 10.0.0.11}\n"
        "  w: {network: b/n, hypervisor: hv1, mac: 02:00:00:00:00:01, address: 10.0.0.11}\n"
    )
    assert loaded.vms[0].vnic.mac == loaded.vms[1].vnic.mac == Mac("02:00:00:00:00:01")


def test_checks_know_their_line_and_whom_they_mean() -> None:
    loaded = loads(
        "name: x\nhosts:\n  h[1-2]: {address: '10.0.0.[1-2]/24'}\nchecks:\n"
        "- ping: {from: h1, to: h2, count: 20, interval: 100ms}\n  at: 3s\n  max_loss: 10%\n"
        "- ping: {from: h1, to: 10.0.0.9}\n  expect: unreachable\n"
    )
    first, second = loaded.checks
    assert isinstance(first, PingCheck)
    assert isinstance(second, PingCheck)
    assert (first.where, first.node, first.address) == ("topology.yaml:5", "h2", Ipv4("10.0.0.2"))
    assert (first.at_ns, first.count, first.interval_ns) == (3 * 10**9, 20, 10**8)
    assert (first.max_loss, first.expect.value) == (0.1, "reachable")
    assert (second.where, second.node, second.at_ns) == ("topology.yaml:8", None, 2 * 10**9)


def test_lease_checks() -> None:
    loaded = loads(
        UNDERLAY + "tenants: {a: {networks: {n: {vni: 1, subnet: 10.0.0.0/24, dhcp: true}}}}\n"
        "vms: {v: {network: a/n, hypervisor: hv1}}\nchecks:\n- {lease: {vm: v}, at: 1s}\n"
    )
    assert loaded.checks == (LeaseCheck("topology.yaml:8", 10**9, "v"),)


def test_the_timeline_is_in_order_of_time_then_of_the_file() -> None:
    loaded = loads(
        UNDERLAY + "timeline:\n- {at: 6s, up: spine1--leaf1}\n- {at: 5s, down: leaf1--spine1}\n"
        "- {at: 5s, down: leaf2--spine1}\n"
    )
    assert [(event.at_ns, str(event)) for event in loaded.timeline] == [
        (5 * 10**9, "down leaf1--spine1"),
        (5 * 10**9, "down leaf2--spine1"),
        (6 * 10**9, "up leaf1--spine1"),
    ]


def test_apps_are_files_near_the_topology_or_modules(tmp_path: Path) -> None:
    file = tmp_path / "apps" / "my.py"
    file.parent.mkdir()
    file.touch()
    text = "name: x\ncontroller: {apps: [apps/my.py, ryu.app.simple_switch_13]}"
    for place in (tmp_path / "f.yaml", tmp_path / "topologies" / "f.yaml"):
        controller = topology.loads(text, str(place)).controller
        assert controller is not None
        assert controller.apps == (
            App("apps/my.py", str(file)),
            App("ryu.app.simple_switch_13", None),
        )


def test_the_graph_carries_the_values(shipped: Path) -> None:
    loaded = topology.load(shipped / "quickstart.yaml")
    graph = loaded.graph()
    assert set(graph) == {name for name, node in loaded.nodes.items() if not hasattr(node, "vnic")}
    assert graph.nodes["hv1"] == {"kind": "hypervisor", "node": loaded.hypervisors[0]}
    assert graph.edges["leaf1", "spine1"]["link"] is loaded.link("leaf1--spine1")
    assert set(loaded.underlay()) == {"spine1", "spine2", "leaf1", "leaf2"} | {
        hypervisor.name for hypervisor in loaded.hypervisors
    }


def test_a_dict_and_the_text_of_it_are_the_same_topology() -> None:
    data: dict[str, Any] = {
        "name": "x",
        "hosts": {"h[1-2]": {"address": "10.0.0.[1-2]/24"}},
        "switches": {"s1": {"kind": "openflow", "dpid": 7}},
        "links": [{"between": ["h[1-2]", "s1"], "rate": "1Gbit/s", "loss": 0.5}],
    }
    text = (
        "name: x\nhosts: {h[1-2]: {address: 10.0.0.[1-2]/24}}\n"
        "switches: {s1: {kind: openflow, dpid: 0x7}}\n"
        "links: [{between: [h[1-2], s1], rate: 1Gbit/s, loss: 0.5}]\n"
    )
    assert topology.from_dict(data, "same") == topology.loads(text, "same")


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(1, 5))
def test_resolving_twice_gives_equal_topologies_with_distinct_addresses(
    hosts: int, switches: int
) -> None:
    data: dict[str, Any] = {
        "name": "x",
        "fabric": {"linear": {"nodes": switches}, "hosts": {"per_edge": hosts}},
    }
    loaded = topology.from_dict(data)
    assert loaded == topology.from_dict(data)
    addresses = [host.address for host in loaded.hosts]
    assert addresses[0] == IPv4Interface("10.0.0.1/16")
    assert len(set(addresses)) == len({host.mac for host in loaded.hosts}) == hosts * switches
    ports = [end for link in loaded.links for end in (link.a, link.b)]
    assert len(set(ports)) == len(ports)


# switches that OpenFlow steers


def test_a_switch_fails_secure_unless_the_file_says_otherwise() -> None:
    loaded = loads(
        "name: x\nfabric: {linear: {nodes: 1}, fail_mode: standalone}\n"
        "switches: {a: {kind: openflow}, b: {kind: openflow, fail_mode: standalone}, "
        "c: {kind: bridge}}"
    )
    assert {switch.name: switch.fail_mode for switch in loaded.switches} == {
        "s1": FailMode.STANDALONE,
        "a": FailMode.SECURE,
        "b": FailMode.STANDALONE,
        "c": FailMode.SECURE,
    }


def test_standalone_switches_may_form_a_loop_that_a_controller_breaks() -> None:
    ring = "name: x\nfabric: {ring: {nodes: 3}, fail_mode: standalone}\n"
    assert len(loads(ring + "controller: {app: my.app}").links) == 3


def test_queues_are_on_the_ports_that_are_named_by_what_is_there() -> None:
    loaded = loads(
        SWITCHED + "switches:\n"
        "  s1:\n"
        "    kind: openflow\n"
        "    queues:\n"
        "      - {port: h[1-2], id: 0, min_rate: 1Mbit/s, max_rate: 2Mbit/s}\n"
        "      - {port: s2, id: 7, max_rate: 1Mbit/s}\n"
        "  s2: {kind: openflow, queues: [{port: s1#2, id: 7}]}\n"
    )
    assert loaded.queues == (
        Queue("s1", 1, 0, 10**6, 2 * 10**6),
        Queue("s1", 2, 0, 10**6, 2 * 10**6),
        Queue("s1", 3, 7, 0, 10**6),
        Queue("s2", 2, 7, 0, None),
    )


def test_a_range_of_switches_has_the_same_queues_each() -> None:
    loaded = loads(
        "name: x\nlinks: [{between: [s[1-3], core]}]\nswitches:\n  core: {kind: bridge}\n"
        "  s[1-3]: {kind: openflow, queues: [{port: core, id: 1}]}"
    )
    assert [(queue.switch, queue.port) for queue in loaded.queues] == [
        ("s1", 1), ("s2", 1), ("s3", 1),
    ]  # fmt: skip


def test_queues_of_a_hypervisor_are_on_vnics_and_tunnels() -> None:
    loaded = loads(
        "name: x\nunderlay: {linear: {nodes: 1}}\n"
        "tenants: {t: {networks: {n: {vni: 1, subnet: 10.0.0.0/24, dhcp: true}}}}\n"
        "vms: {v: {network: t/n, hypervisor: hv1}}\n"
        "hypervisors:\n"
        "  hv1:\n"
        "    attach: r1\n"
        "    queues: [{port: v, id: 1}, {port: t-n-dhcp, id: 1}, {port: vx-hv2, id: 1}]\n"
        "  hv2: {attach: r1}\n"
    )
    assert [queue.port for queue in loaded.queues] == [1, 2, TUNNEL_PORT_BASE + 2]


def test_queues_without_number_are_refused_soon() -> None:
    """A few ranges could stand for billions."""
    text = "name: x\nswitches: {s[1-9999]: {kind: openflow, queues: [{port: h[1-9999], id: 1}]}}"
    with pytest.raises(TopologyError) as caught:
        loads(text)
    assert caught.value.problems[-1] == "topology.yaml: and 99891 more"


def test_a_controller_has_a_distance_and_options() -> None:
    controller = loads(
        "name: x\ncontroller:\n  apps: [ryu.app.rest_topology]\n  delay: 5ms\n"
        "  options: {observe-links: true, verbose: false, wsapi-port: 8081, log-dir: '-x'}"
    ).controller
    assert controller is not None
    assert controller.delay_ns == 5_000_000
    assert controller.options == (
        "--observe-links", "--noverbose", "--wsapi-port=8081", "--log-dir=-x",
    )  # fmt: skip
    alone = loads("name: x\ncontroller: {app: ryu.app.rest_topology}").controller
    assert alone is not None
    assert (alone.delay_ns, alone.options) == (0, ())
