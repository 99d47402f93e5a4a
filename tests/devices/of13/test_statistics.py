"""What a switch tells of itself and its flow entries (OpenFlow 1.3.5, 7.3.5 and 7.4.2)."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.devices.disciplines.priority import StrictPriority
from sdnvirt.devices.link import DEFAULT_QUEUE_BYTES, LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.openflow.v13.actions import Output, SetField, SetQueue
from sdnvirt.openflow.v13.constants import OFPFC, OFPFF, OFPMP, OFPP, OFPPC, OFPRR
from sdnvirt.openflow.v13.flow import FlowMod, FlowRemoved, FlowStatsRequest
from sdnvirt.openflow.v13.instructions import ApplyActions, WriteMetadata
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.multipart import MultipartRequest
from sdnvirt.openflow.v13.oxm import ETH_DST
from sdnvirt.openflow.v13.ports import PortMod, PortStatsRequest
from sdnvirt.openflow.v13.queues import QueueStatsRequest
from tests.devices.controller import Controller
from tests.devices.entries import FRAME, flow

S = 1_000_000_000
NO_COOKIE = (1 << 64) - 1


# asked (7.3.5)


def test_the_switch_describes_itself(controller: Controller) -> None:
    (desc,) = controller.multipart(OFPMP.DESC)
    assert (desc.dp_desc, desc.serial_num) == ("s1", "000000000000002a")


def test_flow_statistics_tell_all_of_an_entry(
    world: World, controller: Controller, stations: list[Any]
) -> None:
    world.scheduler.run_until(S)
    mod = FlowMod(
        cookie=9, idle_timeout=100, hard_timeout=200, priority=3, flags=OFPFF.SEND_FLOW_REM,
        match=Match.of(in_port=1),
        instructions=(ApplyActions((SetField(ETH_DST, 1), Output(2))), WriteMetadata(1, 3)),
    )  # fmt: skip
    controller.send(mod)
    stations[0].send(FRAME)
    world.scheduler.run_until(3 * S + 5)
    (stats,) = controller.multipart(OFPMP.FLOW, FlowStatsRequest())
    assert (stats.match, stats.instructions) == (mod.match, mod.instructions)
    assert (stats.duration_sec, stats.duration_nsec) == (2, 5)
    assert (stats.packet_count, stats.byte_count) == (1, 200)
    assert (stats.cookie, stats.priority, stats.flags, stats.table_id) == (9, 3, 1, 0)
    assert (stats.idle_timeout, stats.hard_timeout) == (100, 200)


@pytest.mark.parametrize(
    ("flags", "packets", "size"),
    [(OFPFF.NO_PKT_COUNTS, NO_COOKIE, 200), (OFPFF.NO_BYT_COUNTS, 1, NO_COOKIE)],
)
def test_a_counter_that_is_not_wanted_is_told_as_all_ones(
    controller: Controller, stations: list[Any], flags: int, packets: int, size: int
) -> None:
    controller.send(flow(Output(2), flags=flags | OFPFF.SEND_FLOW_REM))
    stations[0].send(FRAME)
    (stats,) = controller.multipart(OFPMP.FLOW, FlowStatsRequest())
    assert (stats.packet_count, stats.byte_count) == (packets, size)
    controller.send(FlowMod(command=OFPFC.DELETE))
    (removed,) = controller.got(FlowRemoved)
    assert (removed.packet_count, removed.byte_count) == (packets, size)


def test_flow_statistics_over_64_kib_come_in_several_messages(controller: Controller) -> None:
    for number in range(900):
        controller.channel.send(flow(Output(2), match=Match.of(tunnel_id=number)))
    controller.write(controller.channel.outgoing())
    replies = controller.ask(MultipartRequest(OFPMP.FLOW, (FlowStatsRequest(),)))
    assert len(replies) == 2
    tunnels = [one.match.fields[0].value for reply in replies for one in reply.entries]
    assert tunnels == list(range(900))


def test_the_other_statistics(world: World, controller: Controller, stations: list[Any]) -> None:
    controller.send(flow(Output(2), match=Match.of(in_port=1)))
    controller.send(flow(Output(2), match=Match.of(in_port=2), table_id=3))
    stations[0].send(FRAME)
    stations[2].send(FRAME)
    (sums,) = controller.multipart(OFPMP.AGGREGATE, FlowStatsRequest())
    assert (sums.packet_count, sums.byte_count, sums.flow_count) == (1, 200, 2)
    tables = controller.multipart(OFPMP.TABLE)
    assert [table.table_id for table in tables] == list(range(255))
    used = [(t.table_id, t.active_count, t.lookup_count, t.matched_count) for t in tables]
    assert [row for row in used if row[1]] == [(0, 1, 2, 1), (3, 1, 0, 0)]
    ports = controller.multipart(OFPMP.PORT_STATS, PortStatsRequest())
    assert [(p.port_no, p.rx_packets, p.tx_packets) for p in ports] == [
        (1, 1, 0), (2, 0, 1), (3, 1, 0), (OFPP.LOCAL, 0, 0),
    ]  # fmt: skip
    (port,) = controller.multipart(OFPMP.PORT_STATS, PortStatsRequest(2))
    assert (port.port_no, port.tx_bytes) == (2, 200)


def lost(controller: Controller) -> dict[int, tuple[int, int]]:
    """Return how many frames each port lost as they came in, and as they went out."""
    ports = controller.multipart(OFPMP.PORT_STATS, PortStatsRequest())
    both = {port.port_no: (port.rx_dropped, port.tx_dropped) for port in ports}
    return {number: counts for number, counts in both.items() if any(counts)}


def test_a_port_counts_what_its_queue_has_no_room_for(
    switch: OpenFlowSwitch, controller: Controller, stations: list[Any], station: Any
) -> None:
    slow = LinkParameters(rate_bps=1_000, queue_bytes=2 * len(FRAME))
    station(switch, slow)
    controller.send(flow(Output(4)))
    for _ in range(5):
        stations[0].send(FRAME)
    assert lost(controller) == {4: (0, 3)}


def test_a_port_counts_what_its_queue_discipline_and_its_openflow_queues_lose(
    switch: OpenFlowSwitch, controller: Controller, stations: list[Any], station: Any
) -> None:
    tight = LinkParameters(rate_bps=1_000, queue_bytes=len(FRAME), discipline=StrictPriority())
    station(switch, tight)
    controller.send(flow(Output(4)))
    for _ in range(5):
        stations[0].send(FRAME)
    assert lost(controller) == {4: (0, 3)}
    switch.add_queue(3, 1, max_rate_bps=1)
    controller.send(flow(SetQueue(1), Output(3)))
    for _ in range(DEFAULT_QUEUE_BYTES // len(FRAME) + 3):
        stations[0].send(FRAME)
    (queue,) = controller.multipart(OFPMP.QUEUE, QueueStatsRequest())
    assert lost(controller)[3] == (0, queue.tx_errors)
    assert queue.tx_errors == 2


def test_a_port_counts_what_its_link_does_not_carry(
    switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(flow(Output(2)))
    stations[0].send(FRAME + bytes(2_000))
    assert lost(controller) == {}  # lost by the link of h1, before the switch
    assert stations[0].nic.tx_dropped == 1
    controller.send(flow(Output(9)))
    switch.add_port(9, "p9", Mac(9))
    stations[0].send(FRAME)
    assert lost(controller) == {9: (0, 1)}


def test_a_port_counts_what_it_may_not_take_in(
    switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(flow(Output(2)))
    controller.send(PortMod(1, switch.ports[1].mac, OFPPC.NO_RECV, OFPPC.NO_RECV))
    stations[0].send(FRAME)
    assert lost(controller) == {1: (1, 0)}


def test_a_port_is_as_old_as_it_is(
    world: World, switch: OpenFlowSwitch, controller: Controller
) -> None:
    world.scheduler.run_until(3 * S)
    switch.add_port(9, "p9", Mac(9))
    world.scheduler.run_until(5 * S + 7)
    ages = [
        (port.duration_sec, port.duration_nsec)
        for number in (1, 9)
        for port in controller.multipart(OFPMP.PORT_STATS, PortStatsRequest(number))
    ]
    assert ages == [(5, 7), (2, 7)]


# unasked: entries that are gone (7.4.2)


def test_an_expired_entry_is_told_at_its_time(
    world: World, controller: Controller, stations: list[Any]
) -> None:
    flags = OFPFF.SEND_FLOW_REM
    controller.send(flow(Output(2), hard_timeout=2, cookie=5, priority=7, flags=flags, table_id=0))
    stations[0].send(FRAME)
    world.scheduler.run_until(5 * S)
    ((time, _, told),) = [one for one in controller.received if isinstance(one[2], FlowRemoved)]
    assert time == 2 * S
    assert told == FlowRemoved(5, 7, OFPRR.HARD_TIMEOUT, 0, 2, 0, 0, 2, 1, 200, Match())


def test_a_deleted_entry_is_told_when_it_wanted_to(controller: Controller) -> None:
    controller.send(flow(Output(2), priority=1, flags=OFPFF.SEND_FLOW_REM))
    controller.send(flow(Output(2), priority=2))
    controller.send(FlowMod(command=OFPFC.DELETE))
    assert [(m.priority, m.reason) for m in controller.got(FlowRemoved)] == [(1, OFPRR.DELETE)]
