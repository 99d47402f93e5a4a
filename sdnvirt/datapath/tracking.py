"""Connection tracking in the pipeline: the ct action (ovs-actions(7)).

What becomes of a packet behind it depends on its connection, so that cannot be part of a cached
program. The program has a step instead, which asks for each packet; if the packet is to go on at
a table, a copy of it walks from there anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sdnvirt.datapath.budget import RECIRCULATIONS_LIMIT, Budget
from sdnvirt.datapath.conntrack.table import Request, Verdict
from sdnvirt.datapath.fields import Fields
from sdnvirt.datapath.flow import Deferred, Emission, Flow, Loss
from sdnvirt.datapath.state import PipelineState
from sdnvirt.datapath.walk import ActionSet, Narration, Walk
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.actions import RegLoad, RegLoad2
from sdnvirt.openflow.nicira.conntrack import Conntrack, Nat
from sdnvirt.openflow.nicira.constants import NO_TABLE, NXCT, CtState
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13.actions import SetField
from sdnvirt.openflow.v13.oxm import OxmField

Resume = Callable[[Callable[[], Walk], int], Flow]
"""Takes a packet, whose walk the first argument begins, from a table to the end of the pipeline."""


@dataclass(frozen=True, slots=True)
class Track(Deferred):
    """Ask for the packet's connection; a translation changes the packet.

    Attributes:
        state: the datapath's, which holds the connections.
        request: what is asked for.
    """

    state: PipelineState
    request: Request

    def run(self, frame: Frame, now: int | None) -> tuple[Frame | None, list[Emission]]:
        verdict = self.ask(frame.data, now)
        if verdict.full:
            return None, [(frame, Loss(DropReason.CONNTRACK_FULL, f"zone {verdict.zone}"))]
        return (frame if verdict.data == frame.data else frame.rewritten(verdict.data)), []

    def ask(self, data: bytes, now: int | None) -> Verdict:
        """Return what is known of a packet; at no time, without remembering that it came."""
        if now is None:
            return self.state.connections.peek(data, self.request)
        return self.state.connections.track(data, self.request, now)


@dataclass(frozen=True, slots=True)
class Recirculate(Track):
    """Ask for the packet's connection; a copy that knows the answer goes on at a table.

    Attributes:
        resume: takes it on.
        table_id: where.
        in_port: port where the packet arrived.
        registers, metadata, actions: what the walk that led here had written by then.
        recirculations: how often the packet will have come back.
    """

    resume: Resume
    table_id: int
    in_port: int
    registers: Fields
    metadata: int
    actions: ActionSet
    recirculations: int

    sends = True

    def run(self, frame: Frame, now: int | None) -> tuple[Frame | None, list[Emission]]:
        left, emissions = frame, list[Emission]()
        if self.recirculations > RECIRCULATIONS_LIMIT:
            detail = f"table {self.table_id}"
            return left, [(frame, Loss(DropReason.RECIRCULATION_LIMIT, detail))]
        verdict = self.ask(frame.data, now)
        if verdict.full:
            return left, [(frame, Loss(DropReason.CONNTRACK_FULL, f"zone {verdict.zone}"))]
        copy = frame if verdict.data == frame.data else frame.rewritten(verdict.data)
        flow = self.go_on(copy, verdict, None)
        if now is None:
            emissions = flow.preview(copy)
        else:
            flow.packets, flow.bytes, flow.used_ns = 1, copy.size, now
            flow.settle()
            emissions = flow.run(copy, now)
        return left, emissions or [(copy, Loss(flow.reason, flow.detail))]

    def go_on(self, frame: Frame, verdict: Verdict, narration: Narration | None) -> Flow:
        """Let a packet of which something is known walk on."""

        def begin() -> Walk:
            walk = Walk(self.state, self.in_port, frame, narration)
            walk.restore(self.registers | told_by(verdict), self.metadata)
            walk.action_set = dict(self.actions)
            walk.budget = Budget(self.recirculations)
            return walk

        return self.resume(begin, self.table_id)


def told_by(verdict: Verdict) -> Fields:
    """Return a verdict as match fields."""
    return {
        nxm.CT_STATE: verdict.state,
        nxm.CT_ZONE: verdict.zone,
        nxm.CT_MARK: verdict.mark,
        nxm.CT_LABEL: verdict.label,
    }


def track(walk: Walk, action: Conntrack, resume: Resume) -> None:
    """Execute a ct action."""
    request = _request(walk, action)
    if action.table_id == NO_TABLE:
        step = Track(walk.state, request)
        walk.defer(step)
        if walk.narration is not None:
            walk.tell(f"  {_in_words(step.ask(walk.data, None))}")
        return
    recirculations = walk.budget.recirculations + 1
    back = Recirculate(
        walk.state, request, resume, action.table_id, walk.in_port, dict(walk.registers),
        walk.metadata, dict(walk.action_set), recirculations,
    )  # fmt: skip
    walk.defer(back)
    if walk.narration is None:
        return
    verdict = back.ask(walk.data, None)
    walk.tell(f"  {_in_words(verdict)}: a copy goes on at table {action.table_id}")
    if recirculations <= RECIRCULATIONS_LIMIT:
        copy = Frame(verdict.data, tunnel=walk.tunnel)
        back.go_on(copy, verdict, walk.narration)
        walk.tell("  the packet itself goes on behind ct")


def _request(walk: Walk, action: Conntrack) -> Request:
    zone = action.zone
    if isinstance(zone, Subfield):
        zone = zone.of(walk.fields.get(zone.field, 0))
    nat = next((one for one in action.actions if isinstance(one, Nat)), None)
    values: dict[OxmField, tuple[int, int]] = {}
    for one in action.actions:
        if isinstance(one, Nat):
            continue
        field, value, mask = _assignment(one)
        before, known = values.get(field, (0, 0))
        values[field] = before & ~mask | value, known | mask
    return Request(
        zone,
        bool(action.flags & NXCT.COMMIT),
        bool(action.flags & NXCT.FORCE),
        nat,
        values.get(nxm.CT_MARK, _UNCHANGED),
        values.get(nxm.CT_LABEL, _UNCHANGED),
    )


_UNCHANGED: Final = (0, 0)


def _assignment(action: RegLoad | RegLoad2 | SetField) -> tuple[OxmField, int, int]:
    """Return the field that an action sets, the value in place, and its mask."""
    if isinstance(action, RegLoad):
        return action.dst.field, action.value << action.dst.offset, action.dst.mask
    if isinstance(action, RegLoad2) and action.mask is not None:
        return action.field, action.value, action.mask
    return action.field, action.value, action.field.limit


def _in_words(verdict: Verdict) -> str:
    """Return a verdict as Open vSwitch prints it."""
    bits = "".join(f"+{bit.name.lower()}" for bit in CtState if verdict.state & bit and bit.name)
    return f"ct_state={bits}, zone {verdict.zone}"
