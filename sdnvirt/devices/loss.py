"""What strikes some of the frames on a link: independently, or in bursts."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from sdnvirt.devices.figures import SHARE, check

_FIGURES: Final = dict.fromkeys(("to_bad", "to_good", "in_bad", "in_good"), SHARE)


@dataclass(frozen=True, slots=True)
class GilbertElliott:
    """Loss in bursts: a Markov chain of a good and a bad state (Gilbert 1960, Elliott 1963).

    The state may change with each frame. In the long run, the share of time in the bad state is
    ``to_bad / (to_bad + to_good)``, and its visits last ``1 / to_good`` frames on the average.

    Attributes:
        to_bad: probability that a frame finds the good state turned bad.
        to_good: probability that a frame finds the bad state turned good.
        in_bad: probability of loss in the bad state.
        in_good: probability of loss in the good state.

    Raises:
        UserError: one of them is none.
    """

    to_bad: float
    to_good: float
    in_bad: float = 1.0
    in_good: float = 0.0

    def __post_init__(self) -> None:
        check(self, _FIGURES)


class Chance:
    """Strikes each frame with a probability, whatever became of the others."""

    __slots__ = ("_probability", "_stream")

    def __init__(self, probability: float, stream: Random) -> None:
        self._probability = probability
        self._stream = stream

    def strikes(self) -> bool:
        """Whether it strikes the next frame."""
        return self._stream.random() < self._probability


class Bursts:
    """Strikes as a :class:`GilbertElliott` chain says; it begins in the good state."""

    __slots__ = ("_bad", "_chain", "_stream")

    def __init__(self, chain: GilbertElliott, stream: Random) -> None:
        self._chain = chain
        self._stream = stream
        self._bad = False

    def strikes(self) -> bool:
        """Whether it strikes the next frame."""
        chain, draw = self._chain, self._stream.random
        if draw() < (chain.to_good if self._bad else chain.to_bad):
            self._bad = not self._bad
        return draw() < (chain.in_bad if self._bad else chain.in_good)
