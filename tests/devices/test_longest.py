"""What is so long that no message could tell of it is refused, or told in part.

A flow entry's or a group's description has more around it than the message that made it, and the
length of a message has 16 bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sdnvirt.devices.of13.queues import QUEUES_TOLD
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.openflow.nicira.fields import REGS
from sdnvirt.openflow.nicira.learn import SPECS_MAX, Learn, Purpose, Spec
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13.actions import Output, PopVlan
from sdnvirt.openflow.v13.constants import OFPGC, OFPGT, OFPMP, OFPP
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.queues import QueueGetConfigRequest
from tests.devices.controller import Controller


def flow_mod(actions: tuple[Any, ...]) -> FlowMod:
    return FlowMod(instructions=(ApplyActions(actions),))


def group_mod(actions: tuple[Any, ...]) -> GroupMod:
    return GroupMod(OFPGC.ADD, OFPGT.ALL, 1, (Bucket(actions=actions),))


@pytest.mark.parametrize(
    "longest",
    [flow_mod((Output(2),) * 4_091), group_mod((Output(2),) * 4_093 + (PopVlan(),))],
    ids=lambda message: type(message).__name__,
)
def test_what_fits_only_the_message_that_makes_it_is_refused(
    controller: Controller, longest: Any
) -> None:
    assert controller.refusal(longest) == "BAD_ACTION/TOO_MANY"
    assert controller.multipart(OFPMP.FLOW, FlowStatsRequest()) == ()
    assert controller.multipart(OFPMP.GROUP_DESC) == ()


@pytest.mark.parametrize("make", [flow_mod, group_mod])
def test_what_is_not_refused_is_told(controller: Controller, make: Callable[..., Any]) -> None:
    actions = (Output(2),) * 4_050
    assert controller.ask(make(actions)) == []
    if make is flow_mod:
        (told,) = controller.multipart(OFPMP.FLOW, FlowStatsRequest())
        assert told.instructions == (ApplyActions(actions),)
    else:
        (told,) = controller.multipart(OFPMP.GROUP_DESC)
        assert told.buckets == (Bucket(actions=actions),)


def test_a_learn_action_that_would_make_such_an_entry_is_refused(controller: Controller) -> None:
    spec = Spec(Purpose.LOAD, 1, Subfield(REGS[0], 0, 32), 32)
    longest = Learn(0, 0, 1, 0, 0, 1, 0, 0, (spec,) * SPECS_MAX)
    assert controller.ask(flow_mod((longest,))) == []
    longer = replace(longest, specs=(spec,) * (SPECS_MAX + 1))
    assert controller.refusal(flow_mod((longer,))) == "BAD_ACTION/TOO_MANY"


def test_a_configuration_tells_of_as_many_queues_as_it_has_room_for(
    switch: OpenFlowSwitch, controller: Controller
) -> None:
    for number in range(QUEUES_TOLD + 1):
        switch.add_queue(2 + number % 2, number)
    (reply,) = controller.ask(QueueGetConfigRequest(OFPP.ANY))
    assert len(reply.queues) == QUEUES_TOLD
    (one_port,) = controller.ask(QueueGetConfigRequest(3))
    assert len(one_port.queues) == (QUEUES_TOLD + 1) // 2
