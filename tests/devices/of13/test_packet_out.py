"""What a controller has done with a packet (OpenFlow 1.3.5, 7.3.7)."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import NOBODY
from sdnvirt.openflow.v13.actions import Group, Output, SetQueue
from sdnvirt.openflow.v13.constants import OFPP, OFPR
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from tests.devices.controller import Controller
from tests.devices.entries import FRAME, counts, flow, miss

NO_COOKIE = (1 << 64) - 1


def test_a_packet_out_leaves_by_the_port_named(
    world: World, controller: Controller, stations: list[Any]
) -> None:
    controller.send(PacketOut(actions=(Output(2),), data=FRAME))
    assert stations[1].received == [FRAME]
    assert repr(stations[1].frames[0].provenance) == repr(NOBODY)
    assert world.ledger.sent == 1


@pytest.mark.parametrize(
    ("in_port", "port", "expected"),
    [
        (OFPP.CONTROLLER, OFPP.FLOOD, [1, 1, 1]),
        (1, OFPP.FLOOD, [0, 1, 1]),
        (1, OFPP.ALL, [0, 1, 1]),
        (1, OFPP.IN_PORT, [1, 0, 0]),
        (OFPP.CONTROLLER, OFPP.IN_PORT, [0, 0, 0]),
        (1, 1, [0, 0, 0]),
        (1, 99, [0, 0, 0]),
    ],
)
def test_a_packet_out_counts_as_received_on_its_in_port(
    controller: Controller, stations: list[Any], in_port: int, port: int, expected: list[int]
) -> None:
    assert controller.ask(PacketOut(in_port=in_port, actions=(Output(port),), data=FRAME)) == []
    assert counts(stations) == expected


def test_a_packet_out_goes_through_the_tables_and_may_come_back(
    controller: Controller, stations: list[Any]
) -> None:
    controller.send(flow(Output(3), match=Match.of(in_port=2)))
    controller.send(miss())
    table = (Output(OFPP.TABLE),)
    controller.send(PacketOut(in_port=2, actions=table, data=FRAME))
    controller.send(PacketOut(in_port=1, actions=table, data=FRAME))
    assert counts(stations) == [0, 0, 1]
    (told,) = controller.got(PacketIn)
    assert (told.reason, told.match) == (OFPR.NO_MATCH, Match.of(in_port=1))


def test_what_a_packet_out_hands_back_belongs_to_no_entry(controller: Controller) -> None:
    controller.send(PacketOut(actions=(Output(OFPP.CONTROLLER),), data=FRAME))
    (told,) = controller.got(PacketIn)
    assert (told.reason, told.cookie) == (OFPR.ACTION, NO_COOKIE)
    assert told.match == Match.of(in_port=OFPP.CONTROLLER)


def test_a_packet_that_comes_back_is_still_the_same(
    controller: Controller, stations: list[Any]
) -> None:
    controller.send(miss())
    sent = stations[0].send(FRAME)
    controller.send(PacketOut(in_port=1, actions=(Output(2),), data=FRAME))
    assert stations[1].frames[0].provenance is sent.provenance


def test_a_packet_out_without_actions_drops(world: World, controller: Controller) -> None:
    assert controller.ask(PacketOut(data=FRAME)) == []
    assert world.ledger.by_reason() == {DropReason.NO_OUTPUT: 1}


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (PacketOut(actions=(Output(2),)), "BAD_REQUEST/BAD_PACKET"),
        (PacketOut(in_port=9, actions=(Output(2),), data=FRAME), "BAD_REQUEST/BAD_PORT"),
        (PacketOut(in_port=OFPP.ANY, actions=(Output(2),), data=FRAME), "BAD_REQUEST/BAD_PORT"),
        (PacketOut(55, actions=(Output(2),)), "BAD_REQUEST/BUFFER_UNKNOWN"),
        (PacketOut(actions=(Group(2),), data=FRAME), "BAD_ACTION/BAD_OUT_GROUP"),
        (PacketOut(actions=(Output(OFPP.ANY),), data=FRAME), "BAD_ACTION/BAD_OUT_PORT"),
        (PacketOut(actions=(SetQueue(1),), data=FRAME), "BAD_ACTION/BAD_QUEUE"),
    ],
)
def test_a_packet_out_that_cannot_be_done_is_refused_and_counts_as_nothing(
    world: World, controller: Controller, message: PacketOut, answer: str
) -> None:
    assert controller.refusal(message) == answer
    assert (world.ledger.sent, world.ledger.dropped) == (0, 0)
