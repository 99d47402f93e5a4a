"""A host's side of group membership as a pure machine (IGMPv3 RFC 3376, 5; MLDv2 RFC 3810, 6).

One machine serves both versions of IP: what differs on the wire is the matter of its runner. A
router of an older version is spoken to in that (RFC 3376, 7.2; RFC 3810, 8.2). Left out: filters by
source, since no program here asks for them; every group is listened to from everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from sdnvirt.addresses import ALL_NODES, IpAddress, Ipv4, Ipv6
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.units import NS_PER_S

ROBUSTNESS: Final = 2
"""How often a change is told, so that one loss does no harm (RFC 3376, 8.1; RFC 3810, 9.1)."""

REPORT_INTERVAL_NS: Final = NS_PER_S
"""The longest time between those (RFC 3376, 8.11; RFC 3810, 9.11)."""

OLD_ROUTER_NS: Final = (ROBUSTNESS * 125 + 10) * NS_PER_S
"""How long a router of an older version is reckoned with after its query (RFC 3376, 8.12)."""

GROUP_LIMIT: Final = 256
"""Groups of an interface; a report on all of them fits one packet of 1500 bytes in IPv4."""

ALL_HOSTS: Final = Ipv4("224.0.0.1")
"""Every host that takes multicast (RFC 1112, 4)."""

_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Changed:
    """Effect: tell that a group is listened to from now on, or no longer."""

    group: IpAddress
    joined: bool
    old_router: bool


@dataclass(frozen=True, slots=True)
class Current:
    """Effect: tell a querier what is listened to."""

    groups: tuple[IpAddress, ...]
    old_router: bool


Effect = Changed | Current


@dataclass(slots=True)
class _Change:
    """A change that is still to be told so often."""

    joined: bool
    left: int
    due_ns: int


def is_reported(group: IpAddress) -> bool:
    """Whether routers are told of a group at all (RFC 3376, 6; RFC 3810, 6)."""
    if isinstance(group, Ipv6):
        return group != ALL_NODES and group[1] & 0x0F > 1
    return group != ALL_HOSTS


class Membership:
    """The groups that one interface listens to, in one version of IP."""

    __slots__ = ("_changes", "_groups", "_old_until_ns", "_random", "_responses", "_silent")

    def __init__(self, random: Random) -> None:
        """Make a machine without groups.

        Args:
            random: stream for delays.
        """
        self._random = random
        self._groups: dict[IpAddress, None] = {}
        self._changes: dict[IpAddress, _Change] = {}
        self._responses: dict[IpAddress, int] = {}
        self._old_until_ns = 0
        self._silent = False

    @property
    def groups(self) -> tuple[IpAddress, ...]:
        """The groups that are listened to."""
        return tuple(self._groups)

    def join(self, group: IpAddress, now: int) -> list[Effect]:
        """Listen to a group."""
        assert group not in self._groups, f"{group} is joined already"
        self._groups[group] = None
        return self._change(group, True, now)

    def leave(self, group: IpAddress, now: int) -> list[Effect]:
        """Listen to a group no longer."""
        del self._groups[group]
        self._responses.pop(group, None)
        return self._change(group, False, now)

    def stop(self) -> None:
        """Say nothing from now on, and forget what routers said: there is no link."""
        self._silent = True
        self._changes.clear()
        self._responses.clear()
        self._old_until_ns = 0

    def start(self, now: int) -> list[Effect]:
        """Speak again, to routers that know nothing of what is listened to."""
        self._silent = False
        return [effect for group in self._groups for effect in self._change(group, True, now)]

    def queried(self, group: IpAddress, max_response_ms: int, old: bool, now: int) -> None:
        """Hear a query: for one group, or for all if the address is unspecified.

        Args:
            group: the group.
            max_response_ms: time in which to answer.
            old: whether the querier speaks an older version.
            now: ns.
        """
        if old:
            self._old_until_ns = now + OLD_ROUTER_NS
        due = now + self._random.randrange(max(max_response_ms * _NS_PER_MS, 1))
        for known in self._groups:
            if (group.is_unspecified or known == group) and is_reported(known):
                self._responses[known] = min(due, self._responses.get(known, NEVER))

    def overheard(self, group: IpAddress) -> None:
        """Hear another host's report of an older version: one is enough (RFC 2236, 3)."""
        self._responses.pop(group, None)

    def tick(self, now: int) -> list[Effect]:
        """Tell what is due at ``now``."""
        changed = [one for one in self._changes.items() if one[1].due_ns <= now]
        effects: list[Effect] = [self._tell(group, change, now) for group, change in changed]
        due = [group for group, due_ns in self._responses.items() if due_ns <= now]
        for group in due:
            del self._responses[group]
        if due:
            effects.append(Current(tuple(due), self._is_old(now)))
        return effects

    def next_timeout(self) -> int:
        """Return the time (ns) at which :meth:`tick` has something to do, or NEVER."""
        changes = min((change.due_ns for change in self._changes.values()), default=NEVER)
        return min(changes, min(self._responses.values(), default=NEVER))

    def _is_old(self, now: int) -> bool:
        return now < self._old_until_ns

    def _change(self, group: IpAddress, joined: bool, now: int) -> list[Effect]:
        self._changes.pop(group, None)
        if self._silent or not is_reported(group):
            return []
        change = self._changes[group] = _Change(joined, ROBUSTNESS, now)
        return [self._tell(group, change, now)]

    def _tell(self, group: IpAddress, change: _Change, now: int) -> Changed:
        change.left -= 1
        change.due_ns = now + 1 + self._random.randrange(REPORT_INTERVAL_NS)
        old = self._is_old(now)
        # To an older router a departure is told once (RFC 2236, 3).
        if change.left == 0 or (old and not change.joined):
            del self._changes[group]
        return Changed(group, change.joined, old)
