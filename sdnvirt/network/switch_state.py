"""What OpenFlow switches hold, line by line, in the form of ``ovs-ofctl dump-*``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sdnvirt.datapath.entry import FlowEntry
from sdnvirt.datapath.groups import Group
from sdnvirt.datapath.meters import Meter
from sdnvirt.devices.device import Port
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.openflow.action import actions_text
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPFF, OFPGT, OFPMF
from sdnvirt.openflow.v13.flow import FlowStatsRequest
from sdnvirt.openflow.v13.instructions import instructions_text
from sdnvirt.openflow.v13.meters import DropBand, DscpRemarkBand
from sdnvirt.units import NS_PER_S

_GROUP_TYPES: Final = {
    OFPGT.ALL: "all", OFPGT.SELECT: "select", OFPGT.INDIRECT: "indirect", OFPGT.FF: "fast_failover",
}  # fmt: skip

_FLAGS: Final = {
    OFPFF.SEND_FLOW_REM: "send_flow_rem", OFPFF.CHECK_OVERLAP: "check_overlap",
    OFPFF.RESET_COUNTS: "reset_counts", OFPFF.NO_PKT_COUNTS: "no_packet_counts",
    OFPFF.NO_BYT_COUNTS: "no_byte_counts",
}  # fmt: skip

_METER_FLAGS: Final = {
    OFPMF.KBPS: "kbps", OFPMF.PKTPS: "pktps", OFPMF.BURST: "burst", OFPMF.STATS: "stats",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SwitchState:
    """The state of one OpenFlow switch as text.

    Attributes:
        flows: flow entries, by table and then by priority, the highest first.
        groups: groups with their buckets and counters.
        meters: meters with their bands and counters.
        ports: ports with their counters.
    """

    flows: tuple[str, ...]
    groups: tuple[str, ...]
    meters: tuple[str, ...]
    ports: tuple[str, ...]


def states(switches: Mapping[str, OpenFlowSwitch]) -> dict[str, SwitchState]:
    """Return what switches hold now, by name."""
    return {name: state_of(switch) for name, switch in switches.items()}


def state_of(switch: OpenFlowSwitch) -> SwitchState:
    """Return what a switch holds now; nothing changes but that counters are settled."""
    now = switch.world.scheduler.now
    datapath = switch.datapath
    entries = sorted(
        datapath.entries(FlowStatsRequest()),
        key=lambda entry: (entry.table_id, -entry.priority, entry.sequence),
    )
    return SwitchState(
        tuple(_flow(entry, now) for entry in entries),
        tuple(_group(group) for group in datapath.state.groups),
        tuple(_meter(meter) for meter in datapath.state.meters),
        tuple(_port(port) for port in switch.ports.values()),
    )


def _flow(entry: FlowEntry, now: int) -> str:
    parts = [
        f"cookie={entry.cookie:#x}",
        f"duration={(now - entry.created_ns) / NS_PER_S:.3f}s",
        f"table={entry.table_id}",
        f"n_packets={entry.packets}",
        f"n_bytes={entry.bytes}",
    ]
    if entry.idle_timeout_ns:
        parts.append(f"idle_timeout={entry.idle_timeout_ns // NS_PER_S}")
    if entry.hard_timeout_ns:
        parts.append(f"hard_timeout={entry.hard_timeout_ns // NS_PER_S}")
    parts += [name for flag, name in _FLAGS.items() if entry.flags & flag]
    match = f",{entry.match}" if entry.match.fields else ""
    actions = instructions_text(entry.instructions)
    return f"{', '.join(parts)}, priority={entry.priority}{match} actions={actions}"


def _group(group: Group) -> str:
    buckets = "".join(
        f",bucket={f'weight:{bucket.spec.weight},' if bucket.spec.weight else ''}"
        f"packet_count:{bucket.tally.packets},byte_count:{bucket.tally.bytes},"
        f"actions={actions_text(bucket.spec.actions)}"
        for bucket in group.buckets
    )
    kind = _GROUP_TYPES[OFPGT(group.type)]
    return (
        f"group_id={group.group_id},type={kind},packet_count={group.tally.packets},"
        f"byte_count={group.tally.bytes}{buckets}"
    )


def _meter(meter: Meter) -> str:
    flags = " ".join(name for flag, name in _METER_FLAGS.items() if meter.flags & flag)
    bands = []
    for band in meter.bands:
        spec = band.spec
        text = f"type={'drop' if isinstance(spec, DropBand) else 'dscp_remark'} rate={spec.rate}"
        if spec.burst_size:
            text += f" burst_size={spec.burst_size}"
        if isinstance(spec, DscpRemarkBand):
            text += f" prec_level={spec.prec_level}"
        bands.append(f"{text} packet_count:{band.tally.packets} byte_count:{band.tally.bytes}")
    return (
        f"meter={meter.meter_id} {flags} packet_in_count:{meter.tally.packets} "
        f"byte_in_count:{meter.tally.bytes} bands={'; '.join(bands)}"
    )


def _port(port: Port) -> str:
    number = oxm.IN_PORT.text(port.number)
    return (
        f"port {number}({port.name}): {'up' if port.up else 'down'}, addr={port.mac}, "
        f"rx pkts={port.rx_packets}, bytes={port.rx_bytes}, drop={port.rx_dropped}, "
        f"tx pkts={port.tx_packets}, bytes={port.tx_bytes}, drop={port.tx_dropped}"
    )
