"""What a link can be told to be like while it runs, and what is said of anything else.

The topology's own checks have seen what comes from a file; this is for what Python hands over.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sdnvirt.devices.disciplines import Discipline
from sdnvirt.devices.figures import SHARE, Figure, whole
from sdnvirt.devices.jitter import Jitter
from sdnvirt.devices.loss import GilbertElliott
from sdnvirt.errors import UserError
from sdnvirt.network.nodes import nearest
from sdnvirt.topology.fields import MTU_MAX, MTU_MIN

_RATE: Final = whole("bits a second", 1)

KINDS: Final[Mapping[str, Figure]] = {
    "rate_bps": Figure(
        lambda value: value is None or _RATE.fits(value),
        "bits a second from 1, such as 10_000_000, or None for no limit",
    ),
    "delay_ns": whole("nanoseconds", 0),
    "queue_bytes": whole("bytes", 0),
    "mtu": whole("bytes", MTU_MIN, MTU_MAX),
    "loss": Figure(
        lambda value: isinstance(value, GilbertElliott) or SHARE.fits(value),
        f"{SHARE.expected}, or a GilbertElliott",
    ),
    "corrupt": SHARE,
    "duplicate": SHARE,
    "reorder": SHARE,
    "jitter": Figure(
        lambda value: value is None or isinstance(value, Jitter),
        "a Jitter, such as UniformJitter(True, 1_000_000), or None",
    ),
    "discipline": Figure(
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
        figure = KINDS[name]
        if not figure.fits(value):
            raise UserError(f"{name} of a link: found {value!r}, expected {figure.expected}")
