"""Queues: their configuration and statistics (7.2.2, 7.3.5.8 and 7.3.6).

OpenFlow 1.3 tells of queues and cannot make them. It tells rates in tenths of a percent of the
link's, so those of queues on links of unlimited rate are not told.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Final

from sdnvirt.devices.of13.handler import Answers, Entries, Handlers, age
from sdnvirt.devices.queues import PortQueues, Queue
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13.constants import OFPMP, OFPP, QUEUE_ALL
from sdnvirt.openflow.v13.error_codes import OFPQOFC, refuse
from sdnvirt.openflow.v13.queues import (
    MaxRate,
    MinRate,
    PacketQueue,
    QueueGetConfigReply,
    QueueGetConfigRequest,
    QueueProperty,
    QueueStats,
    QueueStatsRequest,
)

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent
    from sdnvirt.devices.switch import OpenFlowSwitch

QUEUES_TOLD: Final = 1_364
"""Queues that a configuration has room for: up to 48 bytes each in 64 KiB, less its fixed part. It
cannot be continued; who asks about one port is told of its first ones."""

_WHOLE: Final = 1_000
"""Tenths of a percent."""


def _chosen(switch: OpenFlowSwitch, port_no: int) -> Iterable[tuple[int, PortQueues]]:
    """Return the ports with queues that a request is about, in order of number."""
    if port_no == OFPP.ANY:
        return sorted(switch.queues.items())
    if port_no > OFPP.MAX or port_no not in switch.ports:  # reserved ports have none (7.3.6)
        raise refuse(OFPQOFC.BAD_PORT, f"no port {port_no:#x}")
    queues = switch.queues.get(port_no)
    return () if queues is None else ((port_no, queues),)


def _get_config(agent: Agent, request: QueueGetConfigRequest) -> Message:
    found = (
        PacketQueue(queue_id, number, _properties(queue, queues.rate_bps))
        for number, queues in _chosen(agent.switch, request.port)
        for queue_id, queue in queues.numbered.items()
    )
    return QueueGetConfigReply(request.port, tuple(islice(found, QUEUES_TOLD)))


def _properties(queue: Queue, rate_bps: int | None) -> tuple[QueueProperty, ...]:
    properties: list[QueueProperty] = []
    if rate_bps is not None and queue.min_rate_bps:
        properties.append(MinRate(queue.min_rate_bps * _WHOLE // rate_bps))
    if rate_bps is not None and queue.max_rate_bps is not None:
        properties.append(MaxRate(min(_WHOLE, queue.max_rate_bps * _WHOLE // rate_bps)))
    return tuple(properties)


def _stats(switch: OpenFlowSwitch, request: Entries) -> Entries:
    (wanted,) = request
    assert isinstance(wanted, QueueStatsRequest)
    stats = tuple(
        QueueStats(
            number,
            queue_id,
            queue.tx_bytes,
            queue.tx_packets,
            queue.tx_errors,
            *age(switch, queue.created_ns),
        )
        for number, queues in _chosen(switch, wanted.port_no)
        for queue_id, queue in queues.numbered.items()
        if wanted.queue_id in (QUEUE_ALL, queue_id)
    )
    if not stats and wanted.queue_id != QUEUE_ALL:
        raise refuse(OFPQOFC.BAD_QUEUE, f"no queue {wanted.queue_id} at {wanted.port_no:#x}")
    return stats


HANDLERS: Final[Handlers] = {QueueGetConfigRequest: _get_config}
ANSWERS: Final[Answers] = {OFPMP.QUEUE: _stats}
