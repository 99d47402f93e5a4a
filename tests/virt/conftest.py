"""Two hypervisors whose tunnel endpoints are joined by one underlay router."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

import pytest

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.router import FabricRouter, NextHop
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame
from sdnvirt.virt.vtep import Vtep

UNDERLAY_MTU = 1600
NETWORKS = (5001, 5002)


class Sink(Device):
    """Stands for a virtual switch or a machine: every frame that arrives is delivered."""

    def __init__(self, name: str, world: World) -> None:
        super().__init__(name, world)
        self.frames: list[tuple[Port, Frame]] = []

    def receive(self, port: Port, frame: Frame) -> None:
        self.world.ledger.delivered += 1
        self.frames.append((port, frame))


@dataclass
class Underlay:
    """Endpoints v1 (10.0.0.1) and v2 (10.0.0.2), each with a virtual switch, and their router."""

    world: World
    v1: Vtep
    v2: Vtep
    sw1: Sink
    sw2: Sink
    router: FabricRouter

    def send(self, data: bytes, vni: int = 5001) -> Frame:
        """Send a frame from the first virtual switch into its tunnel to the second."""
        frame = self.world.originate(data, "vm1", "acme", "acme/web")
        frame.tunnel = vni
        self.sw1.ports[1].send(frame)
        self.world.scheduler.run_until(self.world.scheduler.now)
        return frame

    def outer(self, data: bytes, vni: int = 5001) -> bytes:
        """Return the frame that v1 sends to the router for an inner frame."""
        sent: list[bytes] = []

        class Catch:
            def received(self, port: Port, frame: Frame) -> None:
                raise AssertionError

            def sent(self, port: Port, frame: Frame) -> None:
                sent.append(frame.data)

        self.v1.nic.taps = (Catch(),)
        self.send(data, vni)
        self.v1.nic.taps = ()
        return sent[0]


@pytest.fixture
def sink():
    return Sink


@pytest.fixture
def build_underlay():
    """Build an underlay at each call; hypothesis wants a new one for each example."""

    def build() -> Underlay:
        world = World(seed=1)
        router = FabricRouter("leaf1", world)
        vteps, switches = [], []
        for number in (1, 2):
            toward = router.add_port(number, f"v{number}", Mac(0x0600_0000_0000 + number))
            vtep = Vtep(
                f"v{number}", world, Ipv4(f"10.0.0.{number}"), Mac(0x0200_0000_0000 + number),
                next_hop=toward.mac, mtu=UNDERLAY_MTU, networks=NETWORKS,
            )  # fmt: skip
            Link(world, f"v{number}--leaf1", vtep.nic, toward, LinkParameters(mtu=UNDERLAY_MTU))
            switch = Sink(f"sw{number}", world)
            switch.add_port(1, f"v{3 - number}", Mac(0x0A00_0000_0000 + number))
            vtep.tunnel_to(Ipv4(f"10.0.0.{3 - number}"), switch.ports[1])
            vteps.append(vtep)
            switches.append(switch)
        router.set_routes(
            {
                IPv4Network(f"10.0.0.{number}/32"): (NextHop(number, vteps[number - 1].nic.mac),)
                for number in (1, 2)
            }
        )
        return Underlay(world, *vteps, *switches, router)

    return build


@pytest.fixture
def underlay(build_underlay) -> Underlay:
    return build_underlay()
