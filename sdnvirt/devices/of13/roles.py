"""Role requests and the configuration of asynchronous messages (7.3.9 and 7.3.10)."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Final

from sdnvirt.devices.of13.handler import Handlers
from sdnvirt.devices.roles import AsyncMasks
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13.roles import (
    GetAsyncReply,
    GetAsyncRequest,
    RoleReply,
    RoleRequest,
    SetAsync,
)

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent

NO_GENERATION: Final = (1 << 64) - 1
"""Told while no controller has named a generation (7.3.9)."""


def _role(agent: Agent, request: RoleRequest) -> Message:
    switch = agent.switch
    switch.mastership.request(switch.agents, agent, request.role, request.generation_id)
    generation_id = switch.mastership.generation_id
    return RoleReply(agent.standing.role, NO_GENERATION if generation_id is None else generation_id)


def _get_async(agent: Agent, _request: GetAsyncRequest) -> Message:
    return GetAsyncReply(*astuple(agent.standing.masks))


def _set_async(agent: Agent, request: SetAsync) -> None:
    agent.standing.masks = AsyncMasks(*astuple(request))


HANDLERS: Final[Handlers] = {
    RoleRequest: _role,
    GetAsyncRequest: _get_async,
    SetAsync: _set_async,
}
