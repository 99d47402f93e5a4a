"""Three hosts on one switch, dual stack, and one behind a router that is a host, too."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Interface

import pytest

from sdnvirt.network.network import Network

HOSTS = """
    name: commands
    switches:
      s1: {kind: bridge}
    hosts:
      h[1-3]: {address: '10.0.0.[1-3]/24', gateway: 10.0.0.254}
      r: {address: 10.0.0.254/24}
      far: {address: 10.0.9.2/24, gateway: 10.0.9.254}
    links:
      - {between: ['h[1-3]', s1], rate: 100Mbit/s, delay: 10us}
      - {between: ['r', s1], rate: 100Mbit/s, delay: 10us}
      - {between: [far, s1], rate: 100Mbit/s, delay: 10us}
"""

SETTLED = "20s"
"""When addresses are known to be unique, and nobody asks for routers any more."""


@dataclass(frozen=True)
class Version:
    """A version of IP: its name, the hosts' addresses, and the option that asks for it."""

    name: str
    option: str
    h1: str
    h2: str
    h3: str
    nobody: str
    router: str
    far: str

    @property
    def is_v4(self) -> bool:
        return self.name == "IPv4"

    def url(self, host: str) -> str:
        """Return an address as it stands in a URL."""
        return host if self.is_v4 else f"[{host}]"


V4 = Version(
    "IPv4", "-4", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.99", "10.0.0.254", "10.0.9.2"
)  # fmt: skip
V6 = Version(
    "IPv6", "-6", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::99", "2001:db8::254",
    "2001:db8:9::2",
)  # fmt: skip


@pytest.fixture(params=[V4, V6], ids=["IPv4", "IPv6"])
def ip(request) -> Version:
    """Run the test for both versions of IP."""
    return request.param


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the hosts, unless they bring a topology of their own."""
    for item in items:
        if item.path.parent.name == "commands" and item.get_closest_marker("topology") is None:
            item.add_marker(pytest.mark.topology(text=HOSTS))


@pytest.fixture
def net(network: Network) -> Network:
    """The network with addresses of both versions of IP, settled at 20 s."""
    return make_dual(network)


def make_dual(network: Network) -> Network:
    """Give the hosts of the topology above addresses of IPv6, and run until they may be used."""
    for n in (1, 2, 3):
        host = network[f"h{n}"].host
        host.configure(IPv6Interface(f"2001:db8::{n}/64"), gateway=_v6("2001:db8::254"))
    router, far = network["r"].host, network["far"].host
    router.enable_forwarding()
    near_side = far_side = router.interface
    router.configure(IPv6Interface("2001:db8::254/64"), interface=near_side)
    router.add_address(IPv6Interface("2001:db8:9::254/64"), far_side)
    router.add_address(_v4_interface("10.0.9.254/24"), far_side)
    far.configure(IPv6Interface("2001:db8:9::2/64"), gateway=_v6("2001:db8:9::254"))
    network.run_until(SETTLED)
    return network


def _v6(text: str):
    from sdnvirt.addresses import Ipv6

    return Ipv6(text)


def _v4_interface(text: str):
    from ipaddress import IPv4Interface

    return IPv4Interface(text)
