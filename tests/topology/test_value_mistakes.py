"""Every value that a file cannot have, and the line that tells it."""

from __future__ import annotations

import pytest

from tests.topology.conftest import Told

NAME = (
    "a name of at most 28 lowercase letters, digits and single hyphens, first a letter, "
    "such as web-1"
)
VALUES = {
    "a name": ("vms: {Web: {network: a/b, hypervisor: h}}", "2:7: vms.Web: found 'Web', expected "
               + NAME + " or, for several, web-[1-4]"),
    "a range": ("hosts: {h[2-1]: {address: 10.0.0.1/24}}",
                "2:9: hosts.h[2-1]: found 'h[2-1]', expected a range from low to high, "
                "such as hv[1-4]"),
    "an unknown key": ("hosts: {h1: {adress: 10.0.0.1/24, address: 10.0.0.1/24}}",
                       "2:14: hosts.h1.adress: found the unknown key 'adress', expected one of "
                       "address, addresses, ipv6, mtu, advertise, mac, vlans, gateway, gateway6, "
                       "interfaces, forward, routes, dns; did you mean address?"),
    "a missing key": ("switches: {s1: {}}",
                      "2:16: switches.s1.kind: found nothing, expected a value, "
                      "because this key is required"),
    "no mapping": ("hosts: [h1]", "2:8: hosts: found [h1], expected a mapping"),
    "no list": ("links: {}", "2:8: links: found {}, expected a list"),
    "a choice": ("switches: {b1: {kind: brige}}",
                 "2:23: switches.b1.kind: found 'brige', expected bridge or openflow; "
                 "did you mean bridge?"),
    "a time": ("timeline: [{at: 5, down: a--b}]",
               "2:17: timeline[0].at: found 5, expected a time such as 5us "
               "(ns, us, ms, s, min or h)"),
    "a time beyond 64 bits": ("duration: 999999999999min",
                              "2:11: duration: found '999999999999min', expected a time of "
                              "at most 1000000 h"),
    "a rate": ("links: [{between: [a, b], rate: 10}]",
               "2:33: links[0].rate: found 10, expected a rate such as 10Gbit/s "
               "(bit/s, kbit/s, Mbit/s, Gbit/s or Tbit/s)"),
    "a size": ("links: [{between: [a, b], queue: 10 kb}]",
               "2:34: links[0].queue: found '10 kb', expected a size such as 512KiB "
               "(B, kB, MB, GB, KiB, MiB or GiB)"),
    "a share": ("links: [{between: [a, b], loss: 101%}]",
                "2:33: links[0].loss: found '101%', expected a share from 0% to 100%, "
                "such as 1% or 0.01"),
    "a VLAN": ("links: [{between: [a, b], vlan: 4095}]",
               "2:33: links[0].vlan: found 4095, expected a VLAN, an integer from 1 to 4094"),
    "a boolean for a number": ("seed: true",
                               "2:7: seed: found true, expected a seed, "
                               "an integer from 0 to 9223372036854775807"),
    "a trunk": ("links: [{between: [a, b], trunk: [1, 20-10, 0]}]",
                "2:34: links[0].trunk: found [1, 20-10, 0], expected all, or a list of VLANs "
                "from 1 to 4094, such as [10, 20-29]"),
    "a VNI": ("tenants: {a: {networks: {b: {vni: 16777216, subnet: 10.0.0.0/24}}}}",
              "2:35: tenants.a.networks.b.vni: found 16777216, expected a VXLAN network "
              "identifier, an integer from 1 to 16777215"),
    "a subnet": ("tenants: {a: {networks: {b: {vni: 1, subnet: 10.0.0.1/24}}}}",
                 "2:46: tenants.a.networks.b.subnet: found '10.0.0.1/24', expected an IPv4 network "
                 "from /8 to /29 with no host bits, such as 10.0.0.0/24"),
    "dhcp": ("tenants: {a: {networks: {b: {vni: 1, subnet: 10.0.0.0/24, dhcp: yes}}}}",
             "2:65: tenants.a.networks.b.dhcp: found 'yes', expected true, false or a mapping"),
    "an address without prefix": ("hosts: {h1: {address: 10.0.0.1}}",
                                  "2:23: hosts.h1.address: found '10.0.0.1', expected an "
                                  "address of a host and its prefix length, such as 10.0.0.1/24 "
                                  "or 2001:db8::1/64 or, for several hosts, 2001:db8::[1-4]/64"),
    **{
        f"no address of a host: {text}": (
            f'hosts: {{h1: {{address: 10.0.0.1/24, addresses: ["{text}"]}}}}',
            f"2:48: hosts.h1.addresses[0]: found '{text}', expected an address of a host and its "
            "prefix length, such as 10.0.0.1/24 or 2001:db8::1/64 or, for several hosts, "
            "2001:db8::[1-4]/64",
        )
        for text in ("2001:db8::1", "::/64", "ff02::1/64", "::1/128", "fe80::1/64", "10.0.0.0/24")
    },
    "a group MAC address": ("hosts: {h1: {address: 10.0.0.1/24, mac: 01:00:00:00:00:01}}",
                            "2:41: hosts.h1.mac: found '01:00:00:00:00:01', expected a unicast "
                            "MAC address such as 02:00:00:00:00:01 or, for several, "
                            "02:00:00:00:00:[01-04]"),
    "a version of IP": (
        "checks: [{ping: {from: a, to: b, family: 5}}]",
        "2:42: checks[0].ping.family: found 5, expected 4 or 6",
    ),
    **{
        f"no IPv6 network: {text}": (
            f'fabric: {{linear: {{nodes: 2}}, hosts: {{subnet6: "{text}"}}}}',
            f"2:47: fabric.hosts.subnet6: found '{text}', expected an IPv6 network from /16 to "
            "/112 with no host bits, such as 2001:db8::/64",
        )
        for text in ("2001:db8::1/64", "2001:db8::", "2001:db8::/120", "::/64", "ff00::/16",
                     "fe80::/64", "10.0.0.0/8")
    },
    "invariants that are none": (
        "invariants: {connectivity: maybe}",
        "2:28: invariants.connectivity: found 'maybe', expected true, false or a mapping",
    ),
    "an invariant that there is not": (
        "invariants: {isolation: false}",
        "2:14: invariants.isolation: found the unknown key 'isolation', expected one of "
        "connectivity, loops",
    ),
    "a key of an invariant that there is not": (
        "invariants: {connectivity: {setle: 5s}}",
        "2:29: invariants.connectivity.setle: found the unknown key 'setle', expected one of "
        "among, timeout, settle; did you mean settle?",
    ),
    "a time without a unit to settle": (
        "invariants: {connectivity: {settle: 5}}",
        "2:37: invariants.connectivity.settle: found 5, expected a time such as 5us "
        "(ns, us, ms, s, min or h)",
    ),
    "loops that are no boolean": (
        "invariants: {loops: no}",
        "2:21: invariants.loops: found 'no', expected true or false",
    ),
    "one end": ("links: [{between: [h1]}]",
                "2:19: links[0].between: found [h1], expected a list of two names of nodes, "
                "such as [h1, s1]"),
    "two shapes": ("underlay: {ring: {nodes: 3}, linear: {nodes: 3}}",
                   "2:11: underlay: found linear and ring, expected exactly one of linear, ring, "
                   "star, tree, leaf_spine, fat_tree, graphml"),
    "an odd k": ("fabric: {fat_tree: {k: 3}}",
                 "2:24: fabric.fat_tree.k: found 3, expected an even number of pods from 2 to 32"),
    "no app": ("controller: {}",
               "2:13: controller: found none, expected exactly one of app, apps"),
    "an empty list of apps": (
        "controller: {apps: []}",
        "2:13: controller: found no app, expected one or more"),
    "a key that was meant to be another, which is required": (
        "checks: [{ping: {form: a, to: b}}]",
        "2:18: checks[0].ping.form: found the unknown key 'form', expected one of from, to, "
        "family, count, interval, size, timeout; did you mean from?"),
    "a tab": (
        "switches:\n\ts1: {kind: bridge}",
        "3:1: found broken YAML: a tab, where YAML takes only spaces, expected YAML"),
    "two checks": ("checks: [{ping: {from: a, to: b}, lease: {vm: a}}]",
                   "2:10: checks[0]: found ping and lease, expected exactly one of ping, lease, "
        "connectivity"),
    "a fail mode": ("switches: {s1: {kind: openflow, fail_mode: standalon}}",
                    "2:44: switches.s1.fail_mode: found 'standalon', expected secure or "
                    "standalone; did you mean standalone?"),
    "a queue's number": (
        "switches: {s1: {kind: openflow, queues: [{port: h1, id: 0xffffffff}]}}",
        "2:57: switches.s1.queues[0].id: found 4294967295, expected a number of a queue, "
        "an integer from 0 to 4294967294"),
    "a queue without a number": (
        "switches: {s1: {kind: openflow, queues: [{port: h1}]}}",
        "2:42: switches.s1.queues[0].id: found nothing, expected a value, "
        "because this key is required"),
    "a queue's rate": (
        "switches: {s1: {kind: openflow, queues: [{port: h1, id: 1, max_rate: 0bit/s}]}}",
        "2:70: switches.s1.queues[0].max_rate: found '0bit/s', expected a rate such as 10Gbit/s "
        "(bit/s, kbit/s, Mbit/s, Gbit/s or Tbit/s)"),
    "a port's name": (
        "switches: {s1: {kind: openflow, queues: [{port: 'h1#', id: 1}]}}",
        "2:49: switches.s1.queues[0].port: found 'h1#', expected the name of a port, which is that "
        "of the node at its other end, or, for several, h[1-4]; the second link to the same node "
        "is h1#2"),
    "a key of a queue": (
        "switches: {s1: {kind: openflow, queues: [{port: h1, id: 1, rate: 1Mbit/s}]}}",
        "2:60: switches.s1.queues[0].rate: found the unknown key 'rate', expected one of port, id, "
        "min_rate, max_rate; did you mean min_rate?"),
    "a delay of controllers": (
        "controller: {app: my.app, delay: 5}",
        "2:34: controller.delay: found 5, expected a time such as 5us (ns, us, ms, s, min or h)"),
    "an option's name": (
        "controller: {app: my.app, options: {--observe-links: true}}",
        "2:37: controller.options.--observe-links: found '--observe-links', expected the name of "
        "an option of Ryu, such as observe-links"),
    "an option's value": (
        "controller: {app: my.app, options: {wsapi-port: [1]}}",
        "2:49: controller.options.wsapi-port: found [1], expected true, false, a number or text "
        "on one line"),
    "a link's name": ("timeline: [{at: 5s, down: a-b}]",
                      "2:27: timeline[0].down: found 'a-b', expected the name of a link, "
                      "NODE--NODE, such as leaf1--spine1"),
    "a quality in short": (
        "links: [{between: [a, b], jitter: fast}]",
        "2:35: links[0].jitter: found 'fast', expected a time such as 5us (ns, us, ms, s, min "
        "or h)"),
    "a discipline's name": (
        "links: [{between: [a, b], discipline: codle}]",
        "2:39: links[0].discipline: found 'codle', expected tail_drop or red or codel or "
        "priority; did you mean codel?"),
    "two disciplines": (
        "links: [{between: [a, b], discipline: {red: {}, codel: {}}}]",
        "2:39: links[0].discipline: found red and codel, expected exactly one of tail_drop, red, "
        "codel, token_bucket, priority"),
    "two distributions": (
        "links: [{between: [a, b], jitter: {normal: 1ms, uniform: 1ms}}]",
        "2:35: links[0].jitter: found normal and uniform, expected exactly one of normal, "
        "uniform, table"),
    "an empty table": (
        "links: [{between: [a, b], jitter: {table: []}}]",
        "2:43: links[0].jitter.table: found [], expected a list that is not empty"),
    "a deviation": (
        "links: [{between: [a, b], jitter: {table: [-1ms, 2]}}]",
        "2:50: links[0].jitter.table[1]: found 2, expected a time such as 5us or -5us (ns, us, "
        "ms, s, min or h)"),
    "an average that ends before it begins": (
        "links: [{between: [a, b], discipline: {red: {min: 9kB, max: 9kB}}}]",
        "2:45: links[0].discipline.red: found a min of 9000 B and a max of 9000 B, expected a min "
        "below max"),
    "an empty bucket": (
        "links: [{between: [a, b], discipline: {token_bucket: {rate: 1Mbit/s, burst: 0}}}]",
        "2:77: links[0].discipline.token_bucket.burst: found 0, expected a size above 0 such as "
        "512KiB (B, kB, MB, GB, KiB, MiB or GiB)"),
    "half a chain": (
        "links: [{between: [a, b], back: {loss: {to_bad: 1%}}}]",
        "2:40: links[0].back.loss.to_good: found nothing, expected a value, because this key is "
        "required"),
    "two faults at once": (
        "timeline: [{at: 5s, crash: a, heal: true}]",
        "2:12: timeline[0]: found heal and crash, expected exactly one of down, up, flap, break, "
        "mend, change, partition, heal, crash, restart, controller, run"),
    "healing nothing": (
        "timeline: [{at: 5s, heal: false}]",
        "2:27: timeline[0].heal: found false, expected true"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", VALUES)
def test_a_wrong_value(mistake: str, problems: Told) -> None:
    text, expected = VALUES[mistake]
    assert problems(text) == [f"f.yaml:{expected}"]
