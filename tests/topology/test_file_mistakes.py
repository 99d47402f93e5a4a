"""Mistakes in the files that a topology is made of, and in those that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdnvirt import topology
from sdnvirt.errors import TopologyError
from tests.topology.conftest import Told


def test_a_missing_app_names_the_places_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problems: Told
) -> None:
    folder, current = tmp_path / "topologies", tmp_path / "current"
    current.mkdir()
    monkeypatch.chdir(current)
    (line,) = problems("controller: {app: my.py}", str(folder / "f.yaml"))
    assert line == (
        f"{folder}/f.yaml:2:19: controller.app: found 'my.py', expected a Python file or a module "
        f"such as my.app; tried {folder}/my.py, {tmp_path}/my.py, {current}/my.py"
    )


def test_a_file_that_is_not_there_may_be_meant_to_be_a_neighbour(
    tmp_path: Path, problems: Told
) -> None:
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "switch.py").touch()
    (tmp_path / "apps" / "readme").touch()
    (tmp_path / "net.graphml").touch()
    (line,) = problems("controller: {app: apps/swich.py}", str(tmp_path / "f.yaml"))
    assert line.endswith("; did you mean apps/switch.py?")
    (line,) = problems("controller: {app: apps/readme}", str(tmp_path / "f.yaml"))
    assert "found 'apps/readme', expected a Python file or a module" in line
    (line,) = problems("fabric: {graphml: {file: nett.graphml}}", str(tmp_path / "f.yaml"))
    assert line.endswith("; did you mean net.graphml?")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "absent.yaml", "No such file or directory"),
        (tmp_path, "Is a directory"),
        ("a\0b", "embedded null byte"),
    ):
        with pytest.raises(TopologyError) as caught:
            topology.load(path)
        assert caught.value.problems == [
            f"{path}: found no readable file ({reason}), expected a topology file"
        ]


def test_a_dict_has_no_lines_but_the_same_messages() -> None:
    with pytest.raises(TopologyError) as caught:
        topology.from_dict({"name": "x", "hosts": {"h1": {"address": "x", 5: 1}}}, "bench")
    lines = caught.value.problems
    assert lines[0].startswith("bench: hosts.h1.address: found 'x', expected an address of a host")
    assert all(line.startswith("bench: ") for line in lines)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<graph", "found 'g.graphml', expected a GraphML file"),
        ("<!DOCTYPE x><graphml/>", "expected at most 8388608 bytes and no DOCTYPE"),
        (
            '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">'
            '<node id="a"/><edge source="a" target="a"/></graph></graphml>',
            "found a link from a to itself, expected links of two nodes",
        ),
        (
            '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
            '<key id="d" for="edge" attr.name="delay" attr.type="string"/>'
            '<graph edgedefault="undirected"><node id="a"/><node id="b"/>'
            '<edge source="a" target="b"><data key="d">soon</data></edge></graph></graphml>',
            "found 'soon', expected a time such as 5us (ns, us, ms, s, min or h) "
            "as delay of each edge",
        ),
    ],
)
def test_bad_graphml(tmp_path: Path, content: str, expected: str, problems: Told) -> None:
    (tmp_path / "g.graphml").write_text(content)
    (line,) = problems("fabric: {graphml: {file: g.graphml}}", str(tmp_path / "f.yaml"))
    assert line.startswith(f"{tmp_path}/f.yaml:2:26: fabric.graphml.file: found ")
    assert line.endswith(expected)


def test_a_graph_without_nodes_is_none(tmp_path: Path, problems: Told) -> None:
    (tmp_path / "g.graphml").write_text(
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed"/>'
        "</graphml>"
    )
    (line,) = problems("fabric: {graphml: {file: g.graphml}}", str(tmp_path / "f.yaml"))
    assert line.endswith("found no nodes in 'g.graphml', expected a graph of at least one node")


@pytest.mark.parametrize(
    "shape", ["graphml: {file: no.graphml}", "tree: {depth: 60, fanout: 2}", "ring: {nodes: 2}"]
)
def test_what_a_broken_shape_leads_to_is_not_told(
    tmp_path: Path, shape: str, problems: Told
) -> None:
    """Its nodes are missing everywhere else, and nobody can tell which names are wrong, too."""
    text = (
        f"underlay: {{{shape}}}\nhypervisors: {{'hv[1-2]': {{attach: 'leaf[1-2]'}}}}\n"
        "timeline: [{at: 1s, down: leaf1--spine1}]\n"
        "checks: [{ping: {from: a, to: b}, via: spine1}]"
    )
    (line,) = problems(text, str(tmp_path / "f.yaml"))
    assert ": underlay." in line


def test_a_graphml_file_that_is_not_there(tmp_path: Path, problems: Told) -> None:
    (line,) = problems("fabric: {graphml: {file: g.graphml}}", str(tmp_path / "f.yaml"))
    assert line.endswith(
        f"found 'g.graphml', expected a file that can be read; tried {tmp_path}/g.graphml"
    )
