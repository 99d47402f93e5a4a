"""What an agent needs to know of an OpenFlow version.

A dialect answers requests and words what the switch tells. There is one for each version, and they
hold no state: that of a connection is the agent's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sdnvirt.datapath.flow import Punt
from sdnvirt.datapath.flow_entries import Removal
from sdnvirt.devices.device import Port
from sdnvirt.frame import Frame
from sdnvirt.openflow.record import Message

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent


class Dialect(Protocol):
    """One version of OpenFlow, from the switch's side.

    Attributes:
        hears_misses: whether a controller is told of packets that match no entry of table 0.
        has_auxiliaries: whether there are auxiliary connections.
    """

    @property
    def hears_misses(self) -> bool: ...

    @property
    def has_auxiliaries(self) -> bool: ...

    def answer(self, agent: Agent, request: Message) -> Message | None:
        """Carry out a request; return the answer if there is one.

        Raises:
            OpenFlowError: the request cannot be carried out; the error is the answer.
        """
        ...

    def packet_in(
        self, in_port: int, frame: Frame, punt: Punt, buffer_id: int, data: bytes
    ) -> Message:
        """Return what tells the controller of a packet."""
        ...

    def port_status(self, reason: int, port: Port, config: int) -> Message | None:
        """Return what tells the controller that a port came, went or changed, if anything can.

        Args:
            reason: one of OFPPR.
            port: the port.
            config: its configuration, bits of OFPPC.
        """
        ...

    def flow_removed(self, removal: Removal, now: int) -> Message:
        """Return what tells the controller that a flow entry is gone."""
        ...
