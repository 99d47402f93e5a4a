"""The pipeline: tables, instructions and the action set (OpenFlow 1.3.5, 5.1 to 5.10)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sdnvirt.datapath.actions import RULES
from sdnvirt.datapath.actions.forwarding import port_in_full
from sdnvirt.datapath.entry import FlowEntry
from sdnvirt.datapath.flow import Flow
from sdnvirt.datapath.fragments import is_fragment
from sdnvirt.datapath.outcomes import Beginning, decide
from sdnvirt.datapath.reasons import choice
from sdnvirt.datapath.tracking import track
from sdnvirt.datapath.walk import ActionSet, Walk
from sdnvirt.drops import DropReason
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.nicira.actions import Resubmit, ResubmitTable
from sdnvirt.openflow.nicira.conntrack import Conntrack
from sdnvirt.openflow.nicira.constants import IN_PORT, SAME_TABLE
from sdnvirt.openflow.v10.constants import OFPPC as OFPPC10
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPAT, OFPGT, OFPP, OFPPC, OFPR
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    GotoTable,
    Instruction,
    Meter,
    WriteActions,
    WriteMetadata,
)

EXECUTION_ORDER: Final = (Meter, ApplyActions, ClearActions, WriteActions, WriteMetadata, GotoTable)
"""The order in which an entry's instructions are executed (5.9)."""

BRIDGE_GROUP: Final = 0x0180C2000000
"""The address that bridges of a spanning tree speak to (IEEE 802.1D, table 7-9)."""

BY_FIELDS: Final[frozenset[type[Action]]] = frozenset(
    {act.Output, act.Group, act.SetQueue, act.SetField, act.PushVlan, act.PopVlan}
)
"""Actions whose part in a program is the same for every packet with the same match fields. Others
look at more, such as a time to live, so that what they decide is for packets of one key only."""


def process(begin: Beginning) -> Flow:
    """Return the program for all packets like one, from table 0 to the end."""
    return decide(begin, _enter)


def resume(begin: Beginning, first_table: int) -> Flow:
    """Return the program for the rest of a packet's way, from a table to the end."""
    return decide(begin, lambda walk: _walk(walk, first_table))


def process_actions(begin: Beginning, actions: tuple[Action, ...]) -> Flow:
    """Return the program of a list of actions, as a packet-out asks; OFPP.TABLE is the pipeline."""
    return decide(begin, lambda walk: _follow(walk, actions))


def _enter(walk: Walk) -> tuple[DropReason, str]:
    if _is_closed(walk):
        return DropReason.PORT_CLOSED, f"port {walk.in_port}"
    if walk.state.drops_fragments:
        walk.rest_on_key()  # no match field tells a fragment
    if walk.state.drops_fragments and is_fragment(walk.data):
        return DropReason.FRAGMENT_REFUSED, f"port {walk.in_port}"
    if walk.state.standalone:
        walk.tell("no controller is connected: the switch stands alone, as a bridge")
        walk.normal()
        return DropReason.NO_OUTPUT, ""
    return _walk(walk, 0)


def _walk(walk: Walk, first_table: int) -> tuple[DropReason, str]:
    table_id: int | None = first_table
    detail = ""
    while table_id is not None and not walk.stopped:
        entry = walk.look_up(table_id)
        if entry is None:
            _miss(walk, table_id)
            return DropReason.TABLE_MISS, f"table {table_id}"
        which = f"priority {entry.priority}, {entry.match}, cookie {entry.cookie:#x}"
        detail = f"table {table_id}, {which}"
        table_id = _execute(walk, entry)
    _end(walk)
    return DropReason.NO_OUTPUT, detail


def _end(walk: Walk) -> None:
    """Execute the action set, which an action that ends all actions leaves as it is."""
    if walk.exited:
        walk.stopped = False
    if not walk.stopped:
        _execute_action_set(walk, walk.action_set, "action set")


def _is_closed(walk: Walk) -> bool:
    """Return whether the port takes nothing in, or nothing of the packet's kind.

    OpenFlow 1.0 has a bit for the frames of spanning trees and one for all others (1.0.0, 5.2.1);
    NO_RECV of OpenFlow 1.3 sets both.
    """
    if walk.in_port not in walk.state.configs:
        return False
    walk.rest_on_key()
    bridges = walk.fields.get(oxm.ETH_DST) == BRIDGE_GROUP
    closing = OFPPC10.NO_RECV_STP if bridges else OFPPC10.NO_RECV
    return walk.state.forbids(walk.in_port, OFPPC10.PORT_DOWN | closing)


def _miss(walk: Walk, table_id: int) -> None:
    """Tell controllers of OpenFlow 1.0 of a packet that the table they know has no entry for."""
    state = walk.state
    if table_id == 0 and state.tells_misses and not state.forbids(walk.in_port, OFPPC.NO_PACKET_IN):
        walk.punt(None, OFPR.NO_MATCH)


def only_outputs(actions: tuple[Action, ...]) -> bool:
    """Return whether a list of actions only sends to ports, without the tables."""
    for action in actions:
        if type(action) is not act.Output or action.port == OFPP.TABLE:
            return False
    return True


def _follow(walk: Walk, actions: tuple[Action, ...]) -> tuple[DropReason, str]:
    reason, detail = DropReason.NO_OUTPUT, "packet-out"
    for action in actions:
        if walk.stopped:
            break
        if isinstance(action, act.Output) and action.port == OFPP.TABLE:
            flow = process(walk.fork)
            walk.branch(flow)
            reason, detail = flow.reason, flow.detail
        else:
            apply(walk, action)
    _end(walk)
    return reason, detail


def apply(walk: Walk, action: Action) -> None:
    """Execute one action, which was admitted."""
    if type(action) not in BY_FIELDS:
        walk.rest_on_key()
    _NESTING.get(type(action), RULES[type(action)].execute)(walk, action)


def _apply_group(walk: Walk, action: act.Group) -> None:
    """Process a copy of the packet by each bucket that the group chooses (5.6.1)."""
    group_id = action.group_id
    group = walk.state.groups[group_id]
    walk.count(group.tally)
    key = walk.flow_key() if group.type == OFPGT.SELECT else b""
    chosen = walk.state.groups.choose(group, key, walk.state.lives)
    if walk.narration is not None:
        walk.narration.extend(choice(walk.state, group, chosen))
    if not chosen:
        walk.tell(f"  group {group_id}: no bucket is alive")
        walk.excuse = DropReason.NO_LIVE_BUCKET
    for bucket in chosen:
        number = group.buckets.index(bucket)
        copy = walk.fork()
        copy.count(bucket.tally)
        action_set: ActionSet = {}
        _write(action_set, bucket.spec.actions)
        _execute_action_set(copy, action_set, f"  group {group_id}, bucket {number}")
        walk.branch(copy.finish(DropReason.NO_OUTPUT, ""))
        walk.excuse = walk.excuse or copy.excuse


def _resubmit(walk: Walk, action: Resubmit | ResubmitTable) -> None:
    """Execute what the packet matches in a table, if it does, and come back (ovs-actions(7))."""
    table_id = action.table_id if isinstance(action, ResubmitTable) else SAME_TABLE
    in_port = walk.in_port if action.in_port == IN_PORT else port_in_full(action.in_port)
    here = walk.entry
    if not walk.budget.begin_resubmit():
        walk.stopped = True
        return
    entry = walk.look_up_as(in_port, walk.table_id if table_id == SAME_TABLE else table_id)
    while entry is not None:
        next_table = _execute(walk, entry)
        going_on = next_table is not None and not walk.stopped
        entry = walk.look_up(next_table) if going_on and next_table is not None else None
    walk.budget.end_resubmit()
    walk.come_back(here)


def _track(walk: Walk, action: Conntrack) -> None:
    track(walk, action, resume)


_NESTING: Final[dict[type[Action], Callable[[Walk, Any], None]]] = {
    act.Group: _apply_group, Resubmit: _resubmit, ResubmitTable: _resubmit, Conntrack: _track,
}  # fmt: skip
"""What is done by actions that lead to other actions."""


def _execute(walk: Walk, entry: FlowEntry) -> int | None:
    """Execute an entry's instructions; return the next table, or None at the end."""
    by_kind: dict[type[Instruction], Instruction] = {type(i): i for i in entry.instructions}
    for kind in EXECUTION_ORDER:
        instruction = by_kind.get(kind)
        if instruction is None or walk.stopped:
            continue
        walk.tell(f"  {instruction}")
        match instruction:
            case Meter(meter_id):
                if meter_id in walk.state.meters:
                    walk.police(walk.state.meters[meter_id])
            case ApplyActions(actions):
                for action in actions:
                    if not walk.stopped:
                        apply(walk, action)
            case ClearActions():
                walk.action_set.clear()
            case WriteActions(actions):
                _write(walk.action_set, actions)
            case WriteMetadata(metadata, mask):
                walk.set_metadata(metadata, mask)
            case GotoTable(table_id):
                return table_id
    return None


def _write(action_set: ActionSet, actions: Iterable[Action]) -> None:
    """Merge actions into a set; each replaces the one of its type, or of its field (5.10)."""
    for action in actions:
        field = action.field if isinstance(action, act.SetField) else None
        action_set[action.TYPE, field] = action


def _execute_action_set(walk: Walk, action_set: ActionSet, whose: str) -> None:
    """Execute an action set, a packet's own or a bucket's, in the order of the rules (5.10)."""
    kinds = {kind for kind, _ in action_set}
    if OFPAT.GROUP in kinds:
        actions = [action for action in action_set.values() if action.TYPE != OFPAT.OUTPUT]
    elif OFPAT.OUTPUT in kinds:
        actions = list(action_set.values())
    else:
        return  # without a group and an output the set drops the packet
    for action in sorted(actions, key=lambda action: RULES[type(action)].order):
        if not walk.stopped:
            walk.tell(f"{whose}: {action}")
            apply(walk, action)
