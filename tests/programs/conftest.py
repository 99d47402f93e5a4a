"""Two hosts on one switch, and programs for them."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv6Interface
from typing import Any

import pytest

from sdnvirt.network.network import Network

PAIR = """
    name: pair
    switches:
      s1: {kind: bridge}
    hosts:
      h[1-3]: {address: '10.0.0.[1-3]/24'}
    links:
      - {between: ['h[1-3]', s1], rate: 1Gbit/s, delay: 10us}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the pair, unless they bring a topology of their own."""
    for item in items:
        if item.path.parent.name == "programs" and item.get_closest_marker("topology") is None:
            item.add_marker(pytest.mark.topology(text=PAIR))


@pytest.fixture
def net(network: Network) -> Network:
    """The network, under a name that fits into a line."""
    return network


@dataclass
class Family:
    """The addresses of the hosts in one version of IP.

    Attributes:
        hosts: by number, from 1.
        kind: the address family.
        silent: an address of the subnet that nobody has.
        elsewhere: an address that no route leads to.
        everywhere: what a socket is bound to that takes any address.
    """

    hosts: dict[int, str]
    kind: socket.AddressFamily
    silent: str
    elsewhere: str
    everywhere: str

    def name(self, number: int, port: int) -> tuple[Any, ...]:
        """Return address and port of a host, as the module ``socket`` writes them."""
        more = () if self.kind == socket.AF_INET else (0, 0)
        return (self.hosts[number], port, *more)


IPV4 = Family(
    {n: f"10.0.0.{n}" for n in (1, 2, 3)}, socket.AF_INET, "10.0.0.77", "10.9.9.9", "0.0.0.0"
)
IPV6 = Family(
    {n: f"2001:db8::{n}" for n in (1, 2, 3)}, socket.AF_INET6, "2001:db8::77", "2001:db8:9::9", "::"
)


@pytest.fixture(params=[IPV4, IPV6], ids=["ipv4", "ipv6"])
def family(request: pytest.FixtureRequest, net: Network) -> Family:
    """Both versions of IP, one after the other; with IPv6 the addresses are known to be unique."""
    found: Family = request.param
    if found is IPV6:
        for number, address in found.hosts.items():
            net[f"h{number}"].host.add_address(IPv6Interface(f"{address}/64"))
        net.run_for("3s")
    return found
