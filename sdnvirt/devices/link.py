"""Links: two directed queues with rate, propagation delay, queue limit and MTU.

A direction keeps no list of frames. As its queue is first in first out and its rate is fixed, the
time until which the transmitter is busy says everything: a frame that arrives now is sent when
the transmitter falls idle, and what waits is that time times the rate. So a frame costs one event
a hop, its arrival, and nothing has to happen when it leaves the queue. That time is kept as the
nanosecond at which the transmitter became busy and the picoseconds for which it will have been:
both stay small, and Python calculates faster with integers below 2^30.

Rates count the frame as it stands in memory, without preamble, frame check sequence and
inter-frame gap, as Linux' traffic control does.

A queue discipline stands before a direction, and impairments behind it; neither is there where
none was asked for, so the perfect link pays nothing for them:

    port -> rules -> Waiting (discipline) -> Direction (rate, delay) -> Medium -> far port
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sdnvirt.devices.device import Egress, Port, Unplugged
from sdnvirt.devices.disciplines.fifo import Discipline
from sdnvirt.devices.disciplines.waiting import Waiting
from sdnvirt.devices.jitter import Jitter
from sdnvirt.devices.loss import GilbertElliott
from sdnvirt.devices.medium import Medium
from sdnvirt.devices.rules import Rule, RuledEgress
from sdnvirt.devices.transmitter import PS_PER_NS, ps_per_byte
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame

ETHERNET_HEADER: Final = 14
VLAN_TAG: Final = 4
VLAN_TPIDS: Final = (b"\x81\x00", b"\x88\xa8")

DEFAULT_QUEUE_BYTES: Final = 512 * 1024
"""Bytes that may wait: about 340 full frames, what a port of a data-centre switch can buffer."""

DEFAULT_MTU: Final = 1500
"""Largest IP packet of Ethernet, bytes (RFC 894)."""

_UNLIMITED_PS: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class LinkParameters:
    """What one direction of a link is like.

    Attributes:
        rate_bps: bits a second, from 1; None for unlimited.
        delay_ns: propagation delay, nanoseconds, from 0.
        queue_bytes: bytes that may wait; without a discipline, the frame being sent included.
        mtu: largest payload of a frame, bytes; VLAN tags do not count.
        loss: share of frames that are lost, 0 to 1, or the chain that says which.
        corrupt: share of frames in which one bit is changed, 0 to 1.
        duplicate: share of frames that arrive twice, 0 to 1.
        reorder: share of frames that take no propagation delay and so overtake others, 0 to 1.
        jitter: deviations from the propagation delay, or None.
        discipline: who goes next and who is lost of those that wait; None for first in, first
            out, and loss at the tail.
    """

    rate_bps: int | None = None
    delay_ns: int = 0
    queue_bytes: int = DEFAULT_QUEUE_BYTES
    mtu: int = DEFAULT_MTU
    loss: float | GilbertElliott = 0.0
    corrupt: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    jitter: Jitter | None = None
    discipline: Discipline | None = None

    @property
    def impaired(self) -> bool:
        """Whether anything can happen to a frame on the way."""
        shares = self.loss, self.corrupt, self.duplicate, self.reorder
        return any(shares) or self.jitter is not None


class Direction:
    """One direction of a link: the egress of the port at its near end."""

    __slots__ = (
        "_busy_ps",
        "_busy_since_ns",
        "_delay_ns",
        "_deliver",
        "_largest_untagged",
        "_medium",
        "_ps_per_byte",
        "_queue_ps",
        "_scheduler",
        "far",
        "link_name",
        "near",
        "parameters",
        "world",
    )  # fmt: skip

    def __init__(
        self, world: World, name: str, near: Port, far: Port, parameters: LinkParameters
    ) -> None:
        self.world = world
        self.link_name = name
        self.near = near
        self.far = far
        self._scheduler = world.scheduler
        self._medium: Medium | None = None
        self._busy_since_ns: int = 0
        self._busy_ps: int = 0
        self.configure(parameters)

    def configure(self, parameters: LinkParameters) -> None:
        """Be as the parameters say from the next frame on; frames that are on the way stay so."""
        self.parameters = parameters
        self._deliver: Callable[[Frame], None] = self.far.receive
        self._delay_ns: int = parameters.delay_ns
        if parameters.impaired:
            if self._medium is None:
                way = f"{self.link_name} {self.near.full_name}"
                self._medium = Medium(self.world, self.link_name, way, self.far.receive)
            self._medium.configure(parameters)
            self._deliver = self._medium.carry
            self._delay_ns = 0
        self._largest_untagged: int = parameters.mtu + ETHERNET_HEADER
        # Picoseconds keep the rate exact: 64 bytes at 10 Gbit/s take 51.2 ns.
        self._ps_per_byte: int = ps_per_byte(parameters.rate_bps)
        self._queue_ps: int = _UNLIMITED_PS
        if parameters.rate_bps is not None:
            self._queue_ps = parameters.queue_bytes * self._ps_per_byte

    def carry(self, frame: Frame) -> None:
        """Queue the frame; it arrives after waiting, transmission and propagation."""
        if frame.tunnel:  # metadata of the sender's, which no cable carries
            frame = frame.rewritten(frame.data, 0)
        size = frame.size
        if size > self._largest_untagged:
            payload = _payload_size(frame.data)
            mtu = self.parameters.mtu
            if payload > mtu:
                self._reject(frame, DropReason.LINK_MTU, f"{payload} > MTU {mtu}")
                return
        scheduler = self._scheduler
        now = scheduler.now
        elapsed_ps = (now - self._busy_since_ns) * PS_PER_NS
        busy_ps = self._busy_ps
        if busy_ps <= elapsed_ps:  # idle
            self._busy_since_ns = now
            self._busy_ps = busy_ps = size * self._ps_per_byte
            scheduler.call_at(now + busy_ps // PS_PER_NS + self._delay_ns, self._deliver, frame)
            return
        busy_ps += size * self._ps_per_byte
        if busy_ps - elapsed_ps > self._queue_ps:
            self._reject(frame, DropReason.QUEUE_FULL, f"{self.parameters.queue_bytes} B")
            return
        self._busy_ps = busy_ps
        sent = self._busy_since_ns + busy_ps // PS_PER_NS
        scheduler.call_at(sent + self._delay_ns, self._deliver, frame)

    def _reject(self, frame: Frame, reason: DropReason, detail: str) -> None:
        self.near.tx_dropped += 1
        self._drop(frame, reason, detail)

    def _drop(self, frame: Frame, reason: DropReason, detail: str) -> None:
        self.world.ledger.drop(frame, reason, self.link_name, detail)

    def cut(self) -> int:
        """Lose every frame on the way; return how many. The transmitter forgets its queue."""
        self._busy_ps = 0
        redirect = self._scheduler.redirect
        lost = redirect(self.far.receive, self._lose)
        return lost if self._medium is None else lost + redirect(self._medium.carry, self._lose)

    def lose_held(self, entrance: Egress) -> int:
        """Lose every frame that a rule holds until it may enter; return how many."""
        return self._scheduler.redirect(entrance.carry, self._lose)

    def _lose(self, frame: Frame) -> None:
        self._drop(frame, DropReason.CUT_IN_FLIGHT, "")


def _payload_size(data: bytes) -> int:
    """Return the bytes behind Ethernet header and VLAN tags."""
    start = ETHERNET_HEADER
    while data[start - 2 : start] in VLAN_TPIDS:
        start += VLAN_TAG
    return len(data) - start


class Link:
    """A cable between two ports.

    Args:
        world: the surroundings.
        name: ``a--b``, by the names of the devices it joins.
        a: one port.
        b: the other.
        parameters: what it is like from ``a`` to ``b``.
        back: what it is like from ``b`` to ``a``; the same by default.

    Attributes:
        name: its name.
        ends: its two ports.
        plugged: whether it is plugged in.
        up: whether it carries frames: it is plugged in, and neither end is shut.
        on_carrier: called after ``up`` has changed.
    """

    def __init__(
        self,
        world: World,
        name: str,
        a: Port,
        b: Port,
        parameters: LinkParameters,
        back: LinkParameters | None = None,
    ) -> None:
        self.name = name
        self.ends = (a, b)
        self.plugged = False
        self.up = False
        self.on_carrier: Callable[[Link], None] | None = None
        self._world = world
        self._directions = (
            Direction(world, name, a, b, parameters),
            Direction(world, name, b, a, back or parameters),
        )
        self._waiting: list[Waiting | None] = [None, None]
        self._rules: tuple[list[Rule], list[Rule]] = ([], [])
        for index in range(len(self.ends)):
            self._configure_queue(index)
        a.cable = b.cable = self
        self.set_up(True)

    @property
    def parameters(self) -> LinkParameters:
        """What the link is like from its first end to its second."""
        return self._directions[0].parameters

    def parameters_from(self, end: Port) -> LinkParameters:
        """Return what the direction is like that leaves by a port."""
        return self._directions[self.ends.index(end)].parameters

    def change(self, end: Port, parameters: LinkParameters) -> None:
        """Let the direction that leaves by a port be as the parameters say, from now on.

        Frames on the way arrive as they would have; those that wait in the queue of a discipline
        enter the new one.
        """
        index = self.ends.index(end)
        self._directions[index].configure(parameters)
        self._configure_queue(index)
        self._attach()

    def set_up(self, up: bool) -> None:
        """Plug the link in or pull it out; frames on a link that is pulled out are lost."""
        self.plugged = up
        self.carrier_changed()

    def carrier_changed(self) -> None:
        """Carry frames if the link is plugged in and neither end is shut; lose them if not."""
        up = self.plugged and not any(end.shut for end in self.ends)
        changed = up != self.up
        self.up = up
        if changed and not up:
            self._cut()
        self._attach()
        if changed and self.on_carrier is not None:
            self.on_carrier(self)

    def _cut(self) -> None:
        for index, direction in enumerate(self._directions):
            direction.lose_held(self._entrance(index))
            waiting = self._waiting[index]
            if waiting is not None:
                waiting.cut()
            direction.cut()

    def add_rule(self, end: Port, rule: Rule) -> None:
        """Put a fault rule on the direction that leaves by the port ``end``."""
        self._rules[self.ends.index(end)].append(rule)
        self._attach()

    def remove_rule(self, end: Port, rule: Rule) -> None:
        """Take a fault rule away again."""
        self._rules[self.ends.index(end)].remove(rule)
        self._attach()

    def _entrance(self, index: int) -> Egress:
        """Return where frames enter a direction: its queue if that has a discipline."""
        waiting = self._waiting[index]
        return self._directions[index] if waiting is None else waiting

    def _configure_queue(self, index: int) -> None:
        direction, port = self._directions[index], self.ends[index]
        parameters = direction.parameters
        port.rate_bps = parameters.rate_bps
        waiting = self._waiting[index]
        if waiting is None:
            if parameters.discipline is None:
                return
            stream = self._world.streams.stream(f"queue {self.name} {port.full_name}")
            waiting = self._waiting[index] = Waiting(port, self.name, direction, stream)
        # One that is there stays, so that no frame overtakes those that wait in it.
        waiting.configure(parameters.discipline, parameters.queue_bytes, parameters.rate_bps)

    def _attach(self) -> None:
        for index, port in enumerate(self.ends):
            egress = self._entrance(index)
            rules = self._rules[index]
            if not self.up:
                egress = self._unplugged(port)
            elif rules:
                egress = RuledEgress(self._world, self.name, egress, tuple(rules))
            port.attach(egress, self.up)

    def _unplugged(self, port: Port) -> Unplugged:
        if port.shut:
            return Unplugged(port, port.full_name, DropReason.INTERFACE_DOWN)
        return Unplugged(port, self.name, DropReason.LINK_DOWN)

    def __repr__(self) -> str:
        return f"<Link {self.name} {'up' if self.up else 'down'}>"
