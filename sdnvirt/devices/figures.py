"""What the figures of links, queues and losses may be, and what is said of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from sdnvirt.errors import UserError


class Figure(NamedTuple):
    """What a figure may be.

    Attributes:
        fits: whether a value is right.
        expected: which are, in words.
    """

    fits: Callable[[Any], bool]
    expected: str


def whole(unit: str, least: int, most: int | None = None) -> Figure:
    """Return that a figure is a whole number of a unit, from ``least`` to ``most`` if that is."""
    upwards = "" if most is None else f" to {most}"
    return Figure(
        lambda value: type(value) is int and least <= value and (most is None or value <= most),
        f"{unit} from {least}{upwards}, a whole number",
    )


SHARE: Final = Figure(
    lambda value: type(value) in (int, float) and 0 <= value <= 1,
    "a share from 0 to 1, such as 0.05",
)


def check(described: object, figures: Mapping[str, Figure]) -> None:
    """Make sure that the attributes of something are what they may be.

    Raises:
        UserError: one of them is not.
    """
    for name, figure in figures.items():
        value = getattr(described, name)
        if not figure.fits(value):
            kind = type(described).__name__
            raise UserError(f"{name} of {kind}: found {value!r}, expected {figure.expected}")
