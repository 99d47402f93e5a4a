"""What a switch tells of its queues (OpenFlow 1.3.5, 7.2.2, 7.3.5.8 and 7.3.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdnvirt.devices.link import LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.openflow.v13.actions import Output, SetQueue
from sdnvirt.openflow.v13.constants import OFPC, OFPMP, OFPP, QUEUE_ALL
from sdnvirt.openflow.v13.features import FeaturesRequest
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.multipart import MultipartRequest
from sdnvirt.openflow.v13.queues import (
    MaxRate,
    MinRate,
    PacketQueue,
    QueueGetConfigReply,
    QueueGetConfigRequest,
    QueueStats,
    QueueStatsRequest,
)
from tests.devices.controller import Controller

S = 1_000_000_000
FRAME = bytes(12) + b"\x88\xb5" + bytes(111)


@pytest.fixture
def stations(switch: OpenFlowSwitch, station: Callable[..., Any]) -> list[Any]:
    return [station(switch), station(switch, LinkParameters(rate_bps=10**9)), station(switch)]


@pytest.fixture
def queues(world: World, switch: OpenFlowSwitch, stations: list[Any]) -> OpenFlowSwitch:
    """The switch with two queues at port 2 and one at port 3."""
    switch.add_queue(3, 5, max_rate_bps=1000)
    switch.add_queue(2, 7, min_rate_bps=250 * 10**6, max_rate_bps=500 * 10**6)
    switch.add_queue(2, 1)
    return switch


def test_queues_are_told_with_their_rates(queues: OpenFlowSwitch, controller: Controller) -> None:
    """In tenths of a percent, which a link of unlimited rate has none of."""
    two = (PacketQueue(1, 2), PacketQueue(7, 2, (MinRate(250), MaxRate(500))))
    three = (PacketQueue(5, 3),)
    for port, expected in ((2, two), (3, three), (1, ()), (OFPP.ANY, two + three)):
        (reply,) = controller.ask(QueueGetConfigRequest(port))
        assert reply == QueueGetConfigReply(port, expected)


@pytest.mark.parametrize("port", [9, OFPP.LOCAL, OFPP.CONTROLLER, 0])
def test_a_port_that_is_not_there_has_no_queues(controller: Controller, port: int) -> None:
    assert controller.refusal(QueueGetConfigRequest(port)) == "QUEUE_OP_FAILED/BAD_PORT"
    request = MultipartRequest(OFPMP.QUEUE, (QueueStatsRequest(port),))
    assert controller.refusal(request) == "QUEUE_OP_FAILED/BAD_PORT"


def test_queue_statistics(
    world: World, queues: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(FlowMod(instructions=(ApplyActions((SetQueue(7), Output(2))),)))
    for _ in range(3):
        stations[0].send(FRAME)
    world.scheduler.run_until(2 * S + 9)
    (stats,) = controller.multipart(OFPMP.QUEUE, QueueStatsRequest(2, 7))
    assert stats == QueueStats(2, 7, 3 * len(FRAME), 3, 0, 2, 9)
    everything = controller.multipart(OFPMP.QUEUE, QueueStatsRequest())
    assert [(one.port_no, one.queue_id) for one in everything] == [(2, 1), (2, 7), (3, 5)]
    assert [one.queue_id for one in controller.multipart(OFPMP.QUEUE, QueueStatsRequest(2))] == [
        1, 7,
    ]  # fmt: skip
    five = controller.multipart(OFPMP.QUEUE, QueueStatsRequest(OFPP.ANY, 5))
    assert [one.port_no for one in five] == [3]
    assert controller.multipart(OFPMP.QUEUE, QueueStatsRequest(1, QUEUE_ALL)) == ()


@pytest.mark.parametrize("port", [2, OFPP.ANY])
def test_a_queue_that_is_not_there_has_no_statistics(
    queues: OpenFlowSwitch, controller: Controller, port: int
) -> None:
    request = MultipartRequest(OFPMP.QUEUE, (QueueStatsRequest(port, 99),))
    assert controller.refusal(request) == "QUEUE_OP_FAILED/BAD_QUEUE"


def test_the_switch_says_what_it_can_do(controller: Controller) -> None:
    (features,) = controller.ask(FeaturesRequest())
    statistics = OFPC.FLOW_STATS | OFPC.TABLE_STATS | OFPC.PORT_STATS | OFPC.GROUP_STATS
    assert features.capabilities == statistics | OFPC.QUEUE_STATS
