"""What a controller of OpenFlow 1.0 asks, in the words of OpenFlow 1.3."""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.element import pack_all
from sdnvirt.openflow.errors import too_many_actions
from sdnvirt.openflow.header import DESCRIBED_MAX
from sdnvirt.openflow.v10.constants import EXACT_PRIORITY, OFPFC, OFPFF, OFPP
from sdnvirt.openflow.v10.error_codes import OFPFMFC, refuse
from sdnvirt.openflow.v10.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v10.packets import PacketOut
from sdnvirt.openflow.v10.ports import PortMod, PortStatsRequest
from sdnvirt.openflow.v10.queues import QueueGetConfigRequest, QueueStatsRequest
from sdnvirt.openflow.v10.translate.actions import actions_to_v13
from sdnvirt.openflow.v10.translate.features import features_to_v13
from sdnvirt.openflow.v10.translate.match import match_to_v13
from sdnvirt.openflow.v10.translate.ports import port_to_v13
from sdnvirt.openflow.v13 import flow, packets, ports, queues
from sdnvirt.openflow.v13.constants import OFPFF as OFPFF13
from sdnvirt.openflow.v13.constants import OFPP as OFPP13
from sdnvirt.openflow.v13.constants import OFPTT
from sdnvirt.openflow.v13.instructions import ApplyActions

FLOW_TABLE: Final = 0
"""The table to which OpenFlow 1.0, which knows of no pipeline, adds entries."""


def flow_mod(mod: FlowMod) -> flow.FlowMod:
    """Return the flow mod for the datapath.

    Entries are added to table 0 and deleted from all tables. An entry without wildcards gets the
    highest priority, and one that replaces another starts with counters of zero (3.4 and 4.6). A
    MODIFY that changes nothing adds in OpenFlow 1.0 (4.6) but not in 1.3: that is the caller's.

    Raises:
        OpenFlowError: the entry is for emergencies, for which there is no table, an action of a
            known vendor breaks that vendor's rules, or no message of 1.3 could tell of all actions.
    """
    if mod.flags & OFPFF.EMERG:
        if mod.idle_timeout or mod.hard_timeout:
            raise refuse(OFPFMFC.BAD_EMERG_TIMEOUT, "an emergency flow entry with a timeout")
        raise refuse(OFPFMFC.ALL_TABLES_FULL, "there is no table of emergency flow entries")
    deletes = mod.command in (OFPFC.DELETE, OFPFC.DELETE_STRICT)
    actions = actions_to_v13(mod.actions)
    told = len(pack_all(actions))
    if told > DESCRIBED_MAX:  # some take six times the room in OpenFlow 1.3
        raise too_many_actions(f"a flow entry of {told} bytes")
    flags = mod.flags
    if mod.command == OFPFC.ADD:
        flags |= OFPFF13.RESET_COUNTS
    return flow.FlowMod(
        cookie=mod.cookie,
        table_id=OFPTT.ALL if deletes else FLOW_TABLE,
        command=mod.command,
        idle_timeout=mod.idle_timeout,
        hard_timeout=mod.hard_timeout,
        priority=EXACT_PRIORITY if mod.match.is_exact else mod.priority,
        buffer_id=mod.buffer_id,
        out_port=port_to_v13(mod.out_port),
        flags=flags,
        match=match_to_v13(mod.match),
        instructions=(ApplyActions(actions),) if actions else (),
    )


def packet_out(message: PacketOut) -> packets.PacketOut:
    """Return the packet-out for the datapath; a packet from no port is from the controller."""
    in_port = message.in_port
    return packets.PacketOut(
        message.buffer_id,
        OFPP13.CONTROLLER if in_port == OFPP.NONE else port_to_v13(in_port),
        actions_to_v13(message.actions),
        message.data,
    )


def port_mod(mod: PortMod) -> ports.PortMod:
    """Return the port mod for the switch.

    The configuration bits that OpenFlow 1.3 no longer has (NO_STP, NO_RECV_STP and NO_FLOOD) keep
    their places, which 1.3 leaves free.
    """
    return ports.PortMod(
        port_to_v13(mod.port_no),
        mod.hw_addr,
        mod.config,
        mod.mask,
        features_to_v13(mod.advertise),
    )


def flow_stats_request(request: FlowStatsRequest) -> flow.FlowStatsRequest:
    """Return which flow entries are meant; the table of emergency entries is one that is empty."""
    return flow.FlowStatsRequest(
        table_id=request.table_id,
        out_port=port_to_v13(request.out_port),
        match=match_to_v13(request.match),
    )


def port_stats_request(request: PortStatsRequest) -> ports.PortStatsRequest:
    """Return which port is meant."""
    return ports.PortStatsRequest(port_to_v13(request.port_no))


def queue_stats_request(request: QueueStatsRequest) -> queues.QueueStatsRequest:
    """Return which queues are meant; OFPP.ALL, which means every port here, is OFPP.ANY there."""
    port_no = request.port_no
    any_port = port_no in (OFPP.ALL, OFPP.NONE)
    return queues.QueueStatsRequest(
        OFPP13.ANY if any_port else port_to_v13(port_no), request.queue_id
    )


def queue_get_config_request(request: QueueGetConfigRequest) -> queues.QueueGetConfigRequest:
    """Return which port's queues are meant."""
    return queues.QueueGetConfigRequest(port_to_v13(request.port))
