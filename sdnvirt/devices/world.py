"""What all devices of one network share: time, randomness and the conservation ledger."""

from __future__ import annotations

from sdnvirt.devices.ledger import Ledger
from sdnvirt.engine.scheduler import Scheduler
from sdnvirt.engine.streams import Streams
from sdnvirt.frame import Frame, Provenance


class World:
    """The surroundings of the devices of one network.

    Attributes:
        scheduler: virtual time.
        streams: named random streams of the network's seed.
        ledger: what became of every frame.
    """

    __slots__ = ("_packets", "ledger", "scheduler", "streams")

    def __init__(self, seed: int = 0) -> None:
        self.scheduler = Scheduler()
        self.streams = Streams(seed)
        self.ledger = Ledger(self.scheduler)
        self._packets = 0

    def originate(
        self, data: bytes, origin: str, tenant: str = "", network: str = "", cause: int = 0
    ) -> Frame:
        """Return a new frame with provenance of its own, and enter it in the ledger as sent."""
        self._packets += 1
        self.ledger.sent += 1
        return Frame(data, Provenance(self._packets, origin, tenant, network, cause))
