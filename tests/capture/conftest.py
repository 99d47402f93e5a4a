"""A row of devices: alice -- s1 -- s2 -- bob; the switches in the middle pass everything on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame

DELAY_NS = 1_000


class Repeater(Device):
    """Two ports; what comes in at one leaves by the other, unless the test makes it lose frames."""

    loses = False

    def receive(self, port: Port, frame: Frame) -> None:
        if self.loses:
            self.drop(frame, DropReason.NO_ROUTE, "10.9.9.9")
        else:
            self.ports[3 - port.number].send(frame)


class Station(Device):
    """One port, at which every frame that arrives is delivered, and answered if so wished."""

    answer: bytes | None = None

    def receive(self, port: Port, frame: Frame) -> None:
        self.world.ledger.delivered += 1
        if self.answer is not None:
            self.send(self.answer, frame.provenance.cause)

    def send(self, data: bytes, cause: int = 0) -> int:
        """Send a frame; return the id of its packet."""
        frame = self.world.originate(data, self.name, "acme", "acme/web", cause)
        self.ports[1].send(frame)
        return frame.provenance.packet_id


@dataclass
class Row:
    """The devices, and the means to let time pass."""

    world: World
    alice: Station
    s1: Repeater
    s2: Repeater
    bob: Station

    @property
    def devices(self) -> tuple[Device, ...]:
        return (self.alice, self.s1, self.s2, self.bob)

    @property
    def ports(self) -> list[Port]:
        return [port for device in self.devices for port in device.ports.values()]

    def settle(self) -> None:
        """Let a microsecond pass for each of the links, and one more."""
        self.world.scheduler.run_until(self.world.scheduler.now + 4 * DELAY_NS)


def build_row() -> Row:
    world = World(seed=1)
    row = Row(
        world,
        Station("alice", world), Repeater("s1", world), Repeater("s2", world),
        Station("bob", world),
    )  # fmt: skip
    macs = iter(range(1, 9))
    for left, right in pairwise(row.devices):
        ends = [
            device.add_port(len(device.ports) + 1, peer.name, Mac(0x02 << 40 | next(macs)))
            for device, peer in ((left, right), (right, left))
        ]
        Link(world, f"{left.name}--{right.name}", *ends, LinkParameters(delay_ns=DELAY_NS))
    return row


@pytest.fixture
def row() -> Row:
    return build_row()


@pytest.fixture
def another_row() -> Row:
    """The same once more, in a world of its own."""
    return build_row()
