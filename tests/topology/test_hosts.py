"""Hosts of a file: their interfaces, VLANs, routes, and the mistakes that can be made there."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

import pytest

from sdnvirt.addresses import Ipv4, Ipv6, Mac
from sdnvirt.topology import from_dict, loads
from sdnvirt.topology.host import Host, Route
from sdnvirt.topology.hosts import MAX_ADDRESSES, MAX_ROUTES
from tests.topology.conftest import Told

STICK = """\
name: x
switches: {b1: {kind: bridge}}
hosts:
  r1:
    forward: true
    interfaces:
      h1: {address: 10.0.1.254/24, addresses: ["2001:db8:1::fe/64"], advertise: true}
      b1:
        address: 10.0.2.254/24
        mtu: 1400
        mac: 02:00:00:00:00:01
        vlans:
          5: {address: "2001:db8:5::fe/64", addresses: [10.5.0.254/24]}
          7: {address: 10.7.0.254/24, mtu: 1300}
    gateway: 10.0.2.1
    gateway6: "2001:db8:1::1"
    routes:
      - {to: 10.9.0.0/16, via: 10.5.0.9}
      - {to: "2001:db8:9::/48", via: "2001:db8:5::9"}
    dns: [10.0.2.53, "2001:db8:5::53"]
  h1: {address: 10.0.1.1/24}
links:
  - {between: [r1, b1], trunk: [1, 5, 7], native: 1}
  - {between: [h1, r1]}
"""


def _host(text: str, name: str = "r1") -> Host:
    host = loads(text).nodes[name]
    assert isinstance(host, Host)
    return host


def test_each_link_of_a_host_is_an_interface_in_the_order_of_its_ports() -> None:
    assert [
        (one.port, one.vlan, [*map(str, one.addresses)], one.ipv6, one.mtu, one.advertise)
        for one in _host(STICK).interfaces
    ] == [
        (1, None, ["10.0.2.254/24"], False, 1400, False),
        (1, 5, ["2001:db8:5::fe/64", "10.5.0.254/24"], True, 1400, False),
        (1, 7, ["10.7.0.254/24"], False, 1300, False),
        (2, None, ["10.0.1.254/24", "2001:db8:1::fe/64"], True, 1500, True),
    ]


def test_vlans_share_the_mac_address_of_their_port_and_others_have_their_own() -> None:
    given, again, too, default = (one.mac for one in _host(STICK).interfaces)
    assert given == again == too == Mac("02:00:00:00:00:01")
    assert default not in (given, _host(STICK, "h1").mac)


def test_routes_and_name_servers_of_a_host() -> None:
    router = _host(STICK)
    assert router.routes == (
        Route(IPv4Network("0.0.0.0/0"), Ipv4("10.0.2.1")),
        Route(IPv6Network("::/0"), Ipv6("2001:db8:1::1")),
        Route(IPv4Network("10.9.0.0/16"), Ipv4("10.5.0.9")),
        Route(IPv6Network("2001:db8:9::/48"), Ipv6("2001:db8:5::9")),
    )
    assert router.dns == (Ipv4("10.0.2.53"), Ipv6("2001:db8:5::53"))
    assert (router.forward, _host(STICK, "h1").forward) == (True, False)


def test_one_interface_by_name_is_what_the_short_form_says() -> None:
    keys = 'address: 10.0.0.1/24, addresses: ["2001:db8::1/64"], mtu: 1400, mac: 02:00:00:00:00:09'
    text = "name: x\nswitches: {s1: {kind: bridge}}\nlinks: [{between: [h1, s1]}]\nhosts:\n"
    gateways = 'gateway: 10.0.0.254, gateway6: "2001:db8::fe"'
    short = _host(f"{text}  h1: {{{keys}, {gateways}}}", "h1")
    assert short == _host(f"{text}  h1: {{interfaces: {{s1: {{{keys}}}}}, {gateways}}}", "h1")
    assert len(short.routes) == 2


def test_ranges_of_interfaces_are_gone_through_in_step_with_the_names() -> None:
    loaded = loads("""\
name: x
switches: {s[1-2]: {kind: bridge}}
hosts:
  r[1-2]:
    interfaces:
      s[1-2]: {address: 10.0.0.[1-2]/24}
      s[1-2]#2: {address: 10.1.0.[1-2]/24}
links: [{between: ["r[1-2]", "s[1-2]"]}, {between: ["s[1-2]", "r[1-2]"]}]
""")
    assert [[str(one.addresses[0]) for one in host.interfaces] for host in loaded.hosts] == [
        ["10.0.0.1/24", "10.1.0.1/24"],
        ["10.0.0.2/24", "10.1.0.2/24"],
    ]


def test_a_host_may_have_ipv6_only() -> None:
    host = _host('name: x\nhosts: {h1: {address: "2001:db8::1/64"}}', "h1")
    assert (host.ip, host.interfaces[0].ipv6) == (Ipv6("2001:db8::1"), True)


def test_vlans_of_a_dict_may_be_numbers() -> None:
    interfaces = {"h2": {"vlans": {5: {"address": "10.5.0.1/24"}}}}
    loaded = from_dict(
        {
            "name": "x",
            "hosts": {"h1": {"interfaces": interfaces}, "h2": {"address": "10.0.0.2/24"}},
            "links": [{"between": ["h1", "h2"]}],
        }
    )
    assert [one.vlan for one in loaded.hosts[0].interfaces] == [None, 5]


TRUNK = """\
switches: {{b[1-2]: {{kind: bridge}}}}
hosts:
  r1: {{interfaces: {{b1: {{vlans: {{5: {{address: {on_5}/24}}, 6: {{address: 10.6.0.1/24}}}}}}}}}}
  h5: {{address: 10.0.0.1/24}}
  h6: {{address: 10.0.0.2/24}}
links:
  - {{between: [r1, b1], trunk: [5, 6]}}
  - {{between: [b1, b2], trunk: all}}
  - {{between: [h5, b2], vlan: 5}}
  - {{between: [h6, b2], vlan: 6}}
"""


def test_an_interface_on_a_vlan_is_in_that_broadcast_domain_only(problems: Told) -> None:
    loads("name: x\n" + TRUNK.format(on_5="10.0.0.2"))  # the address of h6, in VLAN 6
    assert problems(TRUNK.format(on_5="10.0.0.1")) == [
        "f.yaml:5:17: hosts.h5.address: found '10.0.0.1', expected another address; r1 has this "
        "one in the same broadcast domain"
    ]


LINKED = """\
switches: {b1: {kind: bridge}, b2: {kind: bridge}}
links:
  - {between: [r1, b1]}
  - {between: [r1, b2], trunk: [5, 6], native: 5}
hosts:
  r1:
"""
B1 = "      b1: {address: 10.0.1.1/24}\n"
B2 = "      b2: {address: 10.5.0.1/24, vlans: {6: {address: 10.6.0.1/24}}}\n"
BOTH = f"{LINKED}    interfaces:\n{B1}{B2}"

MANY = ", ".join(f"10.0.1.{number}/16" for number in range(MAX_ADDRESSES))
ROUTES = ", ".join(["{to: 10.1.0.0/16, via: 10.0.0.2}"] * (MAX_ROUTES + 1))
VLANS = ", ".join(f"{number}: {{}}" for number in range(1, 21))

MISTAKES = {
    "no address": (
        "hosts: {h1: {ipv6: true}}",
        "2:9: hosts.h1: found no address of the host 'h1', expected address or interfaces",
    ),
    "an interface without a link": (
        BOTH + "      b22: {address: 10.0.3.1/24}",
        "11:7: hosts.r1.interfaces.b22: found 'b22', expected the name of a node that r1 is linked "
        "to; did you mean b2?",
    ),
    "a link without an interface": (
        f"{LINKED}    interfaces:\n{B2}",
        "4:16: links[0].between[0]: found the link r1--b1, expected b1 among the interfaces of r1",
    ),
    "an interface twice": (
        BOTH + "      b[1-2]: {address: 10.0.3.1/24}",
        "11:7: hosts.r1.interfaces.b[1-2]: found the interface b1, expected it once; b1 is it "
        "already",
    ),
    "keys of an interface beside interfaces": (
        BOTH + "    mtu: 1400",
        "11:5: hosts.r1.mtu: found mtu beside interfaces, expected it in interfaces",
    ),
    "no name of an interface": (
        BOTH + "      B3: {address: 10.0.3.1/24}",
        "11:7: hosts.r1.interfaces.B3: found 'B3', expected a name of at most 28 lowercase "
        "letters, digits and single hyphens, first a letter, such as web-1 or, for several, "
        "web-[1-4]",
    ),
    "no number of a parallel link": (
        BOTH + "      b1#x: {address: 10.0.3.1/24}",
        "11:7: hosts.r1.interfaces.b1#x: found 'b1#x', expected the name of an interface, which is "
        "that of the node at the other end of its link, or, for several hosts, s[1-4]; the second "
        "link to the same node is s1#2",
    ),
    "a VLAN that the bridge does not carry": (
        f"{LINKED}    interfaces:\n{B1}      b2: {{vlans: {{7: {{address: 10.6.0.1/24}}}}}}",
        "10:20: hosts.r1.interfaces.b2.vlans.7: found 7, expected a VLAN that is tagged on the "
        "link r1--b2",
    ),
    "a VLAN that is untagged": (
        f"{LINKED}    interfaces:\n{B1}      b2: {{vlans: {{5: {{address: 10.6.0.1/24}}}}}}",
        "10:20: hosts.r1.interfaces.b2.vlans.5: found 5, expected a VLAN that is tagged on the "
        "link r1--b2",
    ),
    "a VLAN over an access port": (
        f"{LINKED}    interfaces:\n      b1: {{vlans: {{5: {{address: 10.6.0.1/24}}}}}}\n{B2}",
        "9:12: hosts.r1.interfaces.b1.vlans: found VLANs over an access port of VLAN 1, "
        "expected trunk on the link r1--b1",
    ),
    "no VLAN on a trunk without a native one": (
        BOTH.replace(", native: 5", ""),
        "10:7: hosts.r1.interfaces.b2: found an interface without a VLAN on the trunk r1--b2, "
        "expected native on that link, or vlans only",
    ),
    "a number that is no VLAN": (
        f"{LINKED}    interfaces:\n{B1}      b2: {{vlans: {{4095: {{address: 10.6.0.1/24}}}}}}",
        "10:20: hosts.r1.interfaces.b2.vlans.4095: found '4095', expected a VLAN, an integer from "
        "1 to 4094",
    ),
    "advertising without forwarding": (
        "hosts: {h1: {address: '2001:db8::1/64', advertise: true}}",
        "2:41: hosts.h1.advertise: found advertise on a host that does not forward, expected "
        "forward: true, too",
    ),
    "advertising without IPv6": (
        "hosts: {h1: {address: 10.0.0.1/24, forward: true, advertise: true}}",
        "2:51: hosts.h1.advertise: found advertise without an IPv6 address, expected an IPv6 "
        "address on the interface, whose prefix is advertised",
    ),
    "a gateway that is no neighbour": (
        BOTH + "    gateway: 10.7.0.1",
        "11:14: hosts.r1.gateway: found '10.7.0.1', expected the address of a neighbour, in "
        "10.0.1.0/24, 10.5.0.0/24, 10.6.0.0/24",
    ),
    "a route by an address of its own": (
        BOTH + "    routes: [{to: 10.9.0.0/16, via: 10.6.0.1}]",
        "11:37: hosts.r1.routes[0].via: found '10.6.0.1', expected the address of a neighbour, in "
        "10.0.1.0/24, 10.5.0.0/24, 10.6.0.0/24",
    ),
    "a route by the other version of IP": (
        BOTH + "    routes: [{to: '2001:db8::/32', via: 10.6.0.9}]",
        "11:41: hosts.r1.routes[0].via: found '10.6.0.9', expected an address of the version of "
        "IP that 2001:db8::/32 is of",
    ),
    "a route to an address": (
        BOTH + "    routes: [{to: 10.9.0.1, via: 10.6.0.9}]",
        "11:19: hosts.r1.routes[0].to: found '10.9.0.1', expected a network with no host bits, "
        "such as 10.1.0.0/16 or 2001:db8:1::/64",
    ),
    "no address of a DNS server": (
        BOTH + "    dns: [ns]",
        "11:11: hosts.r1.dns[0]: found 'ns', expected an IP address such as 10.0.0.1 or "
        "2001:db8::1",
    ),
    "too many addresses": (
        f"hosts: {{h1: {{address: 10.0.0.1/16, addresses: [{MANY}]}}}}",
        f"2:47: hosts.h1.addresses: found {MAX_ADDRESSES + 1} addresses of an interface, expected "
        f"at most {MAX_ADDRESSES}",
    ),
    "too many routes": (
        f"hosts: {{h1: {{address: 10.0.0.1/16, routes: [{ROUTES}]}}}}",
        f"2:44: hosts.h1.routes: found {MAX_ROUTES + 1} routes of a host, expected at most "
        f"{MAX_ROUTES}",
    ),
    "too many interfaces of all hosts": (
        f"hosts: {{'h[1-20000]': {{address: 10.0.0.1/16, vlans: {{{VLANS}}}}}}}",
        "2:1: hosts: found 420000 interfaces, addresses and routes, expected at most 400000 of all "
        "hosts",
    ),
    "a second link of a generated host": (
        "fabric: {linear: {nodes: 1}, hosts: {}}\nswitches: {b1: {kind: bridge}}\n"
        "links: [{between: [h1, b1]}]",
        "4:20: links[0].between[0]: found a second link of the host 'h1', expected one link of "
        "each host that has no interfaces",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_host_that_does_not_fit(mistake: str, problems: Told) -> None:
    text, expected = MISTAKES[mistake]
    assert problems(text) == [f"f.yaml:{expected}"]


def test_a_link_local_next_hop_needs_to_say_where_only_with_several_links(problems: Told) -> None:
    text = "hosts: {{h1: {{address: '2001:db8::1/64', gateway6: '{hop}'}}}}"
    assert loads("name: x\n" + text.format(hop="fe80::1")).hosts[0].routes
    assert problems(STICK.removeprefix("name: x\n").replace("2001:db8:1::1", "fe80::1")) == [
        "f.yaml:16:15: hosts.r1.gateway6: found 'fe80::1', expected the address of a neighbour, "
        "in 2001:db8:5::/64, 2001:db8:1::/64"
    ]
