"""The LOCAL port: a switch's own network stack (OpenFlow 1.3.5, 4.1, 4.5 and 7.2.1)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface
from typing import Any

import pytest

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.datapath.datapath import Datapath
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host.management import manage
from sdnvirt.host.stack import Host
from sdnvirt.openflow.v13.actions import Group, Output
from sdnvirt.openflow.v13.constants import OFPGC, OFPGT, OFPMP, OFPP, OFPPC, OFPPR, OFPPS
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from sdnvirt.openflow.v13.ports import PortDesc, PortMod, PortStats, PortStatsRequest, PortStatus
from sdnvirt.units import NS_PER_S
from tests.devices.controller import Controller

MAC = Mac(0x0E << 40 | 0x2A)
FRAME = b"\x02" * 12 + b"\x88\xb5" + bytes(46)


def to(port: int, **tests: int) -> FlowMod:
    return FlowMod(match=Match.of(**tests), instructions=(ApplyActions((Output(port),)),))


def desc(controller: Controller) -> PortDesc:
    last = controller.multipart(OFPMP.PORT_DESC)[-1]
    assert isinstance(last, PortDesc)
    return last


def stats(controller: Controller) -> PortStats:
    (found,) = controller.multipart(OFPMP.PORT_STATS, PortStatsRequest(OFPP.LOCAL))
    assert isinstance(found, PortStats)
    return found


@pytest.fixture
def stack(world: World, switch: OpenFlowSwitch, station: Any) -> Any:
    """A station behind the LOCAL port."""
    behind = station()
    Link(world, "s1--local", switch.local, behind.nic, LinkParameters())
    return behind


# without a stack


def test_the_port_is_the_last_whatever_ports_are_added(world: World) -> None:
    switch = OpenFlowSwitch("s1", world, 7)
    for number in (5, OFPP.MAX, 1):
        switch.add_port(number, f"p{number}", Mac(number))
    assert list(switch.ports) == [5, OFPP.MAX, 1, OFPP.LOCAL]
    assert list(switch.datapath.ports) == [1, 5, OFPP.MAX, OFPP.LOCAL]
    assert switch.local is switch.ports[OFPP.LOCAL]


def test_the_address_is_the_low_bits_of_the_datapath_id(world: World) -> None:
    assert OpenFlowSwitch("s1", world, 0xFF_1234_5678_9A).local.mac == Mac("0e:12:34:56:78:9a")


def test_without_a_stack_its_link_is_down(controller: Controller) -> None:
    assert desc(controller) == PortDesc(OFPP.LOCAL, MAC, "s1", 0, OFPPS.LINK_DOWN)


def test_without_a_stack_what_is_sent_there_is_a_drop_of_its_own_kind(
    world: World, switch: OpenFlowSwitch, stations: list[Any], controller: Controller
) -> None:
    controller.send(to(OFPP.LOCAL))
    stations[0].send(FRAME)
    assert world.ledger.by_reason() == {DropReason.NO_LOCAL_STACK: 1}
    assert stats(controller).tx_packets == 1
    assert switch.explain(switch.ports[1], Frame(FRAME))[-1] == "to port LOCAL"


@pytest.mark.parametrize("everywhere", [OFPP.FLOOD, OFPP.ALL, OFPP.NORMAL])
def test_without_a_stack_nothing_is_flooded_there(
    world: World, stations: list[Any], controller: Controller, everywhere: int
) -> None:
    controller.send(to(everywhere))
    stations[0].send(b"\xff" * 6 + FRAME[6:])
    assert stats(controller).tx_packets == 0
    assert world.ledger.dropped == 0


# with a stack


def test_a_stack_is_told_to_controllers_as_a_link_that_comes_up(
    controller: Controller, stack: Any
) -> None:
    controller.rest()
    (told,) = controller.got(PortStatus)
    expected = PortDesc(OFPP.LOCAL, MAC, "s1", 0, OFPPS.LIVE)
    assert told == PortStatus(OFPPR.MODIFY, expected)
    assert desc(controller) == expected


def test_it_is_an_output_and_an_ingress_port(
    stations: list[Any], controller: Controller, stack: Any
) -> None:
    controller.send(to(OFPP.LOCAL, in_port=1))
    controller.send(to(2, in_port=OFPP.LOCAL))
    stations[0].send(FRAME)
    stack.send(FRAME)
    assert stack.received == [FRAME]
    assert stations[1].received == [FRAME]
    counted = stats(controller)
    assert (counted.rx_packets, counted.tx_packets, counted.tx_bytes) == (1, 1, len(FRAME))


@pytest.mark.parametrize("everywhere", [OFPP.FLOOD, OFPP.ALL, OFPP.NORMAL])
def test_floods_go_there_and_come_from_there(
    stations: list[Any], controller: Controller, stack: Any, everywhere: int
) -> None:
    """4.5: ALL is all standard ports, of which LOCAL is one (4.1)."""
    controller.send(to(everywhere))
    stations[0].send(b"\xff" * 6 + FRAME[6:])
    assert [len(one.received) for one in (*stations, stack)] == [0, 1, 1, 1]
    stack.send(b"\xff" * 6 + b"\x04" * 6 + FRAME[12:])
    assert [len(one.received) for one in (*stations, stack)] == [1, 2, 2, 1]


def test_what_goes_back_there_needs_to_be_said(controller: Controller, stack: Any) -> None:
    controller.send(to(OFPP.LOCAL))
    stack.send(FRAME)
    assert stack.received == []
    controller.send(to(OFPP.IN_PORT))
    stack.send(FRAME)
    assert stack.received == [FRAME]


def test_the_bridge_learns_what_is_behind_it(
    stations: list[Any], controller: Controller, stack: Any
) -> None:
    controller.send(to(OFPP.NORMAL))
    stack.send(b"\x02" * 6 + b"\x04" * 6 + FRAME[12:])
    stations[0].send(b"\x04" * 6 + b"\x06" * 6 + FRAME[12:])
    assert [len(one.received) for one in (*stations, stack)] == [1, 1, 1, 1]


def test_controllers_send_as_if_from_there_and_are_told_that_a_packet_came_from_there(
    stations: list[Any], controller: Controller, stack: Any
) -> None:
    controller.send(to(OFPP.CONTROLLER))
    stack.send(FRAME)
    (told,) = controller.got(PacketIn)
    assert told.match == Match.of(in_port=OFPP.LOCAL)
    controller.send(PacketOut(in_port=OFPP.LOCAL, actions=(Output(OFPP.FLOOD),), data=FRAME))
    assert [len(one.received) for one in (*stations, stack)] == [1, 1, 1, 0]


def test_buckets_watch_it(
    switch: OpenFlowSwitch, stations: list[Any], controller: Controller, stack: Any
) -> None:
    buckets = (
        Bucket(0, OFPP.LOCAL, actions=(Output(OFPP.LOCAL),)),
        Bucket(0, 2, actions=(Output(2),)),
    )
    controller.send(GroupMod(OFPGC.ADD, OFPGT.FF, 1, buckets))
    controller.send(FlowMod(instructions=(ApplyActions((Group(1),)),)))
    stations[0].send(FRAME)
    controller.send(PortMod(OFPP.LOCAL, MAC, OFPPC.PORT_DOWN, OFPPC.PORT_DOWN))
    stations[0].send(FRAME)
    assert [len(one.received) for one in (*stations, stack)] == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("config", "received"),
    [(OFPPC.PORT_DOWN, [0, 0]), (OFPPC.NO_FWD, [1, 0]), (OFPPC.NO_RECV, [0, 1])],
)
def test_it_is_configured_like_any_port(
    stations: list[Any], controller: Controller, stack: Any, config: int, received: list[int]
) -> None:
    controller.send(PortMod(OFPP.LOCAL, MAC, config, config))
    assert desc(controller).config == config
    controller.send(to(1, in_port=OFPP.LOCAL))
    controller.send(to(OFPP.LOCAL, in_port=1))
    stack.send(FRAME)
    stations[0].send(FRAME)
    assert [len(one.received) for one in (stations[0], stack)] == received


def test_equal_frames_from_there_and_from_elsewhere_are_told_apart() -> None:
    datapath = Datapath()
    for number in (1, 2, OFPP.LOCAL):
        datapath.set_port(number, True)
    datapath.modify(replace(to(2, in_port=OFPP.LOCAL), priority=2), 0)
    datapath.modify(replace(to(OFPP.LOCAL), priority=1), 0)
    for _ in range(2):
        found = {port: datapath.classify(port, Frame(FRAME)).out_port for port in datapath.ports}
        assert found == {1: OFPP.LOCAL, 2: OFPP.LOCAL, OFPP.LOCAL: 2}


# a managed switch


@pytest.fixture
def managed(world: World, switch: OpenFlowSwitch) -> Host:
    """A host beside a bridging switch that has an address of its own; returns the host."""
    host = Host("h1", world)
    nic = host.add_port(1, "s1", Mac(0x02 << 40 | 1))
    Link(world, "h1--s1", nic, switch.add_port(1, "h1", Mac(6)), LinkParameters(delay_ns=1_000))
    host.configure(IPv4Interface("10.0.0.1/24"))
    stack = manage(switch, IPv4Interface("10.0.0.254/24"))
    assert stack.interface.mac == switch.local.mac
    switch.modify_flow(to(OFPP.NORMAL))
    return host


def test_a_switch_with_an_address_can_be_pinged(world: World, managed: Host) -> None:
    ping = managed.start_ping(Ipv4("10.0.0.254"), 3)
    world.scheduler.run_until(5 * NS_PER_S)
    result = ping.result()
    assert (result.sent, result.received) == (3, 3)
    assert result.rtts_ns[1:] == (2_000, 2_000)
    assert result.responders == (MAC,)
    assert world.ledger.imbalance() == 0


def test_a_switch_has_one_stack(switch: OpenFlowSwitch, managed: Host) -> None:
    with pytest.raises(AssertionError, match="s1 has a network stack already"):
        manage(switch, IPv4Interface("10.0.0.253/24"))
