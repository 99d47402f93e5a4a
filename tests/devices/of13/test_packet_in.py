"""What a controller is told of a packet (OpenFlow 1.3.5, 7.4.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.openflow.v13.actions import DecNwTtl, Output
from sdnvirt.openflow.v13.constants import NO_BUFFER, OFPP, OFPR
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import GotoTable
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.packets import PacketIn
from sdnvirt.openflow.v13.roles import SetAsync
from tests.devices.controller import Controller
from tests.devices.entries import FRAME, H1, H2, counts, flow, miss

TTL_1 = H2 + H1 + b"\x08\0\x45\0\0\x14" + bytes(4) + b"\x01\x63\0\0" + bytes(8)


def test_a_miss_is_told_with_the_whole_packet(
    world: World, controller: Controller, stations: list[Any]
) -> None:
    controller.send(replace(miss(), cookie=5))
    stations[0].send(FRAME)
    assert controller.got(PacketIn) == [
        PacketIn(NO_BUFFER, 200, OFPR.NO_MATCH, 0, 5, Match.of(in_port=1), FRAME)
    ]
    assert (world.ledger.delivered, world.ledger.dropped) == (1, 0)


def test_an_action_of_a_later_table_is_told_as_such(
    controller: Controller, stations: list[Any]
) -> None:
    controller.send(FlowMod(instructions=(GotoTable(2),)))
    controller.send(flow(Output(OFPP.CONTROLLER, 64), table_id=2, cookie=6, priority=1))
    stations[1].send(FRAME)
    assert controller.got(PacketIn) == [
        PacketIn(0, 200, OFPR.ACTION, 2, 6, Match.of(in_port=2), FRAME[:64])
    ]


def test_an_expired_packet_is_told_with_the_reason_invalid_ttl(
    controller: Controller, stations: list[Any]
) -> None:
    everything = (1 << OFPR.INVALID_TTL, 0, 0, 0, 0, 0)
    controller.send(SetAsync(*everything))  # it is not told by default
    controller.send(flow(DecNwTtl(), Output(2)))
    stations[0].send(TTL_1)
    (told,) = controller.got(PacketIn)
    assert (told.reason, told.data, counts(stations)) == (OFPR.INVALID_TTL, TTL_1, [0, 0, 0])


def test_the_tunnel_is_told(world: World, switch: OpenFlowSwitch, controller: Controller) -> None:
    controller.send(miss())
    addresses = 0x0A000001 << 32 | 0x0A000002
    for tunnel in (5000, addresses << 64 | 5000):
        frame = world.originate(FRAME, "vtep").rewritten(FRAME, tunnel)
        switch.ports[1].receive(frame)
        controller.rest()
    plain, addressed = controller.got(PacketIn)
    assert plain.match == Match.of(in_port=1, tunnel_id=5000)
    assert addressed.match == Match.of(
        in_port=1, tunnel_id=5000, tun_ipv4_src=0x0A000001, tun_ipv4_dst=0x0A000002
    )


def test_two_controllers_are_told_of_one_packet_that_ends_once(
    world: World,
    switch: OpenFlowSwitch,
    controller: Controller,
    stations: list[Any],
) -> None:
    second = Controller(world)
    switch.connect(second)
    second.rest()
    switch.modify_flow(miss(10))
    stations[0].send(FRAME)
    assert controller.got(PacketIn) == second.got(PacketIn) != []
    assert world.ledger.delivered == 1
