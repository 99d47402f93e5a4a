"""Groups: sets of buckets, each with a set of actions (OpenFlow 1.3.5, 5.6 and 6.5).

A group is chosen from by the walk; here are the groups themselves, what changes them, and which
buckets are alive. Groups may lead to groups, never in a circle.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from typing import Final
from zlib import crc32

from sdnvirt.datapath.tally import Tally
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13.constants import OFPG, OFPGC, OFPGT, OFPP
from sdnvirt.openflow.v13.error_codes import OFPBAC, OFPGMFC, refuse
from sdnvirt.openflow.v13.groups import Bucket, GroupMod

MAX_GROUPS: Final = 65_536
"""Groups of one switch: more than hardware has, and some 100 MB at most."""

MAX_BUCKETS: Final = 1_024
"""Buckets of one group; a message of 64 KiB has room for some 2,000 with an output each."""

MAX_CHAIN: Final = 16
"""Groups that may lead to one another; deep enough for any design, and far from the depth of calls
at which Python gives up."""

MAX_COPIES: Final = 4_096
"""Buckets that process one packet at most, over all groups that it comes through: where groups of
two buckets lead to one another, the copies double with each."""

Liveness = Callable[[int], bool]
"""Whether a port of some number is there and works."""

_WATCHING: Final = (OFPGT.SELECT, OFPGT.FF)
"""Types of groups that leave out the buckets which are not alive; the others use all they have."""

_GOLDEN_RATIO: Final = 0x9E3779B1
"""Odd, near 2^32 over the golden ratio: spreads a CRC's linear bits over the high ones."""


class LiveBucket:
    """A bucket at work: what the controller gave, and what went through it."""

    __slots__ = ("spec", "tally")

    def __init__(self, spec: Bucket) -> None:
        self.spec = spec
        self.tally = Tally()

    def leads_to(self) -> Iterator[int]:
        """Yield the groups that it outputs to."""
        for action in self.spec.actions:
            if isinstance(action, act.Group):
                yield action.group_id


class Group:
    """A group.

    Attributes:
        group_id: 0 to OFPG.MAX.
        type: one of OFPGT.
        buckets: in the order given.
        tally: what went through it.
        created_ns: when it was added.
    """

    __slots__ = ("buckets", "created_ns", "group_id", "tally", "type")

    def __init__(self, mod: GroupMod, now: int) -> None:
        self.group_id = mod.group_id
        self.type = mod.type
        self.buckets = tuple(LiveBucket(bucket) for bucket in mod.buckets)
        self.tally = Tally()
        self.created_ns = now

    def carry_on(self, old: Group) -> None:
        """Count on from the group that this one replaces; its buckets are new (6.5)."""
        self.tally = old.tally
        self.created_ns = old.created_ns

    def leads_to(self) -> Iterator[int]:
        """Yield the groups that its buckets output to."""
        for bucket in self.buckets:
            yield from bucket.leads_to()

    def watches(self) -> Iterator[int]:
        """Yield the groups on whose life that of its buckets depends."""
        for bucket in self.buckets:
            if bucket.spec.watch_group != OFPG.ANY:
                yield bucket.spec.watch_group


class GroupTable:
    """The groups of one datapath.

    Args:
        check_actions: refuses actions that cannot be executed.
        invalidate: forgets cached flows.
    """

    def __init__(
        self,
        check_actions: Callable[[tuple[Action, ...]], None],
        invalidate: Callable[[], None],
    ) -> None:
        self._check_actions = check_actions
        self._invalidate = invalidate
        self._groups: dict[int, Group] = {}

    def __contains__(self, group_id: int) -> bool:
        return group_id in self._groups

    def __getitem__(self, group_id: int) -> Group:
        return self._groups[group_id]

    def __iter__(self) -> Iterator[Group]:
        """Iterate over the groups by ascending id."""
        return iter([self._groups[group_id] for group_id in sorted(self._groups)])

    def __len__(self) -> int:
        return len(self._groups)

    def modify(self, mod: GroupMod, now: int) -> tuple[int, ...]:
        """Carry out a group mod; return the ids of groups that are gone.

        Raises:
            OpenFlowError: it cannot be carried out (OFPET_GROUP_MOD_FAILED); nothing was changed.
        """
        if mod.command == OFPGC.DELETE:
            return self._delete(mod.group_id)
        self._check(mod)
        exists = mod.group_id in self._groups
        if mod.command == OFPGC.ADD and exists:
            raise refuse(OFPGMFC.GROUP_EXISTS, f"group {mod.group_id} is there already")
        if mod.command == OFPGC.MODIFY and not exists:
            raise refuse(OFPGMFC.UNKNOWN_GROUP, f"no group {mod.group_id}")
        if not exists and len(self._groups) >= MAX_GROUPS:
            raise refuse(OFPGMFC.OUT_OF_GROUPS, f"{MAX_GROUPS} groups are the most")
        group = Group(mod, now)
        self._check_chain(group)
        self._check_size(ChainMap({mod.group_id: group}, self._groups), group, exists)
        if exists:
            group.carry_on(self._groups[mod.group_id])
        self._invalidate()
        self._groups[mod.group_id] = group
        return ()

    def is_live(self, group_id: int, lives: Liveness) -> bool:
        """Whether a group has a bucket that is alive (7.3.4.2)."""
        group = self._groups.get(group_id)
        return group is not None and any(self.bucket_lives(b, lives) for b in group.buckets)

    def bucket_lives(self, bucket: LiveBucket, lives: Liveness) -> bool:
        """Whether what a bucket watches is alive; one that watches nothing always is."""
        port, group = bucket.spec.watch_port, bucket.spec.watch_group
        if port == OFPP.ANY and group == OFPG.ANY:
            return True
        return (port != OFPP.ANY and lives(port)) or (
            group != OFPG.ANY and self.is_live(group, lives)
        )

    def choose(self, group: Group, key: bytes, lives: Liveness) -> tuple[LiveBucket, ...]:
        """Return the buckets that a packet is processed by.

        Args:
            group: the group.
            key: the packet's flow key, on which select groups hash.
            lives: says which ports are alive.
        """
        if group.type not in _WATCHING:
            return group.buckets
        living = [bucket for bucket in group.buckets if self.bucket_lives(bucket, lives)]
        if group.type == OFPGT.FF:
            return tuple(living[:1])
        return _weighted(living, key)

    def _check(self, mod: GroupMod) -> None:
        if mod.group_id > OFPG.MAX:
            raise refuse(OFPGMFC.INVALID_GROUP, f"group {mod.group_id:#x} is reserved")
        if len(mod.buckets) > MAX_BUCKETS:
            raise refuse(OFPGMFC.OUT_OF_BUCKETS, f"{len(mod.buckets)} buckets")
        if mod.type == OFPGT.INDIRECT and len(mod.buckets) != 1:
            raise refuse(OFPGMFC.INVALID_GROUP, "an indirect group has one bucket")
        for bucket in mod.buckets:
            if mod.type == OFPGT.SELECT and not bucket.weight:
                raise refuse(OFPGMFC.INVALID_GROUP, "a select group's bucket without weight")
            if mod.type != OFPGT.SELECT and bucket.weight:
                raise refuse(OFPGMFC.INVALID_GROUP, "a weight in a group that does not select")
            _check_watch(mod.type, bucket)
            self._check_actions(bucket.actions)

    def _check_chain(self, group: Group) -> None:
        """Refuse a group that needs a group that is not there, or in the end itself."""
        for group_id in group.leads_to():
            if group_id not in self._groups and group_id != group.group_id:
                # Actions of buckets are refused as those of flow mods are (6.5).
                raise refuse(OFPBAC.BAD_OUT_GROUP, f"a bucket leads to no group, {group_id}")
        for group_id in group.watches():
            if group_id not in self._groups and group_id != group.group_id:
                raise refuse(OFPGMFC.BAD_WATCH, f"a bucket watches no group, {group_id}")
        seen: set[int] = set()
        ahead = [*group.leads_to(), *group.watches()]
        while ahead:
            group_id = ahead.pop()
            if group_id == group.group_id:
                raise refuse(OFPGMFC.LOOP, f"group {group_id} would lead to itself")
            if group_id not in seen:
                seen.add(group_id)
                ahead += [*self._groups[group_id].leads_to(), *self._groups[group_id].watches()]

    def _check_size(self, groups: Mapping[int, Group], group: Group, known: bool) -> None:
        """Refuse a group that would make a chain too long or too many copies of a packet.

        Args:
            groups: the groups as they would be.
            group: the new one among them.
            known: whether others may lead to it already, which then get longer, too.
        """
        sizes: dict[int, tuple[int, int]] = {}
        for one in groups.values() if known else (group,):
            length, copies = _size(one, groups, sizes, MAX_CHAIN)
            if length > MAX_CHAIN or copies > MAX_COPIES:
                raise refuse(
                    OFPGMFC.CHAINING_UNSUPPORTED,
                    f"group {one.group_id} would lead through more than {MAX_CHAIN} groups "
                    f"or {MAX_COPIES} buckets",
                )

    def _delete(self, group_id: int) -> tuple[int, ...]:
        if group_id == OFPG.ALL:
            gone = tuple(sorted(self._groups))
        elif group_id > OFPG.MAX:
            raise refuse(OFPGMFC.INVALID_GROUP, f"group {group_id:#x} cannot be deleted")
        else:
            gone = (group_id,) if group_id in self._groups else ()
            if any(
                group_id in (*group.leads_to(), *group.watches()) for group in self._groups.values()
            ):
                raise refuse(OFPGMFC.CHAINED_GROUP, f"another group leads to {group_id}")
        if gone:
            self._invalidate()
        for one in gone:
            del self._groups[one]
        return gone


def _check_watch(kind: int, bucket: Bucket) -> None:
    """Refuse a bucket that watches what cannot be watched, or must watch and does not."""
    unwatched = bucket.watch_port == OFPP.ANY and bucket.watch_group == OFPG.ANY
    if kind == OFPGT.FF and unwatched:
        raise refuse(OFPGMFC.INVALID_GROUP, "a fast failover bucket that watches nothing")
    if kind not in _WATCHING and not unwatched:
        raise refuse(OFPGMFC.WATCH_UNSUPPORTED, "a group that uses all its buckets, alive or not")
    watchable = 0 < bucket.watch_port <= OFPP.MAX or bucket.watch_port in (OFPP.ANY, OFPP.LOCAL)
    if not watchable:  # LOCAL is a standard port and can be used in groups (4.1)
        raise refuse(OFPGMFC.BAD_WATCH, f"port {bucket.watch_port:#x} cannot be watched")


def _size(
    group: Group, groups: Mapping[int, Group], sizes: dict[int, tuple[int, int]], depth: int
) -> tuple[int, int]:
    """Return the length of the longest chain from a group, and how many buckets take a packet.

    Args:
        group: where to begin.
        groups: all groups; there is no circle in them.
        sizes: what was found before; filled in.
        depth: how far to look; beyond it, chains count as one group too long.
    """
    if depth < 0:
        return 1, 1
    found = sizes.get(group.group_id)
    if found is not None:
        return found
    length = 0
    copies = []
    for watched in group.watches():
        length = max(length, _size(groups[watched], groups, sizes, depth - 1)[0])
    for bucket in group.buckets:
        below = [_size(groups[one], groups, sizes, depth - 1) for one in bucket.leads_to()]
        length = max([length, *(size[0] for size in below)])
        copies.append(1 + sum(size[1] for size in below))
    all_of_them = group.type in (OFPGT.ALL, OFPGT.INDIRECT)
    size = 1 + length, sum(copies) if all_of_them else max(copies, default=0)
    sizes[group.group_id] = size
    return size


def _weighted(buckets: list[LiveBucket], key: bytes) -> tuple[LiveBucket, ...]:
    """Return the bucket that a flow's hash falls on, as wide as the buckets' weights."""
    total = sum(bucket.spec.weight for bucket in buckets)
    if not total:
        return ()
    place = (crc32(key) * _GOLDEN_RATIO & 0xFFFFFFFF) * total >> 32
    for bucket in buckets:
        place -= bucket.spec.weight
        if place < 0:
            return (bucket,)
    raise AssertionError("the place is below the sum of the weights")
