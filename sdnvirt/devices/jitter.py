"""Jitter: how much longer or shorter than usual a frame is on the way.

The samples are sums and products that round alike on every machine; no logarithm or cosine of the
platform's library is asked, because its last bit may differ.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from random import Random
from typing import Final

from sdnvirt.devices.figures import Figure, check, whole

_UNIFORMS: Final = 12
"""Uniform numbers whose sum has the variance 1; it is normal but for tails beyond 3 sigma."""

_TABLE: Final = Figure(
    lambda value: (
        isinstance(value, tuple) and bool(value) and all(type(one) is int for one in value)
    ),
    "a tuple of nanoseconds, at least one, such as (-1_000, 0, 1_000)",
)


@dataclass(frozen=True, slots=True)
class Jitter(ABC):
    """A distribution of deviations from the propagation delay.

    Attributes:
        keeps_order: whether a frame never overtakes the one before it, and arrives with it rather.
    """

    keeps_order: bool

    @abstractmethod
    def sample(self, stream: Random) -> int:
        """Return a deviation, ns; a negative one shortens the delay, which stays 0 or more."""


@dataclass(frozen=True, slots=True)
class NormalJitter(Jitter):
    """Deviations around 0; two thirds of them are below ``sigma_ns``, none is beyond six times."""

    sigma_ns: int

    def __post_init__(self) -> None:
        check(self, {"sigma_ns": whole("nanoseconds", 0)})

    def sample(self, stream: Random) -> int:
        """Return a deviation, ns: the sum of uniform numbers (Irwin and Hall)."""
        deviate = sum(stream.random() for _ in range(_UNIFORMS)) - _UNIFORMS / 2
        return round(deviate * self.sigma_ns)


@dataclass(frozen=True, slots=True)
class UniformJitter(Jitter):
    """Deviations from ``-spread_ns`` to ``spread_ns``, all equally frequent."""

    spread_ns: int

    def __post_init__(self) -> None:
        check(self, {"spread_ns": whole("nanoseconds", 0)})

    def sample(self, stream: Random) -> int:
        """Return a deviation, ns."""
        return stream.randint(-self.spread_ns, self.spread_ns)


@dataclass(frozen=True, slots=True)
class TableJitter(Jitter):
    """Deviations of a table, as measured somewhere, all equally frequent; at least one."""

    table_ns: tuple[int, ...]

    def __post_init__(self) -> None:
        check(self, {"table_ns": _TABLE})

    def sample(self, stream: Random) -> int:
        """Return a deviation, ns."""
        return stream.choice(self.table_ns)
