"""Auxiliary connections: more than one between a switch and a controller (OpenFlow 1.3.5, 6.3).

Each connection of the controller is an end of its own here, so that a test sees what comes where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pytest

from sdnvirt.devices.auxiliary import AUXILIARY_ID_MAX
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.openflow.symmetric import Hello
from sdnvirt.openflow.v13 import codec
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import OFPCML, OFPCR, OFPFC, OFPFF, OFPMP, OFPP
from sdnvirt.openflow.v13.features import (
    FeaturesReply,
    FeaturesRequest,
    GetConfigRequest,
    SetConfig,
)
from sdnvirt.openflow.v13.flow import FlowMod, FlowRemoved
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.multipart import MultipartReply, MultipartRequest
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from sdnvirt.openflow.v13.ports import PortStatus
from sdnvirt.openflow.v13.roles import GetAsyncRequest, RoleReply, RoleRequest, SetAsync
from tests.devices.controller import Controller

S = 1_000_000_000
Ends = list[Controller]
"""The main one first."""

MISS = FlowMod(
    priority=0, instructions=(ApplyActions((Output(OFPP.CONTROLLER, OFPCML.NO_BUFFER),)),)
)


def frame(flow: int, number: int = 0) -> bytes:
    """Return a packet of a UDP flow; those of one flow differ in their payload."""
    udp = flow.to_bytes(2, "big") + bytes.fromhex("0035000a0000") + number.to_bytes(2, "big")
    ip = bytes.fromhex("4500001e") + number.to_bytes(2, "big") + bytes.fromhex("000040110000")
    addresses = bytes.fromhex("0a000001 0a000002")
    return bytes.fromhex("020000000002 020000000001 0800") + ip + addresses + udp


@pytest.fixture
def ends(world: World) -> Ends:
    return [Controller(world) for _ in range(3)]


@pytest.fixture
def closed(world: World, switch: OpenFlowSwitch, stations: list[Any], ends: Ends) -> Ends:
    """A switch with its main connection; the controller has not asked it anything yet."""
    main, *auxiliaries = ends
    switch.connect(main, auxiliaries=auxiliaries)
    main.rest()
    return ends


@pytest.fixture
def open_ends(closed: Ends) -> Ends:
    """The same with its auxiliary connections."""
    closed[0].ask(FeaturesRequest())
    closed[0].rest()
    return closed


def sides(ends: Ends) -> list[list[bool]]:
    """Return, for each end, which of its connections so far are open."""
    return [[side.open for side in end.sides] for end in ends]


# opening and closing


def test_they_are_opened_when_the_controller_knows_the_switch(closed: Ends) -> None:
    assert sides(closed) == [[True], [], []]
    closed[0].ask(FeaturesRequest())
    assert sides(closed) == [[True], [True], [True]]
    closed[0].ask(FeaturesRequest())
    assert sides(closed) == [[True], [True], [True]]


def test_each_says_which_it_is(open_ends: Ends) -> None:
    told = [end.ask(FeaturesRequest())[0] for end in open_ends]
    assert all(isinstance(reply, FeaturesReply) for reply in told)
    assert [(one.datapath_id, one.auxiliary_id) for one in told] == [(42, n) for n in range(3)]


def test_they_speak_the_version_of_the_main_one(open_ends: Ends) -> None:
    hellos = [codec.decode(end.raw[0])[1] for end in open_ends]
    assert hellos == [Hello((1, 4)), Hello((4,)), Hello((4,))]


class OldController:
    """A controller that speaks OpenFlow 1.0 only, and asks what the switch is."""

    def connect(self, _dpid: int, deliver: Callable[[bytes], None], _closed: object) -> Any:
        self.deliver = deliver
        self.heard = b""
        return self

    def ask(self) -> None:
        self.deliver(bytes.fromhex("0100000800000001 0105000800000002"))

    def feed(self, data: bytes) -> None:
        self.heard += data


def test_openflow_1_0_has_none(
    world: World, switch: OpenFlowSwitch, stations: list[Any], ends: Ends
) -> None:
    old = OldController()
    switch.connect(old, auxiliaries=ends)  # type: ignore[arg-type]
    old.ask()
    world.scheduler.run_until(0)
    assert bytes.fromhex("0106") in old.heard
    assert sides(ends) == [[], [], []]


def test_the_end_of_the_main_one_is_the_end_of_all(open_ends: Ends) -> None:
    main = open_ends[0]
    main.hang_up()
    assert sides(open_ends) == [[False, True], [False], [False]]
    main.ask(FeaturesRequest())
    assert sides(open_ends) == [[False, True], [False, True], [False, True]]


def test_a_switch_that_hangs_up_closes_all(switch: OpenFlowSwitch, open_ends: Ends) -> None:
    switch.agents[0].hang_up()
    assert sides(open_ends) == [[False], [False], [False]]


def test_a_switch_that_hangs_up_at_once_opens_none(switch: OpenFlowSwitch, closed: Ends) -> None:
    main = closed[0]
    main.channel.send(FeaturesRequest())
    main.write(main.channel.outgoing())
    switch.agents[0].hang_up()
    main.rest()
    assert sides(closed) == [[False], [], []]


def test_one_that_is_lost_is_opened_again_and_the_others_stay(open_ends: Ends) -> None:
    open_ends[1].hang_up()
    assert sides(open_ends) == [[True], [False, True], [True]]
    (told,) = open_ends[1].ask(FeaturesRequest())
    assert told.auxiliary_id == 1


def test_what_is_no_openflow_ends_only_its_own_connection(open_ends: Ends) -> None:
    open_ends[2].deliver(bytes.fromhex("0400000300000000"))
    open_ends[2].rest()
    assert sides(open_ends) == [[True], [True], [False, True]]


def test_a_silent_one_is_asked_and_then_opened_again(
    world: World, switch: OpenFlowSwitch, stations: list[Any], ends: Ends
) -> None:
    main, auxiliary, _ = ends
    switch.connect(main, 5 * S, [auxiliary])
    main.rest()
    main.ask(FeaturesRequest())
    auxiliary.mute = True
    world.scheduler.run_until(14 * S)
    assert sides([main, auxiliary]) == [[True], [False, True]]


def test_the_id_has_8_bits(world: World, switch: OpenFlowSwitch, ends: Ends) -> None:
    switch.connect(ends[0], auxiliaries=[ends[1]] * AUXILIARY_ID_MAX)
    with pytest.raises(AssertionError):
        switch.connect(ends[0], auxiliaries=[ends[1]] * (AUXILIARY_ID_MAX + 1))


# requests


def test_a_request_is_answered_where_it_came(open_ends: Ends) -> None:
    for asked in open_ends:
        for end in open_ends:
            end.forget()
        assert asked.ask(BarrierRequest()) == [BarrierReply()]
        assert [bool(end.raw) for end in open_ends] == [end is asked for end in open_ends]


def test_an_error_is_told_where_the_request_came_and_counted_once(
    switch: OpenFlowSwitch, open_ends: Ends
) -> None:
    assert open_ends[1].refusal(FlowMod(table_id=255)) == "FLOW_MOD_FAILED/BAD_TABLE_ID"
    assert [end.got(BarrierReply) for end in (open_ends[0], open_ends[2])] == [[], []]
    assert switch.agents[0].errors == 1
    assert switch.agents[0].last_error


def test_multipart_requests_on_several_connections_do_not_mix(open_ends: Ends) -> None:
    first = MultipartRequest(OFPMP.TABLE_FEATURES, (), more=True)
    xids = [end.channel.send(first, 7) for end in open_ends]
    assert xids == [7, 7, 7]
    for end in open_ends:
        end.write(end.channel.outgoing())
    for end in open_ends:
        end.channel.send(MultipartRequest(OFPMP.TABLE_FEATURES), 7)
        end.write(end.channel.outgoing())
        end.rest()
    assert len({len(end.got(MultipartReply)) for end in open_ends}) == 1
    assert open_ends[2].got(MultipartReply)


def test_flow_mods_and_packet_outs_may_come_anywhere(open_ends: Ends, stations: list[Any]) -> None:
    open_ends[2].send(FlowMod(instructions=(ApplyActions((Output(2),)),)))
    stations[0].send(frame(1))
    open_ends[1].send(PacketOut(in_port=1, actions=(Output(3),), data=frame(2)))
    assert [len(one.received) for one in stations] == [0, 1, 1]


# what the controller has asked for


def test_a_role_is_the_controllers_on_whichever_connection(
    world: World, switch: OpenFlowSwitch, open_ends: Ends
) -> None:
    main, auxiliary, _ = open_ends
    assert auxiliary.ask(RoleRequest(OFPCR.MASTER, 1)) == [RoleReply(OFPCR.MASTER, 1)]
    assert main.ask(RoleRequest(OFPCR.NOCHANGE, 0)) == [RoleReply(OFPCR.MASTER, 1)]
    rival = Controller(world)
    switch.connect(rival)
    rival.rest()
    assert rival.ask(RoleRequest(OFPCR.MASTER, 2)) == [RoleReply(OFPCR.MASTER, 2)]
    for end in open_ends:
        assert end.ask(RoleRequest(OFPCR.NOCHANGE, 0)) == [RoleReply(OFPCR.SLAVE, 2)]
        assert end.refusal(FlowMod()) == "BAD_REQUEST/IS_SLAVE"


def test_configurations_are_the_controllers_on_whichever_connection(open_ends: Ends) -> None:
    main, auxiliary, other = open_ends
    auxiliary.send(SetConfig(0, 77))
    other.send(SetAsync(1, 2, 3, 4, 5, 6))
    for end in open_ends:
        assert end.ask(GetConfigRequest())[0].miss_send_len == 77
        (masks,) = end.ask(GetAsyncRequest())
        assert astuple(masks) == (1, 2, 3, 4, 5, 6)
    main.hang_up()
    assert main.ask(GetConfigRequest())[0].miss_send_len == 128
    assert astuple(main.ask(GetAsyncRequest())[0])[:2] == (3, 0)


def test_one_that_is_lost_takes_nothing_with_it(open_ends: Ends) -> None:
    open_ends[1].send(SetConfig(0, 77))
    open_ends[1].hang_up()
    assert open_ends[1].ask(GetConfigRequest())[0].miss_send_len == 77


# what the switch tells


def test_packet_ins_are_spread_by_flow(open_ends: Ends, stations: list[Any]) -> None:
    main, *auxiliaries = open_ends
    main.send(MISS)
    for number in range(3):
        for flow in range(20):
            stations[0].send(frame(flow, number))
    assert main.got(PacketIn) == []
    flows = [{one.data[34:36] for one in end.got(PacketIn)} for end in auxiliaries]
    assert all(flows)
    assert not flows[0] & flows[1]
    assert sum(len(end.got(PacketIn)) for end in auxiliaries) == 60
    for end in auxiliaries:
        for flow in flows[0] | flows[1]:
            shown = [one.data[-2:] for one in end.got(PacketIn) if one.data[34:36] == flow]
            assert shown in ([], [b"\0\0", b"\0\1", b"\0\2"])


def test_packet_ins_take_the_connections_that_are_there(
    open_ends: Ends, stations: list[Any]
) -> None:
    main, one, other = open_ends
    main.send(MISS)
    one.mute = True
    one.hang_up()
    for flow in range(10):
        stations[0].send(frame(flow))
    assert [len(end.got(PacketIn)) for end in open_ends] == [0, 0, 10]
    other.mute = True
    other.hang_up()
    stations[0].send(frame(1))
    assert [len(end.got(PacketIn)) for end in open_ends] == [1, 0, 10]


def test_all_else_comes_by_the_main_one(
    switch: OpenFlowSwitch, open_ends: Ends, stations: list[Any]
) -> None:
    main, *auxiliaries = open_ends
    auxiliaries[0].send(FlowMod(flags=OFPFF.SEND_FLOW_REM))
    auxiliaries[1].send(FlowMod(command=OFPFC.DELETE))
    switch.configure_port(1, 0)
    main.rest()
    assert (len(main.got(FlowRemoved)), len(main.got(PortStatus))) == (1, 1)
    for end in auxiliaries:
        assert end.got(FlowRemoved) == end.got(PortStatus) == []
