"""A switch with three stations, and controllers that speak one version of OpenFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.openflow.channel import Channel, Received
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import Error
from sdnvirt.openflow.v10 import flow, packets, ports
from sdnvirt.openflow.v10.error_codes import error_name
from sdnvirt.openflow.v13 import flow as flow13
from sdnvirt.openflow.v13 import packets as packets13
from sdnvirt.openflow.v13 import ports as ports13

UNASKED = (
    packets.PacketIn, flow.FlowRemoved, ports.PortStatus,
    packets13.PacketIn, flow13.FlowRemoved, ports13.PortStatus,
)  # fmt: skip
"""What a switch says by itself; its numbering of messages is its own."""


class Controller:
    """A controller that sends what a test says and keeps what the switch says.

    Its connection has no delay: what the switch says is read in the same instant.
    """

    def __init__(self, world: World, version: int) -> None:
        self.scheduler = world.scheduler
        self.channel = Channel((version,), echo_idle_ns=None)
        self.received: list[tuple[int, Any]] = []

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> Controller:
        self.deliver, self.closed = deliver, closed
        self.channel.start()
        self.scheduler.call_at(self.scheduler.now, self._flush, None)
        return self

    def feed(self, data: bytes) -> None:
        for event in self.channel.receive(data):
            if isinstance(event, Received):
                self.received.append((event.xid, event.message))

    def close(self) -> None:
        pass

    def _flush(self, _: None = None) -> None:
        self.deliver(self.channel.outgoing())

    def ask(self, message: Message) -> list[Any]:
        """Send a message and return what the switch answers to it."""
        before = len(self.received)
        xid = self.channel.send(message)
        self._flush()
        self.scheduler.run_until(self.scheduler.now)
        return [
            answer
            for number, answer in self.received[before:]
            if number == xid and not isinstance(answer, UNASKED)
        ]

    def refusal(self, message: Message) -> str:
        """Send a message that the switch must answer with one error; return the error."""
        (error,) = self.ask(message)
        assert isinstance(error, Error)
        return error_name(error.error_type, error.code)

    def got(self, kind: type[Any]) -> list[Any]:
        """Return the messages of a type, in the order in which they came, and forget them."""
        found = [message for _, message in self.received if isinstance(message, kind)]
        self.received = [one for one in self.received if not isinstance(one[1], kind)]
        return found


@pytest.fixture
def switch(world: World) -> Iterator[OpenFlowSwitch]:
    yield OpenFlowSwitch("s1", world, 0x2A)
    assert world.ledger.imbalance() == 0


@pytest.fixture
def stations(switch: OpenFlowSwitch, station: Callable[..., Any]) -> list[Any]:
    return [station(switch) for _ in range(3)]


@pytest.fixture
def speaks(world: World, switch: OpenFlowSwitch, stations: list[Any]) -> Callable[..., Controller]:
    """Connect a controller that speaks a wire version."""

    def connect(version: int) -> Controller:
        controller = Controller(world, version)
        switch.connect(controller)
        world.scheduler.run_until(world.scheduler.now)
        return controller

    return connect


@pytest.fixture
def old(speaks: Callable[..., Controller]) -> Controller:
    """A controller of OpenFlow 1.0."""
    return speaks(1)
