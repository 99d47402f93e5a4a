"""From the file form of a link's quality to the parameters of its directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from sdnvirt.devices.disciplines import CoDel, Discipline, Red, StrictPriority, TokenBucket
from sdnvirt.devices.jitter import Jitter, NormalJitter, TableJitter, UniformJitter
from sdnvirt.devices.link import LinkParameters
from sdnvirt.devices.loss import GilbertElliott
from sdnvirt.topology.quality_spec import DisciplineSpec, JitterSpec, LinkQuality, LossSpec


def _same(value: Any) -> Any:
    return value


def _loss(written: LossSpec) -> float | GilbertElliott:
    if not written.to_bad:  # the good state never ends
        return written.in_good
    return GilbertElliott(written.to_bad, written.to_good, written.in_bad, written.in_good)


def _jitter(written: JitterSpec) -> Jitter | None:
    keeps_order = written.keep_order
    if written.normal:
        return NormalJitter(keeps_order, written.normal)
    if written.uniform:
        return UniformJitter(keeps_order, written.uniform)
    if written.table:
        return TableJitter(keeps_order, tuple(written.table))
    return None


def _discipline(written: DisciplineSpec) -> Discipline | None:
    if written.red is not None:
        red = written.red
        return Red(red.min, red.max, red.probability, red.ecn)
    if written.codel is not None:
        codel = written.codel
        return CoDel(codel.target, codel.interval, codel.ecn)
    if written.token_bucket is not None:
        return TokenBucket(written.token_bucket.rate, written.token_bucket.burst)
    return StrictPriority() if written.priority else None


_PARAMETERS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "rate": ("rate_bps", _same),
    "delay": ("delay_ns", _same),
    "queue": ("queue_bytes", _same),
    "mtu": ("mtu", _same),
    "loss": ("loss", _loss),
    "jitter": ("jitter", _jitter),
    "reorder": ("reorder", _same),
    "duplicate": ("duplicate", _same),
    "corrupt": ("corrupt", _same),
    "discipline": ("discipline", _discipline),
}
"""For each key of a file, the field of :class:`LinkParameters` and what makes its value."""


def changes(written: LinkQuality) -> dict[str, Any]:
    """Return the fields of :class:`LinkParameters` that a file gives, with their values."""
    return {
        name: make(getattr(written, key))
        for key, (name, make) in _PARAMETERS.items()
        if getattr(written, key) is not None
    }


def quality(base: LinkParameters, *overrides: LinkQuality) -> LinkParameters:
    """Return link parameters with what a file gives in place of the base's."""
    given = {name: value for override in overrides for name, value in changes(override).items()}
    return replace(base, **given) if given else base
