"""YAML text to plain values that remember their line and column.

A small, strict part of YAML 1.2: mappings with distinct text keys, lists, and scalars. Plain
scalars are ``true``, ``false``, ``null``, integers (decimal, or hexadecimal after 0x) or else text:
``no`` and ``02:00:00:00:00:01`` are text, which they would not be in YAML 1.1. Anchors, aliases,
tags and further documents are refused. A range such as ``hv[1-4]`` needs no quotes, even inside
``{}``, where YAML itself would take the bracket for a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import yaml

from sdnvirt.topology.problems import Path, Position, Problems, Words, show

MAX_BYTES: Final = 8 << 20
"""Size of a file: 20,000 nodes, the most that a topology may have, written out take 4 MiB."""

MAX_DEPTH: Final = 16
"""Nesting of a file: the deepest valid value is at level 7; this bounds recursion."""

MAX_VALUES: Final = 1_000_000
"""Values in a file: twice what 20,000 nodes and their links need; bounds memory to about 0.5 GB."""

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RANGE: Final = re.compile(r'(?<=[\w.:-])(?<!["\']:)\[([0-9]{1,9}-[0-9]{1,9})\]')
_OPEN, _CLOSE = "\ue000", "\ue001"
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,19})|0[xX][0-9a-fA-F]{1,16}")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(slots=True)
class Value:
    """A value of the file and where it starts, line and column from 1.

    Attributes:
        data: a scalar, or for a mapping or list the values in it.
        keys: for a mapping, where each key starts.
    """

    data: str | int | bool | dict[str, Value] | list[Value] | None
    line: int
    column: int
    keys: dict[str, Position] = field(default_factory=dict)

    def plain(self) -> Any:
        """Return the value without positions: dicts, lists and scalars."""
        if isinstance(self.data, dict):
            return {key: value.plain() for key, value in self.data.items()}
        if isinstance(self.data, list):
            return [value.plain() for value in self.data]
        return self.data

    def locate(self, path: Path, *, key: bool) -> Position:
        """Return line and column of the value at ``path``, or of the last value on the way."""
        value, position = self, (self.line, self.column)
        for depth, step in enumerate(path, 1):
            inner: Value | None = None
            if isinstance(value.data, dict) and isinstance(step, str):
                if key and depth == len(path) and step in value.keys:
                    return value.keys[step]
                inner = value.data.get(step)
            elif isinstance(value.data, list) and isinstance(step, int):
                inner = value.data[step] if step < len(value.data) else None
            if inner is None:
                break
            value, position = inner, (inner.line, inner.column)
        return position


def parse(data: bytes, file: str) -> Value:
    """Return the one document of a YAML text.

    Args:
        data: UTF-8 bytes.
        file: its name in messages.

    Raises:
        TopologyError: it is too large, not UTF-8, not YAML, or more than the subset allows.
    """
    problems = Problems(file)
    if len(data) > MAX_BYTES:
        found = Words(f"more than {MAX_BYTES} bytes")
        problems.add((), found, "a smaller file; ranges such as h[1-1000] are short")
        problems.raise_if_any()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.add((), Words(f"byte {data[error.start]:#04x} at {error.start}"), "UTF-8 text")
        problems.raise_if_any()
        raise
    return _Composer(text, file).document()


class _Composer:
    """Makes values of the events that PyYAML's parser finds."""

    def __init__(self, text: str, file: str) -> None:
        self._text = _RANGE.sub(rf"{_OPEN}\1{_CLOSE}", text)
        self._problems = Problems(file)
        self._values = 0
        self._events: Iterator[Any] = iter(())

    def document(self) -> Value:
        self._events = iter(yaml.parse(self._text, Loader=_LOADER))
        try:
            return self._document()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            position = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            if mark and self._is_tab(mark.line, mark.column):
                self._stop(position, "broken YAML: a tab, where YAML takes only spaces", "YAML")
            told = " ".join(filter(None, (error.context, error.problem)))
            self._stop(position, f"broken YAML: {_restore(told)}", "YAML")
        except yaml.reader.ReaderError as error:
            found = f"broken YAML: {error.reason} at position {error.position}"
            self._stop((1, 1), found, "YAML")

    def _is_tab(self, line: int, column: int) -> bool:
        lines = self._text.split("\n")
        return line < len(lines) and lines[line][column : column + 1] == "\t"

    def _document(self) -> Value:
        next(self._events)  # the start of the stream
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            self._stop((1, 1), "an empty file", "a mapping with the key name")
        value = self._value(next(self._events), 1)
        next(self._events)  # the end of the document
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            self._stop(_start(event), "a second document", "one document in a file")
        self._problems.raise_if_any()
        return value

    def _value(self, event: Any, depth: int) -> Value:
        line, column = position = _start(event)
        self._values += 1
        if self._values > MAX_VALUES:
            self._stop(position, "too many values", f"at most {MAX_VALUES} in a file")
        if depth > MAX_DEPTH:
            self._stop(position, "deep nesting", f"at most {MAX_DEPTH} levels")
        self._refuse_references(event, position)
        if isinstance(event, yaml.ScalarEvent):
            return Value(_scalar(event), line, column)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Value] = []
            while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(event, depth + 1))
            return Value(items, line, column)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(position, depth)
        return Value(None, line, column)  # an alias, which has been refused

    def _mapping(self, position: Position, depth: int) -> Value:
        values: dict[str, Value] = {}
        keys: dict[str, Position] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            start = _start(event)
            self._refuse_references(event, start)
            if not isinstance(event, yaml.ScalarEvent):
                self._stop(start, "a key that is not text", "a name as the key")
            key = _restore(event.value)
            if key in values:
                first = keys[key][0]
                self._problems.add_at(
                    start, f"the key {show(key)} again", f"it once; it is in line {first}"
                )
            value = self._value(next(self._events), depth + 1)
            if key not in values:
                values[key], keys[key] = value, start
        return Value(values, *position, keys)

    def _refuse_references(self, event: Any, position: Position) -> None:
        if isinstance(event, yaml.AliasEvent):
            why = "the value itself, because a few aliases can stand for billions of values"
            self._problems.add_at(position, f"the alias *{event.anchor}", why)
        elif event.anchor is not None:
            why = "no anchors, because aliases are not allowed"
            self._problems.add_at(position, f"the anchor &{event.anchor}", why)
        if getattr(event, "tag", None) is not None:
            self._problems.add_at(position, f"the tag {event.tag}", "plain values, without tags")

    def _stop(self, position: Position, found: str, expected: str) -> NoReturn:
        self._problems.add_at(position, found, expected)
        self._problems.raise_if_any()
        raise AssertionError("unreachable: there is a problem")


def _scalar(event: Any) -> str | int | bool | None:
    text: str = event.value
    if not event.style:  # plain: neither quoted nor a block
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text, 16 if text[:2] in ("0x", "0X") else 10)
    return _restore(text)


def _restore(text: str) -> str:
    return text.replace(_OPEN, "[").replace(_CLOSE, "]")


def _start(event: Any) -> Position:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1)
