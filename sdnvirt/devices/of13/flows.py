"""Flow mods and packet-outs (7.3.4.1 and 7.3.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.devices.of13.handler import Handlers
from sdnvirt.frame import Frame
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import NO_BUFFER, OFPFC, OFPP
from sdnvirt.openflow.v13.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.packets import PacketOut

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent

_THROUGH_TABLES: Final = (Output(OFPP.TABLE),)

_DELETES: Final = (OFPFC.DELETE, OFPFC.DELETE_STRICT)
"""Commands for which a buffer has no meaning (7.3.4.1)."""


def _flow_mod(agent: Agent, mod: FlowMod) -> None:
    agent.switch.modify_flow(mod)
    if mod.buffer_id != NO_BUFFER and mod.command not in _DELETES:
        _packet_out(agent, PacketOut(mod.buffer_id, actions=_THROUGH_TABLES))


def _packet_out(agent: Agent, message: PacketOut) -> None:
    switch = agent.switch
    in_port = message.in_port
    if message.buffer_id == NO_BUFFER:
        if not message.data:
            raise refuse(OFPBRC.BAD_PACKET, "a packet-out without a packet")
        if in_port not in switch.ports and in_port != OFPP.CONTROLLER:
            raise refuse(OFPBRC.BAD_PORT, f"no port {in_port:#x} to come from")
        frame = Frame(message.data, switch.buffers.provenance_of(message.data))
    else:
        buffered = switch.buffers.take(message.buffer_id)
        if buffered is None:
            raise refuse(OFPBRC.BUFFER_UNKNOWN, f"no buffer {message.buffer_id}")
        in_port, frame = buffered
    switch.packet_out(in_port, frame, message.actions)


HANDLERS: Final[Handlers] = {FlowMod: _flow_mod, PacketOut: _packet_out}
