"""Features, configuration, barriers, and errors of the controller's (7.3.1, 7.3.2, 7.3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.devices.buffers import BUFFERS
from sdnvirt.devices.of13.handler import Handlers
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import OFPC, OFPTT, OFPCFrag
from sdnvirt.openflow.v13.error_codes import OFPSCFC, refuse
from sdnvirt.openflow.v13.features import (
    FeaturesReply,
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    SetConfig,
)

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent

TABLES: Final = OFPTT.MAX + 1
"""Flow tables of a switch, numbered from 0: OpenFlow's own maximum (7.3.3)."""


def _error(agent: Agent, error: Error) -> None:
    """Take note of what the controller did not like; errors are not answered (7.5.4)."""
    agent.last_error = f"from the controller: type {error.error_type}, code {error.code}"


def _features(agent: Agent, _request: FeaturesRequest) -> Message:
    capabilities = OFPC.FLOW_STATS | OFPC.TABLE_STATS | OFPC.PORT_STATS | OFPC.GROUP_STATS
    return FeaturesReply(agent.switch.dpid, BUFFERS, TABLES, 0, capabilities)


def _get_config(agent: Agent, _request: GetConfigRequest) -> Message:
    return GetConfigReply(OFPCFrag.NORMAL, agent.miss_send_len)


def _set_config(agent: Agent, request: SetConfig) -> None:
    if request.flags != OFPCFrag.NORMAL:
        raise refuse(OFPSCFC.BAD_FLAGS, "fragments are handled as they come, only")
    agent.miss_send_len = request.miss_send_len


def _barrier(_agent: Agent, _request: BarrierRequest) -> Message:
    return BarrierReply()  # every message has taken effect when the next one is read


HANDLERS: Final[Handlers] = {
    Error: _error,
    FeaturesRequest: _features,
    GetConfigRequest: _get_config,
    SetConfig: _set_config,
    BarrierRequest: _barrier,
}
