"""Stations that send what a test says and keep what they receive."""

from __future__ import annotations

from collections.abc import Callable

from sdnvirt.addresses import Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame
from sdnvirt.openflow.v13.constants import OFPP


class Station(Device):
    """One NIC; every frame that arrives is delivered."""

    def __init__(self, name: str, world: World, mac: Mac) -> None:
        super().__init__(name, world)
        self.mac = mac
        self.nic = self.add_port(1, "eth0", mac)
        self.frames: list[Frame] = []
        self.times: list[int] = []

    def receive(self, port: Port, frame: Frame) -> None:
        self.world.ledger.delivered += 1
        self.frames.append(frame)
        self.times.append(self.world.scheduler.now)

    @property
    def received(self) -> list[bytes]:
        return [frame.data for frame in self.frames]

    def send(self, data: bytes) -> Frame:
        """Send a frame and let the network come to rest."""
        frame = self.world.originate(data, self.name)
        self.nic.send(frame)
        self.world.scheduler.run_until(self.world.scheduler.now)
        return frame


def stations_of(world: World) -> Callable[..., Station]:
    """Return what makes stations, by default linked without delay to a new port of a device."""
    made: list[Station] = []

    def make(device: Device | None = None, parameters: LinkParameters | None = None) -> Station:
        number = len(made) + 1
        new = Station(f"h{number}", world, Mac(0x02_00_00_00_00_00 + number))
        made.append(new)
        if device is None:
            return new
        taken = (n for n in device.ports if n <= OFPP.MAX)
        port = device.add_port(max(taken, default=0) + 1, new.name, Mac(0x06 << 40 | number))
        Link(world, f"{new.name}--{device.name}", new.nic, port, parameters or LinkParameters())
        return new

    return make
