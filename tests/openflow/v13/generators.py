"""Generated OpenFlow 1.3 messages: one strategy for each message class, and each multipart kind."""

from __future__ import annotations

from hypothesis import strategies as st

from sdnvirt.openflow import symmetric
from sdnvirt.openflow.v13 import (
    actions,
    barrier,
    experimenter,
    features,
    flow,
    groups,
    instructions,
    meters,
    multipart,
    oxm,
    packets,
    ports,
    queues,
    roles,
    table_features,
    tables,
)
from sdnvirt.openflow.v13.constants import NO_BUFFER, OFPFC, OFPGC, OFPGT, OFPMC, OFPMP, OFPTFPT
from sdnvirt.openflow.v13.match import Match, OxmMatch
from tests.openflow.generators import (
    blobs,
    blobs8,
    macs,
    messages_of_entries,
    texts,
    tuples_of,
    u8,
    u16,
    u32,
    u64,
)

quads = st.tuples(u32, u32, u32, u32)

TELLING_VALUES = {
    oxm.ETH_TYPE: st.sampled_from((0x0800, 0x0806, 0x86DD, 0x8847, 0x88E7)),
    oxm.IP_PROTO: st.sampled_from((1, 6, 17, 58, 132)),
    oxm.ICMPV6_TYPE: st.sampled_from((135, 136)),
}
"""Fields that decide which others may follow."""


@st.composite
def matches(draw):
    found = {}
    for field in oxm.FIELDS:
        needed = field.requires
        if needed is not None and (
            needed.field not in found
            or found[needed.field].value & needed.bits not in needed.values
        ):
            continue
        if not draw(st.booleans()):
            continue
        value = draw(TELLING_VALUES.get(field, st.integers(0, field.limit)))
        mask = draw(st.integers(1, field.limit - 1)) if field.maskable else None
        if mask is not None and draw(st.booleans()):
            mask = None
        found[field] = OxmMatch(field, value if mask is None else value & mask, mask)
    return Match(tuple(found.values()))


@st.composite
def set_fields(draw):
    field = draw(st.sampled_from([f for f in oxm.FIELDS if f not in oxm.NOT_IN_PACKETS]))
    return actions.SetField(field, draw(st.integers(0, field.limit)))


any_action = st.one_of(
    st.builds(actions.Output, u32, u16),
    st.sampled_from(
        [
            actions.CopyTtlOut(),
            actions.CopyTtlIn(),
            actions.DecMplsTtl(),
            actions.PopVlan(),
            actions.DecNwTtl(),
            actions.PopPbb(),
        ]
    ),
    st.builds(actions.SetMplsTtl, u8),
    st.builds(actions.SetNwTtl, u8),
    st.builds(actions.PushVlan, u16),
    st.builds(actions.PushMpls, u16),
    st.builds(actions.PopMpls, u16),
    st.builds(actions.PushPbb, u16),
    st.builds(actions.SetQueue, u32),
    st.builds(actions.Group, u32),
    set_fields(),
    st.builds(actions.ExperimenterAction, u32, blobs8),
)
action_lists = tuples_of(any_action)
any_instruction = st.one_of(
    st.builds(instructions.GotoTable, u8),
    st.builds(instructions.WriteMetadata, u64, u64),
    st.builds(instructions.WriteActions, action_lists),
    st.builds(instructions.ApplyActions, action_lists),
    st.just(instructions.ClearActions()),
    st.builds(instructions.Meter, u32),
    st.builds(instructions.ExperimenterInstruction, u32, blobs8),
)
instruction_lists = st.lists(any_instruction, max_size=4, unique_by=lambda one: one.TYPE).map(tuple)

port_descs = st.builds(ports.PortDesc, u32, macs, texts, u32, u32, u32, u32, u32, u32, u32, u32)
buckets = tuples_of(st.builds(groups.Bucket, u16, u32, u32, action_lists))
bands = tuples_of(
    st.one_of(
        st.builds(meters.DropBand, u32, u32),
        st.builds(meters.DscpRemarkBand, u32, u32, u8),
        st.builds(meters.ExperimenterBand, u32, u32, u32, blobs8),
    )
)
queue_properties = tuples_of(
    st.one_of(
        st.builds(queues.MinRate, u16),
        st.builds(queues.MaxRate, u16),
        st.builds(queues.ExperimenterQueueProperty, u32, blobs),
    )
)
type_ids = st.one_of(
    st.tuples(st.integers(0, 0xFFFE), st.none()), st.tuples(st.just(0xFFFF), u32)
).map(table_features.TypeId._make)
oxm_ids = st.one_of(
    st.tuples(st.integers(0, 0xFFFEFFFF), st.none()),
    st.tuples(st.integers(0xFFFF0000, 0xFFFFFFFF), u32),
).map(table_features.OxmId._make)
table_properties = tuples_of(
    st.one_of(
        st.builds(
            table_features.TypesProperty,
            st.sampled_from((OFPTFPT.INSTRUCTIONS, OFPTFPT.WRITE_ACTIONS_MISS)),
            tuples_of(type_ids),
        ),
        st.builds(
            table_features.NextTablesProperty, st.just(OFPTFPT.NEXT_TABLES), tuples_of(u8, 20)
        ),
        st.builds(
            table_features.OxmProperty,
            st.sampled_from((OFPTFPT.MATCH, OFPTFPT.APPLY_SETFIELD)),
            tuples_of(oxm_ids),
        ),
        st.builds(
            table_features.ExperimenterProperty,
            st.just(OFPTFPT.EXPERIMENTER),
            u32,
            u32,
            blobs,
        ),
    )
)

ENTRIES = {
    flow.FlowStatsRequest: st.builds(flow.FlowStatsRequest, u8, u32, u32, u64, u64, matches()),
    flow.FlowStats: st.builds(
        flow.FlowStats,
        u8, u32, u32, u16, u16, u16, u16, u64, u64, u64, matches(), instruction_lists,
    ),
    flow.AggregateStats: st.builds(flow.AggregateStats, u64, u64, u32),
    features.Desc: st.builds(features.Desc, texts, texts, texts, texts, texts),
    tables.TableStats: st.builds(tables.TableStats, u8, u32, u64, u64),
    ports.PortStatsRequest: st.builds(ports.PortStatsRequest, u32),
    ports.PortStats: st.builds(ports.PortStats, u32, *[u64] * 12, u32, u32),
    ports.PortDesc: port_descs,
    queues.QueueStatsRequest: st.builds(queues.QueueStatsRequest, u32, u32),
    queues.QueueStats: st.builds(queues.QueueStats, u32, u32, u64, u64, u64, u32, u32),
    groups.GroupStatsRequest: st.builds(groups.GroupStatsRequest, u32),
    groups.GroupStats: st.builds(
        groups.GroupStats,
        u32, u32, u64, u64, u32, u32, tuples_of(st.builds(groups.BucketCounter, u64, u64)),
    ),
    groups.GroupDesc: st.builds(groups.GroupDesc, st.sampled_from(OFPGT), u32, buckets),
    groups.GroupFeatures: st.builds(groups.GroupFeatures, u32, u32, quads, quads),
    meters.MeterRequest: st.builds(meters.MeterRequest, u32),
    meters.MeterStats: st.builds(
        meters.MeterStats,
        u32, u32, u64, u64, u32, u32, tuples_of(st.builds(meters.BandStats, u64, u64)),
    ),
    meters.MeterConfig: st.builds(meters.MeterConfig, st.integers(0, 15), u32, bands),
    meters.MeterFeatures: st.builds(meters.MeterFeatures, u32, u32, u32, u8, u8),
    table_features.TableFeatures: st.builds(
        table_features.TableFeatures, u8, texts, u64, u64, u32, u32, table_properties
    ),
    experimenter.ExperimenterMultipart: st.builds(
        experimenter.ExperimenterMultipart, u32, u32, blobs
    ),
}  # fmt: skip


asyncs = [u32] * 6
STRATEGIES = {
    "Hello": st.builds(
        symmetric.Hello,
        st.none() | st.lists(st.integers(0, 63), unique=True).map(lambda v: tuple(sorted(v))),
    ),
    "Error": st.builds(symmetric.Error, st.integers(0, 13), u16, blobs),
    "EchoRequest": st.builds(symmetric.EchoRequest, blobs),
    "EchoReply": st.builds(symmetric.EchoReply, blobs),
    "Experimenter": st.builds(experimenter.Experimenter, u32, u32, blobs),
    "FeaturesRequest": st.just(features.FeaturesRequest()),
    "FeaturesReply": st.builds(features.FeaturesReply, u64, u32, u8, u8, u32),
    "GetConfigRequest": st.just(features.GetConfigRequest()),
    "GetConfigReply": st.builds(features.GetConfigReply, u16, u16),
    "SetConfig": st.builds(features.SetConfig, st.integers(0, 3), u16),
    "PacketIn": st.builds(
        packets.PacketIn, u32, st.integers(40, 0xFFFF), u8, u8, u64, matches(), blobs
    ),
    "FlowRemoved": st.builds(
        flow.FlowRemoved, u64, u16, u8, u8, u32, u32, u16, u16, u64, u64, matches()
    ),
    "PortStatus": st.builds(ports.PortStatus, u8, port_descs),
    "PacketOut": st.builds(packets.PacketOut, st.just(NO_BUFFER) | u32, u32, action_lists, blobs),
    "FlowMod": st.builds(
        flow.FlowMod,
        u64, u64, u8, st.sampled_from(OFPFC), u16, u16, u16, u32, u32, u32, st.integers(0, 31),
        matches(), instruction_lists,
    ),
    "GroupMod": st.builds(
        groups.GroupMod, st.sampled_from(OFPGC), st.sampled_from(OFPGT), u32, buckets
    ),
    "PortMod": st.builds(
        ports.PortMod, u32, macs, st.sampled_from((0, 1, 4, 0x65)), st.just(0x65), u32
    ),
    "TableMod": st.builds(tables.TableMod, u8, st.integers(0, 3)),
    "BarrierRequest": st.just(barrier.BarrierRequest()),
    "BarrierReply": st.just(barrier.BarrierReply()),
    "QueueGetConfigRequest": st.builds(queues.QueueGetConfigRequest, u32),
    "QueueGetConfigReply": st.builds(
        queues.QueueGetConfigReply,
        u32,
        tuples_of(st.builds(queues.PacketQueue, u32, u32, queue_properties)),
    ),
    "RoleRequest": st.builds(roles.RoleRequest, st.integers(0, 3), u64),
    "RoleReply": st.builds(roles.RoleReply, u32, u64),
    "GetAsyncRequest": st.just(roles.GetAsyncRequest()),
    "GetAsyncReply": st.builds(roles.GetAsyncReply, *asyncs),
    "SetAsync": st.builds(roles.SetAsync, *asyncs),
    "MeterMod": st.builds(
        meters.MeterMod, st.sampled_from(OFPMC), st.integers(0, 15), u32, bands
    ),
    **{
        f"{message.__name__}({kind.name})": messages_of_entries(message, kind, ENTRIES)
        for message in (multipart.MultipartRequest, multipart.MultipartReply)
        for kind in OFPMP
    },
}  # fmt: skip
"""What generates each message; multipart messages by their kind, such as MultipartReply(DESC)."""
