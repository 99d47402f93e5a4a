"""Groups: buckets of actions, the message that changes them, descriptions and statistics.

OpenFlow 1.3.5, 7.3.4.2 (group mod) and 7.3.5.9 to 7.3.5.11 (multipart).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar, Final, Self

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.element import pack_all
from sdnvirt.openflow.header import DESCRIBED_MAX
from sdnvirt.openflow.layout import Layout, words
from sdnvirt.openflow.record import Part, Record, RecordMessage, SizedRecord, many
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.constants import OFPG, OFPGC, OFPGT, OFPP, OFPT
from sdnvirt.openflow.v13.error_codes import OFPGMFC, refuse

_BUCKET: Final = Struct("!HHII4x")


@dataclass(frozen=True, slots=True)
class Bucket:
    """An alternative within a group (ofp_bucket).

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
        actions = pack_all(self.actions)
        length = _BUCKET.size + len(actions)
        return _BUCKET.pack(length, self.weight, self.watch_port, self.watch_group) + actions


@dataclass(frozen=True, slots=True)
class GroupMod(RecordMessage):
    """Add, change or delete a group (ofp_group_mod).

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
    LAYOUT: ClassVar[Struct] = Struct("!HBxI")
    TAIL: ClassVar[tuple[Part, ...]] = (many(Bucket),)
    NOUN: ClassVar[str] = "a group mod"
    MOST: ClassVar[int] = DESCRIBED_MAX

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        command, kind, _ = values
        if command > OFPGC.DELETE:
            raise refuse(OFPGMFC.BAD_COMMAND, f"no group mod command {command}")
        if kind > OFPGT.FF and command != OFPGC.DELETE:
            raise refuse(OFPGMFC.BAD_TYPE, f"no group type {kind}")


@dataclass(frozen=True, slots=True)
class GroupStatsRequest(Record):
    """The group whose statistics are asked for, or OFPG.ALL for all (ofp_group_stats_request)."""

    group_id: int = OFPG.ALL

    LAYOUT: ClassVar[Struct] = Struct("!I4x")


@dataclass(frozen=True, slots=True)
class BucketCounter(Record):
    """What went through one bucket (ofp_bucket_counter)."""

    packet_count: int
    byte_count: int

    LAYOUT: ClassVar[Struct] = Struct("!QQ")


@dataclass(frozen=True, slots=True)
class GroupStats(SizedRecord):
    """What went through a group (ofp_group_stats).

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

    LAYOUT: ClassVar[Struct] = Struct("!H2xII4xQQII")
    TAIL: ClassVar[tuple[Part, ...]] = (many(BucketCounter),)
    NOUN: ClassVar[str] = "group statistics"


@dataclass(frozen=True, slots=True)
class GroupDesc(SizedRecord):
    """A group as it was made (ofp_group_desc); ``type`` is one of OFPGT."""

    type: int
    group_id: int
    buckets: tuple[Bucket, ...] = ()

    LAYOUT: ClassVar[Struct] = Struct("!HBxI")
    TAIL: ClassVar[tuple[Part, ...]] = (many(Bucket),)
    NOUN: ClassVar[str] = "a group description"


@dataclass(frozen=True, slots=True)
class GroupFeatures(Record):
    """What groups a switch can have (ofp_group_features).

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

    LAYOUT: ClassVar[Layout] = Layout("II", words(4), words(4))
    NOUN: ClassVar[str] = "group features"
