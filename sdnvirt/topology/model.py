"""What all models of the file form have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    """A mapping with fixed keys; a key that is not one of them is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def words(found: str, expected: str) -> PydanticCustomError:
    """Return the error that says in words what was found and what was expected."""
    return PydanticCustomError(
        "words", "{found} {expected}", {"found": found, "expected": expected}
    )


def one_of(model: Model, keys: tuple[str, ...], least: int = 1) -> None:
    """Refuse a mapping in which more than one of some keys is given, or fewer than ``least``."""
    names = {key: type(model).model_fields[key].alias or key for key in keys}
    given = [names[key] for key in keys if getattr(model, key) is not None]
    if not least <= len(given) <= 1:
        expected = "exactly one" if least else "at most one"
        found = " and ".join(given) or "none"
        raise words(found, f"{expected} of {', '.join(names.values())}")


def written(default: Any, description: str) -> Any:
    """Return a key whose default is written as a user would write it."""
    return Field(default, description=description)


def or_short(short: Any, model: type[Model], make: Callable[[Any], Model]) -> BeforeValidator:
    """Return what lets a mapping be written as one value, too.

    Args:
        short: the field type of that value (:mod:`sdnvirt.topology.fields`).
        model: the mapping.
        make: returns the mapping that the value stands for.
    """
    (leaf,) = short.__metadata__

    def read(value: Any) -> Any:
        return value if value is None or isinstance(value, dict | Model) else make(leaf(value))

    return BeforeValidator(read, json_schema_input_type=short | model)
