"""Shapes of networks: the graphs that ``underlay`` and ``fabric`` can be generated from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import ParseError

from sdnvirt.topology import spec
from sdnvirt.topology.model import Model
from sdnvirt.topology.names import MAX_NODES, NAME_MAX
from sdnvirt.topology.problems import Path, Problems, Words, similar_files
from sdnvirt.topology.quality_spec import LinkQuality

if TYPE_CHECKING:
    import networkx as nx

MAX_EDGES: Final = 100_000
"""Generated links: five for each of the 20,000 nodes that a topology may have."""

MAX_GRAPHML_BYTES: Final = 8 << 20
"""Size of a GraphML file, which is read as a whole; the Topology Zoo's largest is 0.5 MiB."""

_EDGE_KEYS: Final = (
    "rate", "delay", "queue", "mtu", "loss", "jitter", "reorder", "duplicate", "corrupt",
    "discipline",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edge:
    """A link of a generated graph, and what the GraphML file says of its quality."""

    a: str
    b: str
    quality: LinkQuality = field(default_factory=lambda: LinkQuality.model_validate({}))


@dataclass(frozen=True, slots=True)
class Shape:
    """A generated graph.

    Attributes:
        nodes: names in order.
        edges: links in order.
        outer: the nodes that a fabric's hosts are on.
    """

    nodes: tuple[str, ...]
    edges: tuple[Edge, ...]
    outer: tuple[str, ...]


EMPTY: Final = Shape((), (), ())


def generate(
    generated: spec.Generated, letter: str, folder: FilePath, path: Path, problems: Problems
) -> Shape:
    """Return the graph that a section of the file asks for.

    Args:
        generated: the section.
        letter: what nodes are called where the shape has no names of its own: ``r`` or ``s``.
        folder: where a GraphML file is looked for.
        path: the section's place in the file.
        problems: takes what is wrong: a graph that is too large, a GraphML file that is none.
    """
    for name in spec.SHAPES:
        asked = getattr(generated, name)
        if asked is None:
            continue
        if isinstance(asked, spec.GraphmlSpec):
            shape = _graphml(folder / asked.file, asked.file, (*path, name, "file"), problems)
        else:
            nodes, edges = _size(asked)
            if nodes > MAX_NODES or edges > MAX_EDGES:
                found = Words(f"{nodes} nodes and {edges} links")
                limit = f"at most {MAX_NODES} nodes and {MAX_EDGES} links"
                problems.add((*path, name), found, limit)
                return EMPTY
            shape = _SHAPES[type(asked)](asked, letter)
        return _prefixed(shape, generated.prefix or "")
    return EMPTY


def _size(asked: Model) -> tuple[int, int]:
    match asked:
        case spec.TreeSpec(depth=depth, fanout=fanout):
            nodes = sum(fanout**level for level in range(depth))
            return nodes, nodes - 1
        case spec.LeafSpineSpec(spines=spines, leaves=leaves):
            return spines + leaves, spines * leaves
        case spec.FatTreeSpec(k=k):
            return 5 * k * k // 4, k**3 // 2
        case spec.StarSpec(leaves=leaves):
            return leaves + 1, leaves
        case spec.LinearSpec(nodes=nodes) | spec.RingSpec(nodes=nodes):
            return nodes, nodes
    raise AssertionError(asked)


def _linear(asked: spec.LinearSpec, letter: str) -> Shape:
    nodes = _numbered(letter, asked.nodes)
    return Shape(nodes, tuple(Edge(a, b) for a, b in pairwise(nodes)), nodes)


def _ring(asked: spec.RingSpec, letter: str) -> Shape:
    nodes = _numbered(letter, asked.nodes)
    return Shape(nodes, tuple(Edge(a, b) for a, b in pairwise((*nodes, nodes[0]))), nodes)


def _star(asked: spec.StarSpec, _letter: str) -> Shape:
    leaves = _numbered("leaf", asked.leaves)
    return Shape(("hub", *leaves), tuple(Edge(leaf, "hub") for leaf in leaves), leaves)


def _tree(asked: spec.TreeSpec, letter: str) -> Shape:
    import networkx as nx

    tree = nx.balanced_tree(asked.fanout, asked.depth - 1)
    names = _numbered(letter, len(tree))
    edges = tuple(Edge(names[a], names[b]) for a, b in tree.edges)
    return Shape(names, edges, names[-(asked.fanout ** (asked.depth - 1)) :])


def _leaf_spine(asked: spec.LeafSpineSpec, _letter: str) -> Shape:
    spines, leaves = _numbered("spine", asked.spines), _numbered("leaf", asked.leaves)
    edges = tuple(Edge(leaf, spine) for leaf in leaves for spine in spines)
    return Shape((*spines, *leaves), edges, leaves)


def _fat_tree(asked: spec.FatTreeSpec, _letter: str) -> Shape:
    k, half = asked.k, asked.k // 2
    cores = _numbered("core", half * half)
    aggs, edges = _numbered("agg", k * half), _numbered("edge", k * half)
    links: list[Edge] = []
    for pod in range(k):
        pod_aggs = aggs[pod * half : (pod + 1) * half]
        pod_edges = edges[pod * half : (pod + 1) * half]
        links += [Edge(edge, agg) for edge in pod_edges for agg in pod_aggs]
        for number, agg in enumerate(pod_aggs):
            links += [Edge(agg, core) for core in cores[number * half : (number + 1) * half]]
    return Shape((*cores, *aggs, *edges), tuple(links), edges)


_SHAPES: Final[dict[type, Any]] = {
    spec.LinearSpec: _linear,
    spec.RingSpec: _ring,
    spec.StarSpec: _star,
    spec.TreeSpec: _tree,
    spec.LeafSpineSpec: _leaf_spine,
    spec.FatTreeSpec: _fat_tree,
}


def _numbered(word: str, count: int) -> tuple[str, ...]:
    return tuple(f"{word}{number}" for number in range(1, count + 1))


def _prefixed(shape: Shape, prefix: str) -> Shape:
    if not prefix:
        return shape
    return Shape(
        tuple(prefix + node for node in shape.nodes),
        tuple(Edge(prefix + edge.a, prefix + edge.b, edge.quality) for edge in shape.edges),
        tuple(prefix + node for node in shape.outer),
    )


def _graphml(file: FilePath, written: str, path: Path, problems: Problems) -> Shape:
    graph = _read_graphml(file, written, path, problems)
    if graph is None:
        return EMPTY
    if len(graph) > MAX_NODES or graph.number_of_edges() > MAX_EDGES:
        found = Words(f"{len(graph)} nodes and {graph.number_of_edges()} links")
        problems.add(path, found, f"at most {MAX_NODES} nodes and {MAX_EDGES} links")
        return EMPTY
    names = _graphml_names(graph)
    edges: list[Edge] = []
    for a, b, attributes in graph.edges(data=True):
        if a == b:
            problems.add(path, Words(f"a link from {names[a]} to itself"), "links of two nodes")
            continue
        edges.append(Edge(names[a], names[b], _quality(attributes, path, problems)))
    nodes = tuple(names.values())
    return Shape(nodes, tuple(edges), nodes)


def _read_graphml(
    file: FilePath, written: str, path: Path, problems: Problems
) -> nx.Graph[Any] | None:
    import networkx as nx

    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_GRAPHML_BYTES + 1)
    except (OSError, ValueError):
        near = similar_files(written, [file.parent], "*.graphml")
        problems.add(path, written, f"a file that can be read; tried {file}", near)
        return None
    if len(data) > MAX_GRAPHML_BYTES or b"<!DOCTYPE" in data:  # whose entities may be huge
        problems.add(path, written, f"at most {MAX_GRAPHML_BYTES} bytes and no DOCTYPE")
        return None
    try:
        graph: nx.Graph[Any] = nx.read_graphml(BytesIO(data), force_multigraph=True)
    except (nx.NetworkXException, ParseError, LookupError, ValueError, TypeError, AttributeError):
        # what networkx raises on files that are no GraphML depends on how they are not
        problems.add(path, written, "a GraphML file")
        return None
    if not graph:
        problems.add(path, Words(f"no nodes in {written!r}"), "a graph of at least one node")
        return None
    return graph.to_undirected()


def _graphml_names(graph: nx.Graph[Any]) -> dict[Any, str]:
    """Return a valid and distinct name for each node, made of its label or id."""
    names: dict[Any, str] = {}
    taken: set[str] = set()
    for node, attributes in graph.nodes(data=True):
        label = str(attributes.get("label") or attributes.get("name") or node).lower()
        slug = re.sub(r"[^a-z0-9]+", "-", label).strip("-")
        slug = (slug if slug[:1].isalpha() else f"n{slug}")[: NAME_MAX - 10].strip("-")
        name, number = slug, 1
        while name in taken:
            number += 1
            name = f"{slug}-{number}"
        taken.add(name)
        names[node] = name
    return names


def _quality(attributes: dict[str, Any], path: Path, problems: Problems) -> LinkQuality:
    """Return the link qualities among an edge's attributes, checked like those of the file."""
    from pydantic import ValidationError

    given = {key: attributes[key] for key in _EDGE_KEYS if key in attributes}
    try:
        return LinkQuality.model_validate(given)
    except ValidationError as invalid:
        for error in invalid.errors(include_url=False):
            expected = f"{error['ctx']['expected']} as {error['loc'][0]} of each edge"
            problems.add(path, error["input"], expected)
        return LinkQuality.model_validate({})
