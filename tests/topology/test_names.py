"""Names of nodes and ranges of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.topology.names import MAX_NODES, NAME_MAX, RangeError, expand, expand_names, is_name


@pytest.mark.parametrize("name", ["h", "h1", "web-1", "a" * NAME_MAX])
def test_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "text", ["", "1h", "H1", "h_1", "h--1", "-h", "h-", "h 1", "é", "h\n", "a" * (NAME_MAX + 1)]
)
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("h", ("h",)),
        ("h[1-3]", ("h1", "h2", "h3")),
        ("h[7-7]", ("h7",)),
        ("h[08-10]", ("h08", "h09", "h10")),
        ("rack[1-2]-top", ("rack1-top", "rack2-top")),
    ],
)
def test_a_range_stands_for_its_names(text: str, names: tuple[str, ...]) -> None:
    assert expand_names(text) == names


@pytest.mark.parametrize("text", ["h[2-1]", "h[1]", "h[]", "h[1-2", "h1-2]", "h[1-2][1-2]", "]h["])
def test_a_bad_range_says_what_a_range_is(text: str) -> None:
    with pytest.raises(RangeError, match=r"^a range from low to high, such as hv\[1-4\]$"):
        expand(text)


def test_a_range_is_no_longer_than_a_topology_may_be() -> None:
    assert len(expand(f"h[1-{MAX_NODES}]")) == MAX_NODES
    with pytest.raises(RangeError, match=f"^a range of at most {MAX_NODES}$"):
        expand("h[0-999999999]")


@given(st.text(st.sampled_from("h01-[]"), max_size=12))
def test_any_text_expands_or_is_a_range_error(text: str) -> None:
    try:
        names = expand_names(text)
    except RangeError:
        return
    assert names
    assert all(map(is_name, names))
    assert len(set(names)) == len(names)
