"""A direction of a link behind a queue discipline."""

from __future__ import annotations

from random import Random

from sdnvirt.devices.device import Egress, Port
from sdnvirt.devices.disciplines.fifo import Discipline, Fifo, Place, Queue
from sdnvirt.devices.transmitter import Transmitter
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame


class Waiting:
    """The frames that wait to enter one direction of a link.

    The direction gets each frame when its transmission begins, so the direction's own queue stays
    empty, and its time of transmission and propagation are as ever.

    Args:
        port: the port that sends by it.
        place: what the ledger names as the place: the link.
        direction: where frames go.
        stream: random stream of this queue alone.
    """

    __slots__ = ("_direction", "_place", "_port", "_queue", "_stream", "_transmitter", "_world")

    def __init__(self, port: Port, place: str, direction: Egress, stream: Random) -> None:
        self._port = port
        self._world = world = port.device.world
        self._place = place
        self._direction = direction
        self._stream = stream
        self._queue: Queue = Fifo(Place(0, None, self._lose, stream))
        self._transmitter = Transmitter(world.scheduler, self, direction, None)
        world.ledger.watch(self)

    def configure(
        self, discipline: Discipline | None, queue_bytes: int, rate_bps: int | None
    ) -> None:
        """Act as another discipline says from now on; what waits enters its queue anew."""
        waiting = self._queue.drain()
        place = Place(queue_bytes, rate_bps, self._lose, self._stream)
        self._queue = Fifo(place) if discipline is None else discipline.queue(place)
        self._transmitter.lead_to(self._direction, rate_bps)
        for frame in waiting:
            self.carry(frame)

    def __len__(self) -> int:
        """How many frames wait."""
        return len(self._queue)

    def carry(self, frame: Frame) -> None:
        """Let a frame wait for its turn, which may be now."""
        self._queue.admit(frame, self._world.scheduler.now)
        self._transmitter.send()

    def ready_ps(self) -> int | None:
        """Return from when on a frame may go; None if no frame waits."""
        return self._queue.ready_ps()

    def take(self, start_ps: int, until_ps: int) -> Frame | None:
        """Take the frame whose turn it is."""
        return self._queue.take(start_ps, until_ps)

    def cut(self) -> None:
        """Lose every frame that waits; the transmitter falls idle."""
        for frame in self._queue.drain():
            self._lose(frame, DropReason.CUT_IN_FLIGHT, "")
        self._transmitter.fall_idle()

    def _lose(self, frame: Frame, reason: DropReason, detail: str) -> None:
        self._port.tx_dropped += 1
        self._world.ledger.drop(frame, reason, self._place, detail)
