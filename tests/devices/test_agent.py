"""The agent: how a switch and its controller meet, take turns, and lose each other.

The controller here is the other end of the same channel, behind a connection without delay.
What is said and done on the connection is tested by family in of13/ and of10/.
"""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.devices.buffers import BUFFERS
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.openflow.symmetric import EchoReply, EchoRequest, Error, Hello
from sdnvirt.openflow.v13 import codec
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import OFPTT
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.features import FeaturesReply, FeaturesRequest
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.packets import PacketIn
from tests.devices.controller import Controller
from tests.devices.entries import FRAME, counts, flow, miss

S = 1_000_000_000


# the handshake


def test_the_switch_says_hello_and_answers_who_it_is(controller: Controller) -> None:
    assert controller.dpid == 0x2A
    (hello,) = controller.raw
    assert codec.decode(hello)[1] == Hello((1, 4))
    (features,) = controller.ask(FeaturesRequest())
    assert isinstance(features, FeaturesReply)
    assert (features.datapath_id, features.n_buffers, features.auxiliary_id) == (0x2A, BUFFERS, 0)


def test_nothing_is_sent_before_the_handshake(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(miss())
    stations[0].nic.send(world.originate(FRAME, "h1"))
    controller = Controller(world)
    agent = switch.connect(controller)
    assert not agent.ready  # the controller's HELLO comes behind the frame
    world.scheduler.run_until(0)
    assert agent.ready
    assert controller.got(PacketIn) == []
    assert world.ledger.by_reason() == {DropReason.PACKET_IN_LOST: 1}


# answers, and their order


def test_a_malformed_message_is_refused_and_counted(
    switch: OpenFlowSwitch, controller: Controller
) -> None:
    controller.write(bytes.fromhex("0463000800000007"))
    controller.rest()
    (_, xid, error) = controller.received[-1]
    assert (xid, error_name(error.error_type, error.code)) == (7, "BAD_REQUEST/BAD_TYPE")
    assert switch.agents[0].errors == 1


def test_an_error_from_the_controller_is_noted_and_not_answered(
    switch: OpenFlowSwitch, controller: Controller
) -> None:
    assert controller.ask(Error(1, 2, b"why")) == []
    assert "type 1, code 2" in switch.agents[0].last_error


def test_a_barrier_is_answered_after_everything_before_it(
    controller: Controller, stations: list[Any]
) -> None:
    stream = [miss(), FlowMod(table_id=OFPTT.ALL), BarrierRequest(), EchoRequest(b"x")]
    controller.write(b"".join(codec.encode(m, n) for n, m in enumerate(stream, 100)))
    controller.rest()
    answers = [(xid, type(message)) for _, xid, message in controller.received]
    assert answers == [(101, Error), (102, BarrierReply)]
    assert codec.encode(EchoReply(b"x"), 103) in controller.raw[-1]
    stations[0].send(FRAME)
    assert len(controller.got(PacketIn)) == 1


def test_answers_come_in_the_order_of_what_is_answered(
    world: World, switch: OpenFlowSwitch, controller: Controller
) -> None:
    unknown = bytes.fromhex("0463000800000003")
    controller.write(
        codec.encode(BarrierRequest(), 1) + codec.encode(EchoRequest(), 2) + unknown
        + codec.encode(BarrierRequest(), 4) + bytes.fromhex("0414000700000005")
    )  # fmt: skip
    controller.rest()
    answers = b"".join(controller.raw)
    found = []
    while answers:
        size = int.from_bytes(answers[2:4], "big")
        found.append((answers[1], int.from_bytes(answers[4:8], "big")))
        answers = answers[size:]
    assert found[-6:-1] == [
        (BarrierReply.TYPE, 1), (EchoReply.TYPE, 2), (Error.TYPE, 3), (BarrierReply.TYPE, 4),
        (Error.TYPE, 0),
    ]  # fmt: skip


# connections that end


def test_the_switch_connects_again_when_the_connection_ends(
    world: World, switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(flow(Output(2), match=Match.of(in_port=1)))
    controller.send(miss())
    controller.hang_up()
    assert len(controller.sides) == 2
    stations[0].send(FRAME)
    stations[2].send(FRAME)
    assert counts(stations) == [0, 1, 0]
    assert len(controller.got(PacketIn)) == 1
    assert controller.ask(BarrierRequest()) == [BarrierReply()]


def test_while_the_connection_is_down_the_entries_go_on(
    world: World, switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(flow(Output(2), match=Match.of(in_port=1)))
    controller.send(miss())
    switch.agents[0].hang_up()
    stations[0].send(FRAME)
    stations[2].send(FRAME)
    assert counts(stations) == [0, 1, 0]
    assert world.ledger.by_reason() == {DropReason.PACKET_IN_LOST: 1}
    assert not controller.sides[-1].open


def test_half_a_message_does_not_survive_its_connection(controller: Controller) -> None:
    controller.write(codec.encode(miss(), 1)[:20])
    controller.hang_up()
    assert controller.ask(BarrierRequest()) == [BarrierReply()]


def test_a_controller_of_another_version_is_told_and_left(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    controller = Controller(world)
    switch.connect(controller)
    controller.deliver(bytes.fromhex("0200000800000001"))  # OpenFlow 1.1
    assert [side.open for side in controller.sides] == [False, True]
    world.scheduler.run_until(0)
    assert switch.agents[0].ready


# connections that are silent


@pytest.fixture
def watched(world: World, switch: OpenFlowSwitch) -> Controller:
    controller = Controller(world)
    switch.connect(controller, echo_idle_ns=5 * S)
    controller.rest()
    return controller


def test_a_silent_controller_is_asked_and_then_left(
    world: World, watched: Controller, stations: list[Any]
) -> None:
    watched.mute = True
    world.scheduler.run_until(10 * S - 1)
    assert len(watched.sides) == 1
    world.scheduler.run_until(15 * S)
    assert len(watched.sides) == 2


def test_a_controller_that_answers_echo_requests_is_kept(
    world: World, watched: Controller, stations: list[Any]
) -> None:
    world.scheduler.run_until(100 * S)
    assert len(watched.sides) == 1
    asked = [data for data in watched.raw if isinstance(codec.decode(data)[1], EchoRequest)]
    assert 9 <= len(asked) <= 20


def test_each_connection_is_watched_by_one_timer(
    world: World, switch: OpenFlowSwitch, watched: Controller, stations: list[Any]
) -> None:
    for _ in range(20):
        watched.hang_up()
    watched.raw.clear()
    world.scheduler.run_until(50 * S)
    asked = [data for data in watched.raw if isinstance(codec.decode(data)[1], EchoRequest)]
    assert len(asked) <= 10
    switch.agents[0].hang_up()
    world.scheduler.run_until(100 * S)
    assert list(world.scheduler.pending()) == []
