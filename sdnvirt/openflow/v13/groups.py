"""Groups: buckets of actions, the message that changes them, descriptions and statistics.

OpenFlow 1.3.5, 7.3.4.2 (group mod) and 7.3.5.9 to 7.3.5.11 (multipart).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.action import Action, pack_actions
from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import Message, Record, take_all
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.constants import OFPG, OFPGC, OFPGT, OFPP, OFPT
from sdnvirt.openflow.v13.error_codes import OFPGMFC, refuse

_BUCKET: Final = Struct("!HHII4x")
_GROUP_MOD: Final = Struct("!HBxI")
_GROUP_DESC: Final = Struct("!HBxI")
_GROUP_STATS: Final = Struct("!H2xII4xQQII")
_GROUP_FEATURES: Final = Struct("!10I")


@dataclass(frozen=True, slots=True)
class Bucket:
    """An alternative within a group.

    Attributes:
        weight: share of the packets, for select groups.
        watch_port: port whose liveness is the bucket's, or OFPP.ANY; for fast failover groups.
        watch_group: group whose liveness is the bucket's, or OFPG.ANY; likewise.
        actions: an action set.
    """

    weight: int = 0
    watch_port: int = OFPP.ANY
    watch_group: int = OFPG.ANY
    actions: tuple[Action, ...] = ()

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the bucket at ``start`` and the offset behind it."""
        if end - start < _BUCKET.size:
            raise refuse(OFPGMFC.BAD_BUCKET, f"a bucket cannot have {end - start} bytes")
        length, weight, watch_port, watch_group = _BUCKET.unpack_from(data, start)
        stop = start + length
        if length < _BUCKET.size or length % 8 or stop > end:
            raise refuse(OFPGMFC.BAD_BUCKET, f"a bucket of {length} bytes in {end - start}")
        actions = unpack_actions(data, start + _BUCKET.size, stop)
        return cls(weight, watch_port, watch_group, actions), stop

    def pack(self) -> bytes:
        """Return the bucket's bytes."""
        actions = pack_actions(self.actions)
        length = _BUCKET.size + len(actions)
        return _BUCKET.pack(length, self.weight, self.watch_port, self.watch_group) + actions


def _pack_buckets(buckets: tuple[Bucket, ...]) -> bytes:
    return b"".join([bucket.pack() for bucket in buckets])


@dataclass(frozen=True, slots=True)
class GroupMod(Message):
    """Add, change or delete a group.

    Attributes:
        command: one of OFPGC.
        type: one of OFPGT.
        group_id: the group, or OFPG.ALL to delete all.
    """

    command: int
    type: int
    group_id: int
    buckets: tuple[Bucket, ...] = ()

    TYPE: ClassVar[int] = OFPT.GROUP_MOD

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _GROUP_MOD.size:
            raise bad_length("a group mod", end - start)
        command, kind, group_id = _GROUP_MOD.unpack_from(data, start)
        if command > OFPGC.DELETE:
            raise refuse(OFPGMFC.BAD_COMMAND, f"no group mod command {command}")
        if kind > OFPGT.FF and command != OFPGC.DELETE:
            raise refuse(OFPGMFC.BAD_TYPE, f"no group type {kind}")
        buckets = take_all(Bucket, data, start + _GROUP_MOD.size, end)
        return cls(command, kind, group_id, buckets)

    def pack(self) -> bytes:
        fixed = _GROUP_MOD.pack(self.command, self.type, self.group_id)
        return fixed + _pack_buckets(self.buckets)


@dataclass(frozen=True, slots=True)
class GroupStatsRequest(Record):
    """The group whose statistics are asked for, or OFPG.ALL for all."""

    group_id: int = OFPG.ALL

    LAYOUT: ClassVar[Struct] = Struct("!I4x")


@dataclass(frozen=True, slots=True)
class BucketCounter(Record):
    """What went through one bucket."""

    packet_count: int
    byte_count: int

    LAYOUT: ClassVar[Struct] = Struct("!QQ")


@dataclass(frozen=True, slots=True)
class GroupStats:
    """What went through a group.

    Attributes:
        ref_count: flow entries and groups that forward to it.
        duration_sec: seconds since it exists, and ``duration_nsec`` the nanoseconds beyond.
        bucket_stats: in the order of the buckets.
    """

    group_id: int
    ref_count: int
    packet_count: int
    byte_count: int
    duration_sec: int
    duration_nsec: int
    bucket_stats: tuple[BucketCounter, ...] = ()

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the statistics at ``start`` and the offset behind them."""
        if end - start < _GROUP_STATS.size:
            raise bad_length("group statistics", end - start)
        length, group_id, references, packets, octets, seconds, nanoseconds = (
            _GROUP_STATS.unpack_from(data, start)
        )
        stop = start + length
        if length < _GROUP_STATS.size or stop > end:
            raise bad_length("group statistics", length)
        buckets = take_all(BucketCounter, data, start + _GROUP_STATS.size, stop)
        return cls(group_id, references, packets, octets, seconds, nanoseconds, buckets), stop

    def pack(self) -> bytes:
        """Return the statistics' bytes."""
        buckets = b"".join([bucket.pack() for bucket in self.bucket_stats])
        fixed = _GROUP_STATS.pack(
            _GROUP_STATS.size + len(buckets),
            self.group_id,
            self.ref_count,
            self.packet_count,
            self.byte_count,
            self.duration_sec,
            self.duration_nsec,
        )
        return fixed + buckets


@dataclass(frozen=True, slots=True)
class GroupDesc:
    """A group as it was made; ``type`` is one of OFPGT."""

    type: int
    group_id: int
    buckets: tuple[Bucket, ...] = ()

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the description at ``start`` and the offset behind it."""
        if end - start < _GROUP_DESC.size:
            raise bad_length("a group description", end - start)
        length, kind, group_id = _GROUP_DESC.unpack_from(data, start)
        stop = start + length
        if length < _GROUP_DESC.size or stop > end:
            raise bad_length("a group description", length)
        return cls(kind, group_id, take_all(Bucket, data, start + _GROUP_DESC.size, stop)), stop

    def pack(self) -> bytes:
        """Return the description's bytes."""
        buckets = _pack_buckets(self.buckets)
        length = _GROUP_DESC.size + len(buckets)
        return _GROUP_DESC.pack(length, self.type, self.group_id) + buckets


@dataclass(frozen=True, slots=True)
class GroupFeatures:
    """What groups a switch can have.

    Attributes:
        types: bit n for the group type n of OFPGT.
        capabilities: bits of OFPGFC.
        max_groups: the most groups of each type, in the order of OFPGT.
        actions: for each type, bit n for the action type n of OFPAT.
    """

    types: int
    capabilities: int
    max_groups: tuple[int, int, int, int]
    actions: tuple[int, int, int, int]

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the features at ``start`` and the offset behind them."""
        stop = start + _GROUP_FEATURES.size
        if stop > end:
            raise bad_length("group features", end - start)
        types, capabilities, a, b, c, d, e, f, g, h = _GROUP_FEATURES.unpack_from(data, start)
        return cls(types, capabilities, (a, b, c, d), (e, f, g, h)), stop

    def pack(self) -> bytes:
        """Return the features' bytes."""
        return _GROUP_FEATURES.pack(self.types, self.capabilities, *self.max_groups, *self.actions)
