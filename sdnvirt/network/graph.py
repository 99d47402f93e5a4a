"""The network as a live networkx graph.

The graph is a view: a link that is down is not in it, so that ``nx.shortest_path`` and its kin
answer for the network as it is now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from sdnvirt.devices.device import Device
from sdnvirt.devices.link import Link
from sdnvirt.topology.resolved import Topology

if TYPE_CHECKING:
    from sdnvirt.network.build import Plant


def live_graph(topology: Topology, plant: Plant) -> tuple[nx.Graph[str], nx.Graph[str]]:
    """Return the graph of all links, and the view of those that are up.

    Nodes carry ``kind`` (``router``, ``hypervisor``, ``switch``, ``host``, ``vm``, ``function``)
    and ``device``. Edges carry ``links`` (the parallel links), ``up``, ``rate_bps``, ``delay_ns``,
    ``mtu``, and ``weight``, the delay of one full frame in ns.
    """
    everything: nx.Graph[str] = nx.Graph(name=topology.name)
    for name, node in topology.nodes.items():
        everything.add_node(name, kind=type(node).__name__.lower(), device=plant.devices[name])
    for link in plant.links.values():
        a, b = ends(link)
        if not everything.has_edge(a, b):
            everything.add_edge(a, b, links=[])
        everything.edges[a, b]["links"].append(link)
        set_edge(everything, link)

    def is_up(a: str, b: str) -> bool:
        return bool(everything.edges[a, b]["up"])

    return everything, nx.subgraph_view(everything, filter_edge=is_up)


def ends(link: Link) -> tuple[str, str]:
    """Return the names of the nodes that a link joins."""
    a, b = (node_of(port.device) for port in link.ends)
    return a, b


def node_of(device: Device) -> str:
    """Return the name of the node that a device belongs to: ``hv1`` for ``hv1.vtep``."""
    return device.name.partition(".")[0]  # names of nodes have no dots


def set_edge(graph: nx.Graph[str], link: Link) -> None:
    """Enter what a link is like now; of parallel links, the first that is up counts."""
    a, b = ends(link)
    edge = graph.edges[a, b]
    best = next((one for one in edge["links"] if one.up), edge["links"][0])
    parameters = best.parameters
    rate = parameters.rate_bps
    edge["up"] = best.up
    edge["rate_bps"] = rate
    edge["delay_ns"] = parameters.delay_ns
    edge["mtu"] = parameters.mtu
    edge["weight"] = parameters.delay_ns + (
        0 if rate is None else parameters.mtu * 8 * 10**9 // rate
    )
