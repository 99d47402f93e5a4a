"""What the datapath does not execute it refuses, with the error that says so (7.4.4)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdnvirt.datapath.fields import MATCHABLE
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPP
from sdnvirt.openflow.v13.error_codes import error_name
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
from sdnvirt.openflow.v13.match import Match, OxmMatch

FRAME = bytes(60)


def refusal(caught: pytest.ExceptionInfo[OpenFlowError]) -> str:
    return error_name(caught.value.error_type, caught.value.code)


def test_every_field_of_the_specification_can_be_matched() -> None:
    assert set(oxm.FIELDS) == MATCHABLE


def test_a_match_on_a_field_that_is_not_read_is_refused(driver: Any) -> None:
    field = replace(oxm.ETH_DST, name="a field of tomorrow")
    match = Match((OxmMatch(field, 0),))
    with pytest.raises(OpenFlowError) as caught:
        driver.to(2, match=match)
    assert refusal(caught) == "BAD_MATCH/BAD_FIELD"
    assert field.name in caught.value.detail
    assert driver.entries() == []


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        (Meter(1), "METER_MOD_FAILED/UNKNOWN_METER"),
        (ExperimenterInstruction(1), "BAD_INSTRUCTION/BAD_EXPERIMENTER"),
        (GotoTable(3), "BAD_INSTRUCTION/BAD_TABLE_ID"),
        (GotoTable(2), "BAD_INSTRUCTION/BAD_TABLE_ID"),
        (GotoTable(255), "BAD_INSTRUCTION/BAD_TABLE_ID"),
    ],
    ids=str,
)
def test_an_instruction_that_is_not_executed_is_refused(
    driver: Any, instruction: Instruction, answer: str
) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.mod(instruction, table_id=3)
    assert refusal(caught) == answer
    assert driver.entries() == []


REFUSED_ACTIONS = [
    (act.Output(OFPP.ANY), "BAD_ACTION/BAD_OUT_PORT"),
    (act.Output(0), "BAD_ACTION/BAD_OUT_PORT"),
    (act.Output(OFPP.MAX + 1), "BAD_ACTION/BAD_OUT_PORT"),
    (act.PushVlan(0x0800), "BAD_ACTION/BAD_ARGUMENT"),
    (act.PushMpls(0x8100), "BAD_ACTION/BAD_ARGUMENT"),
    (act.PushPbb(0x88A8), "BAD_ACTION/BAD_ARGUMENT"),
    (act.SetQueue(1), "BAD_ACTION/BAD_QUEUE"),
    (act.Group(1), "BAD_ACTION/BAD_OUT_GROUP"),
    (act.ExperimenterAction(1), "BAD_ACTION/BAD_EXPERIMENTER"),
    (act.SetField(oxm.IN_PORT, 6), "BAD_ACTION/BAD_SET_TYPE"),
    (act.SetField(oxm.IN_PHY_PORT, 6), "BAD_ACTION/BAD_SET_TYPE"),
    (act.SetField(oxm.METADATA, 6), "BAD_ACTION/BAD_SET_TYPE"),
    (act.SetField(oxm.IPV6_EXTHDR, 6), "BAD_ACTION/BAD_SET_TYPE"),
]


@pytest.mark.parametrize(("action", "answer"), REFUSED_ACTIONS, ids=str)
@pytest.mark.parametrize("kind", [ApplyActions, WriteActions])
def test_an_action_that_is_not_executed_is_refused_in_every_instruction(
    driver: Any, kind: type[ApplyActions], action: Action, answer: str
) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.mod(kind((act.Output(2), action)))
    assert refusal(caught) == answer
    assert driver.entries() == []


@pytest.mark.parametrize(("action", "answer"), REFUSED_ACTIONS, ids=str)
def test_an_action_that_is_not_executed_is_refused_in_a_packet_out(
    driver: Any, action: Action, answer: str
) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.datapath.packet_out(1, Frame(FRAME), (action,), 0)
    assert refusal(caught) == answer


def test_only_a_packet_out_may_name_the_tables_as_a_port(driver: Any) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.to(OFPP.TABLE)
    assert refusal(caught) == "BAD_ACTION/BAD_OUT_PORT"
    assert driver.packet_out(act.Output(OFPP.TABLE), data=FRAME) == []


ADMITTED = (
    act.Output(1), act.Output(OFPP.MAX), act.Output(OFPP.IN_PORT), act.Output(OFPP.FLOOD),
    act.Output(OFPP.LOCAL),
    act.Output(OFPP.ALL), act.Output(OFPP.CONTROLLER), act.PushVlan(0x8100), act.PushVlan(0x88A8),
    act.PopVlan(), act.PushMpls(0x8847), act.PushMpls(0x8848), act.PopMpls(0x0800),
    act.PushPbb(0x88E7), act.PopPbb(), act.CopyTtlIn(), act.CopyTtlOut(), act.SetMplsTtl(1),
    act.DecMplsTtl(), act.SetNwTtl(0), act.DecNwTtl(), act.SetField(oxm.TUNNEL_ID, 1),
    *(act.SetField(field, 0) for field in SETTERS),
)  # fmt: skip


def fitting(action: Action) -> Match:
    """The match with the prerequisites of what an action sets."""
    values = {"in_port": 1}
    needed = action.field.requires if isinstance(action, act.SetField) else None
    while needed is not None:
        values[needed.field.name] = needed.values[0]
        needed = needed.field.requires
    return Match.of(**values)


@pytest.mark.parametrize("action", ADMITTED, ids=str)
def test_every_action_that_is_admitted_is_executed(driver: Any, action: Action) -> None:
    driver.mod(ApplyActions((action,)), GotoTable(1), match=fitting(action))
    driver.mod(WriteActions((action,)), match=fitting(action), table_id=1)
    driver.send(FRAME, port=1)
    driver.packet_out(action, data=FRAME)


def test_the_other_instructions_are_admitted(driver: Any) -> None:
    driver.mod(ClearActions(), WriteMetadata(1), GotoTable(254))
    driver.mod(table_id=254)
    assert len(driver.entries()) == 2


def test_a_refused_flow_mod_leaves_an_existing_entry_as_it_was(driver: Any) -> None:
    driver.to(2)
    with pytest.raises(OpenFlowError):
        driver.to(OFPP.ANY)
    assert driver.send(FRAME) == [(2, FRAME)]
