"""The trace of a run: the digest of every frame that a port received, and the loops among them."""

from __future__ import annotations

from sdnvirt.capture.loops import FEW_ARRIVALS, LoopWatch
from sdnvirt.devices.device import Port
from sdnvirt.devices.world import World
from sdnvirt.engine.digest import TraceDigest, record_head
from sdnvirt.frame import Frame


class TraceTap:
    """A tap that sees every received frame once: there is one for a network.

    Args:
        world: the surroundings, for their clock.

    Attributes:
        digest: the digest so far.
        loops: the packets that came back to a port again and again.
    """

    __slots__ = ("_scheduler", "digest", "loops")

    def __init__(self, world: World) -> None:
        self._scheduler = world.scheduler
        self.digest = TraceDigest()
        self.loops = LoopWatch(world)

    @property
    def hops(self) -> int:
        """How many times a frame arrived at a port: the packet-hops of the run."""
        return self.digest.records

    def received(self, port: Port, frame: Frame) -> None:
        """Add the frame to the digest, and count the arrivals of its packet."""
        # TraceDigest.update, written out: what the call would take pays for the count.
        digest, data, name = self.digest, frame.data, port.device.name.encode()
        head = record_head(self._scheduler.now, port.number, len(name), len(data))
        digest.add(head + name + data)
        digest.records += 1
        provenance = frame.provenance
        provenance.arrivals = arrivals = provenance.arrivals + 1
        if arrivals > FEW_ARRIVALS:
            self.loops.look_into(port, frame)

    def sent(self, port: Port, frame: Frame) -> None:
        """Leave the frame to the port at which it arrives."""
