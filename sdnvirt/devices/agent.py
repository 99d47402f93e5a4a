"""The agent of an OpenFlow switch: its side of the conversation with one controller.

Requests are answered from a table of handlers, one for each type of message. A type without a
handler is refused with OFPBRC_BAD_TYPE: nothing is answered "ok" and then ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from sdnvirt.datapath.datapath import Removal
from sdnvirt.datapath.flow import Punt
from sdnvirt.devices import statistics
from sdnvirt.devices.buffers import BUFFERS
from sdnvirt.devices.device import Port
from sdnvirt.engine.scheduler import Timer
from sdnvirt.frame import Frame
from sdnvirt.openflow.channel import Channel, Established, Event, Failed, Received
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.codec import encode
from sdnvirt.openflow.v13.constants import NO_BUFFER, OFPC, OFPP, OFPPR, OFPCFrag
from sdnvirt.openflow.v13.error_codes import OFPBRC, OFPSCFC, refuse
from sdnvirt.openflow.v13.features import (
    FeaturesReply,
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    SetConfig,
)
from sdnvirt.openflow.v13.flow import FlowMod, FlowRemoved
from sdnvirt.openflow.v13.match import Match, OxmMatch
from sdnvirt.openflow.v13.multipart import MultipartReply, MultipartRequest
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from sdnvirt.openflow.v13.ports import PortStatus
from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from sdnvirt.devices.switch import OpenFlowSwitch

TABLES: Final = 254
"""Flow tables of a switch: OpenFlow's own maximum is 255 numbers, of which the last means all."""

ERROR_DATA: Final = 64
"""Bytes of a refused message that its error carries (OpenFlow 1.3.5, 7.4.4: at least 64)."""


class ControllerSide(Protocol):
    """The controller's end of one connection."""

    def feed(self, data: bytes) -> None:
        """Take bytes from the switch, in pieces of any size."""

    def close(self) -> None:
        """Close the connection; neither callback is called afterwards."""


class ControllerPort(Protocol):
    """Where switches connect: an embedded controller, or a transport to a remote one."""

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> ControllerSide:
        """Connect a switch.

        Args:
            dpid: the datapath id.
            deliver: called with bytes from the controller, in pieces of any size, never before
                ``connect`` has returned.
            closed: called once, with a reason, when the connection ended or could not be made; a
                switch answers by connecting again.
        """
        ...


class Agent:
    """A switch's end of the connection to one controller.

    Attributes:
        errors: how many OpenFlow errors the switch has sent; ``last_error`` is the last one.
    """

    def __init__(
        self, switch: OpenFlowSwitch, controller: ControllerPort, echo_idle_ns: int | None
    ) -> None:
        self._switch = switch
        self._controller = controller
        self._echo_idle_ns = echo_idle_ns
        self._scheduler = switch.world.scheduler
        self._channel = Channel(echo_idle_ns=echo_idle_ns)
        self._side: ControllerSide | None = None
        self._tick: Timer | None = None
        self._config = (int(OFPCFrag.NORMAL), 128)
        self.errors = 0
        self.last_error = ""

    @property
    def ready(self) -> bool:
        """Whether the handshake is over, so that messages can be sent."""
        return self._channel.established

    def dial(self) -> None:
        """Connect with a fresh channel."""
        self._channel = Channel(echo_idle_ns=self._echo_idle_ns)
        self._side = self._controller.connect(self._switch.dpid, self._deliver, self._closed)
        self._channel.start()
        self._flush()

    def hang_up(self) -> None:
        """Close the connection for good."""
        if self._tick is not None:
            self._tick.cancel()
        if self._side is not None:
            self._side.close()
            self._side = None

    # what the switch tells

    def packet_in(
        self, in_port: int, frame: Frame, punt: Punt, buffer_id: int, data: bytes
    ) -> None:
        """Tell the controller of a packet."""
        fields = [OxmMatch(oxm.IN_PORT, in_port)]
        if frame.tunnel_id:
            fields.append(OxmMatch(oxm.TUNNEL_ID, frame.tunnel_id))
        self._send(
            PacketIn(
                buffer_id,
                frame.size,
                punt.reason,
                punt.table_id,
                punt.cookie,
                Match(tuple(fields)),
                data,
            )
        )

    def port_status(self, port: Port) -> None:
        """Tell the controller that a port changed."""
        self._send(PortStatus(OFPPR.MODIFY, statistics.port_desc(port)))

    def flow_removed(self, removal: Removal) -> None:
        """Tell the controller that a flow entry is gone."""
        entry = removal.entry
        age = self._scheduler.now - entry.created_ns
        self._send(
            FlowRemoved(
                entry.cookie,
                entry.priority,
                removal.reason,
                entry.table_id,
                age // NS_PER_S,
                age % NS_PER_S,
                entry.idle_timeout_ns // NS_PER_S,
                entry.hard_timeout_ns // NS_PER_S,
                entry.packets,
                entry.bytes,
                entry.match,
            )
        )

    # the connection

    def _deliver(self, data: bytes) -> None:
        """Take bytes from the controller."""
        self._handle(self._channel.receive(data))

    def _closed(self, reason: str) -> None:
        """The connection ended: make another."""
        self._side = None
        self.dial()

    def _handle(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case Received(xid, message):
                    self._answer(xid, message)
                case Established():
                    self._watch()
                case Failed():
                    self._flush()
                    if self._side is not None:
                        self._side.close()
                        self._closed("failed")
                    return
        self._flush()

    def _watch(self) -> None:
        """Let the channel see the time when it wants to."""
        due = self._channel.next_timeout()
        if due is not None:
            delay = max(0, due - self._scheduler.now)
            self._tick = self._scheduler.timer(delay, self._on_tick)

    def _on_tick(self) -> None:
        self._handle(self._channel.tick(self._scheduler.now))
        self._watch()

    def _send(self, message: Message) -> None:
        if self._channel.established:
            self._channel.send(message)
            self._flush()

    def _flush(self) -> None:
        data = self._channel.outgoing()
        if data and self._side is not None:
            self._side.feed(data)

    # requests

    def _answer(self, xid: int, message: Message) -> None:
        try:
            handler = _HANDLERS.get(type(message))
            if handler is None:
                raise refuse(OFPBRC.BAD_TYPE, f"{type(message).__name__} is not supported")
            reply = handler(self, message)
        except OpenFlowError as error:
            self.errors += 1
            self.last_error = error.detail
            data = encode(message, xid)[:ERROR_DATA]
            self._channel.send(Error(error.error_type, error.code, data), xid)
            return
        if reply is not None:
            self._channel.send(reply, xid)

    def _error(self, error: Error) -> None:
        """The controller did not like something; errors are not answered (7.5.4)."""
        self.last_error = f"from the controller: type {error.error_type}, code {error.code}"

    def _features(self, _request: FeaturesRequest) -> Message:
        capabilities = OFPC.FLOW_STATS | OFPC.TABLE_STATS | OFPC.PORT_STATS
        return FeaturesReply(self._switch.dpid, BUFFERS, TABLES, 0, capabilities)

    def _get_config(self, _request: GetConfigRequest) -> Message:
        return GetConfigReply(*self._config)

    def _set_config(self, request: SetConfig) -> None:
        if request.flags != OFPCFrag.NORMAL:
            raise refuse(OFPSCFC.BAD_FLAGS, "fragments are handled as they come, only")
        self._config = (request.flags, request.miss_send_len)

    def _flow_mod(self, mod: FlowMod) -> None:
        self._switch.modify_flow(mod)
        if mod.buffer_id != NO_BUFFER:
            self._packet_out(PacketOut(mod.buffer_id, actions=_THROUGH_TABLES))

    def _packet_out(self, message: PacketOut) -> None:
        switch = self._switch
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

    def _barrier(self, _request: BarrierRequest) -> Message:
        return BarrierReply()  # every message has taken effect when the next one is read

    def _multipart(self, request: MultipartRequest) -> Message:
        answer = statistics.ANSWERS.get(request.kind)
        if answer is None:
            raise refuse(OFPBRC.BAD_MULTIPART, f"multipart type {request.kind} is not supported")
        return MultipartReply(request.kind, answer(self._switch, request.entries))


_THROUGH_TABLES: Final = (Output(OFPP.TABLE),)

_HANDLERS: Final[dict[type[Message], Callable[[Agent, Any], Message | None]]] = {
    Error: Agent._error,
    FeaturesRequest: Agent._features,
    GetConfigRequest: Agent._get_config,
    SetConfig: Agent._set_config,
    FlowMod: Agent._flow_mod,
    PacketOut: Agent._packet_out,
    BarrierRequest: Agent._barrier,
    MultipartRequest: Agent._multipart,
}
"""How each request is handled; what is returned is sent as the answer."""
