"""What a flow mod or packet-out may ask for: whatever is not executed here is refused.

A datapath that answers "ok" and then does nothing costs its users days; each refusal is the error
that OpenFlow 1.3.5 (7.4.4) has for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from sdnvirt.datapath.actions import RULES
from sdnvirt.datapath.fields import MATCHABLE
from sdnvirt.datapath.state import PipelineState
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.extensions import Enqueue
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.action import NiciraAction
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13.constants import OFPP, OFPTT
from sdnvirt.openflow.v13.error_codes import OFPBAC, OFPBIC, OFPBMC, OFPMMFC, refuse
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    ExperimenterInstruction,
    GotoTable,
    Instruction,
    Meter,
    WriteActions,
    WriteMetadata,
)
from sdnvirt.openflow.v13.match import Match


def check_match(match: Match) -> None:
    """Refuse a match on a field that is not read from packets (OFPBMC_BAD_FIELD)."""
    for field, _, _ in match.fields:
        if field not in MATCHABLE and field not in nxm.MATCHABLE:
            raise refuse(OFPBMC.BAD_FIELD, f"{field.name} is not supported")


def check_instructions(
    table_id: int, instructions: tuple[Instruction, ...], state: PipelineState
) -> None:
    """Refuse instructions that this datapath would not execute (OFPET_BAD_INSTRUCTION)."""
    for instruction in instructions:
        if isinstance(instruction, WriteActions):
            check_set(instruction.actions)
        match instruction:
            case GotoTable(next_table):
                if next_table <= table_id or next_table > OFPTT.MAX:
                    raise refuse(OFPBIC.BAD_TABLE_ID, f"table {table_id} to table {next_table}")
            case ApplyActions(actions) | WriteActions(actions):
                check_actions(actions)
                check_references(actions, state)
            case Meter(meter_id):
                if meter_id not in state.meters:
                    raise refuse(OFPMMFC.UNKNOWN_METER, f"no meter {meter_id}")
            case ClearActions() | WriteMetadata():
                pass
            case ExperimenterInstruction():
                raise refuse(OFPBIC.BAD_EXPERIMENTER, f"{instruction} is of nobody known")
            case _:
                raise refuse(OFPBIC.UNSUP_INST, f"{instruction} is not supported")


def check_set(actions: tuple[Action, ...]) -> None:
    """Refuse actions that have no place in an action set."""
    for action in actions:
        if isinstance(action, NiciraAction):
            raise refuse(OFPBAC.BAD_TYPE, f"{action} cannot be in an action set")


def check_actions(actions: tuple[Action, ...]) -> None:
    """Refuse actions that this datapath would not execute (OFPET_BAD_ACTION)."""
    for action in actions:
        rule = RULES.get(type(action))
        if rule is None and isinstance(action, act.ExperimenterAction):
            raise refuse(OFPBAC.BAD_EXPERIMENTER, f"{action} is of nobody known")
        if rule is None:
            raise refuse(OFPBAC.BAD_TYPE, f"{action} is not supported")
        rule.admit(action)


def check_references(actions: tuple[Action, ...], state: PipelineState) -> None:
    """Refuse actions for groups and queues that are not there."""
    for action in actions:
        if type(action) is act.Group and action.group_id not in state.groups:
            raise refuse(OFPBAC.BAD_OUT_GROUP, f"no group {action.group_id}")
    check_queues(actions, state)


def check_queues(actions: tuple[Action, ...], state: PipelineState) -> None:
    """Refuse a queue that no port has, or not the port that the list outputs to (BAD_QUEUE)."""
    queue_id = None
    for action in actions:
        if queue_id is None and type(action) is act.Output:
            continue  # by no queue in particular
        ports: Iterable[int] = ()
        if isinstance(action, act.SetQueue):
            queue_id, ports = action.queue_id, state.ports
        elif isinstance(action, Enqueue):
            ports = state.ports if action.port == OFPP.IN_PORT else (action.port,)
        elif isinstance(action, act.Output) and queue_id is not None and action.port in state.ports:
            ports = (action.port,)
        wanted = action.queue_id if isinstance(action, Enqueue) else queue_id
        if ports and not any(wanted in state.queues.get(port, ()) for port in ports):
            raise refuse(OFPBAC.BAD_QUEUE, f"no queue {wanted} for {action}")


def check_packet_out(actions: tuple[Action, ...], state: PipelineState) -> None:
    """Refuse what a packet-out cannot do; only it may output to OFPP.TABLE (7.2.1)."""
    check_references(actions, state)
    check_actions(
        tuple(
            action
            for action in actions
            if not (isinstance(action, act.Output) and action.port == OFPP.TABLE)
        )
    )
