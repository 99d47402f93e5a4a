"""Meters: what changes them, their configuration and statistics (7.3.4.4, 7.3.5.12 to 7.3.5.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.datapath.meters import MAX_BANDS, MAX_METERS, Meter
from sdnvirt.devices.of13.handler import Answers, Entries, Handlers, age
from sdnvirt.openflow.v13.constants import OFPM, OFPMBT, OFPMF, OFPMP
from sdnvirt.openflow.v13.error_codes import OFPMMFC, refuse
from sdnvirt.openflow.v13.meters import (
    BandStats,
    MeterConfig,
    MeterFeatures,
    MeterMod,
    MeterRequest,
    MeterStats,
)

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent
    from sdnvirt.devices.switch import OpenFlowSwitch

_BAND_TYPES: Final = 1 << OFPMBT.DROP | 1 << OFPMBT.DSCP_REMARK
_COLOURS: Final = 3
"""Drop precedences of assured forwarding (RFC 2597)."""


def _meter_mod(agent: Agent, mod: MeterMod) -> None:
    agent.switch.modify_meter(mod)


def _wanted(switch: OpenFlowSwitch, request: Entries) -> list[Meter]:
    (wanted,) = request
    assert isinstance(wanted, MeterRequest)
    meters = switch.datapath.state.meters
    if wanted.meter_id == OFPM.ALL:
        return list(meters)
    if wanted.meter_id not in meters:
        raise refuse(OFPMMFC.UNKNOWN_METER, f"no meter {wanted.meter_id}")
    return [meters[wanted.meter_id]]


def _stats(switch: OpenFlowSwitch, request: Entries) -> Entries:
    users = switch.datapath.users_of_meters()
    return tuple(
        MeterStats(
            meter.meter_id,
            users[meter.meter_id],
            meter.tally.packets,
            meter.tally.bytes,
            *age(switch, meter.created_ns),
            tuple(BandStats(band.tally.packets, band.tally.bytes) for band in meter.bands),
        )
        for meter in _wanted(switch, request)
    )


def _configurations(switch: OpenFlowSwitch, request: Entries) -> Entries:
    return tuple(
        MeterConfig(meter.flags, meter.meter_id, tuple(band.spec for band in meter.bands))
        for meter in _wanted(switch, request)
    )


def _features(_switch: OpenFlowSwitch, _request: Entries) -> Entries:
    return (MeterFeatures(MAX_METERS, _BAND_TYPES, sum(OFPMF), MAX_BANDS, _COLOURS),)


HANDLERS: Final[Handlers] = {MeterMod: _meter_mod}
ANSWERS: Final[Answers] = {
    OFPMP.METER: _stats,
    OFPMP.METER_CONFIG: _configurations,
    OFPMP.METER_FEATURES: _features,
}
