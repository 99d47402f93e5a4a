"""Learning and connection tracking in a switch with ports: timers run, and no frame is lost
without account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.openflow.nicira.conntrack import Conntrack
from sdnvirt.openflow.nicira.constants import NXCT
from sdnvirt.openflow.nicira.learn import Learn, Purpose, Spec
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.match import Match
from tests.devices.entries import flow

S = 1_000_000_000
PACKET = bytes(Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP())
SOURCE = Subfield(oxm.ETH_SRC, 0, 48)
LEARN = Learn(
    0, 3, 5, 0, 0, 1, 0, 0,
    (
        Spec(Purpose.MATCH, SOURCE, Subfield(oxm.ETH_DST, 0, 48), 48),
        Spec(Purpose.OUTPUT, Subfield(oxm.IN_PORT, 0, 16), None, 16),
    ),
)  # fmt: skip


@pytest.fixture
def switch(world: World) -> Iterator[OpenFlowSwitch]:
    yield OpenFlowSwitch("s1", world, 0x2A)
    assert world.ledger.imbalance() == 0


@pytest.fixture
def stations(switch: OpenFlowSwitch, station: Callable[..., Any]) -> list[Any]:
    return [station(switch) for _ in range(3)]


def test_what_packets_taught_expires_by_itself(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(LEARN, Output(2)))
    stations[0].send(PACKET)
    assert len(switch.datapath.tables[1]) == 1
    world.scheduler.run_until(3 * S)
    assert len(switch.datapath.tables[1]) == 0
    assert stations[1].received == [PACKET]


def test_a_packet_that_only_teaches_is_dropped(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    switch.modify_flow(flow(LEARN))
    stations[0].send(PACKET)
    assert len(switch.datapath.tables[1]) == 1
    assert [drop.reason for drop in world.ledger.recent] == [DropReason.NO_OUTPUT]


def test_a_tracked_copy_and_the_packet_itself_each_have_their_end(
    world: World, switch: OpenFlowSwitch, stations: list[Any]
) -> None:
    ip = Match.of(eth_type=0x0800)
    switch.modify_flow(flow(Conntrack(NXCT.COMMIT, table_id=1), Output(2), match=ip))
    stations[0].send(PACKET)
    assert [drop.reason for drop in world.ledger.recent] == [DropReason.TABLE_MISS]
    assert stations[1].received == [PACKET]
    switch.modify_flow(flow(Output(3), table_id=1))
    stations[0].send(PACKET)
    assert stations[1].received == [PACKET] * 2
    assert stations[2].received == [PACKET]
