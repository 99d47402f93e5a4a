"""What the switch answers and tells, in the words of OpenFlow 1.0."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v10.constants import OFPAT, OFPC, OFPPC, OFPPS, OFPR, OFPRR
from sdnvirt.openflow.v10.features import Desc, FeaturesReply, TableStats
from sdnvirt.openflow.v10.flow import AggregateStats, FlowRemoved, FlowStats
from sdnvirt.openflow.v10.packets import PacketIn
from sdnvirt.openflow.v10.ports import PortDesc, PortStats, PortStatus
from sdnvirt.openflow.v10.queues import MinRate, PacketQueue, QueueGetConfigReply, QueueStats
from sdnvirt.openflow.v10.translate.actions import actions_to_v10
from sdnvirt.openflow.v10.translate.features import features_to_v10
from sdnvirt.openflow.v10.translate.match import match_to_v10
from sdnvirt.openflow.v10.translate.ports import port_to_v10
from sdnvirt.openflow.v13 import features, flow, oxm, packets, ports, queues, tables
from sdnvirt.openflow.v13.constants import OFPP
from sdnvirt.openflow.v13.constants import OFPPS as OFPPS13
from sdnvirt.openflow.v13.instructions import ApplyActions, Instruction

_SHARED_CAPABILITIES: Final = (
    OFPC.FLOW_STATS | OFPC.TABLE_STATS | OFPC.PORT_STATS | OFPC.IP_REASM | OFPC.QUEUE_STATS
)
"""Capabilities that both versions have, at the same bits."""

_ALL_ACTIONS: Final = sum(1 << action for action in OFPAT if action != OFPAT.VENDOR)
_ALL_PORT_CONFIG: Final = sum(OFPPC)


def features_reply(reply: features.FeaturesReply, descs: Iterable[ports.PortDesc]) -> FeaturesReply:
    """Return the switch's features; the addresses in ARP packets are always matched.

    Args:
        reply: the features in OpenFlow 1.3.
        descs: all ports, which 1.3 describes in another message.
    """
    return FeaturesReply(
        reply.datapath_id,
        reply.n_buffers,
        reply.n_tables,
        reply.capabilities & _SHARED_CAPABILITIES | OFPC.ARP_MATCH_IP,
        _ALL_ACTIONS,
        tuple(map(port_desc, descs)),
    )


def desc(entry: features.Desc) -> Desc:
    """Return the switch's description."""
    return Desc(entry.mfr_desc, entry.hw_desc, entry.sw_desc, entry.serial_num, entry.dp_desc)


def port_desc(entry: ports.PortDesc) -> PortDesc:
    """Return a port's description; one that is blocked is not in the spanning tree."""
    state = entry.state & OFPPS13.LINK_DOWN
    if entry.state & OFPPS13.BLOCKED:
        state |= OFPPS.STP_BLOCK
    return PortDesc(
        port_to_v10(entry.port_no),
        entry.hw_addr,
        entry.name,
        entry.config & _ALL_PORT_CONFIG,
        state,
        features_to_v10(entry.curr),
        features_to_v10(entry.advertised),
        features_to_v10(entry.supported),
        features_to_v10(entry.peer),
    )


def port_status(message: ports.PortStatus) -> PortStatus:
    """Return what happened to a port; the reasons have the same numbers."""
    return PortStatus(message.reason, port_desc(message.desc))


def packet_in(message: packets.PacketIn) -> PacketIn:
    """Return the packet-in; that a TTL expired is an action's doing in OpenFlow 1.0."""
    in_port = next(
        (one.value for one in message.match.fields if one.field is oxm.IN_PORT), OFPP.ANY
    )
    return PacketIn(
        message.buffer_id,
        message.total_len,
        port_to_v10(in_port),
        OFPR.NO_MATCH if message.reason == OFPR.NO_MATCH else OFPR.ACTION,
        message.data,
    )


def flow_removed(message: flow.FlowRemoved) -> FlowRemoved:
    """Return that a flow entry is gone; with its group is the same as deleted."""
    return FlowRemoved(
        match_to_v10(message.match),
        message.cookie,
        message.priority,
        min(message.reason, OFPRR.DELETE),
        message.duration_sec,
        message.duration_nsec,
        message.idle_timeout,
        message.packet_count,
        message.byte_count,
    )


def flow_stats(entry: flow.FlowStats) -> FlowStats:
    """Return a flow entry; of what is not of OpenFlow 1.0, its applied actions as far as known."""
    return FlowStats(
        entry.table_id,
        match_to_v10(entry.match),
        entry.duration_sec,
        entry.duration_nsec,
        entry.priority,
        entry.idle_timeout,
        entry.hard_timeout,
        entry.cookie,
        entry.packet_count,
        entry.byte_count,
        actions_to_v10(_applied(entry.instructions)),
    )


def _applied(instructions: tuple[Instruction, ...]) -> tuple[Action, ...]:
    return next((one.actions for one in instructions if isinstance(one, ApplyActions)), ())


def aggregate_stats(entry: flow.AggregateStats) -> AggregateStats:
    """Return the sums over flow entries."""
    return AggregateStats(entry.packet_count, entry.byte_count, entry.flow_count)


def table_stats(entry: tables.TableStats, max_entries: int) -> TableStats:
    """Return a table's counters.

    Args:
        entry: the counters in OpenFlow 1.3.
        max_entries: entries that the table has room for.
    """
    return TableStats(
        entry.table_id,
        f"table{entry.table_id}",
        max_entries=max_entries,
        active_count=entry.active_count,
        lookup_count=entry.lookup_count,
        matched_count=entry.matched_count,
    )


def port_stats(entry: ports.PortStats) -> PortStats:
    """Return a port's counters, without its age."""
    return PortStats(
        port_to_v10(entry.port_no),
        entry.rx_packets,
        entry.tx_packets,
        entry.rx_bytes,
        entry.tx_bytes,
        entry.rx_dropped,
        entry.tx_dropped,
        entry.rx_errors,
        entry.tx_errors,
        entry.rx_frame_err,
        entry.rx_over_err,
        entry.rx_crc_err,
        entry.collisions,
    )


def queue_stats(entry: queues.QueueStats) -> QueueStats:
    """Return a queue's counters, without its age."""
    return QueueStats(
        port_to_v10(entry.port_no),
        entry.queue_id,
        entry.tx_bytes,
        entry.tx_packets,
        entry.tx_errors,
    )


def queue_get_config_reply(message: queues.QueueGetConfigReply) -> QueueGetConfigReply:
    """Return a port's queues with their minimum rates, which is all that OpenFlow 1.0 has."""
    return QueueGetConfigReply(
        port_to_v10(message.port),
        tuple(
            PacketQueue(
                queue.queue_id,
                tuple(
                    MinRate(one.rate) for one in queue.properties if isinstance(one, queues.MinRate)
                ),
            )
            for queue in message.queues
        ),
    )
