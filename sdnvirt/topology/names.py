"""Names of nodes, and ranges such as ``hv[1-4]`` that stand for several."""

from __future__ import annotations

import re
from typing import Final

MAX_NODES: Final = 20_000
"""Nodes in a topology, network functions included: twice the largest size that is benchmarked."""

NAME_MAX: Final = 28
"""Characters of a name: ``TENANT-NETWORK-dhcp``, the longest name made of others, then fits the 63
octets of a DNS label (RFC 1035, section 2.3.4)."""

NAME_PATTERN: Final = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
"""No ``--``, which separates the two node names in a link's name."""

NAME_EXPECTED: Final = (
    f"a name of at most {NAME_MAX} lowercase letters, digits and single hyphens, "
    "first a letter, such as web-1"
)

NAMES_EXPECTED: Final = f"{NAME_EXPECTED} or, for several, web-[1-4]"

_RANGE: Final = re.compile(r"\[([0-9]{1,9})-([0-9]{1,9})\]")
_NAME: Final = re.compile(NAME_PATTERN)


class RangeError(ValueError):
    """A range that is no range or is too long; the message says what was expected."""


def is_name(text: str) -> bool:
    """Return whether a text can name a node, tenant or network."""
    return len(text) <= NAME_MAX and _NAME.fullmatch(text) is not None


def expand(text: str) -> tuple[str, ...]:
    """Return the texts that ``hv[1-3]`` stands for; a text without a bracket stands for itself.

    The numbers are padded with zeros to the width of the first: ``h[01-10]``.

    Raises:
        RangeError: brackets that hold no ascending range, more than one range, or too many.
    """
    if "[" not in text and "]" not in text:
        return (text,)
    found = _RANGE.search(text)
    if found is None or text.count("[") + text.count("]") != 2 or int(found[1]) > int(found[2]):
        raise RangeError("a range from low to high, such as hv[1-4]")
    low, high = int(found[1]), int(found[2])
    if high - low >= MAX_NODES:
        raise RangeError(f"a range of at most {MAX_NODES}")
    before, after, width = text[: found.start()], text[found.end() :], len(found[1])
    return tuple(f"{before}{number:0{width}}{after}" for number in range(low, high + 1))


def expand_names(text: str) -> tuple[str, ...]:
    """Return the names that a text with at most one range stands for.

    Raises:
        RangeError: the range is wrong, or what it expands to are no names.
    """
    names = expand(text)
    if not all(map(is_name, (names[0], names[-1]))):
        raise RangeError(NAMES_EXPECTED)
    return names
