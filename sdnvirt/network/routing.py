"""Routes of the underlay: every router's equal-cost next hops to every tunnel endpoint.

Stands for what a routing protocol would converge to: shortest paths by hops over the links that
are up, computed with networkx on the fabric's graph. O(leaves * (routers + links)).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

import networkx as nx

from sdnvirt.addresses import Ipv4
from sdnvirt.devices.device import Port
from sdnvirt.devices.link import Link
from sdnvirt.devices.router import FabricRouter, NextHop

CONVERGENCE_NS: Final = 10_000_000
"""How long after a change of the fabric the routers know: 10 ms, what BFD at 3 x 3 ms achieves
(RFC 5880). Until then only the routers at the ends of a lost link send around it."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A tunnel endpoint's address and the router's port that leads to it."""

    address: Ipv4
    router: str
    next_hop: NextHop


def next_hop(port: Port, peer: Port) -> NextHop:
    """Return the next hop that the far end of a link is."""
    return NextHop(port.number, peer.mac)


def converge(
    routers: dict[str, FabricRouter], links: Iterable[Link], attachments: Iterable[Attachment]
) -> None:
    """Give every router its routes over the links that are up.

    Args:
        routers: the fabric, by name.
        links: all links; those that do not join two of the routers are passed over.
        attachments: the tunnel endpoints.
    """
    fabric: nx.Graph[str] = nx.Graph()
    fabric.add_nodes_from(routers)
    hops: dict[tuple[str, str], list[NextHop]] = {}
    for link in links:
        a, b = link.ends
        if link.up and a.device.name in routers and b.device.name in routers:
            fabric.add_edge(a.device.name, b.device.name)
            hops.setdefault((a.device.name, b.device.name), []).append(next_hop(a, b))
            hops.setdefault((b.device.name, a.device.name), []).append(next_hop(b, a))
    routes: dict[str, dict[IPv4Network, tuple[NextHop, ...]]] = {name: {} for name in routers}
    towards: dict[str, dict[str, tuple[NextHop, ...]]] = {}
    for attachment in attachments:
        if attachment.router not in towards:
            towards[attachment.router] = _towards(attachment.router, fabric, hops)
        prefix = IPv4Network(bytes(attachment.address))
        routes[attachment.router][prefix] = (attachment.next_hop,)
        for name, choice in towards[attachment.router].items():
            routes[name][prefix] = choice
    for name, router in routers.items():
        router.set_routes(routes[name])


def _towards(
    target: str, fabric: nx.Graph[str], hops: dict[tuple[str, str], list[NextHop]]
) -> dict[str, tuple[NextHop, ...]]:
    """Return, for every other router that can reach a target, its next hops on shortest paths."""
    distance = nx.single_source_shortest_path_length(fabric, target)
    return {
        name: tuple(
            hop
            for neighbour in fabric[name]
            if distance[neighbour] < distance[name]
            for hop in hops[name, neighbour]
        )
        for name in fabric
        if name != target and name in distance
    }
