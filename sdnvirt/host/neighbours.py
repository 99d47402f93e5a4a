"""The neighbour cache: IP addresses of the local network to MAC addresses.

A pure machine, for ARP (RFC 826) as for IPv6's neighbour discovery (RFC 4861, 7). Its states and
their transitions stand in :mod:`sdnvirt.host.neighbour_states`.

Time is an argument (ns). Every verb returns the effects that the owner has to carry out, in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sdnvirt.addresses import IpAddress, Mac
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.neighbour_states import (
    ARP,
    DELAY_NS,
    REACHABLE_NS,
    REQUEST_INTERVAL_NS,
    REQUEST_LIMIT,
    STALE_NS,
    Abandon,
    Absent,
    Delay,
    Effect,
    Entry,
    Event,
    Gone,
    Incomplete,
    Known,
    Pending,
    Probe,
    Reachable,
    Solicit,
    Stale,
    Transitions,
    Transmit,
)

QUEUE_LIMIT: Final = 64
"""Packets that wait for one neighbour, at 1500 bytes below 100 kB; the oldest makes way for a new
one (RFC 1122, 2.3.2.2; RFC 4861, 7.2.2)."""

TABLE_LIMIT: Final = 16_384
"""Neighbours in the table: every host of the largest network, and a bound to what lies can fill."""


class Neighbours:
    """The neighbour cache of one interface.

    Attributes:
        abandoned: packets given up so far, by reason; they never were frames.
        reachable_ns: how long an answer is believed.
    """

    __slots__ = ("_delayed", "_due", "_table", "_transitions", "abandoned", "reachable_ns")

    def __init__(self, transitions: Transitions = ARP) -> None:
        """Make an empty cache.

        Args:
            transitions: ARP or ND.
        """
        self.abandoned: dict[DropReason, int] = {}
        self.reachable_ns = REACHABLE_NS
        self._transitions = transitions
        self._table: dict[IpAddress, Entry] = {}
        # Who is being asked, and who is given time. All in one of the two wait equally long, so
        # the order of insertion is the order of the deadlines and the first is the next.
        self._due: dict[IpAddress, Incomplete | Probe] = {}
        self._delayed: dict[IpAddress, Delay] = {}

    def __len__(self) -> int:
        return len(self._table)

    def entries(self, now: int) -> list[tuple[IpAddress, Entry]]:
        """Return what is known now, in the order in which it was heard."""
        found = [(address, self._current(address, now)) for address in list(self._table)]
        return [(address, entry) for address, entry in found if entry is not None]

    def lookup(self, address: IpAddress, now: int) -> Mac | None:
        """Return the MAC address if nothing else is to be done for a packet: the fast path."""
        entry = self._table.get(address)
        if type(entry) is Reachable and now < entry.until_ns:
            return entry.mac
        return None

    def mac(self, address: IpAddress, now: int) -> Mac | None:
        """Return the MAC address of a neighbour, believed or not, or None."""
        entry = self._current(address, now)
        return entry.mac if isinstance(entry, Known) else None

    def waiting(self) -> Iterator[Pending]:
        """Return the packets that wait for an answer."""
        for entry in self._table.values():
            if isinstance(entry, Incomplete):
                yield from entry.waiting

    def knows(self, address: IpAddress, now: int) -> bool:
        """Whether there is a MAC address for it, believed or not."""
        return isinstance(self._current(address, now), Known)

    def state(self, address: IpAddress, now: int) -> type:
        """Return the state of an address: one of the classes above."""
        return type(self._current(address, now) or Absent())

    def send(self, address: IpAddress, pending: Pending, now: int) -> list[Effect]:
        """Send a packet to a neighbour, or let it wait until the neighbour has answered."""
        entry, effects = self._step(address, Event.USED, now, cause=pending.cause)
        if entry is None:
            return [self._abandon(address, pending, DropReason.NEIGHBOUR_QUEUE_FULL)]
        if isinstance(entry, Incomplete):
            entry.waiting.append(pending)
            if len(entry.waiting) > QUEUE_LIMIT:
                oldest = entry.waiting.pop(0)
                effects.append(self._abandon(address, oldest, DropReason.NEIGHBOUR_QUEUE_FULL))
            return effects
        return [Transmit(entry.mac, pending), *effects]

    def heard(
        self, address: IpAddress, mac: Mac, event: Event, now: int, override: bool = True
    ) -> list[Effect]:
        """Learn from what a neighbour said.

        Args:
            address: the neighbour's IP address.
            mac: the MAC address that it told.
            event: ANSWERED, ASKED or OVERHEARD.
            now: ns.
            override: whether another MAC address may be replaced (RFC 4861, 7.2.5).
        """
        before = self._current(address, now)
        if isinstance(before, Known) and mac != before.mac:
            if not override:
                return self._step(address, Event.DOUBTED, now, mac=before.mac)[1]
            if event is not Event.ANSWERED:
                event = Event.MOVED
        return self._step(address, event, now, mac=mac)[1]

    def answered(self, address: IpAddress, now: int) -> list[Effect]:
        """Learn that a neighbour answered without telling its MAC address (RFC 4861, 7.2.5)."""
        before = self._current(address, now)
        if not isinstance(before, Known):
            return []
        return self._step(address, Event.ANSWERED, now, mac=before.mac)[1]

    def confirm(self, address: IpAddress, now: int) -> list[Effect]:
        """Learn from a transport that the neighbour forwards what it is given (7.3.1)."""
        before = self._current(address, now)
        if not isinstance(before, Known):
            return []
        return self._step(address, Event.CONFIRMED, now, mac=before.mac)[1]

    def tick(self, now: int) -> list[Effect]:
        """Ask again, or give up, whoever has not answered in time."""
        effects: list[Effect] = []
        while self._delayed and (first := next(iter(self._delayed.items())))[1].until_ns <= now:
            address, delay = first
            effects += self._change(address, delay, Event.AGED, now, None, delay.cause)[1]
        while self._due and (head := next(iter(self._due.items())))[1].due_ns <= now:
            address, entry = head
            if entry.asked < REQUEST_LIMIT:
                effects.append(self._solicit(address, entry, now))
                continue
            effects += self._step(address, Event.UNANSWERED, now)[1]
            if isinstance(entry, Probe):
                effects.append(Gone(address))
        return effects

    def next_timeout(self) -> int:
        """Return the time (ns) at which :meth:`tick` has something to do, or NEVER."""
        due = next((entry.due_ns for entry in self._due.values()), NEVER)
        return min(due, next((entry.until_ns for entry in self._delayed.values()), NEVER))

    def flush(self) -> list[Effect]:
        """Forget everything, as when the interface loses its address."""
        table, self._table, self._due, self._delayed = self._table, {}, {}, {}
        return [
            effect for address, entry in table.items() for effect in self._given_up(address, entry)
        ]

    def _current(self, address: IpAddress, now: int) -> Entry | None:
        """Return the entry after ageing: nothing happens at the moment itself."""
        entry = self._table.get(address)
        while isinstance(entry, (Reachable, Stale)) and now >= entry.until_ns:
            entry, _ = self._change(address, entry, Event.AGED, entry.until_ns, entry.mac)
        return entry

    def _step(
        self, address: IpAddress, event: Event, now: int, mac: Mac | None = None, cause: int = 0
    ) -> tuple[Entry | None, list[Effect]]:
        """Let an event happen to an address; return the entry after it, and the effects."""
        return self._change(address, self._current(address, now), event, now, mac, cause)

    def _change(
        self,
        address: IpAddress,
        before: Entry | None,
        event: Event,
        now: int,
        mac: Mac | None = None,
        cause: int = 0,
    ) -> tuple[Entry | None, list[Effect]]:
        kind = self._transitions.get((type(before or Absent()), event))
        if kind is None or (before is None and not self._make_room()):
            return before, []
        # The entry goes to the end of the table: what was heard last is evicted last.
        self._table.pop(address, None)
        self._due.pop(address, None)
        self._delayed.pop(address, None)
        if kind is Absent:
            return None, [] if before is None else self._given_up(address, before)
        if kind is Incomplete:
            asking: Incomplete | Probe = Incomplete([], cause, 0, 0)
        elif kind is Probe:
            assert isinstance(before, (Stale, Delay))
            asking = Probe(before.mac, cause, 0, 0)
        elif kind is Delay:
            assert isinstance(before, Stale)
            delay = Delay(before.mac, cause, now + DELAY_NS)
            self._table[address] = self._delayed[address] = delay
            return delay, []
        else:
            assert mac is not None
            until_ns = now + (self.reachable_ns if kind is Reachable else STALE_NS)
            known = Reachable(mac, until_ns) if kind is Reachable else Stale(mac, until_ns)
            self._table[address] = known
            waiting = before.waiting if isinstance(before, Incomplete) else []
            return known, [Transmit(mac, pending) for pending in waiting]
        self._table[address] = asking
        return asking, [self._solicit(address, asking, now)]

    def _solicit(self, address: IpAddress, entry: Incomplete | Probe, now: int) -> Solicit:
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
                self._delayed.pop(address, None)
                return True
        return False

    def _given_up(self, address: IpAddress, entry: Entry) -> list[Effect]:
        waiting = entry.waiting if isinstance(entry, Incomplete) else []
        reason = DropReason.NEIGHBOUR_UNRESOLVED
        return [self._abandon(address, pending, reason) for pending in waiting]

    def _abandon(self, address: IpAddress, pending: Pending, reason: DropReason) -> Abandon:
        self.abandoned[reason] = self.abandoned.get(reason, 0) + 1
        return Abandon(address, pending, reason)
