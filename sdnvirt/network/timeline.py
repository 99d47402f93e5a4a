"""Events of the timeline, made happen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdnvirt.topology.events import (
    BreakDirection,
    ChangeLink,
    ControllerEvent,
    Crash,
    Event,
    Heal,
    LinkDown,
    LinkUp,
    MendDirection,
    Partition,
    Restart,
)

if TYPE_CHECKING:
    from sdnvirt.network.faults import Faults


def play(event: Event, faults: Faults) -> None:
    """Break, change or repair what an event says."""
    match event:
        case LinkDown(link=link):
            faults.pull(link)
        case LinkUp(link=link):
            faults.plug(link)
        case BreakDirection(link=link, start=start):
            faults.break_direction(link, start)
        case MendDirection(link=link, start=start):
            faults.mend_direction(link, start)
        case ChangeLink(link=link, start=start, changes=changes):
            faults.change(link, start=start, **dict(changes))
        case Partition(parts=parts):
            faults.partition(*parts)
        case Heal():
            faults.heal()
        case Crash(node=node):
            faults.crash(node)
        case Restart(node=node):
            faults.restart(node)
        case ControllerEvent(fault=fault):
            faults.control(fault)
