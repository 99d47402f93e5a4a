"""Bytes that a broken controller sends: each is answered or ignored, and nothing breaks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Mac
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v13 import codec
from sdnvirt.openflow.v13.actions import Output, SetField
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import OFPFC, OFPMP
from sdnvirt.openflow.v13.features import SetConfig
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.multipart import MultipartRequest
from sdnvirt.openflow.v13.oxm import IPV4_DST
from sdnvirt.openflow.v13.packets import PacketOut
from tests.devices.controller import Controller
from tests.devices.entries import FRAME, flow

H1, H2, H3 = (Mac(0x02_00_00_00_00_00 + n) for n in (1, 2, 3))


MESSAGES: tuple[Message, ...] = (
    FlowMod(
        match=Match.of(eth_type=0x0800, ipv4_dst=(0x0A000000, 0xFF000000), ip_proto=6, tcp_dst=80),
        instructions=(ApplyActions((SetField(IPV4_DST, 1), Output(3))), GotoTable(1)),
    ),
    PacketOut(in_port=1, actions=(Output(2), SetField(IPV4_DST, 1), Output(3)), data=FRAME[:60]),
    MultipartRequest(OFPMP.FLOW, (FlowStatsRequest(match=Match.of(in_port=1)),)),
    SetConfig(0, 128),
)


def still_works(world: World, switch: OpenFlowSwitch, controller: Controller) -> bool:
    """Whether the switch forwards, and keeps its books."""
    before = switch.ports[2].tx_packets
    switch.ports[1].receive(world.originate(H3 + H1 + b"\x88\xb6" + bytes(46), "test"))
    controller.rest()
    return switch.ports[2].tx_packets == before + 1 and world.ledger.imbalance() == 0


def is_whole(data: bytes) -> bool:
    """Whether a message that was cut still says something, as a packet-out of fewer bytes."""
    try:
        codec.decode(data)
    except OpenFlowError:
        return False
    return True


SURVIVES = flow(Output(2), priority=0xFFFF, match=Match.of(eth_type=0x88B6))


def switch_and_controller() -> tuple[World, OpenFlowSwitch, Controller]:
    world = World()
    switch = OpenFlowSwitch("s1", world, 1)
    for number in (1, 2, 3):
        switch.add_port(number, f"p{number}", Mac(number))
    controller = Controller(world)
    switch.connect(controller)
    controller.rest()
    switch.modify_flow(SURVIVES)
    return world, switch, controller


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_cut_short_is_answered_and_breaks_nothing(message: Message) -> None:
    world, switch, controller = switch_and_controller()
    whole = codec.encode(message, 7)
    for end in range(8, len(whole)):
        cut = whole[:2] + end.to_bytes(2, "big") + whole[4:end]
        controller.forget()
        controller.write(cut)
        controller.rest()
        if not is_whole(cut):
            assert [type(answer) for _, _, answer in controller.received] == [Error], end
        assert still_works(world, switch, controller)
        assert controller.ask(BarrierRequest()) == [BarrierReply()]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_stream_that_breaks_off_breaks_nothing(message: Message) -> None:
    whole = codec.encode(message, 7)
    for end in range(1, len(whole), 3):
        world, switch, controller = switch_and_controller()
        controller.write(whole[:end])
        controller.write(codec.encode(BarrierRequest(), 8) * 20)
        assert still_works(world, switch, controller)
        controller.closed("gone")
        controller.rest()
        assert controller.ask(BarrierRequest()) == [BarrierReply()]


@settings(max_examples=150, deadline=None)
@given(message=st.sampled_from(MESSAGES), data=st.data())
def test_no_mutation_of_a_message_breaks_the_switch(message: Message, data: st.DataObject) -> None:
    world, switch, controller = switch_and_controller()
    raw = bytearray(codec.encode(message, 7))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    deletes = raw[1] == 14 and raw[25] in (OFPFC.DELETE, OFPFC.MODIFY)
    controller.write(bytes(raw))
    controller.rest()
    assert deletes or still_works(world, switch, controller)
    assert world.ledger.imbalance() == 0
