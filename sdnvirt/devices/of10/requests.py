"""Requests: what OpenFlow 1.0 asks, carried out as OpenFlow 1.3's would be (1.0.0, 5.3).

What is done, and what is refused, stands once, in :mod:`sdnvirt.devices.of13`; here stands only
how the older version differs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.table import covers
from sdnvirt.devices.of10.ports import all_described, modify_port
from sdnvirt.devices.of10.statistics import statistics
from sdnvirt.devices.of13.dialect import HANDLERS as HANDLERS13
from sdnvirt.devices.of13.handler import Handlers
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v10.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v10.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v10.features import (
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    SetConfig,
)
from sdnvirt.openflow.v10.flow import FlowMod
from sdnvirt.openflow.v10.packets import PacketOut
from sdnvirt.openflow.v10.ports import PortMod
from sdnvirt.openflow.v10.queues import QueueGetConfigRequest
from sdnvirt.openflow.v10.statistics import StatsRequest
from sdnvirt.openflow.v10.translate import replies, requests
from sdnvirt.openflow.v10.vendor import Vendor
from sdnvirt.openflow.v13 import barrier, features, flow, queues
from sdnvirt.openflow.v13.constants import OFPFC

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent

_MODIFIES: Final = (OFPFC.MODIFY, OFPFC.MODIFY_STRICT)


def _as_of13(agent: Agent, request: Message) -> Message | None:
    """Carry out a request of OpenFlow 1.3.

    Raises:
        OpenFlowError: it cannot be carried out; the error is one of OpenFlow 1.3.
    """
    handler = HANDLERS13.get(type(request))
    if handler is None:
        raise refuse(OFPBRC.BAD_TYPE, f"{type(request).__name__} is not supported")
    return handler(agent, request)


def _error(agent: Agent, error: Error) -> None:
    _as_of13(agent, error)


def _features(agent: Agent, _request: FeaturesRequest) -> Message:
    reply = _as_of13(agent, features.FeaturesRequest())
    assert isinstance(reply, features.FeaturesReply)
    return replies.features_reply(reply, all_described(agent.switch))


def _get_config(agent: Agent, _request: GetConfigRequest) -> Message:
    reply = _as_of13(agent, features.GetConfigRequest())
    assert isinstance(reply, features.GetConfigReply)
    return GetConfigReply(reply.flags, reply.miss_send_len)


def _set_config(agent: Agent, request: SetConfig) -> None:
    _as_of13(agent, features.SetConfig(request.flags, request.miss_send_len))


def _flow_mod(agent: Agent, message: FlowMod) -> None:
    mod = requests.flow_mod(message)
    if mod.command in _MODIFIES and not _finds(agent.switch.datapath, mod):
        mod = replace(mod, command=OFPFC.ADD)  # 4.6
    _as_of13(agent, mod)


def _finds(datapath: Datapath, mod: flow.FlowMod) -> bool:
    """Return whether there is an entry that a modification is about."""
    table = datapath.tables.get(mod.table_id)
    if table is None:
        return False
    if mod.command == OFPFC.MODIFY_STRICT:
        return table.strict(mod.priority, mod.match) is not None
    return any(covers(mod.match, entry.match) for entry in table)


def _packet_out(agent: Agent, message: PacketOut) -> None:
    _as_of13(agent, requests.packet_out(message))


def _stats(agent: Agent, request: StatsRequest) -> Message:
    return statistics(agent.switch, request)


def _queues(agent: Agent, request: QueueGetConfigRequest) -> Message:
    reply = _as_of13(agent, requests.queue_get_config_request(request))
    assert isinstance(reply, queues.QueueGetConfigReply)
    return replies.queue_get_config_reply(reply)


def _barrier(agent: Agent, _request: BarrierRequest) -> Message:
    _as_of13(agent, barrier.BarrierRequest())
    return BarrierReply()


def _vendor(_agent: Agent, message: Vendor) -> None:
    raise refuse(OFPBRC.BAD_VENDOR, f"nothing is known of vendor {message.vendor:#x}")


HANDLERS: Final[Handlers] = {
    Error: _error,
    FeaturesRequest: _features,
    GetConfigRequest: _get_config,
    SetConfig: _set_config,
    FlowMod: _flow_mod,
    PacketOut: _packet_out,
    PortMod: modify_port,
    StatsRequest: _stats,
    QueueGetConfigRequest: _queues,
    BarrierRequest: _barrier,
    Vendor: _vendor,
}
"""How each request is handled; a type that is not here is refused."""
