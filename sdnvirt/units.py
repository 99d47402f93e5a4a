"""Quantities as users write them, to the integers that the emulator computes with.

Time is integer nanoseconds, rates are integer bits per second, sizes are integer bytes and
probabilities are floats in [0, 1]. Names carry the unit last: ``delay_ns``, ``rate_bps``.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

NS_PER_S: Final = 1_000_000_000

_TIME_UNITS: Final = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "min": 60 * 10**9,
    "h": 3600 * 10**9,
}
_RATE_UNITS: Final = {
    "bit/s": 1, "kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9, "Tbit/s": 10**12,
}  # fmt: skip
_SIZE_UNITS: Final = {
    "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30,
}  # fmt: skip

_QUANTITY: Final = re.compile(r"\s*([0-9]{1,18}(?:\.[0-9]{1,18})?)\s*(\S{1,8})\s*")


def _quantity(text: str, units: dict[str, int], what: str, example: str) -> int:
    found = _QUANTITY.fullmatch(text)
    if found is None or found[2] not in units:
        raise ValueError(
            f"{text!r} is not a {what}; expected a number and one of {', '.join(units)}, "
            f"such as {example}"
        )
    exact = Fraction(found[1]) * units[found[2]]
    if exact.denominator != 1:
        raise ValueError(
            f"{text!r} is finer than the smallest unit of a {what}, {next(iter(units))}"
        )
    return exact.numerator


def parse_time(text: str) -> int:
    """Return the nanoseconds that ``"5us"``, ``"1.5 s"`` and the like stand for.

    Raises:
        ValueError: the text is not a number with a unit of time, or is finer than 1 ns.
    """
    return _quantity(text, _TIME_UNITS, "time", "5us")


def parse_rate(text: str) -> int:
    """Return the bits per second that ``"10Gbit/s"`` and the like stand for.

    Raises:
        ValueError: the text is not a number with a unit of rate, or is finer than 1 bit/s.
    """
    return _quantity(text, _RATE_UNITS, "rate", "10Gbit/s")


def parse_size(text: str) -> int:
    """Return the bytes that ``"512KiB"`` and the like stand for.

    Raises:
        ValueError: the text is not a number with a unit of size, or is finer than 1 byte.
    """
    return _quantity(text, _SIZE_UNITS, "size", "512KiB")


def parse_probability(text: str) -> float:
    """Return the probability in [0, 1] that ``"1%"`` or ``"0.01"`` stands for.

    Raises:
        ValueError: the text is not a number, or is outside [0, 1].
    """
    number = text.strip()
    try:
        value = float(number[:-1]) / 100 if number.endswith("%") else float(number)
    except ValueError:
        raise ValueError(f"{text!r} is not a probability; expected such as 1% or 0.01") from None
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{text!r} is outside 0% to 100%")
    return value


def format_time(ns: int) -> str:
    """Return a time in the largest unit that keeps it at 1 or more, with up to 3 decimals.

    Hours and minutes are for whole numbers of them: ``1 h``, ``2 min``, but ``90 s``.
    """
    for unit in ("h", "min"):
        if ns and ns % _TIME_UNITS[unit] == 0:
            return f"{ns // _TIME_UNITS[unit]} {unit}"
    for unit, scale in (("s", 10**9), ("ms", 10**6), ("us", 10**3)):
        if abs(ns) >= scale:
            return f"{ns / scale:.3f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{ns} ns"


def format_rate(bps: int) -> str:
    """Return a rate in the largest unit that keeps it at 1 or more, with up to 3 decimals."""
    for unit, scale in reversed(_RATE_UNITS.items()):
        if bps >= scale:
            return f"{bps / scale:.3f}".rstrip("0").rstrip(".") + f" {unit}"
    return f"{bps} bit/s"
