"""The dialect of OpenFlow 1.3.5: handlers by message type, and the asynchronous messages (7.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.datapath.flow import Punt
from sdnvirt.datapath.flow_entries import Removal
from sdnvirt.devices.device import Port
from sdnvirt.devices.of13 import (
    basics,
    flows,
    groups,
    meters,
    ports,
    queues,
    roles,
    statistics,
    tables,
)
from sdnvirt.devices.of13.handler import Answers, Entries, Handlers
from sdnvirt.frame import Frame
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPCR, OFPMP
from sdnvirt.openflow.v13.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v13.experimenter import ExperimenterMultipart
from sdnvirt.openflow.v13.flow import FlowMod, FlowRemoved
from sdnvirt.openflow.v13.groups import GroupMod
from sdnvirt.openflow.v13.match import Match, OxmMatch
from sdnvirt.openflow.v13.meters import MeterMod
from sdnvirt.openflow.v13.multipart import MultipartReply, MultipartRequest
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from sdnvirt.openflow.v13.ports import PortMod, PortStatus
from sdnvirt.openflow.v13.tables import TableMod
from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent
    from sdnvirt.devices.switch import OpenFlowSwitch


def _experimenter(_switch: OpenFlowSwitch, request: Entries) -> Entries:
    (wanted,) = request
    assert isinstance(wanted, ExperimenterMultipart)
    raise refuse(OFPBRC.BAD_EXPERIMENTER, f"nothing is known of {wanted.experimenter:#x}")


ANSWERS: Final[Answers] = {
    **statistics.ANSWERS,
    **groups.ANSWERS,
    **meters.ANSWERS,
    **queues.ANSWERS,
    **tables.ANSWERS,
    OFPMP.EXPERIMENTER: _experimenter,
}
"""How each kind of multipart request is answered; one that is not here is refused."""


def _multipart(agent: Agent, part: MultipartRequest) -> Message | None:
    if agent.standing.role == OFPCR.SLAVE and part.kind == OFPMP.TABLE_FEATURES and part.entries:
        raise refuse(OFPBRC.IS_SLAVE, "table features from a slave")
    request = agent.parts.join(agent.xid, part)
    if request is None:
        return None
    answer = ANSWERS.get(request.kind)
    if answer is None:
        raise refuse(OFPBRC.BAD_MULTIPART, f"multipart type {request.kind} is not supported")
    return MultipartReply(request.kind, answer(agent.switch, request.entries))


HANDLERS: Final[Handlers] = {
    MultipartRequest: _multipart,
    **basics.HANDLERS,
    **flows.HANDLERS,
    **groups.HANDLERS,
    **meters.HANDLERS,
    **ports.HANDLERS,
    **queues.HANDLERS,
    **roles.HANDLERS,
    **tables.HANDLERS,
}
"""How each request is handled; a type that is not here is refused."""

NOT_FOR_SLAVES: Final[frozenset[type[Message]]] = frozenset(
    {FlowMod, GroupMod, MeterMod, PacketOut, PortMod, TableMod}
)
"""What a controller must not do while it is a slave (OFPBRC_IS_SLAVE)."""

LENGTH_MAX: Final = 0xFFFF
"""The length of a packet in a packet-in has 16 bits, the largest IP packet with its header 17."""


class Dialect13:
    """OpenFlow 1.3.5 from the switch's side."""

    hears_misses = False
    has_auxiliaries = True

    def answer(self, agent: Agent, request: Message) -> Message | None:
        """Carry out a request; return the answer if there is one."""
        handler = HANDLERS.get(type(request))
        if handler is None:
            raise refuse(OFPBRC.BAD_TYPE, f"{type(request).__name__} is not supported")
        if agent.standing.role == OFPCR.SLAVE and type(request) in NOT_FOR_SLAVES:
            raise refuse(OFPBRC.IS_SLAVE, f"{type(request).__name__} from a slave")
        return handler(agent, request)

    def packet_in(
        self, in_port: int, frame: Frame, punt: Punt, buffer_id: int, data: bytes
    ) -> PacketIn:
        """Return the packet-in for a packet (7.4.1)."""
        fields = [OxmMatch(oxm.IN_PORT, in_port)]
        if frame.tunnel_id:
            fields.append(OxmMatch(oxm.TUNNEL_ID, frame.tunnel_id))
        if frame.tunnel_src:
            fields.append(OxmMatch(nxm.TUN_IPV4_SRC, frame.tunnel_src))
        if frame.tunnel_dst:
            fields.append(OxmMatch(nxm.TUN_IPV4_DST, frame.tunnel_dst))
        match = Match(tuple(fields))
        size = min(frame.size, LENGTH_MAX)
        return PacketIn(buffer_id, size, punt.reason, punt.table_id, punt.cookie, match, data)

    def port_status(self, reason: int, port: Port, config: int) -> PortStatus:
        """Return the port status for a port (7.4.3)."""
        return PortStatus(reason, statistics.port_desc(port, config))

    def flow_removed(self, removal: Removal, now: int) -> FlowRemoved:
        """Return the flow removed message for an entry (7.4.2)."""
        entry = removal.entry
        age = now - entry.created_ns
        return FlowRemoved(
            entry.cookie,
            entry.priority,
            removal.reason,
            entry.table_id,
            age // NS_PER_S,
            age % NS_PER_S,
            entry.idle_timeout_ns // NS_PER_S,
            entry.hard_timeout_ns // NS_PER_S,
            statistics.packet_count(entry),
            statistics.byte_count(entry),
            entry.match,
        )
