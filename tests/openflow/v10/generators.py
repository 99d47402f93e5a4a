"""Generated OpenFlow 1.0 messages: one strategy for each message class, and kind of statistics."""

from __future__ import annotations

from hypothesis import strategies as st

from sdnvirt.openflow import symmetric
from sdnvirt.openflow.v10 import (
    actions,
    barrier,
    features,
    flow,
    hello,
    match,
    packets,
    ports,
    queues,
    statistics,
    vendor,
)
from sdnvirt.openflow.v10.constants import OFPFC, OFPST, VLAN_NONE
from tests.openflow.generators import (
    blobs,
    blobs8,
    ipv4s,
    macs,
    messages_of_entries,
    texts,
    tuples_of,
    u8,
    u16,
    u32,
    u64,
)

matches = st.builds(
    match.Match,
    wildcards=st.integers(0, (1 << 22) - 1),
    in_port=u16,
    dl_src=macs,
    dl_dst=macs,
    dl_vlan=st.integers(0, 0xFFF) | st.just(VLAN_NONE),
    dl_vlan_pcp=st.integers(0, 7),
    dl_type=st.sampled_from((0x0800, 0x0806, 0x86DD, 0x05FF)) | u16,
    nw_tos=st.integers(0, 63).map(lambda dscp: dscp << 2),
    nw_proto=st.sampled_from((1, 6, 17, 58, 132)) | u8,
    nw_src=ipv4s,
    nw_dst=ipv4s,
    tp_src=u16,
    tp_dst=u16,
)

any_action = st.one_of(
    st.builds(actions.Output, u16, u16),
    st.builds(actions.SetVlanVid, st.integers(0, 0xFFF)),
    st.builds(actions.SetVlanPcp, st.integers(0, 7)),
    st.just(actions.StripVlan()),
    st.builds(actions.SetDlSrc, macs),
    st.builds(actions.SetDlDst, macs),
    st.builds(actions.SetNwSrc, ipv4s),
    st.builds(actions.SetNwDst, ipv4s),
    st.builds(actions.SetNwTos, st.integers(0, 63).map(lambda dscp: dscp << 2)),
    st.builds(actions.SetTpSrc, u16),
    st.builds(actions.SetTpDst, u16),
    st.builds(actions.Enqueue, u16, u32),
    st.builds(actions.VendorAction, st.integers(0x10000, 0xFFFFFFFF), blobs8),
)
action_lists = tuples_of(any_action)
port_descs = st.builds(ports.PortDesc, u16, macs, texts, u32, u32, u32, u32, u32, u32)
packet_queues = st.builds(
    queues.PacketQueue,
    u32,
    tuples_of(st.just(queues.NoProperty()) | st.builds(queues.MinRate, u16)),
)

ENTRIES = {
    flow.FlowStatsRequest: st.builds(flow.FlowStatsRequest, matches, u8, u16),
    flow.FlowStats: st.builds(
        flow.FlowStats, u8, matches, u32, u32, u16, u16, u16, u64, u64, u64, action_lists
    ),
    flow.AggregateStats: st.builds(flow.AggregateStats, u64, u64, u32),
    features.Desc: st.builds(features.Desc, texts, texts, texts, texts, texts),
    features.TableStats: st.builds(features.TableStats, u8, texts, u32, u32, u32, u64, u64),
    ports.PortStatsRequest: st.builds(ports.PortStatsRequest, u16),
    ports.PortStats: st.builds(ports.PortStats, u16, *[u64] * 12),
    queues.QueueStatsRequest: st.builds(queues.QueueStatsRequest, u16, u32),
    queues.QueueStats: st.builds(queues.QueueStats, u16, u32, u64, u64, u64),
    vendor.VendorStats: st.builds(
        vendor.VendorStats, st.integers(0x10000, 0xFFFFFFFF), st.binary(min_size=1, max_size=40)
    ),
}


STRATEGIES = {
    "Hello": st.just(hello.Hello()),
    "Error": st.builds(symmetric.Error, st.integers(0, 5), u16, blobs),
    "EchoRequest": st.builds(symmetric.EchoRequest, blobs),
    "EchoReply": st.builds(symmetric.EchoReply, blobs),
    "Vendor": st.builds(vendor.Vendor, st.integers(0x10000, 0xFFFFFFFF), blobs),
    "FeaturesRequest": st.just(features.FeaturesRequest()),
    "FeaturesReply": st.builds(
        features.FeaturesReply,
        u64, u32, u8, u32, u32,
        st.lists(port_descs, max_size=3, unique_by=lambda port: port.port_no).map(tuple),
    ),
    "GetConfigRequest": st.just(features.GetConfigRequest()),
    "GetConfigReply": st.builds(features.GetConfigReply, u16, u16),
    "SetConfig": st.builds(features.SetConfig, st.integers(0, 3), u16),
    "PacketIn": st.builds(packets.PacketIn, u32, st.integers(40, 1500), u16, u8, blobs),
    "FlowRemoved": st.builds(flow.FlowRemoved, matches, u64, u16, u8, u32, u32, u16, u64, u64),
    "PortStatus": st.builds(ports.PortStatus, u8, port_descs),
    "PacketOut": st.builds(packets.PacketOut, st.just(0xFFFFFFFF), u16, action_lists, blobs),
    "FlowMod": st.builds(
        flow.FlowMod,
        matches, u64, st.sampled_from(OFPFC), u16, u16, u16, u32, u16, st.integers(0, 7),
        action_lists,
    ),
    "PortMod": st.builds(ports.PortMod, u16, macs, u32, u32, u32),
    "BarrierRequest": st.just(barrier.BarrierRequest()),
    "BarrierReply": st.just(barrier.BarrierReply()),
    "QueueGetConfigRequest": st.builds(queues.QueueGetConfigRequest, u16),
    "QueueGetConfigReply": st.builds(queues.QueueGetConfigReply, u16, tuples_of(packet_queues)),
    **{
        f"StatsRequest({kind.name})": messages_of_entries(
            statistics.StatsRequest, kind, ENTRIES, st.just(False)
        )
        for kind in OFPST
    },
    **{
        f"StatsReply({kind.name})": messages_of_entries(statistics.StatsReply, kind, ENTRIES)
        for kind in OFPST
    },
}  # fmt: skip
"""What generates each message; statistics by their kind, such as StatsReply(DESC)."""
