"""Shortest paths, followed hop by hop through the datapaths of a fat tree."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from sdnvirt import topology
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.topology.resolved import Link

ROOT = Path(__file__).parents[2]
FAT_TREE = topology.load(ROOT / "topologies" / "fat-tree.yaml")
BROADCAST = b"\xff" * 6

FAR_END = {
    (one.node, one.port): other
    for link in FAT_TREE.links
    for one, other in ((link.a, link.b), (link.b, link.a))
}
HOSTS = {host.name: host for host in FAT_TREE.hosts}


class Fabric:
    """All switches of the fat tree."""

    def __init__(self, network: Any, program: Any) -> None:
        self.network = network
        self.datapaths = {
            switch.name: program(network.switch(switch.dpid, range(1, switch.ports + 1)))
            for switch in FAT_TREE.switches
        }
        self.cut: set[str] = set()

    def set_link(self, link: Link, *, up: bool) -> None:
        """Cut or mend a link, as its ends notice."""
        (self.cut.discard if up else self.cut.add)(link.name)
        for end in (link.a, link.b):
            if end.node in self.datapaths:
                self.datapaths[end.node].switch.port_status(end.port, up=up)
        self.network.run()

    def deliveries(self, source: str, dst: bytes) -> list[tuple[str, int]]:
        """Return the hosts that get a frame of a host, each with the number of switches."""
        frame = dst + HOSTS[source].mac + b"\x08\x00" + bytes(46)
        return sorted(self._walk(source, 1, frame, 0))

    def _walk(self, node: str, port: int, frame: bytes, hops: int) -> Iterator[tuple[str, int]]:
        assert hops <= len(self.datapaths), "the frame circles"
        link = next(one for one in FAT_TREE.links if port == _port(one, node))
        end = FAR_END[node, port]
        if link.name in self.cut:
            return
        if end.node in HOSTS:
            yield end.node, hops
            return
        for out in self.datapaths[end.node].ports(end.port, frame):
            yield from self._walk(end.node, out, frame, hops + 1)


def _port(link: Link, node: str) -> int | None:
    return next((end.port for end in (link.a, link.b) if end.node == node), None)


@pytest.fixture
def fabric(run: Any, program: Any) -> Fabric:
    return Fabric(run("shortest_path", "fat-tree"), program)


def assert_shortest_paths(fabric: Fabric) -> None:
    graph = FAT_TREE.graph()
    for name in fabric.cut:
        link = FAT_TREE.link(name)
        graph.remove_edge(link.a.node, link.b.node)
    lengths = dict(nx.all_pairs_shortest_path_length(graph))
    for a, b in permutations(HOSTS, 2):
        expected = [(b, lengths[a][b] - 1)] if b in lengths[a] else []
        assert fabric.deliveries(a, HOSTS[b].mac) == expected


def assert_broadcasts_arrive_once(fabric: Fabric) -> None:
    for name in HOSTS:
        reached = [host for host, _ in fabric.deliveries(name, BROADCAST)]
        assert reached == sorted(set(HOSTS) - {name})


def test_every_pair_of_hosts_is_joined_by_a_shortest_path(fabric: Fabric) -> None:
    assert_shortest_paths(fabric)


def test_broadcasts_reach_every_host_once(fabric: Fabric) -> None:
    assert_broadcasts_arrive_once(fabric)


def test_paths_avoid_links_that_fail_and_return_to_those_that_come_back(fabric: Fabric) -> None:
    first, second = FAT_TREE.link("agg1--core1"), FAT_TREE.link("edge1--agg2")
    before = {name: len(one.switch.messages(FlowMod)) for name, one in fabric.datapaths.items()}
    fabric.set_link(first, up=False)
    fabric.set_link(second, up=False)
    assert_shortest_paths(fabric)
    assert_broadcasts_arrive_once(fabric)
    fabric.set_link(first, up=True)
    assert_shortest_paths(fabric)
    assert_broadcasts_arrive_once(fabric)
    untouched = [
        name
        for name, one in fabric.datapaths.items()
        if len(one.switch.messages(FlowMod)) == before[name]
    ]
    assert untouched, "only what changed is sent"


def test_a_host_that_is_cut_off_gets_nothing_and_others_go_on(fabric: Fabric) -> None:
    name = next(iter(HOSTS))
    link = next(one for one in FAT_TREE.links if _port(one, name))
    fabric.set_link(link, up=False)
    other, third = list(HOSTS)[1:3]
    assert fabric.deliveries(other, HOSTS[name].mac) == []
    assert [host for host, _ in fabric.deliveries(other, HOSTS[third].mac)] == [third]


def test_a_switch_that_reconnects_gets_everything_again(run: Any) -> None:
    network = run("shortest_path", "fat-tree")
    switch = network.switch(FAT_TREE.switches[0].dpid, range(1, 5))
    count = len(switch.messages(FlowMod))
    switch.side.close()
    switch.connect(network.controller)
    network.run(2)
    assert len(switch.messages(FlowMod)) == 2 * count
