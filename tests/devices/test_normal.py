"""OFPP_NORMAL and the stand-alone mode: an OpenFlow switch as a learning bridge.

OpenFlow 1.3.5, 4.5 (NORMAL) and "Connection Interruption"; the bridge's own rules stand in
``test_bridge.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import BROADCAST, Mac
from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.fdb import AGEING_NS
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.switch import FailMode, OpenFlowSwitch
from sdnvirt.devices.vlan import Access, Trunk
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Group, Output, PushVlan, SetField
from sdnvirt.openflow.v13.constants import OFPCR, OFPGC, OFPGT, OFPP, OFPPC
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from sdnvirt.openflow.v13.roles import RoleRequest
from tests.devices.controller import Controller
from tests.devices.station import stations_of

H1, H2, H3 = (Mac(0x02_00_00_00_00_00 + n) for n in (1, 2, 3))
NORMAL = FlowMod(priority=0, instructions=(ApplyActions((Output(OFPP.NORMAL),)),))
S = 1_000_000_000


def frame(dst: Mac, src: Mac, tag: bytes = b"") -> bytes:
    return dst + src + tag + b"\x88\xb5" + bytes(46)


def tagged(vid: int) -> bytes:
    return b"\x81\x00" + vid.to_bytes(2, "big")


def counts(stations: list[Any]) -> list[int]:
    return [len(one.received) for one in stations]


@pytest.fixture
def bridging(switch: OpenFlowSwitch, stations: list[Any]) -> list[Any]:
    """Three stations at a switch whose only entry says NORMAL."""
    switch.modify_flow(NORMAL)
    return stations


# the NORMAL port


def test_a_question_is_flooded_and_its_answer_is_not(
    switch: OpenFlowSwitch, bridging: list[Any]
) -> None:
    bridging[0].send(frame(BROADCAST, H1))
    assert counts(bridging) == [0, 1, 1]
    bridging[1].send(frame(H1, H2))
    assert counts(bridging) == [1, 1, 1]
    assert [(entry.port, entry.vlan, entry.mac) for entry in switch.fdb()] == [
        ("h1", 1, H1), ("h2", 1, H2),
    ]  # fmt: skip


def test_what_was_learned_counts_for_flows_that_are_cached(bridging: list[Any]) -> None:
    """The decision is made for each packet, not for each flow."""
    for _ in range(2):
        bridging[0].send(frame(H2, H1))
    assert counts(bridging) == [0, 2, 2]
    bridging[1].send(frame(H1, H2))
    bridging[0].send(frame(H2, H1))
    assert counts(bridging) == [1, 3, 2]
    bridging[2].send(frame(H1, H2))  # the station has moved
    bridging[0].send(frame(H2, H1))
    assert counts(bridging) == [2, 3, 3]


def test_what_was_learned_ages(world: World, bridging: list[Any]) -> None:
    bridging[1].send(frame(BROADCAST, H2))
    world.scheduler.run_until(AGEING_NS)
    bridging[0].send(frame(H2, H1))
    assert counts(bridging) == [1, 1, 2]


def test_a_link_that_goes_down_is_forgotten(switch: OpenFlowSwitch, bridging: list[Any]) -> None:
    bridging[1].send(frame(BROADCAST, H2))
    switch.ports[2].attach(switch.ports[2].egress, False)
    assert switch.fdb() == []
    bridging[0].send(frame(H2, H1))
    assert counts(bridging) == [1, 0, 2]


def test_the_actions_before_it_change_what_the_bridge_sees(
    switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    into_seven = (PushVlan(0x8100), SetField(oxm.VLAN_VID, 0x1007), Output(OFPP.NORMAL))
    switch.modify_flow(FlowMod(match=Match.of(in_port=1), instructions=(ApplyActions(into_seven),)))
    switch.configure(2, Access(7))
    switch.configure(3, Access(8))
    stations[0].send(frame(BROADCAST, H1))
    assert counts(stations) == [0, 1, 0]
    assert stations[1].received == [frame(BROADCAST, H1)]  # untagged on an access port


def test_ports_are_trunks_until_they_are_configured(bridging: list[Any]) -> None:
    bridging[0].send(frame(BROADCAST, H1, tagged(7)))
    assert bridging[1].received == [frame(BROADCAST, H1, tagged(7))]
    bridging[0].send(frame(BROADCAST, H1, tagged(1)))
    assert bridging[2].received[-1] == frame(BROADCAST, H1)


def test_a_group_may_lead_to_the_bridge(switch: OpenFlowSwitch, stations: list[Any]) -> None:
    buckets = (Bucket(actions=(Output(OFPP.NORMAL),)), Bucket(actions=(Output(3),)))
    switch.modify_group(GroupMod(OFPGC.ADD, OFPGT.ALL, 1, buckets))
    switch.modify_flow(FlowMod(instructions=(ApplyActions((Group(1),)),)))
    stations[0].send(frame(BROADCAST, H1))
    assert counts(stations) == [0, 1, 2]


def test_closed_ports_are_left_out(
    world: World, switch: OpenFlowSwitch, bridging: list[Any]
) -> None:
    bridging[1].send(frame(BROADCAST, H2))
    switch.configure_port(2, OFPPC.NO_FWD)
    bridging[0].send(frame(BROADCAST, H1))
    assert counts(bridging) == [1, 0, 2]
    bridging[0].send(frame(H2, H1))
    assert world.ledger.by_reason() == {DropReason.NO_EGRESS: 1}
    switch.configure_port(2, 0)
    bridging[0].send(frame(H2, H1))
    assert counts(bridging) == [1, 1, 2]


def test_a_controller_may_send_by_the_bridge(controller: Controller, stations: list[Any]) -> None:
    stations[1].send(frame(BROADCAST, H2))
    controller.send(NORMAL)
    stations[1].send(frame(BROADCAST, H2))
    before = counts(stations)
    for in_port, expected in ((OFPP.CONTROLLER, [0, 1, 0]), (1, [0, 1, 0]), (2, [0, 0, 0])):
        actions = (Output(OFPP.NORMAL),)
        controller.send(PacketOut(in_port=in_port, actions=actions, data=frame(H2, H3)))
        after = counts(stations)
        assert [b - a for a, b in zip(before, after, strict=True)] == expected
        before = after
    broadcast = PacketOut(
        in_port=OFPP.CONTROLLER, actions=(Output(OFPP.NORMAL),), data=frame(BROADCAST, H3)
    )
    controller.send(broadcast)
    assert [b - a for a, b in zip(before, counts(stations), strict=True)] == [1, 1, 1]


def test_an_explanation_tells_what_the_bridge_would_do(
    world: World, switch: OpenFlowSwitch, bridging: list[Any]
) -> None:
    bridging[1].send(frame(BROADCAST, H2))
    story = switch.explain(switch.ports[1], world.originate(frame(H2, H1), "t"))
    world.ledger.delivered += 1
    assert story == [
        "table 0: priority 0, *",
        "  NORMAL",
        "to the bridge",
        "s1:h1 (trunk of all VLANs, native 1) puts the frame in VLAN 1",
        "s1 has learned 02:00:00:00:00:02 in VLAN 1 at h2",
        "s1:h2 sends it untagged",
    ]
    assert [entry.mac for entry in switch.fdb()] == [H2]  # nothing was learned from it


FRAMES = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from([H1, H2, H3, BROADCAST, Mac(b"\x01\x80\xc2\0\0\x0e")]),
        st.sampled_from([H1, H2, H3]),
        st.sampled_from([b"", tagged(0), tagged(1), tagged(7), tagged(8), b"\x81\x00"]),
    ),
    max_size=25,
)
MEMBERSHIPS = st.lists(
    st.sampled_from([Access(1), Access(7), Trunk(), Trunk(native=7), Trunk(frozenset({1, 8}))]),
    min_size=4,
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(memberships=MEMBERSHIPS, frames=FRAMES)
def test_a_switch_that_says_normal_is_a_bridge(memberships: list[Any], frames: list[Any]) -> None:
    """Whatever comes, both send and drop the same."""
    seen = []
    for make in (Bridge, lambda name, world: OpenFlowSwitch(name, world, 1)):
        world = World()
        device: Any = make("d", world)
        station = stations_of(world)
        stations = [station(device) for _ in range(4)]
        for number, membership in enumerate(memberships, 1):
            device.configure(number, membership)
        if isinstance(device, OpenFlowSwitch):
            device.modify_flow(NORMAL)
        for number, dst, src, tag in frames:
            stations[number].send(frame(dst, src, tag))
        drops = [(drop.reason, drop.detail) for drop in world.ledger.recent]
        seen.append(([one.received for one in stations], drops, world.ledger.copied))
        assert world.ledger.imbalance() == 0
    assert seen[0] == seen[1]


# losing the controllers


@pytest.fixture
def alone(world: World) -> Iterator[OpenFlowSwitch]:
    yield OpenFlowSwitch("s1", world, 0x2A, FailMode.STANDALONE)
    assert world.ledger.imbalance() == 0


@pytest.fixture
def hosts(alone: OpenFlowSwitch, station: Callable[..., Any]) -> list[Any]:
    return [station(alone) for _ in range(3)]


def connect(world: World, switch: OpenFlowSwitch) -> Controller:
    controller = Controller(world)
    switch.connect(controller)
    controller.rest()
    return controller


def test_a_switch_without_controllers_is_a_bridge_if_it_is_to_stand_alone(
    world: World, alone: OpenFlowSwitch, hosts: list[Any]
) -> None:
    hosts[0].send(frame(H2, H1))
    hosts[1].send(frame(H1, H2))
    assert counts(hosts) == [1, 1, 1]
    story = alone.explain(alone.ports[1], world.originate(frame(H2, H1), "t"))
    world.ledger.delivered += 1
    assert story[:2] == [
        "no controller is connected: the switch stands alone, as a bridge", "to the bridge",
    ]  # fmt: skip


def test_a_switch_that_fails_secure_goes_on_with_its_entries(
    world: World, switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(FlowMod(match=Match.of(in_port=1), instructions=(ApplyActions((Output(3),)),)))
    controller.mute = True
    controller.hang_up()
    stations[0].send(frame(H2, H1))
    stations[1].send(frame(H1, H2))
    assert counts(stations) == [0, 0, 1]
    assert world.ledger.by_reason() == {DropReason.TABLE_MISS: 1}


def test_control_is_taken_and_given_back_in_the_instant_of_the_connection(
    world: World, alone: OpenFlowSwitch, hosts: list[Any]
) -> None:
    hosts[0].send(frame(BROADCAST, H1))
    assert counts(hosts) == [0, 1, 1]
    controller = connect(world, alone)
    hosts[0].send(frame(BROADCAST, H1))
    assert world.ledger.by_reason() == {DropReason.TABLE_MISS: 1}
    controller.send(FlowMod(instructions=(ApplyActions((Output(2),)),)))
    hosts[0].send(frame(BROADCAST, H1))
    assert counts(hosts) == [0, 2, 1]
    alone.agents[0].hang_up()
    hosts[0].send(frame(BROADCAST, H1))
    assert counts(hosts) == [0, 3, 2]
    assert len(list(alone.datapath.entries(FlowStatsRequest()))) == 1  # it is there again later
    controller = connect(world, alone)
    hosts[0].send(frame(BROADCAST, H1))
    assert counts(hosts) == [0, 4, 2]


def test_a_silent_controller_counts_as_lost_when_the_connection_is_given_up(
    world: World, alone: OpenFlowSwitch, hosts: list[Any]
) -> None:
    controller = Controller(world)
    alone.connect(controller, echo_idle_ns=5 * S)
    controller.rest()
    controller.mute = True
    hosts[0].send(frame(BROADCAST, H1))
    assert counts(hosts) == [0, 0, 0]
    world.scheduler.run_until(16 * S)
    hosts[0].send(frame(BROADCAST, H1))
    assert counts(hosts) == [0, 1, 1]


def test_one_controller_of_several_is_enough_even_a_slave(
    world: World, alone: OpenFlowSwitch, hosts: list[Any]
) -> None:
    first, second = (connect(world, alone) for _ in range(2))
    second.ask(RoleRequest(OFPCR.SLAVE, 0))
    alone.agents[0].hang_up()
    hosts[0].send(frame(BROADCAST, H1))
    assert counts(hosts) == [0, 0, 0]
    assert first.got(PacketIn) == []
    alone.agents[1].hang_up()
    hosts[0].send(frame(BROADCAST, H1))
    assert counts(hosts) == [0, 1, 1]


def test_ports_that_are_closed_stay_closed(
    world: World, alone: OpenFlowSwitch, hosts: list[Any]
) -> None:
    alone.configure_port(1, OFPPC.NO_RECV)
    hosts[0].send(frame(BROADCAST, H1))
    assert world.ledger.by_reason() == {DropReason.PORT_CLOSED: 1}


def test_two_switches_that_stand_alone_make_one_lan(
    world: World, alone: OpenFlowSwitch, hosts: list[Any], station: Callable[..., Any]
) -> None:
    other = OpenFlowSwitch("s2", world, 2, FailMode.STANDALONE)
    far = station(other)
    ends = [device.add_port(9, "trunk", Mac(9)) for device in (alone, other)]
    Link(world, "s1--s2", ends[0], ends[1], LinkParameters())
    hosts[0].send(frame(BROADCAST, H1))
    world.scheduler.run_until(0)
    assert len(far.received) == 1
    far.send(frame(H1, far.mac))
    world.scheduler.run_until(0)
    assert counts(hosts) == [1, 1, 1]
