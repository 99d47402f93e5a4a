"""What a flow mod or packet-out may ask for: whatever is not executed here is refused.

A datapath that answers "ok" and then does nothing costs its users days; each refusal is the error
that OpenFlow 1.3.5 (7.4.4) has for it.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.fields import MATCHABLE
from sdnvirt.datapath.rewrite import SETTERS
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPP, OFPTT
from sdnvirt.openflow.v13.error_codes import OFPBAC, OFPBIC, OFPBMC, refuse
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    GotoTable,
    Instruction,
    WriteActions,
    WriteMetadata,
)
from sdnvirt.openflow.v13.match import Match
from sdnvirt.wire.ethernet import EtherType

_VLAN_TYPES: Final = (EtherType.VLAN, EtherType.QINQ)
_OUTPUTS: Final = (OFPP.IN_PORT, OFPP.FLOOD, OFPP.ALL, OFPP.CONTROLLER)


def check_match(match: Match) -> None:
    """Refuse a match on a field that is not read from packets (OFPBMC_BAD_FIELD)."""
    for field, _, _ in match.fields:
        if field not in MATCHABLE:
            raise refuse(OFPBMC.BAD_FIELD, f"{field.name} is not supported")


def check_instructions(table_id: int, instructions: tuple[Instruction, ...]) -> None:
    """Refuse instructions that this datapath would not execute (OFPET_BAD_INSTRUCTION)."""
    for instruction in instructions:
        match instruction:
            case GotoTable(next_table):
                if next_table <= table_id or next_table > OFPTT.MAX:
                    raise refuse(OFPBIC.BAD_TABLE_ID, f"table {table_id} to table {next_table}")
            case ApplyActions(actions) | WriteActions(actions):
                check_actions(actions, in_packet_out=False)
            case ClearActions() | WriteMetadata():
                pass
            case _:
                raise refuse(OFPBIC.UNSUP_INST, f"{instruction} is not supported")


def check_actions(actions: tuple[act.Action, ...], in_packet_out: bool) -> None:
    """Refuse actions that this datapath would not execute (OFPET_BAD_ACTION)."""
    for action in actions:
        match action:
            case act.Output(port):
                if port == OFPP.TABLE and in_packet_out:
                    continue
                if not (0 < port <= OFPP.MAX or port in _OUTPUTS):
                    raise refuse(OFPBAC.BAD_OUT_PORT, f"no output to port {port:#x}")
            case act.SetField(field):
                if field not in SETTERS and field is not oxm.TUNNEL_ID:
                    raise refuse(OFPBAC.BAD_SET_TYPE, f"set-field of {field.name} is unsupported")
            case act.PushVlan(ethertype):
                if ethertype not in _VLAN_TYPES:
                    raise refuse(OFPBAC.BAD_ARGUMENT, f"{ethertype:#06x} begins no VLAN tag")
            case act.PopVlan() | act.SetNwTtl() | act.DecNwTtl():
                pass
            case _:
                raise refuse(OFPBAC.BAD_TYPE, f"{action} is not supported")
