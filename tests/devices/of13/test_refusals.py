"""Requests that cannot be carried out, and the error that says so (OpenFlow 1.3.5, 7.4.4)."""

from __future__ import annotations

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13.actions import ExperimenterAction, Group, Output
from sdnvirt.openflow.v13.constants import OFPFF, OFPMP, OFPP, OFPTT
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.experimenter import Experimenter, ExperimenterMultipart
from sdnvirt.openflow.v13.features import FeaturesRequest
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.groups import GroupMod
from sdnvirt.openflow.v13.instructions import ExperimenterInstruction, GotoTable
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.meters import MeterMod
from sdnvirt.openflow.v13.multipart import MultipartRequest
from sdnvirt.openflow.v13.ports import PortMod, PortStatsRequest
from sdnvirt.openflow.v13.queues import QueueGetConfigRequest, QueueStatsRequest
from tests.devices.controller import Controller
from tests.devices.entries import flow


def test_there_are_as_many_tables_as_the_switch_says(controller: Controller) -> None:
    (features,) = controller.ask(FeaturesRequest())
    last = features.n_tables - 1
    assert controller.ask(flow(Output(1), table_id=last)) == []
    refused = controller.refusal(FlowMod(table_id=features.n_tables))
    assert refused == "FLOW_MOD_FAILED/BAD_TABLE_ID"


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (flow(Output(1), table_id=OFPTT.ALL), "FLOW_MOD_FAILED/BAD_TABLE_ID"),
        (FlowMod(instructions=(GotoTable(0),)), "BAD_INSTRUCTION/BAD_TABLE_ID"),
        (flow(Group(1)), "BAD_ACTION/BAD_OUT_GROUP"),
        (GroupMod(1, 0, 1), "GROUP_MOD_FAILED/UNKNOWN_GROUP"),
        (MeterMod(1, 1, 1), "METER_MOD_FAILED/UNKNOWN_METER"),
        (PortMod(9, Mac(1)), "PORT_MOD_FAILED/BAD_PORT"),
        (Experimenter(5, 1), "BAD_REQUEST/BAD_EXPERIMENTER"),
        (
            MultipartRequest(OFPMP.EXPERIMENTER, (ExperimenterMultipart(5, 1),)),
            "BAD_REQUEST/BAD_EXPERIMENTER",
        ),
        (flow(ExperimenterAction(5)), "BAD_ACTION/BAD_EXPERIMENTER"),
        (
            FlowMod(instructions=(ExperimenterInstruction(5),)),
            "BAD_INSTRUCTION/BAD_EXPERIMENTER",
        ),
        (flow(Output(OFPP.ANY)), "BAD_ACTION/BAD_OUT_PORT"),
        (QueueGetConfigRequest(9), "QUEUE_OP_FAILED/BAD_PORT"),
        (MultipartRequest(OFPMP.QUEUE, (QueueStatsRequest(9),)), "QUEUE_OP_FAILED/BAD_PORT"),
        (MultipartRequest(OFPMP.QUEUE, (QueueStatsRequest(1, 1),)), "QUEUE_OP_FAILED/BAD_QUEUE"),
        (MultipartRequest(OFPMP.PORT_STATS, (PortStatsRequest(9),)), "BAD_REQUEST/BAD_PORT"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_done_is_answered_with_its_error(
    switch: OpenFlowSwitch, controller: Controller, message: Message, answer: str
) -> None:
    assert controller.refusal(message) == answer
    assert switch.agents[0].errors == 1
    assert switch.agents[0].last_error


def test_an_overlapping_entry_is_refused_with_the_beginning_of_its_message(
    controller: Controller,
) -> None:
    controller.send(flow(Output(1)))
    mod = flow(Output(1), flags=OFPFF.CHECK_OVERLAP, match=Match.of(in_port=1))
    (error,) = controller.ask(mod)
    assert error_name(error.error_type, error.code) == "FLOW_MOD_FAILED/OVERLAP"
    assert len(error.data) == 64
