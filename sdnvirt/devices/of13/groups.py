"""Groups: what changes them, their descriptions and statistics (7.3.4.2, 7.3.5.9 to 7.3.5.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.datapath.actions import RULES
from sdnvirt.datapath.groups import MAX_GROUPS, Group
from sdnvirt.devices.of13.handler import Answers, Entries, Handlers, age
from sdnvirt.openflow.v13.constants import OFPG, OFPGFC, OFPGT, OFPMP
from sdnvirt.openflow.v13.groups import (
    BucketCounter,
    GroupDesc,
    GroupFeatures,
    GroupMod,
    GroupStats,
    GroupStatsRequest,
)

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent
    from sdnvirt.devices.switch import OpenFlowSwitch

_TYPES: Final = sum(1 << kind for kind in OFPGT)
_CAPABILITIES: Final = sum(OFPGFC)
_ACTIONS: Final = sum(1 << kind for kind in {action.TYPE for action in RULES} if kind < 32)


def _group_mod(agent: Agent, mod: GroupMod) -> None:
    agent.switch.modify_group(mod)


def _stats(switch: OpenFlowSwitch, request: Entries) -> Entries:
    (wanted,) = request
    assert isinstance(wanted, GroupStatsRequest)
    datapath = switch.datapath
    users = datapath.users_of_groups()
    return tuple(
        _group_stats(switch, group, users[group.group_id])
        for group in datapath.state.groups
        if wanted.group_id in (OFPG.ALL, group.group_id)
    )


def _group_stats(switch: OpenFlowSwitch, group: Group, users: int) -> GroupStats:
    return GroupStats(
        group.group_id,
        users,
        group.tally.packets,
        group.tally.bytes,
        *age(switch, group.created_ns),
        tuple(BucketCounter(one.tally.packets, one.tally.bytes) for one in group.buckets),
    )


def _descriptions(switch: OpenFlowSwitch, _request: Entries) -> Entries:
    return tuple(
        GroupDesc(group.type, group.group_id, tuple(bucket.spec for bucket in group.buckets))
        for group in switch.datapath.state.groups
    )


def _features(_switch: OpenFlowSwitch, _request: Entries) -> Entries:
    limits = (MAX_GROUPS,) * 4
    return (GroupFeatures(_TYPES, _CAPABILITIES, limits, (_ACTIONS,) * 4),)


HANDLERS: Final[Handlers] = {GroupMod: _group_mod}
ANSWERS: Final[Answers] = {
    OFPMP.GROUP: _stats,
    OFPMP.GROUP_DESC: _descriptions,
    OFPMP.GROUP_FEATURES: _features,
}
