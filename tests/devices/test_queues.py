"""Queues of a port: minimum and maximum rates, exact in virtual time (OpenFlow 1.3.5, 5.1, 7.2.2).

The arithmetic is that of the link: 125 bytes are 1,000 bits, which take 1 us at 1 Gbit/s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Mac
from sdnvirt.devices.link import DEFAULT_QUEUE_BYTES, Direction, Link, LinkParameters
from sdnvirt.devices.rules import Drop, rule_on
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.extensions import Enqueue
from sdnvirt.openflow.v13.actions import Group, Output, SetQueue
from sdnvirt.openflow.v13.constants import OFPGC, OFPGT, OFPP
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import ApplyActions, WriteActions
from sdnvirt.openflow.v13.match import Match
from tests.devices.station import stations_of

US = 1_000
MS = 1_000_000
GIGABIT = 10**9
PARAMETERS = LinkParameters(rate_bps=GIGABIT)
TYPES = {1: b"\x88\xb1", 2: b"\x88\xb2", None: b"\x88\xb5"}
"""The EtherType of the frames for each queue."""


def frame(queue_id: int | None = None, size: int = 125) -> bytes:
    return b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01" + TYPES[queue_id] + bytes(size - 14)


@pytest.fixture
def stations(switch: OpenFlowSwitch, station: Callable[..., Any]) -> list[Any]:
    """Two stations: one that sends without delay, one behind a link of 1 Gbit/s."""
    return [station(switch), station(switch, PARAMETERS)]


@pytest.fixture
def queued(switch: OpenFlowSwitch, stations: list[Any]) -> OpenFlowSwitch:
    """The switch, with entries that choose the queue by the EtherType."""
    switch.modify_flow(FlowMod(priority=1, instructions=(ApplyActions((Output(2),)),)))
    return switch


def choose(switch: OpenFlowSwitch, *queue_ids: int) -> None:
    for queue_id in queue_ids:
        switch.modify_flow(
            FlowMod(
                match=Match.of(eth_type=int.from_bytes(TYPES[queue_id], "big")),
                instructions=(ApplyActions((SetQueue(queue_id), Output(2))),),
            )
        )


def send(stations: list[Any], *queue_ids: int | None, size: int = 125) -> None:
    """Send a frame for each queue, all in this instant."""
    station = stations[0]
    for queue_id in queue_ids:
        station.nic.send(station.world.originate(frame(queue_id, size), station.name))


def order(stations: list[Any]) -> list[int | None]:
    """Return the queues of the frames that arrived, in order."""
    names = {ethertype: queue_id for queue_id, ethertype in TYPES.items()}
    return [names[data[12:14]] for data in stations[1].received]


# the transmitter


@settings(max_examples=60, deadline=None)
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 3_000), st.integers(14, 1514)), max_size=30),
    rate=st.sampled_from([10**7, GIGABIT, 10**10, 3 * 10**9]),
)
def test_a_queue_without_rates_is_what_the_link_alone_is(
    arrivals: list[tuple[int, int]], rate: int
) -> None:
    """To the nanosecond, whatever comes when."""
    times = []
    for queue_ids in ((), (1,), (1, 1)):
        world = World()
        switch = OpenFlowSwitch("s1", world, 1)
        station = stations_of(world)
        ends = [station(switch), station(switch, LinkParameters(rate_bps=rate, delay_ns=77))]
        actions: tuple[Action, ...] = (Output(2),)
        if queue_ids:
            switch.add_queue(2, 1)
        if len(queue_ids) == 2:
            actions = (SetQueue(1), Output(2))
        switch.modify_flow(FlowMod(instructions=(ApplyActions(actions),)))
        now = 0
        for gap, size in arrivals:
            now += gap
            world.scheduler.run_until(now)
            send(ends, None, size=size)
        world.scheduler.run_until(10**12)
        times.append(ends[1].times)
    assert times[0] == times[1] == times[2]


def test_ports_without_queues_are_as_they_were(queued: OpenFlowSwitch) -> None:
    queued.add_queue(2, 1)
    assert isinstance(queued.ports[1].egress, Direction)


# rates


def test_a_maximum_rate_spaces_the_frames(
    world: World, queued: OpenFlowSwitch, stations: list[Any]
) -> None:
    """100 Mbit/s: a frame of 1,000 bits every 10 us, which then takes its 1 us on the link."""
    queued.add_queue(2, 1, max_rate_bps=10**8)
    choose(queued, 1)
    send(stations, 1, 1, 1)
    world.scheduler.run_until(MS)
    assert stations[1].times == [1 * US, 11 * US, 21 * US]


def test_what_others_send_passes_a_queue_that_must_wait(
    world: World, queued: OpenFlowSwitch, stations: list[Any]
) -> None:
    queued.add_queue(2, 1, max_rate_bps=10**8)
    choose(queued, 1)
    send(stations, 1, 1, None, None)
    world.scheduler.run_until(MS)
    assert order(stations) == [1, None, None, 1]
    assert stations[1].times == [1 * US, 2 * US, 3 * US, 11 * US]


def test_a_maximum_rate_needs_no_rate_of_the_link(
    world: World, switch: OpenFlowSwitch, station: Callable[..., Any]
) -> None:
    stations = [station(switch), station(switch)]
    switch.add_queue(2, 1, max_rate_bps=GIGABIT)
    choose(switch, 1)
    send(stations, 1, 1, 1)
    world.scheduler.run_until(MS)
    assert stations[1].times == [0, 1 * US, 2 * US]


def shares(world: World, stations: list[Any], *queue_ids: int | None) -> list[int]:
    """Keep queues full for 1 ms, 1,000 frames; return how many of each were sent."""
    for queue_id in queue_ids:
        send(stations, *[queue_id] * 1000)
    world.scheduler.run_until(MS)
    sent = order(stations)
    return [sent.count(queue_id) for queue_id in queue_ids]


def test_a_minimum_rate_is_kept_and_the_rest_is_shared_equally(
    world: World, queued: OpenFlowSwitch, stations: list[Any]
) -> None:
    queued.add_queue(2, 1, min_rate_bps=600 * 10**6)
    queued.add_queue(2, 2)
    choose(queued, 1, 2)
    one, two, rest = shares(world, stations, 1, 2, None)
    assert one + two + rest == 1000
    assert abs(one - (600 + 400 / 3)) <= 2
    assert abs(two - 400 / 3) <= 2
    assert abs(rest - 400 / 3) <= 2


def test_minimum_rates_that_take_all_leave_nothing(
    world: World, queued: OpenFlowSwitch, stations: list[Any]
) -> None:
    queued.add_queue(2, 1, min_rate_bps=700 * 10**6)
    queued.add_queue(2, 2, min_rate_bps=300 * 10**6)
    choose(queued, 1, 2)
    one, two, rest = shares(world, stations, 1, 2, None)
    assert abs(one - 700) <= 2
    assert abs(two - 300) <= 2
    assert rest <= 2


def test_a_maximum_below_the_share_leaves_the_rest_to_others(
    world: World, queued: OpenFlowSwitch, stations: list[Any]
) -> None:
    queued.add_queue(2, 1, max_rate_bps=100 * 10**6)
    choose(queued, 1)
    assert shares(world, stations, 1, None) == [100, 900]


def test_what_a_queue_does_not_use_is_for_the_others(
    world: World, queued: OpenFlowSwitch, stations: list[Any]
) -> None:
    queued.add_queue(2, 1, min_rate_bps=GIGABIT)
    choose(queued, 1)
    assert shares(world, stations, None) == [1000]


def test_time_in_which_nothing_waited_is_not_made_up_for(
    world: World, queued: OpenFlowSwitch, stations: list[Any]
) -> None:
    queued.add_queue(2, 1, min_rate_bps=500 * 10**6)
    choose(queued, 1)
    world.scheduler.run_until(MS)
    send(stations, *[None] * 6, *[1] * 6)
    world.scheduler.run_until(2 * MS)
    assert order(stations).count(1) == 6
    assert order(stations)[:6].count(1) <= 4


# frames that get lost


def test_a_full_queue_drops_and_counts(
    world: World, queued: OpenFlowSwitch, stations: list[Any]
) -> None:
    queued.add_queue(2, 1, max_rate_bps=1)
    choose(queued, 1)
    fitting = DEFAULT_QUEUE_BYTES // 1000
    send(stations, *[1] * (fitting + 3), size=1000)
    world.scheduler.run_until(MS)
    assert world.ledger.by_reason() == {DropReason.QUEUE_FULL: 2}
    queue = queued.queues[2].numbered[1]
    assert (queue.tx_packets, queue.tx_errors, len(queue)) == (1, 2, fitting)
    assert world.ledger.imbalance() == 0
    send(stations, None)
    world.scheduler.run_until(2 * MS)
    assert order(stations) == [1, None]  # the other queue has room


def test_what_waits_is_lost_when_the_link_goes_down(
    world: World, switch: OpenFlowSwitch, station: Callable[..., Any]
) -> None:
    near, far = station(switch), station()
    link = Link(world, "s1--far", switch.add_port(2, "far", Mac(9)), far.nic, PARAMETERS)
    switch.add_queue(2, 1, max_rate_bps=10**6)
    choose(switch, 1)
    send([near], 1, 1, 1)
    world.scheduler.run_until(2 * US)
    assert (len(far.received), len(switch.queues[2])) == (1, 2)
    link.set_up(False)
    assert world.ledger.by_reason() == {DropReason.LINK_DOWN: 2}
    link.set_up(True)
    near.send(frame(1))
    world.scheduler.run_until(10 * MS)
    assert len(far.received) == 2


def test_rules_on_the_link_judge_frames_when_their_turn_comes(
    world: World, switch: OpenFlowSwitch, station: Callable[..., Any]
) -> None:
    near, far = station(switch), station()
    port = switch.add_port(2, "far", Mac(9))
    link = Link(world, "s1--far", port, far.nic, PARAMETERS)
    switch.add_queue(2, 1, max_rate_bps=10**8)
    choose(switch, 1)
    send([near], 1, 1, 1)
    world.scheduler.run_until(15 * US)  # two have begun
    with rule_on(link, port, Always()):
        world.scheduler.run_until(MS)
    assert len(far.received) == 2
    assert world.ledger.by_reason() == {DropReason.LINK_RULE: 1}


class Always:
    """A rule that drops."""

    def judge(self, frame: Frame, now: int) -> Drop:
        return Drop()


# choosing a queue


def test_a_queue_holds_for_the_ports_that_have_it(
    switch: OpenFlowSwitch, station: Callable[..., Any]
) -> None:
    stations = [station(switch) for _ in range(4)]
    switch.add_queue(2, 1)
    switch.add_queue(4, 1)
    switch.modify_flow(FlowMod(instructions=(ApplyActions((SetQueue(1), Output(OFPP.FLOOD))),)))
    stations[0].send(frame())
    assert [len(one.received) for one in stations] == [0, 1, 1, 1]
    assert [queues.numbered[1].tx_packets for queues in switch.queues.values()] == [1, 1]


def test_a_queue_in_an_action_set_and_in_a_bucket(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.add_queue(2, 1)
    switch.add_queue(2, 2)
    buckets = (Bucket(actions=(Output(2), SetQueue(2))), Bucket(actions=(Output(2),)))
    switch.modify_group(GroupMod(OFPGC.ADD, OFPGT.ALL, 1, buckets))
    switch.modify_flow(FlowMod(instructions=(WriteActions((Output(2), SetQueue(1))),)))
    stations[0].send(frame())
    world.scheduler.run_until(MS)
    numbered = switch.queues[2].numbered
    assert [numbered[number].tx_packets for number in (1, 2)] == [1, 0]
    switch.modify_flow(FlowMod(instructions=(ApplyActions((Group(1),)),)))
    stations[0].send(frame())
    world.scheduler.run_until(2 * MS)
    assert [numbered[number].tx_packets for number in (1, 2)] == [1, 1]


def test_enqueue_means_one_output_only(switch: OpenFlowSwitch, stations: list[Any]) -> None:
    switch.add_queue(2, 1)
    switch.modify_flow(FlowMod(instructions=(ApplyActions((Enqueue(2, 1), Output(2))),)))
    stations[0].send(frame())
    assert switch.queues[2].numbered[1].tx_packets == 1
    assert switch.ports[2].tx_packets == 2


def test_the_bridge_uses_the_queue_that_was_set(
    switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.add_queue(2, 1)
    switch.modify_flow(FlowMod(instructions=(ApplyActions((SetQueue(1), Output(OFPP.NORMAL))),)))
    stations[0].send(frame())
    assert switch.queues[2].numbered[1].tx_packets == 1


def test_an_explanation_names_the_queue(
    world: World, queued: OpenFlowSwitch, stations: list[Any]
) -> None:
    queued.add_queue(2, 1)
    choose(queued, 1)
    story = queued.explain(queued.ports[1], world.originate(frame(1), "t"))
    world.ledger.delivered += 1
    assert story[-1] == "to queue 1 of port 2"


@pytest.mark.parametrize(
    "actions",
    [
        (SetQueue(9),),
        (SetQueue(1), Output(1)),  # a queue of port 2
        (Enqueue(1, 1),),
        (Enqueue(OFPP.IN_PORT, 9),),
    ],
)
def test_a_queue_that_is_not_there_is_refused(
    queued: OpenFlowSwitch, actions: tuple[Action, ...]
) -> None:
    queued.add_queue(2, 1)
    mods: list[Callable[[], None]] = [
        lambda: queued.modify_flow(FlowMod(instructions=(ApplyActions(actions),))),
        lambda: queued.modify_flow(FlowMod(instructions=(WriteActions(actions),))),
        lambda: queued.modify_group(GroupMod(OFPGC.ADD, OFPGT.ALL, 1, (Bucket(actions=actions),))),
    ]
    for mod in mods:
        with pytest.raises(OpenFlowError) as caught:
            mod()
        name = error_name(caught.value.error_type, caught.value.code)
        assert name == "BAD_ACTION/BAD_QUEUE"


def test_queues_cannot_be_sure_of_more_than_the_link(queued: OpenFlowSwitch) -> None:
    queued.add_queue(2, 1, min_rate_bps=600 * 10**6)
    with pytest.raises(AssertionError, match="cannot be sure of 1100000000 bit/s of 1000000000"):
        queued.add_queue(2, 2, min_rate_bps=500 * 10**6)
    with pytest.raises(AssertionError, match="has a queue 1 already"):
        queued.add_queue(2, 1)
