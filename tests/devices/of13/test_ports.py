"""Port mods and what a port's configuration does (OpenFlow 1.3.5, 7.2.1 and 7.3.4.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPMP, OFPP, OFPPC, OFPPR, OFPPS
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.multipart import MultipartRequest
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from sdnvirt.openflow.v13.ports import PortMod, PortStatus
from tests.devices.controller import Controller

H1, H2 = (Mac(0x02_00_00_00_00_00 + n) for n in (1, 2))
FRAME = H2 + H1 + b"\x88\xb5" + bytes(46)


def apply(*actions: Any) -> FlowMod:
    return FlowMod(instructions=(ApplyActions(actions),))


def configure(switch: OpenFlowSwitch, number: int, config: int, mask: int | None = None) -> PortMod:
    mac = switch.ports[number].mac
    return PortMod(number, mac, config, config if mask is None else mask)


def counts(stations: list[Any]) -> list[int]:
    return [len(one.received) for one in stations]


@pytest.mark.parametrize("output", [2, OFPP.FLOOD, OFPP.ALL, OFPP.IN_PORT])
@pytest.mark.parametrize("config", [OFPPC.PORT_DOWN, OFPPC.NO_FWD])
def test_nothing_leaves_by_a_port_that_is_down_or_does_not_forward(
    switch: OpenFlowSwitch, controller: Controller, stations: list[Any], output: int, config: int
) -> None:
    closed = 1 if output == OFPP.IN_PORT else 2
    controller.send(apply(Output(output)))
    stations[0].send(FRAME)
    before = counts(stations)
    assert before[closed - 1] == 1
    if (closed, config) == (1, OFPPC.PORT_DOWN):
        return  # nothing comes in by it either
    controller.send(configure(switch, closed, config))
    stations[0].send(FRAME)
    assert counts(stations)[closed - 1] == 1
    controller.send(configure(switch, closed, 0, config))
    stations[0].send(FRAME)
    assert counts(stations)[closed - 1] == 2


@pytest.mark.parametrize("config", [OFPPC.PORT_DOWN, OFPPC.NO_RECV])
def test_nothing_comes_in_by_a_port_that_is_down_or_does_not_receive(
    world: World, switch: OpenFlowSwitch, controller: Controller, stations: list[Any], config: int
) -> None:
    controller.send(apply(Output(2)))
    controller.send(configure(switch, 1, config))
    stations[0].send(FRAME)
    assert counts(stations) == [0, 0, 0]
    assert world.ledger.by_reason() == {DropReason.PORT_CLOSED: 1}
    assert switch.explain(switch.ports[1], world.originate(FRAME, "t"))[-1].endswith(
        DropReason.PORT_CLOSED.value
    )
    world.ledger.delivered += 1


def test_a_port_that_does_not_receive_still_sends(
    switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(apply(Output(2)))
    controller.send(configure(switch, 2, OFPPC.NO_RECV))
    stations[0].send(FRAME)
    assert counts(stations) == [0, 1, 0]


def test_a_port_without_packet_ins_is_quiet_of_table_misses(
    switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(replace(apply(Output(OFPP.CONTROLLER), Output(2)), priority=0))
    controller.send(configure(switch, 1, OFPPC.NO_PACKET_IN))
    stations[0].send(FRAME)
    assert (controller.got(PacketIn), counts(stations)) == ([], [0, 1, 0])
    stations[2].send(FRAME)
    assert len(controller.got(PacketIn)) == 1


def test_a_packet_out_leaves_by_ports_that_are_open_only(
    switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(configure(switch, 2, OFPPC.PORT_DOWN))
    controller.send(PacketOut(in_port=OFPP.CONTROLLER, actions=(Output(OFPP.ALL),), data=FRAME))
    assert counts(stations) == [1, 0, 1]


def test_a_change_is_told_with_the_bits_that_were_not_masked_kept(
    switch: OpenFlowSwitch, controller: Controller
) -> None:
    controller.send(configure(switch, 1, OFPPC.NO_FWD))
    controller.send(configure(switch, 1, OFPPC.PORT_DOWN | OFPPC.NO_RECV, OFPPC.PORT_DOWN))
    told = controller.got(PortStatus)
    assert [one.reason for one in told] == [OFPPR.MODIFY] * 2
    both = OFPPC.NO_FWD | OFPPC.PORT_DOWN
    assert [one.desc.config for one in told] == [OFPPC.NO_FWD, both]
    assert [one.desc.state & OFPPS.LIVE for one in told] == [OFPPS.LIVE, 0]
    assert controller.multipart(OFPMP.PORT_DESC)[0] == told[-1].desc


def test_a_port_that_is_removed_is_told_and_gets_nothing_any_more(
    world: World, switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    tunnel = switch.add_port(9, "vx9", Mac(9))
    controller.send(apply(Output(2), Output(9)))
    stations[0].send(FRAME)
    assert (tunnel.tx_packets, counts(stations)) == (1, [0, 1, 0])
    switch.remove_port(9)
    stations[0].send(FRAME)
    assert (tunnel.tx_packets, counts(stations)) == (1, [0, 2, 0])
    told = [(one.reason, one.desc.port_no) for one in controller.got(PortStatus)]
    assert told == [(OFPPR.ADD, 9), (OFPPR.DELETE, 9)]
    assert 9 not in [one.port_no for one in controller.multipart(OFPMP.PORT_DESC)]
    assert controller.refusal(PortMod(9, Mac(9))) == "PORT_MOD_FAILED/BAD_PORT"
    switch.add_port(9, "vx9", Mac(9))  # the number may be used again
    assert world.ledger.imbalance() == 0


@pytest.mark.parametrize(
    ("mod", "answer"),
    [
        (PortMod(9, Mac(1)), "BAD_PORT"),
        (PortMod(OFPP.LOCAL, Mac(1)), "BAD_HW_ADDR"),
        (PortMod(OFPP.ANY, Mac(1)), "BAD_PORT"),
        (PortMod(1, Mac(1)), "BAD_HW_ADDR"),
        (PortMod(1, Mac(0x06_00_00_00_00_01), advertise=1), "BAD_ADVERTISE"),
        (PortMod(1, Mac(0x06_00_00_00_00_01), config=2, mask=2), "BAD_CONFIG"),
    ],
)
def test_what_cannot_be_configured_is_refused(
    switch: OpenFlowSwitch, controller: Controller, mod: PortMod, answer: str
) -> None:
    assert controller.refusal(mod) == f"PORT_MOD_FAILED/{answer}"
    assert controller.got(PortStatus) == []
    assert switch.datapath.state.configs == {}


def test_the_ports_are_described(world: World, controller: Controller) -> None:
    (reply,) = controller.ask(MultipartRequest(OFPMP.PORT_DESC))
    assert [(p.port_no, p.name, p.hw_addr, p.state) for p in reply.entries] == [
        *((n, f"h{n}", Mac(0x06 << 40 | n), OFPPS.LIVE) for n in (1, 2, 3)),
        (OFPP.LOCAL, "s1", Mac(0x0E << 40 | 42), OFPPS.LINK_DOWN),
    ]


def test_a_link_that_goes_down_or_comes_up_is_told(
    world: World, switch: OpenFlowSwitch, controller: Controller
) -> None:
    port = switch.add_port(9, "p9", Mac(9))
    end = OpenFlowSwitch("s2", world, 2).add_port(1, "p1", Mac(1))
    link = Link(world, "s1--s2", port, end, LinkParameters())
    link.set_up(False)
    controller.rest()
    told = [(s.reason, s.desc.port_no, s.desc.state) for s in controller.got(PortStatus)]
    assert told == [
        (OFPPR.ADD, 9, OFPPS.LINK_DOWN),
        (OFPPR.MODIFY, 9, OFPPS.LIVE),
        (OFPPR.MODIFY, 9, OFPPS.LINK_DOWN),
    ]
