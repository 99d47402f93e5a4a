"""Features, configuration, barriers, errors of the controller's (7.3.1, 7.3.2, 7.3.8, 7.4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.devices.buffers import BUFFERS
from sdnvirt.devices.of13.handler import Handlers
from sdnvirt.devices.of13.tables import TABLES
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import OFPC, OFPCFrag
from sdnvirt.openflow.v13.error_codes import OFPBRC, OFPSCFC, refuse
from sdnvirt.openflow.v13.experimenter import Experimenter
from sdnvirt.openflow.v13.features import (
    FeaturesReply,
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    SetConfig,
)

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent


_CAPABILITIES: Final = (
    OFPC.FLOW_STATS | OFPC.TABLE_STATS | OFPC.PORT_STATS | OFPC.GROUP_STATS | OFPC.QUEUE_STATS
)
"""Fragments are not reassembled, and no port is blocked by a spanning tree."""


def _error(agent: Agent, error: Error) -> None:
    """Take note of what the controller did not like; errors are not answered."""
    agent.last_error = f"from the controller: type {error.error_type}, code {error.code}"


def _features(agent: Agent, _request: FeaturesRequest) -> Message:
    agent.introduced()
    return FeaturesReply(agent.switch.dpid, BUFFERS, TABLES, agent.auxiliary_id, _CAPABILITIES)


def _get_config(agent: Agent, _request: GetConfigRequest) -> Message:
    drops = agent.switch.datapath.state.drops_fragments
    return GetConfigReply(OFPCFrag.DROP if drops else OFPCFrag.NORMAL, agent.standing.miss_send_len)


def _set_config(agent: Agent, request: SetConfig) -> None:
    if request.flags not in (OFPCFrag.NORMAL, OFPCFrag.DROP):
        raise refuse(OFPSCFC.BAD_FLAGS, "fragments are not reassembled")
    agent.switch.datapath.drop_fragments(request.flags == OFPCFrag.DROP)
    agent.standing.miss_send_len = request.miss_send_len


def _barrier(_agent: Agent, _request: BarrierRequest) -> Message:
    return BarrierReply()  # every message has taken effect when the next one is read


def _experimenter(_agent: Agent, message: Experimenter) -> None:
    raise refuse(OFPBRC.BAD_EXPERIMENTER, f"nothing is known of {message.experimenter:#x}")


HANDLERS: Final[Handlers] = {
    Error: _error,
    FeaturesRequest: _features,
    GetConfigRequest: _get_config,
    SetConfig: _set_config,
    BarrierRequest: _barrier,
    Experimenter: _experimenter,
}
