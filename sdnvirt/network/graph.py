"""The network as a live networkx graph.

The graph is a view: a link that is down is not in it, so that ``nx.shortest_path`` and its kin
answer for the network as it is now. It is made when somebody asks for it: to import networkx takes
longer than most runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdnvirt.devices.device import Device
from sdnvirt.devices.link import Link
from sdnvirt.topology.resolved import Topology

if TYPE_CHECKING:
    import networkx as nx

    from sdnvirt.network.build import Plant


class LiveGraph:
    """The graph of a network.

    Nodes carry ``kind`` (``router``, ``hypervisor``, ``switch``, ``host``, ``vm``, ``function``)
    and ``device``. Edges carry ``links`` (the parallel links), ``up``, ``rate_bps``, ``delay_ns``,
    ``mtu``, and ``weight``, the delay of one full frame in ns.
    """

    def __init__(self, topology: Topology, plant: Plant) -> None:
        self._topology = topology
        self._plant = plant
        self._everything: nx.Graph[str] | None = None

    def view(self) -> nx.Graph[str]:
        """Return the nodes and the links that are up; stays up to date by :meth:`refresh`."""
        import networkx as nx

        if self._everything is None:
            self._everything = self._make()
        everything = self._everything

        def is_up(a: str, b: str) -> bool:
            return bool(everything.edges[a, b]["up"])

        return nx.subgraph_view(everything, filter_edge=is_up)

    def refresh(self, link: Link) -> None:
        """Enter what a link is like now."""
        if self._everything is not None:
            _set_edge(self._everything, link)

    def _make(self) -> nx.Graph[str]:
        import networkx as nx

        graph: nx.Graph[str] = nx.Graph(name=self._topology.name)
        for name, node in self._topology.nodes.items():
            kind = type(node).__name__.lower()
            graph.add_node(name, kind=kind, device=self._plant.devices[name])
        for link in self._plant.links.values():
            a, b = ends(link)
            if not graph.has_edge(a, b):
                graph.add_edge(a, b, links=[])
            graph.edges[a, b]["links"].append(link)
            _set_edge(graph, link)
        return graph


def ends(link: Link) -> tuple[str, str]:
    """Return the names of the nodes that a link joins."""
    a, b = (node_of(port.device) for port in link.ends)
    return a, b


def node_of(device: Device) -> str:
    """Return the name of the node that a device belongs to: ``hv1`` for ``hv1.vtep``."""
    return device.name.partition(".")[0]  # names of nodes have no dots


def _set_edge(graph: nx.Graph[str], link: Link) -> None:
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
