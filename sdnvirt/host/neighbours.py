"""The neighbour cache: IPv4 addresses of the local network to MAC addresses (RFC 826).

A pure machine. The states are those of IPv6's neighbour discovery (RFC 4861, 7.3.2), which say
what RFC 826 leaves open: how long an answer is believed, and how a neighbour that has gone is
noticed. DELAY is left out, because nothing above reports progress yet; and a request to this host
is believed like a reply, as RFC 826 does, which saves half of the packets.

Time is an argument (ns). Every verb returns the effects that the owner has to carry out, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.units import NS_PER_S

REQUEST_LIMIT: Final = 3
"""Requests without an answer before a neighbour counts as gone (RFC 4861, 10)."""

REQUEST_INTERVAL_NS: Final = NS_PER_S
"""Time between requests; at most one a second (RFC 1122, 2.3.2.1)."""

REACHABLE_NS: Final = 30 * NS_PER_S
"""How long an answer is believed without asking again (RFC 4861, 10)."""

STALE_NS: Final = 60 * NS_PER_S
"""How long an address that nobody uses is kept after that."""

QUEUE_LIMIT: Final = 64
"""Packets that wait for one neighbour; the newest is given up, at 1500 bytes below 100 kB."""

TABLE_LIMIT: Final = 16_384
"""Neighbours in the table: every host of the largest network, and a bound to what lies can fill."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A packet that needs the MAC address of its next hop.

    Attributes:
        packet: the IPv4 packet.
        cause: the conversation it belongs to.
        on_failure: told in words why the packet was given up, or None.
    """

    packet: bytes
    cause: int
    on_failure: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: send the packet to this MAC address."""

    mac: Mac
    pending: Pending


@dataclass(frozen=True, slots=True)
class Solicit:
    """Effect: send an ARP request, broadcast if ``mac`` is None, on behalf of ``cause``."""

    address: Ipv4
    mac: Mac | None
    cause: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Effect: the packet cannot be sent; ``address`` is the next hop that it waited for."""

    address: Ipv4
    pending: Pending
    reason: DropReason


Effect = Transmit | Solicit | Abandon


@dataclass(slots=True)
class Incomplete:
    """Nothing is known yet; packets wait for the answer."""

    waiting: list[Pending]
    cause: int
    asked: int
    due_ns: int


@dataclass(slots=True)
class Reachable:
    """The neighbour answered or asked less than REACHABLE_NS ago."""

    mac: Mac
    until_ns: int


@dataclass(slots=True)
class Stale:
    """The address was right once; it is used, and the first use asks again."""

    mac: Mac
    until_ns: int


@dataclass(slots=True)
class Probe:
    """The address is used while the neighbour is asked whether it still holds."""

    mac: Mac
    cause: int
    asked: int
    due_ns: int


class Absent:
    """There is no entry."""


Entry = Incomplete | Reachable | Stale | Probe


class Event(Enum):
    """What can happen to a neighbour."""

    USED = "a packet is to be sent to it"
    ANSWERED = "its ARP reply to this host came"
    ASKED = "its ARP request to this host came"
    OVERHEARD = "its ARP packet to somebody else, or to everybody, came"
    MOVED = "its ARP packet came with another MAC address than was known"
    AGED = "its time in the state has passed"
    UNANSWERED = "REQUEST_LIMIT requests were not answered"


TRANSITIONS: Final[dict[tuple[type, Event], type]] = {
    (Absent, Event.USED): Incomplete,
    (Absent, Event.ANSWERED): Stale,
    (Absent, Event.ASKED): Reachable,
    (Incomplete, Event.ANSWERED): Reachable,
    (Incomplete, Event.ASKED): Reachable,
    (Incomplete, Event.OVERHEARD): Stale,
    (Incomplete, Event.UNANSWERED): Absent,
    (Reachable, Event.ANSWERED): Reachable,
    (Reachable, Event.ASKED): Reachable,
    (Reachable, Event.MOVED): Stale,
    (Reachable, Event.AGED): Stale,
    (Stale, Event.USED): Probe,
    (Stale, Event.ANSWERED): Reachable,
    (Stale, Event.ASKED): Reachable,
    (Stale, Event.MOVED): Stale,
    (Stale, Event.AGED): Absent,
    (Probe, Event.ANSWERED): Reachable,
    (Probe, Event.ASKED): Reachable,
    (Probe, Event.MOVED): Stale,
    (Probe, Event.UNANSWERED): Absent,
}
"""(state, event) to the next state; what is not here leaves the entry as it is."""


class Neighbours:
    """The neighbour cache of one interface.

    Attributes:
        abandoned: packets given up so far, by reason; they never were frames.
    """

    __slots__ = ("_due", "_table", "abandoned")

    def __init__(self) -> None:
        self.abandoned: dict[DropReason, int] = {}
        self._table: dict[Ipv4, Entry] = {}
        # Who is being asked. All wait equally long, so the order of insertion is the order of
        # the deadlines and the first is the next.
        self._due: dict[Ipv4, Incomplete | Probe] = {}

    def __len__(self) -> int:
        return len(self._table)

    def lookup(self, address: Ipv4, now: int) -> Mac | None:
        """Return the MAC address if nothing else is to be done for a packet: the fast path."""
        entry = self._table.get(address)
        if type(entry) is Reachable and now < entry.until_ns:
            return entry.mac
        return None

    def knows(self, address: Ipv4, now: int) -> bool:
        """Whether there is a MAC address for it, believed or not."""
        return isinstance(self._current(address, now), (Reachable, Stale, Probe))

    def state(self, address: Ipv4, now: int) -> type:
        """Return the state of an address: one of the classes above."""
        return type(self._current(address, now) or Absent())

    def send(self, address: Ipv4, pending: Pending, now: int) -> list[Effect]:
        """Send a packet to a neighbour, or let it wait until the neighbour has answered."""
        entry, effects = self._step(address, Event.USED, now, cause=pending.cause)
        if entry is None or (isinstance(entry, Incomplete) and len(entry.waiting) >= QUEUE_LIMIT):
            return [self._abandon(address, pending, DropReason.NEIGHBOUR_QUEUE_FULL)]
        if isinstance(entry, Incomplete):
            entry.waiting.append(pending)
            return effects
        return [Transmit(entry.mac, pending), *effects]

    def heard(self, address: Ipv4, mac: Mac, event: Event, now: int) -> list[Effect]:
        """Learn from an ARP packet of a neighbour.

        Args:
            address: the sender's IPv4 address.
            mac: the sender's MAC address.
            event: ANSWERED, ASKED or OVERHEARD.
            now: ns.
        """
        before = self._current(address, now)
        if (
            isinstance(before, (Reachable, Stale, Probe))
            and event is not Event.ANSWERED
            and mac != before.mac
        ):
            event = Event.MOVED
        return self._step(address, event, now, mac=mac)[1]

    def tick(self, now: int) -> list[Effect]:
        """Ask again, or give up, whoever has not answered in time."""
        effects: list[Effect] = []
        while self.next_timeout() <= now:
            address, entry = next(iter(self._due.items()))
            if entry.asked < REQUEST_LIMIT:
                effects.append(self._solicit(address, entry, now))
            else:
                effects += self._step(address, Event.UNANSWERED, now)[1]
        return effects

    def next_timeout(self) -> int:
        """Return the time (ns) at which :meth:`tick` has something to do, or NEVER."""
        for entry in self._due.values():
            return entry.due_ns
        return NEVER

    def flush(self) -> list[Effect]:
        """Forget everything, as when the interface loses its address."""
        table, self._table, self._due = self._table, {}, {}
        return [
            effect for address, entry in table.items() for effect in self._given_up(address, entry)
        ]

    def _current(self, address: Ipv4, now: int) -> Entry | None:
        """Return the entry after ageing: nothing happens at the moment itself."""
        entry = self._table.get(address)
        while isinstance(entry, (Reachable, Stale)) and now >= entry.until_ns:
            entry, _ = self._change(address, entry, Event.AGED, entry.until_ns, entry.mac)
        return entry

    def _step(
        self, address: Ipv4, event: Event, now: int, mac: Mac | None = None, cause: int = 0
    ) -> tuple[Entry | None, list[Effect]]:
        """Let an event happen to an address; return the entry after it, and the effects."""
        return self._change(address, self._current(address, now), event, now, mac, cause)

    def _change(
        self,
        address: Ipv4,
        before: Entry | None,
        event: Event,
        now: int,
        mac: Mac | None = None,
        cause: int = 0,
    ) -> tuple[Entry | None, list[Effect]]:
        kind = TRANSITIONS.get((type(before or Absent()), event))
        if kind is None or (before is None and not self._make_room()):
            return before, []
        # The entry goes to the end of the table: what was heard last is evicted last.
        self._table.pop(address, None)
        self._due.pop(address, None)
        if kind is Absent:
            return None, [] if before is None else self._given_up(address, before)
        if kind is Incomplete:
            asking: Incomplete | Probe = Incomplete([], cause, 0, 0)
        elif kind is Probe:
            assert isinstance(before, Stale)
            asking = Probe(before.mac, cause, 0, 0)
        else:
            assert mac is not None
            until_ns = now + (REACHABLE_NS if kind is Reachable else STALE_NS)
            known = Reachable(mac, until_ns) if kind is Reachable else Stale(mac, until_ns)
            self._table[address] = known
            waiting = before.waiting if isinstance(before, Incomplete) else []
            return known, [Transmit(mac, pending) for pending in waiting]
        self._table[address] = asking
        return asking, [self._solicit(address, asking, now)]

    def _solicit(self, address: Ipv4, entry: Incomplete | Probe, now: int) -> Solicit:
        entry.asked += 1
        entry.due_ns = now + REQUEST_INTERVAL_NS
        self._due.pop(address, None)
        self._due[address] = entry
        mac = entry.mac if isinstance(entry, Probe) else None
        return Solicit(address, mac, entry.cause)

    def _make_room(self) -> bool:
        """Whether one more entry fits; the oldest that nobody waits for makes way."""
        if len(self._table) < TABLE_LIMIT:
            return True
        for address in self._table:
            if address not in self._due:
                del self._table[address]
                return True
        return False

    def _given_up(self, address: Ipv4, entry: Entry) -> list[Effect]:
        waiting = entry.waiting if isinstance(entry, Incomplete) else []
        reason = DropReason.NEIGHBOUR_UNRESOLVED
        return [self._abandon(address, pending, reason) for pending in waiting]

    def _abandon(self, address: Ipv4, pending: Pending, reason: DropReason) -> Abandon:
        self.abandoned[reason] = self.abandoned.get(reason, 0) + 1
        return Abandon(address, pending, reason)
