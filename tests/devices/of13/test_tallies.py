"""What a switch tells of its groups and meters (OpenFlow 1.3.5, 7.3.5.9 to 7.3.5.14)."""

from __future__ import annotations

from typing import Any

from sdnvirt.datapath.groups import MAX_GROUPS
from sdnvirt.datapath.meters import MAX_BANDS, MAX_METERS
from sdnvirt.devices.world import World
from sdnvirt.openflow.v13.actions import Group, Output
from sdnvirt.openflow.v13.constants import (
    OFPAT,
    OFPFF,
    OFPGC,
    OFPGT,
    OFPM,
    OFPMC,
    OFPMF,
    OFPMP,
    OFPRR,
)
from sdnvirt.openflow.v13.flow import FlowMod, FlowRemoved
from sdnvirt.openflow.v13.groups import Bucket, GroupDesc, GroupMod, GroupStatsRequest
from sdnvirt.openflow.v13.instructions import ApplyActions, Meter
from sdnvirt.openflow.v13.meters import (
    DropBand,
    DscpRemarkBand,
    MeterConfig,
    MeterMod,
    MeterRequest,
)
from sdnvirt.openflow.v13.multipart import MultipartRequest
from tests.devices.controller import Controller
from tests.devices.entries import FRAME

S = 1_000_000_000
BUCKETS = (Bucket(weight=1, actions=(Output(2),)), Bucket(weight=3, actions=(Output(2),)))


def test_group_statistics(world: World, controller: Controller, stations: list[Any]) -> None:
    world.scheduler.run_until(S)
    controller.send(GroupMod(OFPGC.ADD, OFPGT.SELECT, 5, BUCKETS))
    controller.send(GroupMod(OFPGC.ADD, OFPGT.ALL, 3))
    controller.send(FlowMod(instructions=(ApplyActions((Group(5),)),)))
    for _ in range(3):
        stations[0].send(FRAME)
    world.scheduler.run_until(3 * S + 7)
    (stats,) = controller.multipart(OFPMP.GROUP, GroupStatsRequest(5))
    assert (stats.group_id, stats.ref_count) == (5, 1)
    assert (stats.packet_count, stats.byte_count) == (3, 600)
    assert (stats.duration_sec, stats.duration_nsec) == (2, 7)
    assert sorted(one.packet_count for one in stats.bucket_stats) == [0, 3]
    assert [one.group_id for one in controller.multipart(OFPMP.GROUP, GroupStatsRequest())] == [
        3,
        5,
    ]
    assert controller.multipart(OFPMP.GROUP, GroupStatsRequest(99)) == ()


def test_groups_are_described_as_they_were_sent(controller: Controller) -> None:
    controller.send(GroupMod(OFPGC.ADD, OFPGT.SELECT, 5, BUCKETS))
    assert controller.multipart(OFPMP.GROUP_DESC) == (GroupDesc(OFPGT.SELECT, 5, BUCKETS),)


def test_group_features(controller: Controller) -> None:
    (features,) = controller.multipart(OFPMP.GROUP_FEATURES)
    assert (features.types, features.capabilities) == (0b1111, 0b1111)
    assert features.max_groups == (MAX_GROUPS,) * 4
    for actions in features.actions:
        assert actions & 1 << OFPAT.OUTPUT
        assert actions & 1 << OFPAT.GROUP


def test_a_group_that_is_deleted_tells_of_its_entries(controller: Controller) -> None:
    controller.send(GroupMod(OFPGC.ADD, OFPGT.SELECT, 5, BUCKETS))
    actions = (ApplyActions((Group(5),)),)
    controller.send(FlowMod(instructions=actions, flags=OFPFF.SEND_FLOW_REM))
    controller.send(GroupMod(OFPGC.DELETE, OFPGT.ALL, 5))
    (removed,) = controller.got(FlowRemoved)
    assert removed.reason == OFPRR.GROUP_DELETE


def test_meter_statistics(world: World, controller: Controller, stations: list[Any]) -> None:
    bands = (DropBand(2, 2), DscpRemarkBand(1, 1, 1))
    controller.send(MeterMod(OFPMC.ADD, OFPMF.PKTPS | OFPMF.BURST, 4, bands))
    controller.send(FlowMod(instructions=(Meter(4), ApplyActions((Output(2),)))))
    for _ in range(5):
        stations[0].send(FRAME)
    assert len(stations[1].received) == 2
    world.scheduler.run_until(2 * S + 1)
    (stats,) = controller.multipart(OFPMP.METER, MeterRequest(4))
    assert (stats.meter_id, stats.flow_count) == (4, 1)
    assert (stats.packet_in_count, stats.byte_in_count) == (5, 1000)
    assert (stats.duration_sec, stats.duration_nsec) == (2, 1)
    assert [one.packet_band_count for one in stats.band_stats] == [3, 1]


def test_meters_are_described_as_they_were_sent(controller: Controller) -> None:
    band = DropBand(100, 0)
    for number in (2, 1):
        controller.send(MeterMod(OFPMC.ADD, OFPMF.KBPS, number, (band,)))
    told = controller.multipart(OFPMP.METER_CONFIG, MeterRequest(OFPM.ALL))
    assert told == tuple(MeterConfig(OFPMF.KBPS, number, (band,)) for number in (1, 2))
    request = MultipartRequest(OFPMP.METER, (MeterRequest(3),))
    assert controller.refusal(request) == "METER_MOD_FAILED/UNKNOWN_METER"


def test_meter_features(controller: Controller) -> None:
    (features,) = controller.multipart(OFPMP.METER_FEATURES)
    assert (features.max_meter, features.max_bands) == (MAX_METERS, MAX_BANDS)
    assert (features.band_types, features.capabilities) == (0b110, 0b1111)
