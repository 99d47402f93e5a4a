"""Parts of a file that do not fit together, and the lines that tell it."""

from __future__ import annotations

import pytest

from sdnvirt.topology.names import MAX_NODES
from sdnvirt.topology.plant import MAX_HYPERVISORS
from sdnvirt.topology.problems import MAX_PROBLEMS
from tests.topology.conftest import Told

UNDERLAY = """\
underlay:
  leaf_spine: {spines: 2, leaves: 2}
hypervisors:
  hv[1-2]: {attach: leaf[1-2]}
tenants:
  acme: {networks: {web: {vni: 7, subnet: 10.0.0.0/24}}}
"""

FAULTY = """\
switches: {'s[1-2]': {kind: openflow}}
links: [{between: [s1, s2]}]
timeline: """

QUEUED = """\
hosts: {'h[1-2]': {address: '10.0.0.[1-2]/24'}}
links: [{between: ['h[1-2]', s1], rate: 10Mbit/s}]
switches: {s1: {kind: openflow, """


PARTS = {
    "a name taken twice": (
        "switches: {a: {kind: bridge}}\nhosts: {a: {address: 10.0.0.1/24}}",
        "3:9: hosts.a: found the host 'a', expected another name; "
        "f.yaml:2 has a switch of this name",
    ),
    "an unknown node in a link": (
        "switches: {s1: {kind: openflow}, core: {kind: openflow}}\nlinks: [{between: [s1, cor]}]",
        "3:24: links[0].between[1]: found 'cor', expected the name of a switch or host or router; "
        "did you mean core?",
    ),
    "a link to itself": (
        "switches: {s1: {kind: openflow}}\nlinks: [{between: [s1, s1]}]",
        "3:19: links[0].between: found a link from s1 to itself, expected two nodes",
    ),
    "a second link of a host": (
        "switches: {s1: {kind: openflow}}\nhosts: {h: {address: 10.0.0.1/24}}\n"
        "links: [{between: [h, s1]}, {between: [s1, h]}]",
        "4:44: links[1].between[1]: found a second link of the host 'h', "
        "expected one link of each host that has no interfaces",
    ),
    "a router linked to a switch": (
        UNDERLAY + "switches: {s1: {kind: openflow}}\nlinks: [{between: [s1, leaf1]}]",
        "9:19: links[0].between: found a link of s1 and leaf1, expected routers linked with "
        "routers only: the underlay carries only tunnels",
    ),
    "VLAN keys without a bridge": (
        "switches: {s[1-2]: {kind: openflow}}\nlinks: [{between: [s1, s2], vlan: 10}]",
        "3:29: links[0].vlan: found vlan on a link of s1 and s2, "
        "expected VLAN keys only where an end is a switch of kind bridge",
    ),
    "vlan and trunk": (
        "switches: {b[1-2]: {kind: bridge}}\nlinks: [{between: [b1, b2], vlan: 10, trunk: all}]",
        "3:29: links[0].vlan: found vlan and trunk, expected one of vlan and trunk",
    ),
    "native without trunk": (
        "switches: {b[1-2]: {kind: bridge}}\nlinks: [{between: [b1, b2], native: 10}]",
        "3:29: links[0].native: found native without trunk, expected native on a trunk only",
    ),
    "a trunk to a host": (
        "switches: {b1: {kind: bridge}}\nhosts: {h1: {address: 10.0.0.1/24}}\n"
        "links: [{between: [h1, b1], trunk: all}]",
        "4:29: links[0].trunk: found a trunk to the host 'h1', "
        "expected vlan, or vlans on its interface: others take untagged frames only",
    ),
    "a loop of bridges": (
        "switches: {b[1-3]: {kind: bridge}}\n"
        "links: [{between: [b1, b2]}, {between: [b2, b3]}, {between: [b3, b1]}]",
        "3:51: links[2]: found the link b3--b1, which closes a loop of bridges in VLAN 1, "
        "expected no loops, because bridges here have no spanning tree",
    ),
    "a loop of generated bridges": (
        "fabric: {ring: {nodes: 3}, kind: bridge}",
        "2:9: fabric: found the link s3--s1, which closes a loop of bridges in VLAN 1, "
        "expected no loops, because bridges here have no spanning tree",
    ),
    "a datapath id twice": (
        "switches: {s1: {kind: openflow, dpid: 0x5}, s2: {kind: openflow, dpid: 5}}",
        "2:72: switches.s2.dpid: found 5, expected another datapath id; s1 has this one",
    ),
    "a datapath id of a bridge": (
        "switches: {b1: {kind: bridge, dpid: 5}}",
        "2:31: switches.b1.dpid: found a datapath id of a bridge, "
        "expected dpid on a switch of kind openflow only",
    ),
    "a fail mode of a bridge": (
        "switches: {b1: {kind: bridge, fail_mode: secure}}",
        "2:31: switches.b1.fail_mode: found a fail mode of a bridge, "
        "expected fail_mode on a switch of kind openflow only",
    ),
    "queues of a bridge": (
        "switches: {b1: {kind: bridge, queues: [{port: h1, id: 1}]}}",
        "2:31: switches.b1.queues: found queues of a bridge, "
        "expected queues on a switch of kind openflow only",
    ),
    "an ageing time of an OpenFlow switch": (
        "switches: {s1: {kind: openflow, ageing: 5s}}",
        "2:33: switches.s1.ageing: found an ageing time of an OpenFlow switch, "
        "expected ageing on a switch of kind bridge only",
    ),
    "a fail mode of generated bridges": (
        "fabric: {linear: {nodes: 2}, kind: bridge, fail_mode: standalone}",
        "2:44: fabric.fail_mode: found a fail mode of a bridge, "
        "expected fail_mode on a switch of kind openflow only",
    ),
    "a loop of standalone switches": (
        "fabric: {ring: {nodes: 3}, fail_mode: standalone}",
        "2:9: fabric: found the link s3--s1, which closes a loop of standalone switches, "
        "expected no loops without a controller, which would break them",
    ),
    "a queue of no port": (
        QUEUED + "queues: [{port: h22, id: 1}]}}",
        "4:49: switches.s1.queues[0].port: found 'h22', expected the name of a port of s1; "
        "did you mean h2?",
    ),
    "a queue twice": (
        QUEUED + "queues: [{port: h1, id: 1}, {port: 'h[1-2]', id: 1}]}}",
        "4:82: switches.s1.queues[1].id: found 1, expected another id; "
        "the port h1 of s1 has this queue already",
    ),
    "rates that contradict each other": (
        QUEUED + "queues: [{port: h1, id: 1, min_rate: 2Mbit/s, max_rate: 1Mbit/s}]}}",
        "4:89: switches.s1.queues[0].max_rate: found 1 Mbit/s, less than the min_rate, "
        "expected at least 2 Mbit/s",
    ),
    "more than a link can promise": (
        QUEUED
        + "queues: [{port: h1, id: 1, min_rate: 6Mbit/s}, {port: h1, id: 2, min_rate: 5Mbit/s}]}}",
        "4:108: switches.s1.queues[1].min_rate: found 11 Mbit/s for the queues of the port h1, "
        "expected at most 10 Mbit/s, the rate of its link",
    ),
    "an address twice in a broadcast domain": (
        "switches: {b1: {kind: bridge}}\nhosts: {h[1-2]: {address: 10.0.0.1/24}}\n"
        "links: [{between: [h[1-2], b1]}]",
        "3:27: hosts.h[1-2].address: found '10.0.0.1', expected another address; "
        "h1 has this one in the same broadcast domain",
    ),
    "hypervisors without an underlay": (
        "hypervisors: {hv1: {attach: leaf1}}",
        "2:1: hypervisors: found hypervisors without an underlay, "
        "expected the section underlay, with routers to attach them to",
    ),
    "an unknown router": (
        "underlay: {linear: {nodes: 2}}\nhypervisors: {hv1: {attach: rr2}}",
        "3:29: hypervisors.hv1.attach: found 'rr2', expected the name of a router; "
        "did you mean r2?",
    ),
    "too few VTEP addresses": (
        "underlay: {linear: {nodes: 1}, subnet: 172.16.0.0/29}\n"
        "hypervisors: {'hv[1-7]': {attach: r1}}",
        "2:40: underlay.subnet: found 7 hypervisors in 172.16.0.0/29, expected at most 6 in a /29",
    ),
    "an unknown network": (
        UNDERLAY + "vms: {a: {network: acme/wb, hypervisor: hv1}}",
        "8:20: vms.a.network: found 'acme/wb', expected the name of a tenant network; "
        "did you mean acme/web?",
    ),
    "an unknown hypervisor": (
        UNDERLAY + "vms: {a: {network: acme/web, hypervisor: leaf1}}",
        "8:42: vms.a.hypervisor: found the router 'leaf1', expected the name of a hypervisor",
    ),
    "a VNI twice": (
        UNDERLAY + "  globex: {networks: {web: {vni: 7, subnet: 10.0.0.0/24}}}",
        "8:34: tenants.globex.networks.web.vni: found 7, "
        "expected another VNI; acme/web has this one",
    ),
    "an address outside the subnet": (
        UNDERLAY + "vms: {a: {network: acme/web, hypervisor: hv1, address: 10.0.1.1}}",
        "8:56: vms.a.address: found '10.0.1.1', expected an address of a host in 10.0.0.0/24",
    ),
    "the broadcast address": (
        UNDERLAY + "vms: {a: {network: acme/web, hypervisor: hv1, address: 10.0.0.255}}",
        "8:56: vms.a.address: found '10.0.0.255', expected an address of a host in 10.0.0.0/24",
    ),
    "an address twice in a network": (
        UNDERLAY + "vms: {'a[1-2]': {network: acme/web, hypervisor: hv1, address: 10.0.0.9}}",
        "8:63: vms.a[1-2].address: found '10.0.0.9', expected another address; "
        "a1 has this one in the same network",
    ),
    "a MAC address twice in a network": (
        UNDERLAY + "vms: {'a[1-2]': {network: acme/web, hypervisor: hv1, mac: 02:00:00:00:00:01}}",
        "8:59: vms.a[1-2].mac: found '02:00:00:00:00:01', expected another address; "
        "a1 has this one in the same network",
    ),
    "a full subnet": (
        UNDERLAY.replace("10.0.0.0/24", "10.0.0.0/29")
        + "vms: {'a[1-5]': {network: acme/web, hypervisor: hv1}}",
        "8:7: vms.a[1-5]: found no free address for a5 in 10.0.0.0/29, "
        "expected a subnet with room for every VM",
    ),
    "dhcp on a VM alone": (
        UNDERLAY + "vms: {a: {network: acme/web, hypervisor: hv1, dhcp: true}}",
        "8:47: vms.a.dhcp: found dhcp on acme/web, which has no DHCP server, "
        "expected dhcp: true on the network too",
    ),
    "DHCP without a hypervisor": (
        "tenants: {a: {networks: {b: {vni: 1, subnet: 10.0.0.0/24, dhcp: true}}}}",
        "2:65: tenants.a.networks.b.dhcp: found DHCP without a hypervisor, "
        "expected a hypervisor to run it on",
    ),
    "an unknown link": (
        UNDERLAY + "timeline: [{at: 1s, down: leaf1--spine3}]",
        "8:27: timeline[0].down: found 'leaf1--spine3', "
        "expected the name of a link, NODE--NODE; did you mean leaf1--spine2?",
    ),
    "a ping of what has no address": (
        "switches: {s1: {kind: openflow}}\nhosts: {h1: {address: 10.0.0.1/24}}\n"
        "checks: [{ping: {from: h1, to: s1}}]",
        "4:32: checks[0].ping.to: found the switch 's1', "
        "expected the name of a host or VM or network function",
    ),
    "via with unreachable": (
        "switches: {s1: {kind: openflow}}\nhosts: {h1: {address: 10.0.0.1/24}}\n"
        "checks: [{ping: {from: h1, to: 10.0.0.2}, via: s1, expect: unreachable}]",
        "4:43: checks[0].via: found via on a ping that must be unreachable, "
        "expected via with expect: reachable",
    ),
    "a lease of a VM without DHCP": (
        UNDERLAY + "vms: {a: {network: acme/web, hypervisor: hv1}}\nchecks: [{lease: {vm: a}}]",
        "9:23: checks[0].lease.vm: found the VM 'a', which does not use DHCP, "
        "expected a VM that asks for its address",
    ),
    "too many nodes": (
        f"hosts: {{'h[1-{MAX_NODES}]': {{address: 10.0.0.1/8}}, g: {{address: 10.0.0.1/8}}}}",
        f"2:46: hosts.g: found more than {MAX_NODES} nodes, expected at most {MAX_NODES} in all",
    ),
    "too many hypervisors": (
        "underlay: {linear: {nodes: 1}}\n"
        f"hypervisors: {{'hv[1-{MAX_HYPERVISORS + 1}]': {{attach: r1}}}}",
        f"3:1: hypervisors: found {MAX_HYPERVISORS + 1} hypervisors, expected at most "
        f"{MAX_HYPERVISORS}, because each has a tunnel to each other one",
    ),
    "too large a shape": (
        "fabric: {tree: {depth: 60, fanout: 2}}",
        "2:16: fabric.tree: found 1152921504606846975 nodes and 1152921504606846974 links, "
        "expected at most 20000 nodes and 100000 links",
    ),
    "too many hosts on a fabric": (
        "fabric: {linear: {nodes: 7}, hosts: {subnet: 10.0.0.0/29}}",
        "2:46: fabric.hosts.subnet: found 7 hosts in 10.0.0.0/29, expected at most 6",
    ),
    "flapping a link that is not there": (
        FAULTY + "[{at: 3s, flap: {link: s1--s3, down: 1ms, up: 1ms, times: 2}}]",
        "4:34: timeline[0].flap.link: found 's1--s3', expected the name of a link, NODE--NODE; "
        "did you mean s1--s2?",
    ),
    "a direction from elsewhere": (
        FAULTY + "[{at: 5s, break: {link: s2--s1, from: s3}}]",
        "4:49: timeline[0].break.from: found 's3', expected an end of s1--s2",
    ),
    "a change from elsewhere": (
        FAULTY + "[{at: 5s, change: {link: s2--s1, from: s11, loss: 1%}}]",
        "4:50: timeline[0].change.from: found 's11', expected an end of s1--s2; did you mean s1?",
    ),
    "a node in two parts": (
        FAULTY + "[{at: 5s, partition: ['s[1-2]', s2]}]",
        "4:43: timeline[0].partition[1]: found s2 in two parts, expected every node in one part "
        "at most",
    ),
    "a node that cannot crash": (
        FAULTY + "[{at: 5s, crash: s22}]",
        "4:28: timeline[0].crash: found 's22', expected the name of a router or hypervisor or "
        "switch or host or VM or network function; did you mean s2?",
    ),
    "a restart of what is up": (
        FAULTY + "[{at: 5s, crash: s1}, {at: 4s, restart: s1}, {at: 6s, restart: s1}]",
        "4:51: timeline[1].restart: found a restart of s1, which is not down, expected a crash "
        "before it",
    ),
    "connectivity of a switch": (
        FAULTY + "[]\nchecks: [{connectivity: {among: [s1]}}]",
        "5:34: checks[0].connectivity.among[0]: found 's1', expected the name of a host or VM",
    ),
    "connectivity that is expected otherwise": (
        FAULTY + "[]\nchecks: [{connectivity: {}, via: s1}]",
        "5:29: checks[0].via: found via on a connectivity check, expected via on a ping only",
    ),
    "an invariant of a node that is not there": (
        FAULTY
        + "[]\ninvariants: {connectivity: {among: [h11]}}\nhosts: {h1: {address: 10.0.0.1/24}}",
        "5:37: invariants.connectivity.among[0]: found 'h11', expected the name of a host or VM; "
        "did you mean h1?",
    ),
    "a ping by IPv6 of who has none": (
        "hosts: {'h[1-2]': {address: '10.0.0.[1-2]/24'}}\nlinks: [{between: [h1, h2]}]\n"
        "checks: [{ping: {from: h1, to: h2, family: 6}}]",
        "4:32: checks[0].ping.to: found 'h2', which has no IPv6 address, expected a host that the "
        "file gives one, in addresses",
    ),
    "a version of IP with an address": (
        "hosts: {'h[1-2]': {address: '10.0.0.[1-2]/24'}}\nlinks: [{between: [h1, h2]}]\n"
        "checks: [{ping: {from: h1, to: 10.0.0.2, family: 4}}]",
        "4:42: checks[0].ping.family: found family with the address 10.0.0.2, expected family "
        "with the name of a node",
    ),
    "connectivity of too many": (
        "hosts: {'h[1-65]': {address: '10.0.0.[1-65]/24'}}\nchecks: [{connectivity: {}}]\n"
        "links: [{between: ['h[1-65]', s]}]\nswitches: {s: {kind: openflow}}",
        "3:25: checks[0].connectivity: found 2080 pairs of nodes, expected at most 2016; among "
        "names some",
    ),
    "a controller that is not there": (
        FAULTY + "[{at: 5s, controller: kill}]",
        "4:33: timeline[0].controller: found kill in a file without a controller, expected a "
        "section controller",
    ),
    "a restart of a controller that lives": (
        FAULTY + "[{at: 5s, controller: restart}]\ncontroller: {app: my.app}",
        "4:33: timeline[0].controller: found a restart of the controller, which was not killed, "
        "expected kill before it",
    ),
    "a stall of a dead controller": (
        FAULTY + "[{at: 5s, controller: kill}, {at: 6s, controller: stall}]\n"
        "controller: {app: my.app}",
        "4:61: timeline[1].controller: found stall while the controller is dead, expected restart "
        "before it",
    ),
    "a crash of what is down": (
        FAULTY + "[{at: 5s, crash: s1}, {at: 6s, crash: s1}]",
        "4:49: timeline[1].crash: found a crash of s1, which is down, expected a restart before it",
    ),
}


@pytest.mark.parametrize("mistake", PARTS)
def test_parts_that_do_not_fit(mistake: str, problems: Told) -> None:
    text, expected = PARTS[mistake]
    assert problems(text) == [f"f.yaml:{expected}"]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(problems: Told) -> None:
    lines = problems("sed: 1\nhosts:\n  h1: {address: x}\n  H2: {address: 10.0.0.1/24}\nlinks: 5\n")
    assert [line.split(": ")[:2] for line in lines] == [
        ["f.yaml:2:1", "sed"],
        ["f.yaml:4:17", "hosts.h1.address"],
        ["f.yaml:5:3", "hosts.H2"],
        ["f.yaml:6:8", "links"],
    ]


def test_no_more_lines_than_anyone_reads(problems: Told) -> None:
    lines = problems("hosts:\n" + "".join(f"  h{n}: {{address: x}}\n" for n in range(150)))
    assert len(lines) == MAX_PROBLEMS + 1
    assert lines[-1] == "f.yaml: and 50 more"
