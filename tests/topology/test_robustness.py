"""Files with random damage: they load, or a TopologyError tells where; nothing else is raised."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdnvirt import topology
from sdnvirt.errors import TopologyError

WORDS = st.sampled_from(
    [
        "name",
        "ping",
        "between",
        "attach",
        "vlan",
        "trunk",
        "at",
        "h1",
        "hv1",
        "hv[1-4]",
        "b1",
        "acme/web",
        "leaf1--spine1",
        "10.0.0.1",
        "10.0.0.0/24",
        "5s",
        "1%",
        "all",
        "true",
        "null",
        "no",
        "0",
        "-1",
        "70001",
        "4095",
        "[]",
        "{}",
        "[[]]",
        "{a:b}",
        ":",
        "-",
        "?",
        "02:00:00:00:00:01",
        "h[2-1]",
        "h[1-99999]",
        "\x00",
        "é",
        "1e9",
        "0x10",
        "linear",
        "ring",
        "k",
        "r1",
        "s1",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def assert_loads_or_says_why(text: str, path: str) -> None:
    try:
        topology.loads(text, path)
    except TopologyError as error:
        lines = error.problems
    else:
        return
    assert lines
    for line in lines:
        assert line.startswith(f"{path}:")
        assert ": found " in line
        assert ", expected " in line


@QUICK
@given(st.data())
def test_a_file_with_words_replaced(shipped: Path, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(sorted(shipped.glob("*.yaml"))))
    words = file.read_text().split(" ")
    for _ in range(data.draw(st.integers(1, 3))):
        words[data.draw(st.integers(0, len(words) - 1))] = data.draw(WORDS)
    assert_loads_or_says_why(" ".join(words), str(file))


@QUICK
@given(st.data())
def test_a_file_with_a_piece_cut_out(shipped: Path, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(sorted(shipped.glob("*.yaml"))))
    text = file.read_text()
    start = data.draw(st.integers(0, len(text)))
    assert_loads_or_says_why(
        text[:start] + text[start + data.draw(st.integers(1, 40)) :], str(file)
    )


KEYS = st.sampled_from(
    [
        "underlay",
        "fabric",
        "hypervisors",
        "tenants",
        "vms",
        "switches",
        "hosts",
        "links",
        "controller",
        "timeline",
        "duration",
        "checks",
        "seed",
        "description",
    ]
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every dict and list in a value, with each of its keys or indexes."""
    steps: list[Any] = list(value) if isinstance(value, dict) else []
    steps = list(range(len(value))) if isinstance(value, list) else steps
    return [(value, s) for s in steps] + [p for s in steps for p in places(value[s])]


def assert_dict_loads_or_says_why(data: dict[str, Any]) -> None:
    try:
        topology.from_dict(data)
    except TopologyError as error:
        lines = error.problems
    else:
        return
    assert lines
    assert all(line.startswith("topology: ") for line in lines)


@QUICK
@given(st.data())
def test_a_file_with_values_and_keys_replaced(shipped: Path, data: st.DataObject) -> None:
    file = data.draw(st.sampled_from(sorted(shipped.glob("*.yaml"))))
    written = yaml.safe_load(file.read_text())
    written.pop("controller", None)  # a dict has no folder in which to look for the app
    for _ in range(data.draw(st.integers(1, 4))):
        found = places(written)
        inside, step = found[data.draw(st.integers(0, len(found) - 1))]
        if isinstance(inside, dict) and data.draw(st.booleans()):
            inside[data.draw(WORDS)] = inside.pop(step)
        elif data.draw(st.booleans()):
            inside[step] = data.draw(VALUES)
        else:
            other, where = found[data.draw(st.integers(0, len(found) - 1))]
            inside[step] = copy.deepcopy(other[where])
        if not written:
            return
    assert_dict_loads_or_says_why(written)


@QUICK
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_a_dict_with_any_values(data: dict[str, Any]) -> None:
    assert_dict_loads_or_says_why({"name": "x", **data})
