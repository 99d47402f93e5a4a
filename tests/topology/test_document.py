"""The part of YAML that topology files are written in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.errors import TopologyError
from sdnvirt.topology import document


def plain(text: str) -> Any:
    return document.parse(text.encode(), "f.yaml").plain()


def problems(data: str | bytes) -> list[str]:
    with pytest.raises(TopologyError) as caught:
        document.parse(data.encode() if isinstance(data, str) else data, "f.yaml")
    return caught.value.problems


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("null", None),
        ("~", None),
        ("10", 10),
        ("-3", -3),
        ("0x1f", 31),
        ("'10'", "10"),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("010", "010"),
        ("1.5", "1.5"),
        ("02:00:00:00:00:01", "02:00:00:00:00:01"),
        ("10:20", "10:20"),
        ("2026-01-01", "2026-01-01"),
        ("1_000", "1_000"),
    ],
)
def test_scalars_are_what_they_look_like(written: str, value: object) -> None:
    assert plain(f"a: {written}") == {"a": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: leaf[1-2]}", {"a": "leaf[1-2]"}),
        ("{h[1-2]: {b: 10.0.0.[1-2]/24}}", {"h[1-2]": {"b": "10.0.0.[1-2]/24"}}),
        ("[h[1-4], b1]", ["h[1-4]", "b1"]),
        ("a: 02:00:00:00:00:[01-04]", {"a": "02:00:00:00:00:[01-04]"}),
        ("a: [10, 20-29]", {"a": [10, "20-29"]}),
        ("a: [1-2]", {"a": ["1-2"]}),
        ('{"a":[1-2]}', {"a": ["1-2"]}),
    ],
)
def test_a_range_needs_no_quotes(text: str, value: object) -> None:
    assert plain(text) == value


def test_values_and_keys_know_where_they_stand() -> None:
    value = document.parse("é: 1\nb:\n  - x\n  - {c: y}\n".encode(), "f.yaml")
    assert value.locate(("é",), key=False) == (1, 4)
    assert value.locate(("b",), key=True) == (2, 1)
    assert value.locate(("b", 1, "c"), key=True) == (4, 6)
    assert value.locate(("b", 1, "c"), key=False) == (4, 9)
    assert value.locate(("b", 1, "absent"), key=True) == (4, 5)
    assert value.locate(("b", 7), key=False) == (3, 3)


def test_a_key_occurs_once() -> None:
    assert problems("a: 1\nb: 2\na: 3\n") == [
        "f.yaml:3:1: found the key 'a' again, expected it once; it is in line 1"
    ]


def test_anchors_aliases_and_tags_are_refused_all_at_once() -> None:
    assert problems("a: &x 1\nb: *x\nc: !!python/object:os.system 1\n") == [
        "f.yaml:1:4: found the anchor &x, expected no anchors, because aliases are not allowed",
        "f.yaml:2:4: found the alias *x, expected the value itself, because a few aliases can "
        "stand for billions of values",
        "f.yaml:3:4: found the tag tag:yaml.org,2002:python/object:os.system, "
        "expected plain values, without tags",
    ]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "1:1: found an empty file, expected a mapping with the key name"),
        ("# nothing\n", "1:1: found an empty file, expected a mapping with the key name"),
        ("a: 1\n---\nb: 1\n", "2:1: found a second document, expected one document in a file"),
        ("? [a]\n: 1\n", "1:3: found a key that is not text, expected a name as the key"),
        ("a: " + "[" * 30, "1:19: found deep nesting, expected at most 16 levels"),
    ],
)
def test_one_document_of_bounded_depth(data: str, problem: str) -> None:
    assert problems(data) == [f"f.yaml:{problem}"]


@pytest.mark.parametrize("data", ["a: [1, 2\nb: 3\n", "a: b: c\n", "a: 'x\n", "\ta: 1\n", "a\0b"])
def test_broken_yaml_says_where(data: str) -> None:
    (problem,) = problems(data)
    assert problem.startswith("f.yaml:")
    assert ": found broken YAML: " in problem
    assert problem.endswith(", expected YAML")


def test_bytes_that_are_not_utf8() -> None:
    assert problems(b"a: \xff") == ["f.yaml: found byte 0xff at 3, expected UTF-8 text"]


def test_a_file_of_more_than_the_limit() -> None:
    assert problems(b"#" * (document.MAX_BYTES + 1)) == [
        f"f.yaml: found more than {document.MAX_BYTES} bytes, "
        "expected a smaller file; ranges such as h[1-1000] are short"
    ]


def lines_about(data: bytes) -> list[str]:
    """The problems of a file, none if it is a document; anything else raised is a bug."""
    try:
        document.parse(data, "f.yaml").plain()
    except TopologyError as error:
        return error.problems
    return []


@settings(deadline=None)
@given(st.text(st.sampled_from("ab:,-[]{}&*!|>'\"#%@\n\t 01~?"), max_size=40))
def test_any_text_is_a_document_or_a_topology_error(text: str) -> None:
    assert all(line.startswith("f.yaml:") for line in lines_about(text.encode()))


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_document_or_a_topology_error(data: bytes) -> None:
    assert all(line.startswith("f.yaml:") for line in lines_about(data))
