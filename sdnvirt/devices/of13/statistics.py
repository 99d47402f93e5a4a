"""What an OpenFlow switch tells of itself: multipart answers and port descriptions.

OpenFlow 1.3.5, 7.2.1 and 7.3.5. A kind of multipart request without an answer in the table is
refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import dpid_text
from sdnvirt.datapath.entry import FlowEntry
from sdnvirt.devices.device import Port
from sdnvirt.devices.of13.handler import Answers, Entries, age
from sdnvirt.devices.of13.tables import TABLES
from sdnvirt.openflow.v13.constants import OFPFF, OFPMP, OFPP, OFPPC, OFPPS
from sdnvirt.openflow.v13.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v13.features import Desc
from sdnvirt.openflow.v13.flow import AggregateStats, FlowStats, FlowStatsRequest
from sdnvirt.openflow.v13.ports import PortDesc, PortStats, PortStatsRequest
from sdnvirt.openflow.v13.tables import TableStats
from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from sdnvirt.devices.switch import OpenFlowSwitch

NOT_COUNTED: Final = (1 << 64) - 1
"""A counter that is not kept (7.3.5.2)."""


_ALL_CONFIG: Final = sum(OFPPC)


def port_desc(port: Port, config: int) -> PortDesc:
    """Return the description of a port.

    Args:
        port: the port.
        config: bits of OFPPC; those that only OpenFlow 1.0 has are not told.
    """
    live = port.up and not config & OFPPC.PORT_DOWN
    state = 0 if port.up else OFPPS.LINK_DOWN
    state |= OFPPS.LIVE if live else 0
    return PortDesc(port.number, port.mac, port.name, config & _ALL_CONFIG, state)


def _desc(switch: OpenFlowSwitch, _request: Entries) -> Entries:
    return (Desc("sdnvirt", "emulated", "sdnvirt", dpid_text(switch.dpid), switch.name),)


def _port_descs(switch: OpenFlowSwitch, _request: Entries) -> Entries:
    configs = switch.datapath.state.configs
    ports = switch.ports.items()
    return tuple(port_desc(port, configs.get(number, 0)) for number, port in ports)


def _flows(switch: OpenFlowSwitch, request: Entries) -> Entries:
    now = switch.world.scheduler.now
    return tuple(_flow_stats(entry, now) for entry in _selected(switch, request))


def packet_count(entry: FlowEntry) -> int:
    """Return the packets that an entry matched, or NOT_COUNTED."""
    return NOT_COUNTED if entry.flags & OFPFF.NO_PKT_COUNTS else entry.packets


def byte_count(entry: FlowEntry) -> int:
    """Return the bytes that an entry matched, or NOT_COUNTED."""
    return NOT_COUNTED if entry.flags & OFPFF.NO_BYT_COUNTS else entry.bytes


def _flow_stats(entry: FlowEntry, now: int) -> FlowStats:
    age = now - entry.created_ns
    return FlowStats(
        entry.table_id,
        age // NS_PER_S,
        age % NS_PER_S,
        entry.priority,
        entry.idle_timeout_ns // NS_PER_S,
        entry.hard_timeout_ns // NS_PER_S,
        entry.flags,
        entry.cookie,
        packet_count(entry),
        byte_count(entry),
        entry.match,
        entry.instructions,
    )


def _aggregate(switch: OpenFlowSwitch, request: Entries) -> Entries:
    entries = _selected(switch, request)
    packets = sum(entry.packets for entry in entries)
    return (AggregateStats(packets, sum(entry.bytes for entry in entries), len(entries)),)


def _selected(switch: OpenFlowSwitch, request: Entries) -> list[FlowEntry]:
    (wanted,) = request
    assert isinstance(wanted, FlowStatsRequest)
    return list(switch.datapath.entries(wanted))


def _tables(switch: OpenFlowSwitch, _request: Entries) -> Entries:
    switch.datapath.settle()
    tables = switch.datapath.tables
    return tuple(
        TableStats(number, len(table), table.looked_up, table.matched)
        if (table := tables.get(number)) is not None
        else TableStats(number, 0, 0, 0)
        for number in range(TABLES)
    )


def _port_stats(switch: OpenFlowSwitch, request: Entries) -> Entries:
    (wanted,) = request
    assert isinstance(wanted, PortStatsRequest)
    if wanted.port_no == OFPP.ANY:
        ports = list(switch.ports.values())
    elif wanted.port_no in switch.ports:
        ports = [switch.ports[wanted.port_no]]
    else:
        raise refuse(OFPBRC.BAD_PORT, f"no port {wanted.port_no}")
    return tuple(
        PortStats(
            port.number,
            rx_packets=port.rx_packets,
            tx_packets=port.tx_packets,
            rx_bytes=port.rx_bytes,
            tx_bytes=port.tx_bytes,
            rx_dropped=port.rx_dropped,
            tx_dropped=port.tx_dropped,
            duration_sec=seconds,
            duration_nsec=nanoseconds,
        )
        for port in ports
        for seconds, nanoseconds in [age(switch, port.created_ns)]
    )


ANSWERS: Final[Answers] = {
    OFPMP.DESC: _desc,
    OFPMP.FLOW: _flows,
    OFPMP.AGGREGATE: _aggregate,
    OFPMP.TABLE: _tables,
    OFPMP.PORT_STATS: _port_stats,
    OFPMP.PORT_DESC: _port_descs,
}
