"""Two hosts on one switch, and programs for them."""

from __future__ import annotations

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
