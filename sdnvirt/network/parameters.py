"""What a link can be told to be like while it runs, and what is said of anything else.

The topology's own checks have seen what comes from a file; this is for what Python hands over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sdnvirt.devices.disciplines import Discipline
from sdnvirt.devices.jitter import Jitter
from sdnvirt.devices.loss import GilbertElliott
from sdnvirt.errors import UserError
from sdnvirt.network.nodes import nearest
from sdnvirt.topology.fields import MTU_MAX, MTU_MIN


def _whole(value: Any, least: int, most: int | None = None) -> bool:
    return type(value) is int and least <= value and (most is None or value <= most)


def _share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


_SHARE: Final = (_share, "a share from 0 to 1, such as 0.05")

KINDS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    "rate_bps": (
        lambda value: value is None or _whole(value, 1),
        "bits a second from 1, such as 10_000_000, or None for no limit",
    ),
    "delay_ns": (lambda value: _whole(value, 0), "nanoseconds from 0, such as 5_000_000"),
    "queue_bytes": (lambda value: _whole(value, 0), "bytes from 0, such as 64_000"),
    "mtu": (
        lambda value: _whole(value, MTU_MIN, MTU_MAX),
        f"bytes from {MTU_MIN} to {MTU_MAX}",
    ),
    "loss": (
        lambda value: isinstance(value, GilbertElliott) or _share(value),
        "a share from 0 to 1, such as 0.05, or a GilbertElliott",
    ),
    "corrupt": _SHARE,
    "duplicate": _SHARE,
    "reorder": _SHARE,
    "jitter": (
        lambda value: value is None or isinstance(value, Jitter),
        "a Jitter, such as UniformJitter(True, 1_000_000), or None",
    ),
    "discipline": (
        lambda value: value is None or isinstance(value, Discipline),
        "a Discipline, such as CoDel(), or None for loss at the tail",
    ),
}
"""By field of a link's parameters: whether a value is right, and what is expected."""


def check(parameters: Mapping[str, Any]) -> None:
    """Make sure that a link can be so.

    Args:
        parameters: values by the names of their fields.

    Raises:
        UserError: there is no such field, or a value is none of its kind.
    """
    for name, value in parameters.items():
        if name not in KINDS:
            raise UserError(f"a link has no {name!r}{nearest(name, KINDS)}")
        right, expected = KINDS[name]
        if not right(value):
            raise UserError(f"{name} of a link: found {value!r}, expected {expected}")
