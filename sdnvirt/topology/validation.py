"""From plain values to the file form, with pydantic's errors told in the words of the project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError

from sdnvirt.topology.problems import Path, Problems, Words, nearest
from sdnvirt.topology.spec import TopologySpec

_EXPECTED: Final[Mapping[str, str]] = {
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "dict_type": "a mapping",
    "list_type": "a list",
    "too_short": "a list that is not empty",
}


def validate(data: Any, problems: Problems) -> TopologySpec:
    """Return the file form of plain values.

    Raises:
        TopologyError: they do not fit the schema; all misfits at once.
    """
    try:
        return TopologySpec.model_validate(data)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False)
        meant = {path for error in errors if (path := _meant(error))}
        for error in errors:
            if error["type"] != "missing" or error["loc"] not in meant:
                _note(error, problems)
    problems.raise_if_any()
    raise AssertionError("unreachable: a ValidationError has at least one error")


def _meant(error: Any) -> Path:
    """Return the path of the key that an unknown key was meant to be, or () if none is like it."""
    if error["type"] != "extra_forbidden":
        return ()
    *parent, key = error["loc"]
    near = nearest(str(key), _keys(tuple(parent)))
    return (*parent, near) if near else ()


def _note(error: Any, problems: Problems) -> None:
    path: Path = error["loc"]
    kind: str = error["type"]
    context: dict[str, Any] = error.get("ctx", {})
    if path and path[-1] == "[key]":
        path = path[:-1]
        problems.add(path, str(path[-1]), context.get("expected", "text"), at_key=True)
    elif kind == "extra_forbidden":
        keys = _keys(path[:-1])
        found = Words(f"the unknown key {str(path[-1])!r}", str(path[-1]))
        expected = f"{'one of ' if len(keys) > 1 else ''}{', '.join(keys)}"
        problems.add(path, found, expected, keys, at_key=True)
    elif kind == "missing":
        problems.add(path, None, "a value, because this key is required")
    elif kind == "words":
        problems.add(path, Words(context["found"]), context["expected"])
    elif kind == "expected":
        problems.add(path, error["input"], context["expected"], context["names"])
    else:
        problems.add(path, error["input"], _EXPECTED.get(kind, error["msg"]))


def _keys(path: Path) -> tuple[str, ...]:
    """Return the keys that the mapping at ``path`` may have."""
    kind: Any = TopologySpec
    for step in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            by_key = {field.alias or name: field for name, field in kind.model_fields.items()}
            kind = by_key[str(step)].annotation
        else:
            kind = get_args(kind)[-1]
        kind = _inner(kind)
    return tuple(field.alias or name for name, field in kind.model_fields.items())


def _inner(kind: Any) -> Any:
    """Return the model or container in ``X | None`` or ``Annotated[X, ...]``."""
    while get_origin(kind) not in (dict, list, None):
        kind = get_args(kind)[0]
    return kind
