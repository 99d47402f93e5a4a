"""Faults as rules with guards.

A rule looks at a frame that enters one direction of a link and gives a verdict; the first verdict
other than PASS wins. Devices know nothing of faults, and a link without rules pays nothing: the
rules stand in an egress of their own, which takes the place of the direction while there are any.
What a link does to frames all the time (loss, jitter and so on) are parameters of the link, which
add up (:mod:`sdnvirt.devices.medium`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame

if TYPE_CHECKING:
    from sdnvirt.devices.device import Egress, Port
    from sdnvirt.devices.link import Link


@dataclass(frozen=True, slots=True)
class Pass:
    """No opinion: let the next rule decide; after the last one the frame is carried."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Carry the frame, whatever later rules would say."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Lose the frame."""

    reason: DropReason = DropReason.LINK_RULE


@dataclass(frozen=True, slots=True)
class Delay:
    """Hold the frame for some time (ns) before it enters the link; others may overtake it."""

    delay_ns: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Carry the frame and copies of it."""

    copies: int = 1


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Carry other bytes in the frame's place."""

    data: bytes


Verdict = Pass | Deliver | Drop | Delay | Duplicate | Corrupt

PASS: Final = Pass()


class Rule(Protocol):
    """Something that judges the frames which enter one direction of a link."""

    def judge(self, frame: Frame, now: int) -> Verdict:
        """Return what is to become of the frame; ``now`` in ns."""


class RuledEgress:
    """A direction of a link behind its rules.

    Args:
        world: the surroundings.
        link_name: what the ledger names as the place.
        entrance: where frames enter the direction.
        rules: in the order in which they are asked.
    """

    __slots__ = ("_entrance", "_link_name", "_rules", "_world")

    def __init__(
        self, world: World, link_name: str, entrance: Egress, rules: tuple[Rule, ...]
    ) -> None:
        self._world = world
        self._link_name = link_name
        self._entrance = entrance
        self._rules = rules

    def carry(self, frame: Frame) -> None:
        """Do what the first rule with an opinion says; carry the frame if none has."""
        scheduler = self._world.scheduler
        for rule in self._rules:
            match rule.judge(frame, scheduler.now):
                case Pass():
                    continue
                case Deliver():
                    break
                case Drop(reason):
                    self._world.ledger.drop(frame, reason, self._link_name)
                    return
                case Delay(delay_ns):
                    scheduler.call_at(scheduler.now + delay_ns, self._entrance.carry, frame)
                    return
                case Duplicate(copies):
                    self._world.ledger.copied += copies
                    for _ in range(copies):
                        self._entrance.carry(frame.duplicated())
                    break
                case Corrupt(data):
                    frame = frame.rewritten(data)
                    break
        self._entrance.carry(frame)


@contextmanager
def rule_on(link: Link, end: Port, rule: Rule) -> Iterator[None]:
    """Guard: the rule holds inside the ``with`` block and is gone after it."""
    link.add_rule(end, rule)
    try:
        yield
    finally:
        link.remove_rule(end, rule)
