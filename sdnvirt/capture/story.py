"""Packet stories: which ports the packets of a conversation crossed, and where they ended.

A conversation is what has one cause: a ping with its requests, its answers and the ARP that it
took. Stories read provenance, so they follow a packet through tunnels and rewrites. The checks of
a network are told from them: that every echo request crossed spine2, or was last seen at b1.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from sdnvirt.capture.taps import packet_name
from sdnvirt.devices.device import Port
from sdnvirt.devices.ledger import Drop
from sdnvirt.devices.world import World
from sdnvirt.frame import Frame, Provenance
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.pcapng import Direction

MAX_CROSSINGS: Final = 250_000
"""Crossings kept in all, some 50 MB of small frames: 2,000 pings of three echoes over ten devices.
Beyond them, the conversation that has been silent for longest is forgotten."""

MAX_CONVERSATION: Final = 50_000
"""Crossings kept of one conversation, its first ones: more than a thousand echoes over ten devices,
and few enough that a packet which runs in circles leaves room for the others."""

_MARKS: Final = {Direction.INBOUND: "<", Direction.OUTBOUND: ">"}


class Crossing(NamedTuple):
    """A frame that passed a port; a tuple, because one is made for every hop.

    Attributes:
        time_ns: when.
        port: where.
        direction: INBOUND into the port's device, or OUTBOUND from it.
        frame: the frame as it was there.
    """

    time_ns: int
    port: Port
    direction: Direction
    frame: Frame

    @property
    def device(self) -> str:
        """Name of the port's device."""
        return self.port.device.name

    def __str__(self) -> str:
        return f"{self.device} {_MARKS[self.direction]} {self.port.name}"


class _Conversation:
    """What is known of one cause: its first crossings, the last one, and how many lie between."""

    __slots__ = ("first", "last", "missed")

    def __init__(self) -> None:
        self.first: list[Crossing] = []
        self.last: Crossing | None = None
        self.missed = 0


class Stories:
    """A tap that remembers the way of every packet that belongs to a conversation.

    Queries about a cause that is not known, or forgotten, find nothing. Those that take a
    ``packet_id`` tell of the whole conversation without it.

    Args:
        world: the surroundings.

    Attributes:
        forgotten: how many conversations had to make room for others.
    """

    __slots__ = ("_conversations", "_kept", "_world", "forgotten")

    def __init__(self, world: World) -> None:
        self._world = world
        self._conversations: OrderedDict[int, _Conversation] = OrderedDict()
        self._kept = 0
        self.forgotten = 0

    def received(self, port: Port, frame: Frame) -> None:
        """Remember that the frame arrived at the port."""
        if frame.provenance.cause:
            self._remember(port, Direction.INBOUND, frame)

    def sent(self, port: Port, frame: Frame) -> None:
        """Remember that the frame left by the port."""
        if frame.provenance.cause:
            self._remember(port, Direction.OUTBOUND, frame)

    def _remember(self, port: Port, direction: Direction, frame: Frame) -> None:
        cause = frame.provenance.cause
        conversation = self._conversations.get(cause)
        if conversation is None:
            conversation = self._conversations[cause] = _Conversation()
        else:
            self._conversations.move_to_end(cause)
        crossing = Crossing(self._world.scheduler.now, port, direction, frame)
        conversation.last = crossing
        if len(conversation.first) == MAX_CONVERSATION:
            conversation.missed += 1
            return
        conversation.first.append(crossing)
        self._kept += 1
        while self._kept > MAX_CROSSINGS:
            _, silent = self._conversations.popitem(last=False)
            self._kept -= len(silent.first)
            self.forgotten += 1

    def hops(self, cause: int, packet_id: int | None = None) -> tuple[Crossing, ...]:
        """Return the crossings in order, at most the first MAX_CONVERSATION of the conversation."""
        conversation = self._conversations.get(cause)
        if conversation is None:
            return ()
        return tuple(hop for hop in conversation.first if _is(hop.frame.provenance, packet_id))

    def missed(self, cause: int) -> int:
        """Return how many crossings of a conversation came after those that are kept."""
        conversation = self._conversations.get(cause)
        return 0 if conversation is None else conversation.missed

    def last_seen(self, cause: int, packet_id: int | None = None) -> Crossing | None:
        """Return the last crossing, or None where there is none."""
        conversation = self._conversations.get(cause)
        if conversation is None:
            return None
        if packet_id is None:
            return conversation.last
        return next(reversed(self.hops(cause, packet_id)), None)

    def packets(self, cause: int) -> tuple[int, ...]:
        """Return the packet ids of a conversation in the order in which they were first seen."""
        return tuple(dict.fromkeys(hop.frame.provenance.packet_id for hop in self.hops(cause)))

    def nodes(self, cause: int, packet_id: int | None = None) -> tuple[str, ...]:
        """Return the devices crossed, in order; one that is crossed again stands there again."""
        names: list[str] = []
        for hop in self.hops(cause, packet_id):
            if names[-1:] != [hop.device]:
                names.append(hop.device)
        return tuple(names)

    def crossed(self, cause: int, device: str) -> dict[int, bool]:
        """Return, for each packet of a conversation, whether it crossed a port of the device."""
        crossed = dict.fromkeys(self.packets(cause), False)
        for hop in self.hops(cause):
            if hop.device == device:
                crossed[hop.frame.provenance.packet_id] = True
        return crossed

    def drops(self, cause: int, packet_id: int | None = None) -> tuple[Drop, ...]:
        """Return what was lost, in order, as far as the ledger remembers it."""
        return tuple(
            drop
            for drop in self._world.ledger.recent
            if drop.frame.provenance.cause == cause and _is(drop.frame.provenance, packet_id)
        )

    def text(self, cause: int, packet_id: int | None = None) -> str:
        """Tell the story, a line for each crossing and each loss, in order of time."""
        events: list[Crossing | Drop] = [
            *self.hops(cause, packet_id),
            *self.drops(cause, packet_id),
        ]
        events.sort(key=lambda event: event.time_ns)
        width = max((len(str(event)) for event in events if isinstance(event, Crossing)), default=0)
        lines = [_line(event, width) for event in events]
        if missed := self.missed(cause):
            lines.append(f"and {missed} crossings more")
        return "\n".join(lines)


def _is(provenance: Provenance, packet_id: int | None) -> bool:
    return packet_id is None or provenance.packet_id == packet_id


def _line(event: Crossing | Drop, width: int) -> str:
    name = packet_name(event.frame.provenance)
    what = f"{event!s:<{width}}  {name}, {event.frame.size} B"
    if isinstance(event, Drop):
        what = f"{name} dropped at {event}"
    return f"{_time_text(event.time_ns)}  {what}"


def _time_text(time_ns: int) -> str:
    """Return a time to the nanosecond in groups of three digits, as ``1.000 001 234 s``."""
    seconds, fraction = divmod(time_ns, NS_PER_S)
    digits = f"{fraction:09}"
    return f"{seconds}.{digits[:3]} {digits[3:6]} {digits[6:]} s"
