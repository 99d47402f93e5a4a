"""The OpenFlow switch as a device: frames in, frames out, and nothing lost unaccounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Mac
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import DecNwTtl, Output, PopVlan, PushVlan, SetField
from sdnvirt.openflow.v13.constants import OFPP
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import GotoTable
from sdnvirt.openflow.v13.match import Match
from tests.devices.entries import flow

S = 1_000_000_000
H1, H2, H3 = (Mac(0x02_00_00_00_00_00 + n) for n in (1, 2, 3))
FRAME = H2 + H1 + b"\x88\xb5" + bytes(46)
Attach = Callable[..., Any]


@pytest.fixture
def switch(world: World) -> Iterator[OpenFlowSwitch]:
    yield OpenFlowSwitch("s1", world, 0x2A)
    assert world.ledger.imbalance() == 0


@pytest.fixture
def stations(switch: OpenFlowSwitch, station: Attach) -> list[Any]:
    return [station(switch) for _ in range(3)]


def only_drop(world: World) -> tuple[str, DropReason, str]:
    (drop,) = world.ledger.recent
    return drop.place, drop.reason, drop.detail


def test_a_frame_leaves_by_the_port_that_its_entry_names(
    switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(Output(2), match=Match.of(in_port=1)))
    for _ in range(3):
        sent = stations[0].send(FRAME)
    assert stations[1].received == [FRAME] * 3
    assert stations[1].frames[-1] is sent
    assert stations[2].received == []


def test_a_flood_copies_the_frame(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(Output(OFPP.FLOOD)))
    stations[0].send(FRAME)
    assert [len(s.received) for s in stations] == [0, 1, 1]
    assert (world.ledger.sent, world.ledger.copied, world.ledger.delivered) == (1, 1, 2)


def test_a_rewritten_frame_keeps_its_provenance(
    switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(SetField(oxm.ETH_DST, 3), Output(2), Output(3)))
    sent = stations[0].send(FRAME)
    (got,) = stations[1].frames
    assert got.data == b"\0\0\0\0\0\x03" + FRAME[6:]
    assert got.provenance is sent.provenance
    assert stations[2].received == [got.data]


def test_the_next_switch_looks_at_what_the_first_one_made(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    second = OpenFlowSwitch("s2", world, 2)
    ends = [s.add_port(9, f"s{n}", Mac(9)) for n, s in enumerate((second, switch), 1)]
    Link(world, "s1--s2", ends[1], ends[0], LinkParameters())
    switch.modify_flow(flow(PushVlan(0x8100), SetField(oxm.VLAN_VID, 0x1007), Output(9)))
    second.modify_flow(flow(Output(OFPP.IN_PORT), match=Match.of(vlan_vid=0x1007)))
    switch.modify_flow(flow(Output(2), match=Match.of(in_port=9), priority=0xFFFF))
    for _ in range(2):
        stations[0].send(FRAME)
    assert stations[1].received == [FRAME[:12] + b"\x81\0\0\x07" + FRAME[12:]] * 2


def test_a_miss_drops_and_says_in_which_table(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(FlowMod(instructions=(GotoTable(3),)))
    stations[0].send(FRAME)
    assert only_drop(world) == ("s1", DropReason.TABLE_MISS, "table 3")


def test_an_entry_without_output_drops_and_is_named(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(FlowMod(cookie=0x99, match=Match.of(eth_dst=H2)))
    stations[0].send(FRAME)
    detail = "table 0, priority 32768, eth_dst=02:00:00:00:00:02, cookie 0x99"
    assert only_drop(world) == ("s1", DropReason.NO_OUTPUT, detail)


def test_without_a_controller_what_is_for_it_is_lost(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(Output(OFPP.CONTROLLER), Output(2)))
    stations[0].send(FRAME)
    assert only_drop(world) == ("s1", DropReason.PACKET_IN_LOST, "table 0")
    assert stations[1].received == [FRAME]


def test_a_frame_for_a_port_whose_link_is_down_is_lost_there(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    link = Link(world, "spare", switch.add_port(7, "p7", Mac(7)), stations[0].add_port(2, "x", H3),
                LinkParameters())  # fmt: skip
    switch.modify_flow(flow(Output(7)))
    link.set_up(False)
    stations[0].send(FRAME)
    assert only_drop(world)[:2] == ("spare", DropReason.LINK_DOWN)


def test_a_flood_follows_the_links(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.add_port(8, "unplugged", Mac(8))
    switch.modify_flow(flow(Output(OFPP.ALL)))
    stations[0].send(FRAME)
    assert [len(s.received) for s in stations] == [0, 1, 1]
    extra = stations[2].add_port(5, "extra", Mac(5))
    link = Link(world, "late", switch.ports[8], extra, LinkParameters())
    stations[0].send(FRAME)
    assert [len(s.received) for s in stations] == [0, 2, 3]
    link.set_up(False)
    stations[0].send(FRAME)
    assert [len(s.received) for s in stations] == [0, 3, 4]
    assert world.ledger.dropped == 0


def test_an_entry_expires_at_its_nanosecond(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(Output(2), hard_timeout=2))
    world.scheduler.run_until(2 * S - 1)
    stations[0].send(FRAME)
    world.scheduler.run_until(2 * S)
    stations[0].send(FRAME)
    assert stations[1].received == [FRAME]
    assert only_drop(world)[1] is DropReason.TABLE_MISS


def test_traffic_keeps_an_entry_with_an_idle_timeout_alive(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(Output(2), idle_timeout=1))
    for tick in range(1, 6):
        world.scheduler.run_until(tick * S - tick)
        stations[0].send(FRAME)
    assert len(stations[1].received) == 5
    world.scheduler.run_until(6 * S - 5 - 1)
    assert len(switch.datapath.tables[0]) == 1
    world.scheduler.run_until(6 * S - 5)
    assert len(switch.datapath.tables[0]) == 0


def test_an_earlier_deadline_overtakes_the_timer_of_a_later_one(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(Output(2), hard_timeout=9))
    switch.modify_flow(flow(Output(3), hard_timeout=1, priority=0xFFFF))
    world.scheduler.run_until(1 * S)
    stations[0].send(FRAME)
    world.scheduler.run_until(9 * S)
    stations[0].send(FRAME)
    assert [len(s.received) for s in stations] == [0, 1, 0]


def test_a_switch_without_timeouts_schedules_nothing(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(Output(2)))
    stations[0].send(FRAME)
    assert list(world.scheduler.pending()) == []


def test_the_switch_explains_what_it_would_do_and_does_not_do_it(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(DecNwTtl(), Output(2)))
    frame = world.originate(FRAME, "test")
    lines = switch.explain(switch.ports[1], frame)
    assert lines == ["table 0: priority 32768, *", "  dec_ttl,output:2", "to port 2"]
    assert (stations[1].received, world.ledger.drops) == ([], {})
    switch.drop(frame, DropReason.NO_OUTPUT)


FRAMES = st.one_of(
    st.binary(min_size=0, max_size=80),
    st.binary(max_size=60).map(lambda rest: H2 + H1 + b"\x08\x00\x45" + rest),
    st.binary(max_size=60).map(lambda rest: H2 + H1 + b"\x81\x00\0\x05\x86\xdd\x60" + rest),
)
EVERYTHING = (
    flow(PushVlan(0x88A8), DecNwTtl(), PopVlan(), Output(OFPP.FLOOD)),
    flow(
        SetField(oxm.IPV4_DST, 1), SetField(oxm.UDP_SRC, 1), DecNwTtl(), Output(OFPP.FLOOD),
        match=Match.of(eth_type=0x0800, ip_proto=17),
    ),
    flow(
        PushVlan(0x8100), SetField(oxm.IPV6_DST, 1), SetField(oxm.IP_PROTO, 6), Output(OFPP.FLOOD),
        match=Match.of(eth_type=0x86DD),
    ),
    flow(SetField(oxm.ARP_OP, 1), Output(OFPP.FLOOD), match=Match.of(eth_type=0x0806)),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(FRAMES, max_size=6))
def test_no_bytes_on_the_wire_break_the_switch(frames: list[bytes]) -> None:
    world = World()
    switch = OpenFlowSwitch("s1", world, 1)
    for number in (1, 2):
        switch.add_port(number, f"p{number}", Mac(number))
    for priority, mod in enumerate(EVERYTHING):
        switch.modify_flow(replace(mod, priority=priority))
    for data in frames:
        switch.ports[1].receive(world.originate(data, "test"))
        switch.explain(switch.ports[1], world.originate(data, "test"))
        world.ledger.delivered += 1
    assert world.ledger.imbalance() == 0
