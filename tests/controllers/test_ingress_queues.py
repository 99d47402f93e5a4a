"""Queues by where packets come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sdnvirt.network.network import Network

APP = str(Path(__file__).parents[2] / "controllers" / "ingress_queues.py")

NET = """
    name: star
    switches:
      s1:
        kind: openflow
        queues: [{port: h3, id: 1}, {port: h3, id: 2}, {port: h2, id: 1}]
    hosts: {'h[1-3]': {address: '10.0.0.[1-3]/24'}}
    links: [{between: ['h[1-3]', s1]}]
"""

pytestmark = pytest.mark.topology(text=NET, controller=APP)


def sent(network: Network) -> dict[tuple[int, int], int]:
    """Return how many frames each queue has sent, by port and number."""
    return {
        (port, number): queue.tx_packets
        for port, queues in network.plant.switches["s1"].queues.items()
        for number, queue in queues.numbered.items()
    }


@pytest.mark.parametrize(
    ("source", "target", "queues"),
    [
        ("h1", "h3", {(2, 1): 1, (3, 1): 4, (3, 2): 0}),  # its ARP request is flooded
        ("h2", "h3", {(2, 1): 0, (3, 1): 0, (3, 2): 4}),
        ("h3", "h2", {(2, 1): 0, (3, 1): 0, (3, 2): 4}),
        ("h2", "h1", {(2, 1): 4, (3, 1): 0, (3, 2): 1}),  # the answers go by queue 1
    ],
)
def test_the_number_of_the_port_that_a_frame_came_by_is_that_of_its_queue(
    network: Network, source: str, target: str, queues: Any
) -> None:
    assert network[source].ping(target, count=3).received == 3
    assert sent(network) == queues


def test_there_is_no_packet_in(network: Network) -> None:
    assert network["h1"].ping("h2").received == 3
    assert network.plant.switches["s1"].agents[0].errors == 0
    assert network.world.ledger.imbalance() == 0
