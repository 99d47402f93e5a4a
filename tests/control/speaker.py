"""An OpenFlow switch that only talks: the other end of a controller in tests.

It answers the handshake and keeps everything else that the controller sends, with its time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sdnvirt.addresses import Mac
from sdnvirt.devices.agent import ControllerPort, ControllerSide
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.openflow.channel import Channel, Received
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13.constants import OFPMP, OFPPS
from sdnvirt.openflow.v13.features import FeaturesReply, FeaturesRequest
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.multipart import MultipartReply, MultipartRequest
from sdnvirt.openflow.v13.packets import PacketIn
from sdnvirt.openflow.v13.ports import PortDesc, PortStatus

NO_BUFFER = 0xFFFFFFFF


class Switch:
    """One switch with a number of ports."""

    def __init__(self, scheduler: Scheduler, dpid: int, ports: Sequence[int] = (1, 2, 3)) -> None:
        self.scheduler = scheduler
        self.dpid = dpid
        self.ports = ports
        self.channel = Channel(echo_idle_ns=None)
        self.side: ControllerSide | None = None
        self.received: list[tuple[int, Any]] = []
        self.raw: list[tuple[int, bytes]] = []
        self.closed: list[str] = []

    def connect(self, controller: ControllerPort) -> None:
        """Open a connection with a fresh channel."""
        self.channel = Channel(echo_idle_ns=None)
        self.side = controller.connect(self.dpid, self._deliver, self.closed.append)
        self.channel.start()
        self._flush()

    def send(self, message: Message) -> None:
        """Send a message to the controller."""
        self.channel.send(message)
        self._flush()

    def packet_in(self, port: int, frame: bytes, buffer_id: int = NO_BUFFER) -> None:
        """Tell the controller of a frame without a flow entry."""
        match = Match.of(in_port=port)
        self.send(PacketIn(buffer_id, len(frame), 0, 0, 0, match, frame))

    def port_status(self, port: int, *, up: bool) -> None:
        """Tell the controller that a link came up or went down."""
        self.send(PortStatus(2, self._describe(port, OFPPS.LIVE if up else OFPPS.LINK_DOWN)))

    def messages(self, kind: type[Any]) -> list[Any]:
        """Return, in order, the messages of a kind that the controller sent."""
        return [message for _, message in self.received if isinstance(message, kind)]

    def _deliver(self, data: bytes) -> None:
        now = self.scheduler.now
        self.raw.append((now, data))
        for event in self.channel.receive(data):
            if isinstance(event, Received):
                self._take(event.xid, event.message)
        self._flush()

    def _take(self, xid: int, message: Message) -> None:
        self.received.append((self.scheduler.now, message))
        if isinstance(message, FeaturesRequest):
            self.channel.send(FeaturesReply(self.dpid, 0, 254, 0, 0), xid)
        elif isinstance(message, MultipartRequest) and message.kind == OFPMP.PORT_DESC:
            descriptions = tuple(self._describe(port, OFPPS.LIVE) for port in self.ports)
            self.channel.send(MultipartReply(OFPMP.PORT_DESC, descriptions), xid)

    def _describe(self, port: int, state: int) -> PortDesc:
        return PortDesc(port, Mac(self.dpid << 8 | port), f"port{port}", state=state)

    def _flush(self) -> None:
        data = self.channel.outgoing()
        if data and self.side is not None:
            self.side.feed(data)
