"""What meters may do to a packet's priority, and where it goes then (OpenFlow 1.3.5, 5.7).

A meter that raises the drop precedence is asked when a packet comes, and later tables see what it
did. What that will be is not known while the program is being found. So the packet walks as if
every meter let it pass, and again for each other thing that they may do to it; where the walks
part, the program branches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from sdnvirt.datapath.flow import Flow, Loss, Police, Step
from sdnvirt.datapath.walk import Narration, Walk
from sdnvirt.drops import DropReason

OUTCOMES_LIMIT: Final = 512
"""Walks of one packet. As the precedence has three levels, twenty meters in a row come to fewer;
only entries that lower it again in between can multiply the walks with each meter."""

Beginning = Callable[[], Walk]
"""Makes the packet's walk as it begins, as often as it is asked."""

Course = Callable[[Walk], tuple[DropReason, str]]
"""Takes a packet to the end of its walk; returns the reason if it goes nowhere, and figures."""


def decide(begin: Beginning, course: Course) -> Flow:
    """Return the program for all packets like one."""
    walk = begin()
    reason, detail = course(walk)
    if walk.partings:
        _Outcomes(begin, course, walk).split(walk, walk.loss(reason, detail))
    return walk.finish(reason, detail)


class _Outcomes:
    """The ways that one packet may go.

    Args:
        begin, course: see :func:`decide`.
        first: its way if every meter lets it pass.
    """

    def __init__(self, begin: Beginning, course: Course, first: Walk) -> None:
        self._begin = begin
        self._course = course
        self._first = first
        self._left = OUTCOMES_LIMIT

    def split(self, walk: Walk, loss: Loss | None) -> None:
        """Let a walk's program branch at each meter that its verdicts say nothing of.

        Args:
            walk: one that is over.
            loss: why the packet ends there, if it does.
        """
        for number in reversed(range(len(walk.verdicts), len(walk.partings))):
            behind, told, levels = walk.partings[number]
            usual = _ending(walk, behind, loss)
            passed = (0,) * (number - len(walk.verdicts))
            raised = []
            narration: Narration = []
            for level in levels:
                steps, lines = self._instead((*walk.verdicts, *passed, level))
                if steps != usual:
                    raised.append((level, steps))
                    narration.append(f"  if it raises the drop precedence by {level}:")
                    narration += [f"  | {line}" for line in lines]
            police = walk.steps[behind - 1]
            assert isinstance(police, Police)
            walk.steps[behind - 1] = replace(police, raised=tuple(raised))
            if walk.narration is not None:
                walk.narration[told:told] = narration

    def _instead(self, verdicts: tuple[int, ...]) -> tuple[tuple[Step, ...], Narration]:
        """Return what is executed behind the last of the meters that these are verdicts of."""
        if not self._left:
            self._first.budget.exceeded = DropReason.REMARK_LIMIT
            return (), []
        self._left -= 1
        walk = self._begin()
        walk.take_after(self._first, verdicts)
        reason, detail = self._course(walk)
        loss = walk.loss(reason, detail)
        self._first.join(walk)
        if walk.budget.exceeded is not None and loss is not None:
            return (loss,), [f"drop: {loss.reason.value}"]
        self.split(walk, loss)
        behind, told, _ = walk.partings[len(verdicts) - 1]
        lines = [] if walk.narration is None else walk.narration[told:]
        if loss is not None:
            lines.append(f"drop: {loss.reason.value}")
        return _ending(walk, behind, loss), lines


def _ending(walk: Walk, behind: int, loss: Loss | None) -> tuple[Step, ...]:
    """Return the steps of a walk from one on, with its loss if it ends in one."""
    return (*walk.steps[behind:], *(() if loss is None else (loss,)))
