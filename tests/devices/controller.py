"""A controller that sends what a test says, without any sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sdnvirt.devices.world import World
from sdnvirt.openflow.channel import Channel, Received
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v13 import codec
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.flow import FlowRemoved
from sdnvirt.openflow.v13.multipart import MultipartReply, MultipartRequest
from sdnvirt.openflow.v13.packets import PacketIn
from sdnvirt.openflow.v13.ports import PortStatus


class Side:
    """The controller's end of one connection."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self.open = True

    def feed(self, data: bytes) -> None:
        if self.open and not self.controller.mute:
            self.controller.take(data)

    def close(self) -> None:
        assert self.open
        self.open = False


class Controller:
    """A controller that sends what a test says and keeps what the switch says."""

    def __init__(self, world: World) -> None:
        self.scheduler = world.scheduler
        self.sides: list[Side] = []
        self.mute = False
        self.forget()

    def forget(self) -> None:
        self.received: list[tuple[int, int, Any]] = []
        self.raw: list[bytes] = []

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> Side:
        self.dpid, self.deliver, self.closed = dpid, deliver, closed
        self.channel = Channel(echo_idle_ns=None)
        self.sides.append(Side(self))
        self.channel.start()
        self.scheduler.call_at(self.scheduler.now, self._greet, self.channel)
        return self.sides[-1]

    def _greet(self, channel: Channel) -> None:
        if channel is self.channel and not self.mute:
            self.write(channel.outgoing())

    def take(self, data: bytes) -> None:
        self.raw.append(data)
        # A real peer's bytes take their time: what it answers comes later in the same instant.
        self.scheduler.call_at(self.scheduler.now, self._read, (self.channel, data))

    def _read(self, what: tuple[Channel, bytes]) -> None:
        channel, data = what
        for event in channel.receive(data):
            if isinstance(event, Received):
                self.received.append((self.scheduler.now, event.xid, event.message))
        if channel is self.channel and self.sides[-1].open:
            self.write(channel.outgoing())

    def write(self, data: bytes) -> None:
        if data:
            self.deliver(data)

    def rest(self) -> None:
        self.scheduler.run_until(self.scheduler.now)

    def send(self, message: Message) -> int:
        xid = self.channel.send(message)
        self.write(self.channel.outgoing())
        self.rest()
        return xid

    def ask(self, message: Message) -> list[Any]:
        """Send a message and return what the switch answers to it."""
        before = len(self.received)
        xid = self.send(message)
        return [
            answer
            for _, number, answer in self.received[before:]
            if number == xid and not isinstance(answer, PacketIn | FlowRemoved | PortStatus)
        ]

    def refusal(self, message: Message) -> str:
        """Send a message that the switch must answer with one error; return the error."""
        (error,) = self.ask(message)
        assert isinstance(error, Error)
        assert codec.encode(message, 0)[8:64] == error.data[8:]
        return error_name(error.error_type, error.code)

    def multipart(self, kind: int, *request: Any) -> tuple[Any, ...]:
        """Ask a multipart question and return the entries of the answer."""
        replies = self.ask(MultipartRequest(kind, request))
        assert all(isinstance(reply, MultipartReply) and reply.kind == kind for reply in replies)
        assert [reply.more for reply in replies] == [True] * (len(replies) - 1) + [False]
        return tuple(entry for reply in replies for entry in reply.entries)

    def got(self, kind: type[Any]) -> list[Any]:
        return [message for _, _, message in self.received if isinstance(message, kind)]

    def hang_up(self) -> None:
        self.sides[-1].open = False
        self.closed("the controller hung up")
        self.rest()
