"""Generated tables for one kind of packets.

Entries whose order the specification leaves open, which are those of equal priority that overlap,
are not generated, and neither is what DIFFERENCES (``differences.py``) lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from sdnvirt.datapath.consistency import check_consistent
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import (
    DecMplsTtl,
    DecNwTtl,
    Group,
    Output,
    PopMpls,
    PopVlan,
    PushMpls,
    PushVlan,
    SetField,
    SetMplsTtl,
    SetNwTtl,
)
from sdnvirt.openflow.v13.constants import OFPGC, OFPGT, OFPMC, OFPMF, OFPP
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    GotoTable,
    Instruction,
    Meter,
    WriteActions,
    WriteMetadata,
)
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.meters import DropBand, MeterMod
from tests.differential.kinds import ANY_MATCHES, KINDS, LABEL_OF, Kind
from tests.differential.open_vswitch import DEAD_PORT, PORTS

OUTPUTS: Final = [Output(port) for port in PORTS]
METER: Final = MeterMod(OFPMC.ADD, OFPMF.KBPS, 1, (DropBand(10_000_000),))
"""Of a rate that no test comes near."""


def fitting(match: Match, actions: Sequence[Action]) -> tuple[Action, ...]:
    """The actions without those that cannot stand where they do, for packets of that match.

    Tags, labels and TTLs are touched only of packets that are known to have them, see DIFFERENCES.
    """
    kept: tuple[Action, ...] = ()
    exact = {field: value for field, value, mask in match.fields if mask is None}
    ethertype: int | None = exact.get(oxm.ETH_TYPE)
    below = {1: LABEL_OF.get(exact.get(oxm.MPLS_LABEL, 0)), 0: 0x8847}.get(
        exact.get(oxm.MPLS_BOS, 2)
    )
    tagged = any(field is oxm.VLAN_VID and value for field, value, _ in match.fields)
    for action in actions:
        of_tag = action == PopVlan() or (
            isinstance(action, SetField) and action.field in (oxm.VLAN_VID, oxm.VLAN_PCP)
        )
        if of_tag and not tagged:
            continue
        if isinstance(action, SetNwTtl | DecNwTtl) and ethertype not in (0x0800, 0x86DD):
            continue
        if isinstance(action, SetMplsTtl | DecMplsTtl) and ethertype not in (0x8847, 0x8848):
            continue
        if isinstance(action, PopMpls) and action.ethertype != below:
            continue
        if action == PushMpls(0x8848) and any(isinstance(one, PopMpls) for one in kept):
            continue
        with suppress(OpenFlowError):
            check_consistent(match, (ApplyActions((*kept, action)),))
            kept += (action,)
            tagged = action != PopVlan() and (tagged or isinstance(action, PushVlan))
            if isinstance(action, PopMpls | PushMpls):
                ethertype, below = action.ethertype, None
    return kept


@st.composite
def groups(draw: st.DrawFn, kind: Kind, types: Sequence[OFPGT]) -> list[GroupMod]:
    """Groups of these types, each of which may lead to those before it.

    A select group has one living bucket: which of several a packet goes to is the switch's choice.
    """
    found: list[GroupMod] = []
    for group_id in range(1, draw(st.integers(1, 4))):
        lower = [Group(mod.group_id) for mod in found]
        sets = [action for action in kind.sets if action != DecMplsTtl()]  # see DIFFERENCES
        action = st.sampled_from([*OUTPUTS, *OUTPUTS, *lower, *sets])
        lists = draw(st.lists(st.lists(action, max_size=4, unique_by=type), min_size=1, max_size=3))
        of_type = draw(st.sampled_from(types))
        if of_type == OFPGT.INDIRECT:
            del lists[1:]
        buckets = [Bucket(actions=tuple(actions)) for actions in lists]
        if of_type == OFPGT.SELECT:
            living = draw(st.integers(0, len(buckets) - 1))
            buckets = [
                replace(
                    bucket,
                    weight=draw(st.integers(1, 3)),
                    watch_port=OFPP.ANY if number == living else DEAD_PORT,
                )
                for number, bucket in enumerate(buckets)
            ]
        elif of_type == OFPGT.FF:
            ports = [*PORTS, DEAD_PORT, DEAD_PORT]
            watches = [{"watch_port": port} for port in ports]
            watches += [{"watch_group": mod.group_id} for mod in found]
            buckets = [replace(bucket, **draw(st.sampled_from(watches))) for bucket in buckets]
        found.append(GroupMod(OFPGC.ADD, of_type, group_id, tuple(buckets)))
    return found


@st.composite
def tables(draw: st.DrawFn, kind: Kind) -> list[Message]:
    """A meter, groups, and entries for three flow tables.

    Open vSwitch 3.1 looks at a packet afresh to choose in a select group, and behind a popped
    label; and it aborts if more waits in the action set then than is left of its list of actions
    (an assertion in recirc_alloc_id__). So an example has the one or the other.
    """
    waiting = draw(st.booleans())
    made = draw(groups(kind, [one for one in OFPGT if not (waiting and one == OFPGT.SELECT)]))
    outputs = st.sampled_from([*OUTPUTS, *OUTPUTS, *(Group(mod.group_id) for mod in made)])
    sets = st.sampled_from(kind.sets)
    structural = [one for one in kind.applied if not (waiting and isinstance(one, PopMpls))]
    applied_only = st.sampled_from(structural) if structural else sets
    matches = st.sampled_from([Match.of(**tests) for tests in (*ANY_MATCHES, *kind.matches)])
    applied = st.lists(outputs | outputs | sets | applied_only, min_size=1, max_size=6)
    pop = st.just(PopVlan())
    written = st.lists(outputs | sets | pop, min_size=1, max_size=6)
    found: list[Message] = [METER, *made]
    found += [FlowMod(table_id=table_id, priority=0) for table_id in (1, 2)]
    for priority in range(1, draw(st.integers(2, 11))):
        table_id = draw(st.sampled_from((0, 0, 1, 2)))
        match = draw(matches)
        instructions: list[Instruction] = []
        now: list[Action] = []
        if draw(st.integers(0, 5)) == 0:
            instructions.append(Meter(METER.meter_id))
        if draw(st.integers(0, 3)):
            now = draw(applied)
            if table_id == 0 and draw(st.booleans()):
                where = draw(st.integers(0, len(now)))
                now[where:where] = draw(st.sampled_from(kind.pushes))
            instructions.append(ApplyActions(fitting(match, now)))
        if draw(st.integers(0, 4)) == 0:
            instructions.append(ClearActions())
        if waiting and draw(st.integers(0, 2)) == 0:
            both = fitting(match, [*now, *draw(written)])
            instructions.append(WriteActions(both[len(fitting(match, now)) :]))
        if table_id < 2 and draw(st.integers(0, 2)) == 0:
            instructions.append(WriteMetadata(draw(st.integers(0, 3)), draw(st.integers(1, 3))))
        if table_id < 2 and draw(st.booleans()):
            instructions.append(GotoTable(draw(st.integers(table_id + 1, 2))))
        found.append(
            FlowMod(
                table_id=table_id, priority=priority, match=match, instructions=tuple(instructions)
            )
        )
    return found


@st.composite
def examples(draw: st.DrawFn, name: str) -> tuple[list[Message], list[tuple[int, bytes]]]:
    """Tables of a kind, and packets with the ports where they arrive."""
    kind = KINDS[name]
    packet = st.tuples(st.sampled_from((1, 2)), st.sampled_from(kind.packets))
    return draw(tables(kind)), draw(st.lists(packet, min_size=4, max_size=8))
