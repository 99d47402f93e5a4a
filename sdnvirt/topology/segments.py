"""Broadcast domains of the layer 2 network: what must be unique in each, and loops of bridges.

A bridge port belongs to a domain by its VLAN, so the vertices of the graph are pairs of node and
VLAN; so do the interfaces of a host, which keeps its links apart. An OpenFlow switch is taken as
one domain with what it is linked to, untagged and in each VLAN that hosts tag.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from sdnvirt.devices.failmode import FailMode
from sdnvirt.devices.vlan import Access, Membership, Trunk
from sdnvirt.topology.host import Host
from sdnvirt.topology.hosts import PlacedHost
from sdnvirt.topology.problems import Path, Problems, Words
from sdnvirt.topology.resolved import Endpoint, Link, Switch

Vertex = tuple[str, int]
_UNTAGGED = 0


class _Domains:
    """Disjoint sets of vertices."""

    def __init__(self) -> None:
        self._parents: dict[Vertex, Vertex] = {}

    def find(self, vertex: Vertex) -> Vertex:
        parents = self._parents
        parents.setdefault(vertex, vertex)
        while parents[vertex] != vertex:
            parents[vertex] = vertex = parents[parents[vertex]]
        return vertex

    def join(self, a: Vertex, b: Vertex) -> bool:
        """Join the sets of two vertices; False if they were one set before."""
        a, b = self.find(a), self.find(b)
        self._parents[a] = b
        return a != b


def check_loops(
    links: list[Link], paths: list[Path], vlans: Mapping[str, list[Membership]], problems: Problems
) -> None:
    """Note every link that closes a loop of bridges within a VLAN: frames would circle forever."""
    between = [
        (link, path)
        for link, path in zip(links, paths, strict=True)
        if link.a.node in vlans and link.b.node in vlans
    ]
    cables = _Domains()
    if all(cables.join((link.a.node, 0), (link.b.node, 0)) for link, _ in between):
        return  # no loop of cables, so none in any VLAN
    used = _vlans_in_use(vlans)
    domains = _Domains()
    for link, path in between:
        for vlan in _carried(link.vlan, used):
            if not domains.join((link.a.node, vlan), (link.b.node, vlan)):
                found = Words(
                    f"the link {link.name}, which closes a loop of bridges in VLAN {vlan}"
                )
                problems.add(path, found, "no loops, because bridges here have no spanning tree")
                break


def check_standalone(
    switches: Iterable[Switch], links: list[Link], paths: list[Path], problems: Problems
) -> None:
    """Note every link that closes a loop of switches that no controller keeps from bridging."""
    alone = {switch.name for switch in switches if switch.fail_mode is FailMode.STANDALONE}
    cables = _Domains()
    for link, path in zip(links, paths, strict=True):
        a, b = link.a.node, link.b.node
        if a in alone and b in alone and not cables.join((a, 0), (b, 0)):
            found = Words(f"the link {link.name}, which closes a loop of standalone switches")
            problems.add(path, found, "no loops without a controller, which would break them")


def broadcast_domains(
    hosts: Iterable[Host], links: list[Link], vlans: Mapping[str, list[Membership]]
) -> dict[str, tuple[Vertex, ...]]:
    """Return what names the broadcast domain of each interface of each host, by its name."""
    by_name = {host.name: host for host in hosts}
    tags = {one.vlan for host in by_name.values() for one in host.interfaces if one.vlan}
    used = _vlans_in_use(vlans)
    domains = _Domains()
    for link in links:
        if link.a.node in vlans and link.b.node in vlans:
            for vlan in _carried(link.vlan, used):
                domains.join((link.a.node, vlan), (link.b.node, vlan))
            continue
        for tag in (_UNTAGGED, *sorted(tags)):
            a, b = (_vertex(end, tag, link.vlan, by_name, vlans) for end in (link.a, link.b))
            if a and b:
                domains.join(a, b)
    return {
        name: tuple(
            domains.find(_interface(name, one.port, one.vlan or _UNTAGGED))
            for one in host.interfaces
        )
        for name, host in by_name.items()
    }


def _vertex(
    end: Endpoint,
    tag: int,
    port: Membership | None,
    hosts: Container[str],
    vlans: Container[str],
) -> Vertex | None:
    """Return where frames with a tag at one end of a link belong, or None: they are dropped."""
    if end.node in hosts:
        return _interface(end.node, end.port, tag)
    if end.node not in vlans or port is None:
        return end.node, tag
    if tag == _UNTAGGED:
        return None if port.untagged is None else (end.node, port.untagged)
    tagged = isinstance(port, Trunk) and port.carries(tag) and tag != port.native
    return (end.node, tag) if tagged else None


def _interface(host: str, port: int, tag: int) -> Vertex:
    return f"{host}:{port}", tag  # names of nodes have no colons


def check_unique(
    hosts: Iterable[PlacedHost], domains: Mapping[str, tuple[Vertex, ...]], problems: Problems
) -> None:
    """Note every interface whose first IP or MAC address another of its broadcast domain has."""
    owners: dict[tuple[Vertex, str], tuple[str, int]] = {}
    for placed in hosts:
        host = placed.host
        for index, (one, domain) in enumerate(
            zip(host.interfaces, domains[host.name], strict=True)
        ):
            own = {"mac": str(one.mac)} if one.vlan is None else {}  # on a VLAN it is the port's
            if one.addresses:
                own["address"] = str(one.addresses[0].ip)
            for key, value in own.items():
                owner, number = owners.setdefault((domain, value), (host.name, index))
                if (owner, number) != (host.name, index):
                    expected = f"another {key}; {owner} has this one in the same broadcast domain"
                    problems.add((*placed.paths[index], key), value, expected)


def _vlans_in_use(vlans: Mapping[str, list[Membership]]) -> tuple[int, ...]:
    used = {1}
    for port in {port for ports in vlans.values() for port in ports}:
        if isinstance(port, Access):
            used.add(port.vlan)
        else:
            used.update(port.allowed or ())
            used.add(port.native or 1)
    return tuple(sorted(used))


def _carried(port: Membership | None, used: tuple[int, ...]) -> tuple[int, ...]:
    if isinstance(port, Trunk):
        return used if port.allowed is None else tuple(sorted(port.allowed))
    return (_untagged(port),)


def _untagged(port: Membership | None) -> int:
    """Return the VLAN of untagged frames at a bridge's port, or 0: it has none, or is no bridge."""
    if isinstance(port, Access):
        return port.vlan
    return _UNTAGGED if port is None else port.native or _UNTAGGED
