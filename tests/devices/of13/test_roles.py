"""Roles and asynchronous messages of several controllers (OpenFlow 1.3.5, 7.3.9, 7.3.10)."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import (
    OFPCML,
    OFPCR,
    OFPFC,
    OFPFF,
    OFPGC,
    OFPGT,
    OFPMC,
    OFPP,
    OFPPR,
    OFPR,
    OFPRR,
)
from sdnvirt.openflow.v13.features import FeaturesRequest, GetConfigRequest, SetConfig
from sdnvirt.openflow.v13.flow import FlowMod, FlowRemoved
from sdnvirt.openflow.v13.groups import GroupMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.meters import MeterMod
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from sdnvirt.openflow.v13.ports import PortMod, PortStatus
from sdnvirt.openflow.v13.roles import (
    GetAsyncReply,
    GetAsyncRequest,
    RoleReply,
    RoleRequest,
    SetAsync,
)
from sdnvirt.openflow.v13.tables import TableMod
from tests.devices.controller import Controller

NONE = (1 << 64) - 1
H1, H2 = (Mac(0x02_00_00_00_00_00 + n) for n in (1, 2))
FRAME = H2 + H1 + b"\x88\xb5" + bytes(46)
MISS = FlowMod(priority=0, instructions=(ApplyActions((Output(OFPP.CONTROLLER),)),))


@pytest.fixture
def second(world: World, switch: OpenFlowSwitch, controller: Controller) -> Controller:
    """Another controller, connected after the first."""
    other = Controller(world)
    switch.connect(other)
    other.rest()
    return other


def role(controller: Controller, wanted: int, generation: int = 0) -> Any:
    (answer,) = controller.ask(RoleRequest(wanted, generation))
    return answer


def role_of(controller: Controller) -> int:
    answer = role(controller, OFPCR.NOCHANGE)
    assert isinstance(answer, RoleReply)
    return answer.role


# roles (7.3.9)


def test_a_controller_begins_as_an_equal_of_no_generation(controller: Controller) -> None:
    assert role(controller, OFPCR.NOCHANGE) == RoleReply(OFPCR.EQUAL, NONE)
    assert role(controller, OFPCR.MASTER, 0) == RoleReply(OFPCR.MASTER, 0)
    assert role(controller, OFPCR.NOCHANGE, 55) == RoleReply(OFPCR.MASTER, 0)


def test_a_new_master_makes_the_old_one_a_slave_and_leaves_equals(
    world: World,
    switch: OpenFlowSwitch,
    controller: Controller,
    second: Controller,
) -> None:
    third = Controller(world)
    switch.connect(third)
    third.rest()
    role(controller, OFPCR.MASTER, 1)
    role(second, OFPCR.MASTER, 2)
    assert [role_of(one) for one in (controller, second, third)] == [
        OFPCR.SLAVE, OFPCR.MASTER, OFPCR.EQUAL,
    ]  # fmt: skip
    role(second, OFPCR.SLAVE, 3)
    assert [role_of(one) for one in (controller, second)] == [OFPCR.SLAVE, OFPCR.SLAVE]


@pytest.mark.parametrize(
    ("last", "asked", "stale"),
    [
        (5, 4, True),
        (5, 5, False),
        (5, 6, False),
        (NONE, 0, False),  # it wrapped around
        (0, NONE, True),
        (0, (1 << 63) - 1, False),
        (0, 1 << 63, True),
    ],
)
@pytest.mark.parametrize("wanted", [OFPCR.MASTER, OFPCR.SLAVE])
def test_an_old_generation_is_refused(
    controller: Controller, wanted: int, last: int, asked: int, stale: bool
) -> None:
    role(controller, OFPCR.MASTER, last)
    request = RoleRequest(wanted, asked)
    if stale:
        assert controller.refusal(request) == "ROLE_REQUEST_FAILED/STALE"
        assert role_of(controller) == OFPCR.MASTER
    else:
        assert controller.ask(request) == [RoleReply(wanted, asked)]


def test_an_equal_need_not_know_the_generation(controller: Controller) -> None:
    role(controller, OFPCR.MASTER, 5)
    assert role(controller, OFPCR.EQUAL, 1) == RoleReply(OFPCR.EQUAL, 5)


def test_a_role_ends_with_its_connection_and_the_generation_does_not(
    controller: Controller, second: Controller
) -> None:
    role(controller, OFPCR.MASTER, 9)
    controller.hang_up()
    assert role(controller, OFPCR.NOCHANGE) == RoleReply(OFPCR.EQUAL, 9)
    assert second.refusal(RoleRequest(OFPCR.MASTER, 8)) == "ROLE_REQUEST_FAILED/STALE"


@pytest.mark.parametrize(
    "message",
    [
        FlowMod(),
        GroupMod(OFPGC.ADD, OFPGT.ALL, 1),
        MeterMod(OFPMC.ADD, 0, 1),
        PacketOut(in_port=OFPP.CONTROLLER, data=FRAME),
        PortMod(1, H1),
        TableMod(0),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_slave_cannot_change_anything(
    switch: OpenFlowSwitch, controller: Controller, message: Message
) -> None:
    role(controller, OFPCR.SLAVE)
    assert controller.refusal(message) == "BAD_REQUEST/IS_SLAVE"
    assert list(switch.datapath.tables) == []
    assert len(switch.datapath.state.groups) == 0


def test_a_slave_can_ask(controller: Controller) -> None:
    role(controller, OFPCR.SLAVE)
    for request in (FeaturesRequest(), GetConfigRequest(), GetAsyncRequest()):
        (answer,) = controller.ask(request)
        assert type(answer).__name__ == type(request).__name__.replace("Request", "Reply")
    assert controller.ask(SetConfig(0, 10)) == []
    assert controller.ask(BarrierRequest()) == [BarrierReply()]


# asynchronous messages (7.3.10)


def test_a_slave_is_told_of_ports_only(
    switch: OpenFlowSwitch, controller: Controller, second: Controller, stations: list[Any]
) -> None:
    role(second, OFPCR.SLAVE)
    controller.send(MISS)
    controller.send(FlowMod(flags=OFPFF.SEND_FLOW_REM, priority=5, table_id=1))
    stations[0].send(FRAME)
    controller.send(FlowMod(command=OFPFC.DELETE, table_id=1))
    switch.configure_port(1, 0)
    controller.rest()
    kinds = (PacketIn, FlowRemoved, PortStatus)
    assert [len(controller.got(kind)) for kind in kinds] == [1, 1, 1]
    assert [len(second.got(kind)) for kind in kinds] == [0, 0, 1]


def test_masks_are_told_as_they_begin_and_as_they_were_set(controller: Controller) -> None:
    (answer,) = controller.ask(GetAsyncRequest())
    seen = 1 << OFPR.NO_MATCH | 1 << OFPR.ACTION
    ports = 1 << OFPPR.ADD | 1 << OFPPR.DELETE | 1 << OFPPR.MODIFY
    assert answer == GetAsyncReply(seen, 0, ports, ports, 0b1111, 0)
    assert controller.ask(SetAsync(1, 2, 3, 4, 5, 6)) == []
    assert controller.ask(GetAsyncRequest()) == [GetAsyncReply(1, 2, 3, 4, 5, 6)]


def test_each_reason_is_told_to_those_that_ask_for_it(
    world: World, controller: Controller, second: Controller, stations: list[Any]
) -> None:
    seen, removed = 1 << OFPR.ACTION, 1 << OFPRR.DELETE
    controller.ask(SetAsync(seen, 0, 0, 0, 0, 0))
    second.ask(SetAsync(1 << OFPR.NO_MATCH, 0, 0, 0, removed, 0))
    controller.send(MISS)
    controller.send(
        FlowMod(
            priority=9,
            table_id=0,
            flags=OFPFF.SEND_FLOW_REM,
            instructions=(ApplyActions((Output(OFPP.CONTROLLER, OFPCML.NO_BUFFER),)),),
        )
    )
    stations[0].send(FRAME)
    assert [one.reason for one in controller.got(PacketIn)] == [OFPR.ACTION]
    assert second.got(PacketIn) == []
    controller.send(FlowMod(command=OFPFC.DELETE_STRICT, priority=9))
    assert (controller.got(FlowRemoved), len(second.got(FlowRemoved))) == ([], 1)
    stations[0].send(FRAME)
    assert [one.reason for one in second.got(PacketIn)] == [OFPR.NO_MATCH]
    assert world.ledger.delivered == 2


def test_a_packet_that_nobody_wants_to_hear_of_is_lost(
    world: World, controller: Controller, stations: list[Any]
) -> None:
    controller.ask(SetAsync(0, 0, 0, 0, 0, 0))
    controller.send(MISS)
    stations[0].send(FRAME)
    assert world.ledger.by_reason() == {DropReason.PACKET_IN_LOST: 1}


def test_the_masks_of_a_slave_count_while_it_is_one(
    controller: Controller, stations: list[Any]
) -> None:
    controller.send(MISS)
    controller.ask(SetAsync(0, 1 << OFPR.NO_MATCH, 0, 0, 0, 0))
    stations[0].send(FRAME)
    assert controller.got(PacketIn) == []
    role(controller, OFPCR.SLAVE)
    stations[0].send(FRAME)
    assert len(controller.got(PacketIn)) == 1
