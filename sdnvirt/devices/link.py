"""Links: two directed queues with rate, propagation delay, queue limit and MTU.

A direction keeps no list of frames. As its queue is first in first out and its rate is fixed, the
time until which the transmitter is busy says everything: a frame that arrives now is sent when
the transmitter falls idle, and what waits is that time times the rate. So a frame costs one event
a hop, its arrival, and nothing has to happen when it leaves the queue. That time is kept as the
nanosecond at which the transmitter became busy and the picoseconds for which it will have been:
both stay small, and Python calculates faster with integers below 2^30.

Rates count the frame as it stands in memory, without preamble, frame check sequence and
inter-frame gap, as Linux' traffic control does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdnvirt.devices.device import Egress, Port, Unplugged
from sdnvirt.devices.rules import Loss, Rule, RuledEgress
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

_PS_PER_NS: Final = 1000
_UNLIMITED_PS: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class LinkParameters:
    """What a link is like, the same in both directions.

    Attributes:
        rate_bps: bits a second, from 1; None for unlimited.
        delay_ns: propagation delay, nanoseconds, from 0.
        queue_bytes: bytes that may wait in each direction, the frame being sent included.
        mtu: largest payload of a frame, bytes; VLAN tags do not count.
        loss: probability that a frame is lost, 0 to 1; a rule on both directions.
    """

    rate_bps: int | None = None
    delay_ns: int = 0
    queue_bytes: int = DEFAULT_QUEUE_BYTES
    mtu: int = DEFAULT_MTU
    loss: float = 0.0


class Direction:
    """One direction of a link: the egress of the port at its near end."""

    __slots__ = (
        "_busy_ps",
        "_busy_since_ns",
        "_delay_ns",
        "_deliver",
        "_largest_untagged",
        "_ps_per_byte",
        "_queue_ps",
        "_scheduler",
        "link_name",
        "parameters",
        "world",
    )  # fmt: skip

    def __init__(self, world: World, name: str, far: Port, parameters: LinkParameters) -> None:
        self.world = world
        self.link_name = name
        self.parameters = parameters
        self._scheduler = world.scheduler
        self._deliver = far.receive
        self._busy_since_ns: int = 0
        self._busy_ps: int = 0
        self._delay_ns: int = parameters.delay_ns
        self._largest_untagged: int = parameters.mtu + ETHERNET_HEADER
        rate = parameters.rate_bps
        # Picoseconds keep the rate exact: 64 bytes at 10 Gbit/s take 51.2 ns.
        self._ps_per_byte: int = 0 if rate is None else 8 * 10**12 // rate
        self._queue_ps: int = (
            _UNLIMITED_PS if rate is None else parameters.queue_bytes * self._ps_per_byte
        )

    def carry(self, frame: Frame) -> None:
        """Queue the frame; it arrives after waiting, transmission and propagation."""
        if frame.tunnel_id:  # metadata of the sender's, which no cable carries
            frame = frame.rewritten(frame.data, 0)
        size = frame.size
        if size > self._largest_untagged:
            payload = _payload_size(frame.data)
            mtu = self.parameters.mtu
            if payload > mtu:
                self._drop(frame, DropReason.LINK_MTU, f"{payload} > MTU {mtu}")
                return
        scheduler = self._scheduler
        now = scheduler.now
        elapsed_ps = (now - self._busy_since_ns) * _PS_PER_NS
        busy_ps = self._busy_ps
        if busy_ps <= elapsed_ps:  # idle
            self._busy_since_ns = now
            self._busy_ps = busy_ps = size * self._ps_per_byte
            scheduler.call_at(now + busy_ps // _PS_PER_NS + self._delay_ns, self._deliver, frame)
            return
        busy_ps += size * self._ps_per_byte
        if busy_ps - elapsed_ps > self._queue_ps:
            self._drop(frame, DropReason.QUEUE_FULL, f"{self.parameters.queue_bytes} B")
            return
        self._busy_ps = busy_ps
        sent = self._busy_since_ns + busy_ps // _PS_PER_NS
        scheduler.call_at(sent + self._delay_ns, self._deliver, frame)

    def _drop(self, frame: Frame, reason: DropReason, detail: str) -> None:
        self.world.ledger.drop(frame, reason, self.link_name, detail)

    def cut(self) -> int:
        """Lose every frame on the way; return how many. The transmitter forgets its queue."""
        self._busy_ps = 0
        held = self._scheduler.redirect(self.carry, self._lose)  # by a Delay verdict
        return held + self._scheduler.redirect(self._deliver, self._lose)

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

    Attributes:
        name: ``a--b``, by the names of the devices it joins.
        ends: its two ports.
        up: whether it carries frames.
    """

    def __init__(
        self, world: World, name: str, a: Port, b: Port, parameters: LinkParameters
    ) -> None:
        self.name = name
        self.ends = (a, b)
        self.parameters = parameters
        self.up = False
        self._world = world
        self._directions = (
            Direction(world, name, b, parameters),
            Direction(world, name, a, parameters),
        )
        a.rate_bps = b.rate_bps = parameters.rate_bps
        self._rules: tuple[list[Rule], list[Rule]] = ([], [])
        if parameters.loss:
            for port, rules in zip(self.ends, self._rules, strict=True):
                stream = world.streams.stream(f"loss {name} {port.full_name}")
                rules.append(Loss(parameters.loss, stream))
        self.set_up(True)

    def set_up(self, up: bool) -> None:
        """Plug the link in or pull it out; frames on a link that is pulled out are lost."""
        if up == self.up:
            return
        self.up = up
        if not up:
            for direction in self._directions:
                direction.cut()
        self._attach()

    def add_rule(self, end: Port, rule: Rule) -> None:
        """Put a fault rule on the direction that leaves by the port ``end``."""
        self._rules[self.ends.index(end)].append(rule)
        self._attach()

    def remove_rule(self, end: Port, rule: Rule) -> None:
        """Take a fault rule away again."""
        self._rules[self.ends.index(end)].remove(rule)
        self._attach()

    def _attach(self) -> None:
        for port, direction, rules in zip(self.ends, self._directions, self._rules, strict=True):
            egress: Egress = direction
            if not self.up:
                egress = Unplugged(self._world, self.name, DropReason.LINK_DOWN)
            elif rules:
                egress = RuledEgress(self._world, direction, tuple(rules))
            port.attach(egress, self.up)

    def __repr__(self) -> str:
        return f"<Link {self.name} {'up' if self.up else 'down'}>"
