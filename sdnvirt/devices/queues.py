"""Queues of a port, with minimum and maximum rates (OpenFlow 1.3.5, 5.1 and 7.2.2).

The queues of a port share its transmitter, which sends at the link's rate, one frame at a time.
Whenever it falls idle, a queue that is behind its minimum rate goes first, the most urgent before
the others. What the minimum rates leave is shared equally, byte for byte, by all queues that have
something to send, the port's own queue for everything else among them. No queue sends before its
maximum rate allows it to.

The queues stand before the egress that the link gave the port and hand it each frame when its
transmission begins; so ports without queues pay nothing for them, and cuts and faults stay the
link's own affair.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from sdnvirt.devices.device import Egress, Port
from sdnvirt.devices.link import DEFAULT_QUEUE_BYTES
from sdnvirt.devices.transmitter import PS_BITS_PER_BYTE, PS_PER_NS, Transmitter
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame

QUEUES_LIMIT: Final = 4_096
"""Queues of one port; each time the transmitter is free, all that wait are compared."""


class Queue:
    """One queue: the egress of frames that a port sends by it.

    Attributes:
        queue_id: its number on the port, or None for the queue of all other frames.
        min_rate_bps: bits a second that it is sure of, 0 for none.
        max_rate_bps: bits a second that it never passes, or None.
        created_ns: when it was added.
        tx_packets, tx_bytes: what it has sent.
        tx_errors: frames that were lost because it was full.
    """

    __slots__ = (
        "_behind_ps", "_bytes", "_frames", "_may_ps", "_queues", "_share", "created_ns",
        "max_rate_bps", "min_rate_bps", "queue_id", "tx_bytes", "tx_errors", "tx_packets",
    )  # fmt: skip

    def __init__(
        self,
        queues: PortQueues,
        queue_id: int | None,
        min_rate_bps: int,
        max_rate_bps: int | None,
        now: int,
    ) -> None:
        self.queue_id = queue_id
        self.min_rate_bps = min_rate_bps
        self.max_rate_bps = max_rate_bps
        self.created_ns = now
        self.tx_packets = self.tx_bytes = self.tx_errors = 0
        self._queues = queues
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._behind_ps = 0  # from when on the first frame is late by the minimum rate
        self._may_ps = 0  # from when on the maximum rate lets the first frame go
        self._share = 0  # bytes sent out of what was shared, among those that have some waiting

    def __len__(self) -> int:
        """How many frames wait."""
        return len(self._frames)

    def carry(self, frame: Frame) -> None:
        """Let the frame wait for its turn."""
        self._queues.admit(self, frame)

    def push(self, frame: Frame, now_ps: int, share: int) -> None:
        """Append a frame; what was not asked for while nothing waited is not made up for."""
        if not self._frames:
            self._behind_ps = max(self._behind_ps, now_ps)
            self._share = max(self._share, share)
        self._frames.append(frame)
        self._bytes += frame.size

    def pop(self) -> Frame:
        """Take the first frame."""
        frame = self._frames.popleft()
        self._bytes -= frame.size
        return frame

    def has_room(self, frame: Frame) -> bool:
        """Whether one more frame may wait."""
        return self._bytes + frame.size <= DEFAULT_QUEUE_BYTES

    @property
    def may_ps(self) -> int:
        """When the first frame may go, as far as the maximum rate is concerned."""
        return self._may_ps

    @property
    def share(self) -> int:
        """Bytes sent out of what was shared."""
        return self._share

    def urgency(self, until_ps: int) -> tuple[int, int]:
        """Return a rank by which queues take turns: late ones first, then those with least."""
        if self.min_rate_bps and self._behind_ps < until_ps:
            return 0, self._behind_ps
        return 1, self._share

    def note_sent(self, frame: Frame, start_ps: int, until_ps: int) -> None:
        """Enter that a frame began to be sent."""
        self.tx_packets += 1
        self.tx_bytes += frame.size
        bits = frame.size * PS_BITS_PER_BYTE
        if self.min_rate_bps and self._behind_ps < until_ps:
            self._behind_ps += bits // self.min_rate_bps
        else:
            self._share += frame.size
        if self.max_rate_bps is not None:
            self._may_ps = max(self._may_ps, start_ps) + bits // self.max_rate_bps


class PortQueues:
    """The queues of one port, before the egress of its link.

    Args:
        world: the surroundings.
        port: the port, which sends by its queues from now on.

    Attributes:
        numbered: the queues by number, in order of number.
    """

    __slots__ = (
        "_all", "_port", "_rest", "_scheduler", "_share", "_transmitter", "_world", "numbered",
    )  # fmt: skip

    def __init__(self, world: World, port: Port) -> None:
        self._world = world
        self._scheduler = world.scheduler
        self._port = port
        self._rest = Queue(self, None, 0, None, world.scheduler.now)
        self._all: tuple[Queue, ...] = (self._rest,)
        self.numbered: dict[int, Queue] = {}
        self._share = 0
        self._transmitter = Transmitter(self._scheduler, self, port.egress, port.rate_bps)
        port.interposed = self
        port.egress = self.behind(port.egress, port.up)
        world.ledger.watch(self)

    @property
    def rate_bps(self) -> int | None:
        """The link's rate, bits a second, or None if it is unlimited."""
        return self._port.rate_bps

    def __len__(self) -> int:
        """How many frames wait."""
        return sum(map(len, self._all))

    def add(self, queue_id: int, min_rate_bps: int, max_rate_bps: int | None) -> None:
        """Add a queue; see :meth:`~sdnvirt.devices.switch.OpenFlowSwitch.add_queue`."""
        assert queue_id not in self.numbered, (
            f"{self._port.full_name} has a queue {queue_id} already"
        )
        assert len(self.numbered) < QUEUES_LIMIT, f"{QUEUES_LIMIT} queues are the most"
        assured = min_rate_bps + sum(queue.min_rate_bps for queue in self._all)
        assert self.rate_bps is None or assured <= self.rate_bps, (
            f"{self._port.full_name} cannot be sure of {assured} bit/s of {self.rate_bps}"
        )
        now = self._scheduler.now
        queue = Queue(self, queue_id, min_rate_bps, max_rate_bps, now)
        self.numbered = dict(sorted([*self.numbered.items(), (queue_id, queue)]))
        self._all = (self._rest, *self.numbered.values())

    def behind(self, egress: Egress, up: bool) -> Egress:
        """Send to another egress from now on; what waits is lost there if the link is down."""
        self._transmitter.lead_to(egress, self.rate_bps)
        if not up:
            for queue in self._all:
                while queue:
                    egress.carry(queue.pop())
            self._transmitter.fall_idle()
        return self

    def carry(self, frame: Frame) -> None:
        """Let a frame of no queue in particular wait for its turn."""
        self.admit(self._rest, frame)

    def admit(self, queue: Queue, frame: Frame) -> None:
        """Let a frame wait in a queue, unless that is full, and send what can be sent."""
        if not queue.has_room(frame):
            queue.tx_errors += 1
            self._port.tx_dropped += 1
            detail = f"queue {queue.queue_id}, {DEFAULT_QUEUE_BYTES} B"
            self._world.ledger.drop(frame, DropReason.QUEUE_FULL, self._port.full_name, detail)
            return
        queue.push(frame, self._scheduler.now * PS_PER_NS, self._share)
        self._transmitter.send()

    def ready_ps(self) -> int | None:
        """Return from when on a maximum rate lets a frame go; None if no frame waits."""
        return min((queue.may_ps for queue in self._all if queue), default=None)

    def take(self, start_ps: int, until_ps: int) -> Frame:
        """Take the frame of the queue whose turn it is."""
        ready = [queue for queue in self._all if queue and queue.may_ps < until_ps]
        queue = min(ready, key=lambda queue: queue.urgency(until_ps))
        self._share = max(self._share, queue.share)
        frame = queue.pop()
        queue.note_sent(frame, start_ps, until_ps)
        return frame
