"""The trace of a run: the digest of every frame that a port received."""

from __future__ import annotations

from sdnvirt.devices.device import Port
from sdnvirt.devices.world import World
from sdnvirt.engine.digest import TraceDigest
from sdnvirt.frame import Frame


class DigestTap:
    """A tap that adds every received frame to the trace digest.

    Args:
        world: the surroundings, for their clock.

    Attributes:
        digest: the digest so far.
    """

    __slots__ = ("_scheduler", "digest")

    def __init__(self, world: World) -> None:
        self._scheduler = world.scheduler
        self.digest = TraceDigest()

    @property
    def hops(self) -> int:
        """How many times a frame arrived at a port: the packet-hops of the run."""
        return self.digest.records

    def received(self, port: Port, frame: Frame) -> None:
        """Add the frame to the digest."""
        self.digest.update(self._scheduler.now, port.device.name, port.number, frame.data)

    def sent(self, port: Port, frame: Frame) -> None:
        """Leave the frame to the port at which it arrives."""
