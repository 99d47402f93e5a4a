"""The agent of an OpenFlow switch: its side of the conversation with one controller.

The agent keeps the connection: it dials, and dials again; what is said on it is the affair of the
dialect of the version that both sides agree on. Auxiliary connections to the same controller are
agents of their own, which this one opens and closes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Protocol
from zlib import crc32

from sdnvirt.datapath.flow import Punt
from sdnvirt.datapath.flow_entries import Removal
from sdnvirt.devices.device import Port
from sdnvirt.devices.dialect import Dialect
from sdnvirt.devices.of13.reassembly import Reassembly
from sdnvirt.devices.roles import Asynchronous, Standing
from sdnvirt.engine.scheduler import Timer
from sdnvirt.frame import Frame
from sdnvirt.openflow.channel import (
    ERROR_DATA_SIZE,
    Channel,
    Established,
    Event,
    Failed,
    Received,
    Refused,
)
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v13.constants import OFPPR
from sdnvirt.openflow.versions import ByVersion
from sdnvirt.wire.flowkey import flow_key

if TYPE_CHECKING:
    from sdnvirt.devices.auxiliary import Auxiliary
    from sdnvirt.devices.switch import OpenFlowSwitch


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
        """Connect a switch, after a back-off if its last connection ended lately.

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
        switch: the switch.
        echo_idle_ns: silence after which the controller is asked whether it lives, or None.
        auxiliary_id: 0 for the main connection to the controller.
        auxiliaries: the auxiliary connections to the same controller, whether open or not.
        standing: what the controller has asked for.
        xid: of the request that is being answered.
        parts: multipart requests that are not complete yet.
        errors: how many OpenFlow errors the switch has sent; ``last_error`` is the last one.
    """

    def __init__(
        self, switch: OpenFlowSwitch, controller: ControllerPort, echo_idle_ns: int | None
    ) -> None:
        self.switch = switch
        self._controller = controller
        self.echo_idle_ns = echo_idle_ns
        self._scheduler = switch.world.scheduler
        self._channel = self._fresh_channel()
        self._side: ControllerSide | None = None
        self._tick: Timer | None = None
        self._dialect = DIALECTS[max(DIALECTS)]
        self.auxiliary_id = 0
        self.auxiliaries: list[Auxiliary] = []
        self.standing = Standing()
        self.xid = 0
        self.parts = Reassembly()
        self.errors = 0
        self.last_error = ""

    @property
    def ready(self) -> bool:
        """Whether the handshake is over, so that messages can be sent."""
        return self._channel.established

    @property
    def hears_misses(self) -> bool:
        """Whether the controller is connected and told of packets that match no entry."""
        return self.ready and self._dialect.hears_misses

    def dial(self) -> None:
        """Connect with a fresh channel."""
        self._forget()
        self._side = self._controller.connect(self.switch.dpid, self._deliver, self._closed)
        self._channel.start()
        self._flush()

    def hang_up(self) -> None:
        """Close the connection for good."""
        self._forget()
        if self._side is not None:
            self._side.close()
            self._side = None

    def introduced(self) -> None:
        """The controller is being told what the switch is: open the auxiliary connections."""
        if self.auxiliaries:  # once the answer is on its way
            self._scheduler.call_at(self._scheduler.now, self._open_auxiliaries)

    def _open_auxiliaries(self, _argument: None) -> None:
        if self.ready and self._dialect.has_auxiliaries:
            for auxiliary in self.auxiliaries:
                auxiliary.open()

    def _fresh_channel(self) -> Channel:
        return Channel(tuple(DIALECTS), self.echo_idle_ns)

    def _forget(self) -> None:
        """Let nothing of the last connection reach into the next one."""
        self._channel = self._fresh_channel()
        self.parts = Reassembly()
        if self._tick is not None:
            self._tick.cancel()
        self._begin_anew()

    def _begin_anew(self) -> None:
        """The controller has nothing to say any more, on any connection, until the next."""
        self.standing.forget()
        for auxiliary in self.auxiliaries:
            auxiliary.hang_up()
        self.switch.controllers_changed()

    # what the switch tells

    def packet_in(
        self, in_port: int, frame: Frame, punt: Punt, buffer_id: int, data: bytes
    ) -> None:
        """Tell the controller of a packet."""
        connection = self._connection_for(frame) if self.auxiliaries else self
        connection._send(self._dialect.packet_in(in_port, frame, punt, buffer_id, data))

    def _connection_for(self, frame: Frame) -> Agent:
        """Return the connection for the packet-ins of a flow, which is to keep its order."""
        ready = [auxiliary for auxiliary in self.auxiliaries if auxiliary.ready]
        if not ready:
            return self
        key = frame.key or flow_key(frame.data, frame.tunnel_id)
        return ready[crc32(key) % len(ready)]

    def wants(self, kind: Asynchronous, reason: int) -> bool:
        """Whether the controller is connected and is told of what happens for this reason."""
        return self.ready and self.standing.masks.wants(kind, reason, self.standing.role)

    def wants_packet(self, punt: Punt) -> bool:
        """Whether the controller is connected and is told of such a packet."""
        if punt.is_miss and not self._dialect.hears_misses:
            return False
        return self.wants(Asynchronous.PACKET_IN, punt.reason)

    def port_status(self, reason: OFPPR, port: Port) -> None:
        """Tell the controller that a port came or changed, if it wants to know."""
        if self.wants(Asynchronous.PORT_STATUS, reason):
            config = self.switch.datapath.state.configs.get(port.number, 0)
            message = self._dialect.port_status(reason, port, config)
            if message is not None:
                self._send(message)

    def flow_removed(self, removal: Removal) -> None:
        """Tell the controller that a flow entry is gone, if it wants to know."""
        if self.wants(Asynchronous.FLOW_REMOVED, removal.reason):
            self._send(self._dialect.flow_removed(removal, self._scheduler.now))

    # the connection

    def _deliver(self, data: bytes) -> None:
        """Take bytes from the controller."""
        self._handle(self._channel.events(data))

    def _closed(self, reason: str) -> None:
        """The connection ended: make another."""
        self._side = None
        self.dial()

    def _handle(self, events: Iterable[Event]) -> None:
        for event in events:
            match event:
                case Received():
                    self._answer(event)
                case Established(version):
                    self._dialect = DIALECTS[version]
                    self.switch.controllers_changed()
                    self._watch()
                case Refused(_, error):
                    self._note(error)
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
        if self._tick is not None:
            self._tick.cancel()
        if due is not None:
            delay = max(0, due - self._scheduler.now)
            self._tick = self._scheduler.timer(delay, self._on_tick)

    def _on_tick(self) -> None:
        self._handle(self._channel.tick(self._scheduler.now))
        self._watch()

    def _send(self, message: Message) -> None:
        if self.ready:
            self._channel.send(message)
            self._flush()

    def _flush(self) -> None:
        data = self._channel.outgoing()
        if data and self._side is not None:
            self._side.feed(data)

    def _answer(self, request: Received) -> None:
        self.xid = request.xid
        try:
            reply = self._dialect.answer(self, request.message)
        except OpenFlowError as error:
            self._note(error)
            reply = Error(error.error_type, error.code, request.data[:ERROR_DATA_SIZE])
        # What the request set off may have ended the connection.
        if reply is not None and self.ready:
            self._channel.send(reply, request.xid)

    def _note(self, error: OpenFlowError) -> None:
        self.errors += 1
        self.last_error = error.detail


def _dialect10() -> Dialect:
    from sdnvirt.devices.of10.dialect import Dialect10

    return Dialect10()


def _dialect13() -> Dialect:
    from sdnvirt.devices.of13.dialect import Dialect13

    return Dialect13()


DIALECTS: Final = ByVersion({1: _dialect10, 4: _dialect13})
"""The dialect of each wire version."""
