"""Generated shapes, against what graph theory and networkx say of them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt import topology
from sdnvirt.topology import Topology


def fabric(**keys: Any) -> Topology:
    return topology.from_dict({"name": "x", "fabric": keys})


@pytest.mark.parametrize(
    ("shape", "same_as"),
    [
        ({"linear": {"nodes": 5}}, nx.path_graph(5)),
        ({"linear": {"nodes": 1}}, nx.path_graph(1)),
        ({"ring": {"nodes": 6}}, nx.cycle_graph(6)),
        ({"star": {"leaves": 4}}, nx.star_graph(4)),
        ({"tree": {"depth": 3, "fanout": 3}}, nx.balanced_tree(3, 2)),
        ({"tree": {"depth": 4, "fanout": 1}}, nx.path_graph(4)),
        ({"tree": {"depth": 1, "fanout": 3}}, nx.path_graph(1)),
        ({"leaf_spine": {"spines": 2, "leaves": 4}}, nx.complete_bipartite_graph(2, 4)),
    ],
)
def test_a_shape_is_the_graph_of_that_name(shape: dict[str, Any], same_as: nx.Graph[int]) -> None:
    assert nx.is_isomorphic(fabric(**shape).graph(), same_as)


@pytest.mark.parametrize("k", [2, 4, 6, 8])
def test_a_fat_tree_has_k_pods_of_full_bisection(k: int) -> None:
    graph = fabric(fat_tree={"k": k}, hosts={"per_edge": k // 2}).graph()
    assert len(graph) == 5 * k * k // 4 + k**3 // 4
    assert nx.is_connected(graph)
    switches = [node for node in graph if graph.nodes[node]["kind"] == "switch"]
    assert {graph.degree[node] for node in switches} == {k}
    first, last = "h1", f"h{k**3 // 4}"
    assert len(list(nx.all_shortest_paths(graph, first, last))) == k * k // 4


@pytest.mark.parametrize(
    ("shape", "outer"),
    [
        ({"linear": {"nodes": 2}}, ["s1", "s2"]),
        ({"ring": {"nodes": 3}}, ["s1", "s2", "s3"]),
        ({"star": {"leaves": 2}}, ["leaf1", "leaf2"]),
        ({"tree": {"depth": 2, "fanout": 2}}, ["s2", "s3"]),
        ({"leaf_spine": {"spines": 1, "leaves": 2}}, ["leaf1", "leaf2"]),
        ({"fat_tree": {"k": 2}}, ["edge1", "edge2"]),
    ],
)
def test_hosts_are_on_the_edge(shape: dict[str, Any], outer: list[str]) -> None:
    loaded = fabric(**shape, hosts={"per_edge": 2, "subnet": "10.9.0.0/24"})
    placed = [link.b.node for link in loaded.links if link.a.node.startswith("h")]
    assert [node for node in placed if node != "hub"] == [n for node in outer for n in (node, node)]
    assert [str(host.address) for host in loaded.hosts[:2]] == ["10.9.0.1/24", "10.9.0.2/24"]


def test_a_prefix_keeps_two_generated_shapes_apart() -> None:
    loaded = topology.from_dict(
        {
            "name": "x",
            "underlay": {"leaf_spine": {"spines": 1, "leaves": 1}},
            "fabric": {"leaf_spine": {"spines": 1, "leaves": 1}, "prefix": "f-"},
        }
    )
    assert list(loaded.nodes) == ["spine1", "leaf1", "f-spine1", "f-leaf1"]


GRAPHML = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="l" for="node" attr.name="label" attr.type="string"/>
  <key id="d" for="edge" attr.name="delay" attr.type="string"/>
  <graph edgedefault="undirected">
    <node id="0"><data key="l">São Paulo</data></node>
    <node id="1"><data key="l">New York</data></node>
    <node id="2"><data key="l">New York</data></node>
    <node id="3"/>
    <edge source="0" target="1"><data key="d">50ms</data></edge>
    <edge source="0" target="1"/>
    <edge source="1" target="2"/>
    <edge source="2" target="3"/>
  </graph>
</graphml>
"""


def test_a_graphml_file_gives_names_parallel_links_and_delays(tmp_path: Path) -> None:
    (tmp_path / "g.graphml").write_text(GRAPHML, encoding="utf-8")
    text = "name: x\nfabric: {graphml: {file: g.graphml}, link: {delay: 1ms}}\n"
    loaded = topology.loads(text, str(tmp_path / "f.yaml"))
    assert [switch.name for switch in loaded.switches] == [
        "s-o-paulo",
        "new-york",
        "new-york-2",
        "n3",
    ]
    assert [(link.name, link.params.delay_ns) for link in loaded.links] == [
        ("s-o-paulo--new-york", 50_000_000),
        ("s-o-paulo--new-york#2", 1_000_000),
        ("new-york--new-york-2", 1_000_000),
        ("new-york-2--n3", 1_000_000),
    ]


ATLAS = [graph for graph in nx.graph_atlas_g()[1:] if graph.number_of_nodes() <= 5]


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(ATLAS))
def test_any_small_graph_survives_graphml(graph: nx.Graph[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        nx.write_graphml(graph, f"{folder}/g.graphml")
        text = "name: x\nfabric: {graphml: {file: g.graphml}}\n"
        loaded = topology.loads(text, f"{folder}/f.yaml")
    assert nx.is_isomorphic(loaded.graph(), graph)
