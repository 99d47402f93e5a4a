"""The flow cache: who shares a decision, and what a change of the tables makes it forget."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from sdnvirt.datapath.cache import CHANGES_LIMIT
from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.flow import Flow
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import DecNwTtl, Group, Output, PopVlan, SetField
from sdnvirt.openflow.v13.constants import OFPFC, OFPGC, OFPGT
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable
from sdnvirt.openflow.v13.match import Match


@pytest.fixture
def datapath() -> Datapath:
    found = Datapath()
    for number in (1, 2, 3):
        found.set_port(number, True)
    return found


def add(datapath: Datapath, *actions: Action, priority: int = 10, **match: Any) -> None:
    instructions = (ApplyActions(actions),) if actions else ()
    datapath.modify(
        FlowMod(priority=priority, match=Match.of(**match), instructions=instructions), 0
    )


def packet(src: str = "10.0.0.1", dst: str = "10.0.0.2", sport: int = 1, ttl: int = 64) -> Frame:
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    return Frame((ether / IP(src=src, dst=dst, ttl=ttl) / UDP(sport=sport, dport=9)).build())


def decide(datapath: Datapath, frame: Frame) -> Flow:
    flow = datapath.classify(1, frame)
    assert flow == datapath.translate(1, frame)
    return flow


TO_2 = {"eth_type": 0x0800, "ipv4_dst": (0x0A000000, 0xFF000000)}


def test_packets_that_agree_in_what_was_looked_at_share_a_decision(datapath: Datapath) -> None:
    add(datapath, Output(2), **TO_2)
    flows = {id(decide(datapath, packet(sport=port))) for port in range(1, 50)}
    assert len(flows) == 1
    assert datapath.cached_flows == 1
    assert decide(datapath, packet(dst="11.0.0.1")).out_port is None
    assert datapath.cached_flows == 2


def test_what_a_higher_priority_was_asked_for_counts_too(datapath: Datapath) -> None:
    add(datapath, Output(3), priority=20, eth_type=0x0800, ip_proto=17, udp_src=7)
    add(datapath, Output(2), **TO_2)
    assert decide(datapath, packet(sport=1)).out_port == 2
    assert decide(datapath, packet(sport=7)).out_port == 3
    assert decide(datapath, packet(sport=1, src="10.9.9.9")) is decide(datapath, packet(sport=1))


def test_what_the_highest_priority_decides_alone_is_all_that_counts(datapath: Datapath) -> None:
    add(datapath, Output(2), priority=20, **TO_2)
    add(datapath, Output(3), priority=10, eth_type=0x0800, ip_proto=17, udp_src=7)
    assert decide(datapath, packet(sport=7)) is decide(datapath, packet(sport=8))


@pytest.mark.parametrize(
    ("action", "other"),
    [(DecNwTtl(), {"ttl": 63}), (Group(1), {"sport": 2})],
    ids=["decrement", "select"],
)
def test_a_decision_by_more_than_fields_is_for_one_key(
    datapath: Datapath, action: Action, other: dict[str, Any]
) -> None:
    buckets = tuple(Bucket(weight=1, actions=(Output(port),)) for port in (2, 3))
    datapath.modify_group(GroupMod(OFPGC.ADD, OFPGT.SELECT, 1, buckets), 0)
    add(datapath, action, Output(2), **TO_2)
    assert decide(datapath, packet()) is not decide(datapath, packet(**other))


def test_fields_that_actions_set_do_not_part_packets(datapath: Datapath) -> None:
    set_dst = SetField(oxm.IPV4_DST, 0x0A000009)
    datapath.modify(
        FlowMod(match=Match.of(**TO_2), instructions=(ApplyActions((set_dst,)), GotoTable(1))),
        0,
    )
    rewritten = Match.of(eth_type=0x0800, ipv4_dst=0x0A000009)
    datapath.modify(
        FlowMod(table_id=1, match=rewritten, instructions=(ApplyActions((Output(3),)),)), 0
    )
    sent = [decide(datapath, packet(dst=f"10.0.0.{last}")).preview(packet()) for last in (2, 3, 9)]
    assert [[port for _, port in emissions] for emissions in sent] == [[3], [3], [3]]


def test_headers_that_actions_make_are_looked_at_for_one_key_only(datapath: Datapath) -> None:
    datapath.modify(
        FlowMod(
            match=Match.of(vlan_vid=(0x1000, 0x1000)),
            instructions=(ApplyActions((PopVlan(),)), GotoTable(1)),
        ),
        0,
    )
    datapath.modify(
        FlowMod(
            table_id=1,
            match=Match.of(vlan_vid=0x1005),
            instructions=(ApplyActions((Output(3),)),),
        ),
        0,
    )
    plain = packet().data
    tag = b"\x81\x00\x00\x05"
    once, twice = plain[:12] + tag + plain[12:], plain[:12] + tag + tag + plain[12:]
    assert decide(datapath, Frame(once)).preview(Frame(once)) == []
    assert [port for _, port in decide(datapath, Frame(twice)).preview(Frame(twice))] == [3]


# changes


def test_a_change_that_cannot_matter_leaves_the_decision(datapath: Datapath) -> None:
    add(datapath, Output(2), **TO_2)
    kept = decide(datapath, packet())
    add(datapath, Output(3), priority=20, eth_type=0x0800, ipv4_dst=0x0B000001)  # another address
    add(datapath, Output(3), priority=5)  # below
    datapath.modify(FlowMod(table_id=7), 0)  # never asked
    assert decide(datapath, packet()) is kept
    assert datapath.cached_flows == 1


@pytest.mark.parametrize(
    "change",
    [
        FlowMod(priority=20, match=Match.of(in_port=1)),
        FlowMod(priority=20, match=Match.of(eth_type=0x0800, ipv4_dst=(0x0A000000, 0xFFFF0000))),
        FlowMod(priority=10, match=Match.of(**TO_2)),
        FlowMod(command=OFPFC.MODIFY, match=Match.of(**TO_2)),
        FlowMod(command=OFPFC.DELETE),
    ],
    ids=["above", "within", "replaced", "modified", "deleted"],
)
def test_a_change_that_may_matter_forgets_the_decision(datapath: Datapath, change: FlowMod) -> None:
    add(datapath, Output(2), **TO_2)
    before = decide(datapath, packet())
    datapath.modify(change, 0)
    after = decide(datapath, packet())
    assert after is not before
    assert after.out_port is None


def test_a_table_that_had_no_entries_yet_was_asked_all_the_same(datapath: Datapath) -> None:
    assert decide(datapath, packet()).out_port is None
    add(datapath, Output(2), **TO_2)
    assert decide(datapath, packet()).out_port == 2


def test_hidden_decisions_have_reported_what_they_counted(datapath: Datapath) -> None:
    add(datapath, Output(2), **TO_2)
    flow = decide(datapath, packet())
    flow.packets, flow.bytes = 5, 500
    add(datapath, Output(3), priority=5)
    (entry,) = (entry for entry in datapath.tables[0] if entry.priority == 10)
    assert (entry.packets, entry.bytes, flow.packets) == (5, 500, 0)


def test_many_changes_at_once_forget_everything(datapath: Datapath) -> None:
    add(datapath, Output(2), **TO_2)
    before = decide(datapath, packet())
    for number in range(CHANGES_LIMIT):
        add(datapath, Output(3), eth_type=0x86DD, ipv6_flabel=number)
    assert decide(datapath, packet()) is before
    for number in range(CHANGES_LIMIT + 1):
        add(datapath, Output(3), priority=5, eth_type=0x86DD, ipv6_flabel=number)
    assert decide(datapath, packet()) is not before
    assert datapath.cached_flows == 1
