"""The dialect of OpenFlow 1.0.0: translated requests, errors and asynchronous messages (5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.datapath.flow import Punt
from sdnvirt.datapath.flow_entries import Removal
from sdnvirt.devices.device import Port
from sdnvirt.devices.of10.ports import described, has_number
from sdnvirt.devices.of10.requests import HANDLERS
from sdnvirt.devices.of13.dialect import Dialect13
from sdnvirt.frame import Frame
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v10.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v10.translate import replies
from sdnvirt.openflow.v10.translate.errors import error_to_v10
from sdnvirt.openflow.v13 import ports

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent

_OF13: Final = Dialect13()


class Dialect10:
    """OpenFlow 1.0.0 from the switch's side."""

    hears_misses = True
    has_auxiliaries = False

    def answer(self, agent: Agent, request: Message) -> Message | None:
        """Carry out a request; return the answer if there is one."""
        handler = HANDLERS.get(type(request))
        if handler is None:
            raise refuse(OFPBRC.BAD_TYPE, f"{type(request).__name__} is no request")
        try:
            return handler(agent, request)
        except OpenFlowError as error:
            raise error_to_v10(error) from error

    def packet_in(
        self, in_port: int, frame: Frame, punt: Punt, buffer_id: int, data: bytes
    ) -> Message:
        """Return the packet-in for a packet (5.4.1)."""
        return replies.packet_in(_OF13.packet_in(in_port, frame, punt, buffer_id, data))

    def port_status(self, reason: int, port: Port, config: int) -> Message | None:
        """Return the port status for a port (5.4.3), unless the port has no number here."""
        if not has_number(port):
            return None
        return replies.port_status(ports.PortStatus(reason, described(port, config)))

    def flow_removed(self, removal: Removal, now: int) -> Message:
        """Return the flow removed message for an entry (5.4.2)."""
        return replies.flow_removed(_OF13.flow_removed(removal, now))
