"""Two hosts on one cable, and means to speak to a host byte by byte."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame
from sdnvirt.host.stack import Host

ALICE_MAC = Mac("02:00:00:00:00:01")
BOB_MAC = Mac("02:00:00:00:00:02")
DELAY_NS = 1000


class Wire(Device):
    """The far end of a host's cable: sends what a test says and keeps what it hears."""

    def __init__(self, world: World) -> None:
        super().__init__("wire", world)
        self.heard: list[bytes] = []
        self.frames: list[Frame] = []

    def receive(self, port: Port, frame: Frame) -> None:
        self.heard.append(frame.data)
        self.frames.append(frame)
        self.world.ledger.delivered += 1

    def say(self, data: bytes, cause: int = 0) -> None:
        """Send a frame to the host, and run until it has arrived."""
        self.ports[1].send(self.world.originate(data, "wire", cause=cause))
        self.world.scheduler.run_until(self.world.scheduler.now + 2 * DELAY_NS)

    def listen(self) -> list[bytes]:
        """Return the frames heard since the last call."""
        self.world.scheduler.run_until(self.world.scheduler.now + 2 * DELAY_NS)
        heard, self.heard = self.heard, []
        return heard


@dataclass
class Pair:
    """Two hosts, 10.0.0.1/24 and 10.0.0.2/24, and the cable between them."""

    world: World
    alice: Host
    bob: Host
    link: Link

    def run(self, seconds: float) -> None:
        scheduler = self.world.scheduler
        scheduler.run_until(scheduler.now + int(seconds * 1e9))


@dataclass
class Wired:
    """One host, 10.0.0.1/24, and the bare end of its cable."""

    world: World
    host: Host
    wire: Wire


@pytest.fixture
def pair():
    world = World(seed=1)
    alice, bob = Host("alice", world, "acme", "acme/web"), Host("bob", world)
    link = Link(
        world, "alice--bob",
        alice.add_port(1, "bob", ALICE_MAC), bob.add_port(1, "alice", BOB_MAC),
        LinkParameters(delay_ns=DELAY_NS),
    )  # fmt: skip
    alice.configure(IPv4Interface("10.0.0.1/24"))
    bob.configure(IPv4Interface("10.0.0.2/24"))
    yield Pair(world, alice, bob, link)
    assert world.ledger.imbalance() == 0


@pytest.fixture
def wired():
    world = World(seed=1)
    host, wire = Host("alice", world, "acme", "acme/web"), Wire(world)
    Link(
        world, "alice--wire",
        host.add_port(1, "wire", ALICE_MAC), wire.add_port(1, "alice", BOB_MAC),
        LinkParameters(delay_ns=DELAY_NS, mtu=9000),
    )  # fmt: skip
    host.configure(IPv4Interface("10.0.0.1/24"))
    yield Wired(world, host, wire)
    assert world.ledger.imbalance() == 0
