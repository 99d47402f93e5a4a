"""Routes of the underlay: every router's equal-cost next hops to every tunnel endpoint.

Stands for what a routing protocol would converge to: shortest paths by hops over the links that
are up. A breadth-first search for each leaf, O(leaves * (routers + links)); networkx would take
longer to import than this does for the largest fabric.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Final

from sdnvirt.addresses import Ipv4
from sdnvirt.devices.device import Port
from sdnvirt.devices.link import Link
from sdnvirt.devices.router import FabricRouter, NextHop

CONVERGENCE_NS: Final = 10_000_000
"""How long after a change of the fabric the routers know: 10 ms, what BFD at 3 x 3 ms achieves
(RFC 5880). Until then only the routers at the ends of a lost link send around it."""


Fabric = dict[str, dict[str, list[NextHop]]]
"""For each router, its neighbours, each with the next hops over the links to it."""


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
    fabric: Fabric = {name: {} for name in routers}
    for link in links:
        for near, far in (link.ends, link.ends[::-1]):
            here, there = near.device.name, far.device.name
            if link.up and here in routers and there in routers:
                fabric[here].setdefault(there, []).append(next_hop(near, far))
    routes: dict[str, dict[IPv4Network, tuple[NextHop, ...]]] = {name: {} for name in routers}
    towards: dict[str, dict[str, tuple[NextHop, ...]]] = {}
    for attachment in attachments:
        if attachment.router not in towards:
            towards[attachment.router] = _towards(attachment.router, fabric)
        prefix = IPv4Network(bytes(attachment.address))
        routes[attachment.router][prefix] = (attachment.next_hop,)
        for name, choice in towards[attachment.router].items():
            routes[name][prefix] = choice
    for name, router in routers.items():
        router.set_routes(routes[name])


def _towards(target: str, fabric: Fabric) -> dict[str, tuple[NextHop, ...]]:
    """Return, for every other router that can reach a target, its next hops on shortest paths."""
    distance = {target: 0}
    queue = deque([target])
    while queue:
        reached = queue.popleft()
        for neighbour in fabric[reached]:
            if neighbour not in distance:
                distance[neighbour] = distance[reached] + 1
                queue.append(neighbour)
    return {
        name: tuple(
            hop
            for neighbour, hops in neighbours.items()
            if distance[neighbour] < distance[name]
            for hop in hops
        )
        for name, neighbours in fabric.items()
        if name != target and name in distance
    }
