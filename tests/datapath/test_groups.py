"""Groups: what they do to packets, what may be asked of them, and that a choice stays the same.

OpenFlow 1.3.5, 5.6 (types), 6.5 (group mods) and 7.3.4.2 (liveness).
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from sdnvirt.datapath.flow_entries import Removal
from sdnvirt.datapath.groups import MAX_BUCKETS, MAX_CHAIN, GroupTable
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import DecNwTtl, Group, Output, PushVlan, SetField
from sdnvirt.openflow.v13.constants import OFPFF, OFPG, OFPGC, OFPGT, OFPP, OFPPC, OFPR, OFPRR
from sdnvirt.openflow.v13.error_codes import OFPGMFC, error_name
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import WriteActions
from sdnvirt.openflow.v13.match import Match

FRAME = b"\x02" * 12 + b"\x88\xb5" + bytes(46)


def group(driver: Any, group_id: int, *buckets: Bucket, kind: int = OFPGT.ALL) -> None:
    exists = group_id in driver.datapath.state.groups
    command = OFPGC.MODIFY if exists else OFPGC.ADD
    driver.datapath.modify_group(GroupMod(command, kind, group_id, buckets), 0)


def to(*ids: int) -> tuple[Bucket, ...]:
    return tuple(Bucket(actions=(Group(group_id),)) for group_id in ids)


def out(*ports: int, **bucket: Any) -> tuple[Bucket, ...]:
    """Return buckets that each send to one port."""
    return tuple(Bucket(actions=(Output(port),), **bucket) for port in ports)


def delete(driver: Any, group_id: int) -> list[Removal]:
    return driver.datapath.modify_group(GroupMod(OFPGC.DELETE, OFPGT.ALL, group_id), 0)


def tallies(driver: Any, group_id: int) -> tuple[int, list[int]]:
    found = driver.datapath.state.groups[group_id]
    return found.tally.packets, [bucket.tally.packets for bucket in found.buckets]


def refused(driver: Any, *arguments: Any, **keywords: Any) -> str:
    with pytest.raises(OpenFlowError) as caught:
        group(driver, *arguments, **keywords)
    return error_name(caught.value.error_type, caught.value.code).removeprefix("GROUP_MOD_FAILED/")


# what groups do (5.6.1)


def test_all_buckets_get_a_copy_each_as_it_came(driver: Any) -> None:
    tagged = Bucket(actions=(Output(2), SetField(oxm.VLAN_VID, 0x1007), PushVlan(0x8100)))
    group(driver, 1, tagged, *out(3))
    driver.apply(Group(1), Output(4))
    seven = FRAME[:12] + b"\x81\0\0\x07" + FRAME[12:]
    assert driver.send(FRAME) == [(2, seven), (3, FRAME), (4, FRAME)]


def test_a_packet_does_not_return_by_its_own_port_unless_told_to(driver: Any) -> None:
    group(driver, 1, *out(1, 2, OFPP.IN_PORT))
    driver.apply(Group(1))
    assert driver.send(FRAME) == [(2, FRAME), (1, FRAME)]


def test_a_buckets_actions_are_a_set(driver: Any) -> None:
    """One action of each type, the last one; executed in the order of 5.10, not as written."""
    actions = (Output(2), Output(3), SetField(oxm.ETH_SRC, 1), SetField(oxm.ETH_SRC, 2))
    group(driver, 1, Bucket(actions=actions))
    driver.apply(Group(1))
    assert driver.send(FRAME) == [(3, FRAME[:6] + b"\0\0\0\0\0\x02" + FRAME[12:])]


def test_a_bucket_with_a_group_ignores_its_output(driver: Any) -> None:
    group(driver, 1, *out(2))
    group(driver, 2, Bucket(actions=(Output(3), Group(1))))
    driver.apply(Group(2))
    assert driver.send(FRAME) == [(2, FRAME)]


def test_a_group_in_the_action_set_takes_the_place_of_an_output(driver: Any) -> None:
    group(driver, 1, *out(2))
    driver.mod(WriteActions((Output(3), Group(1), PushVlan(0x8100))))
    ((port, data),) = driver.send(FRAME)
    assert (port, data[12:14]) == (2, b"\x81\0")  # pushed before the group


def test_an_indirect_group_is_one_place_to_change(driver: Any) -> None:
    group(driver, 1, *out(2), kind=OFPGT.INDIRECT)
    for number in (1, 2):
        driver.apply(Group(1), priority=number)
    assert driver.send(FRAME) == [(2, FRAME)]
    group(driver, 1, *out(3), kind=OFPGT.INDIRECT)
    assert driver.send(FRAME) == [(3, FRAME)]


def test_the_first_bucket_alive_is_used_at_once_when_a_port_fails(driver: Any) -> None:
    buckets = [Bucket(watch_port=port, actions=(Output(port),)) for port in (2, 3)]
    group(driver, 1, *buckets, kind=OFPGT.FF)
    driver.apply(Group(1))
    assert driver.send(FRAME) == [(2, FRAME)]
    driver.datapath.set_port(2, False)
    assert driver.send(FRAME) == [(3, FRAME)]
    driver.datapath.set_port(2, True)
    assert driver.send(FRAME) == [(2, FRAME)]
    driver.datapath.configure_port(2, OFPPC.PORT_DOWN)
    assert driver.send(FRAME) == [(3, FRAME)]
    driver.datapath.set_port(3, False)
    assert driver.send(FRAME) == []
    assert driver.datapath.classify(1, Frame(FRAME)).reason is DropReason.NO_LIVE_BUCKET


def test_a_chain_that_ends_in_a_dead_group_says_why_it_drops(driver: Any) -> None:
    group(driver, 1, *out(2, watch_port=2), kind=OFPGT.FF)
    group(driver, 2, *to(1))
    driver.apply(Group(2))
    driver.datapath.set_port(2, False)
    assert driver.send(FRAME) == []
    assert driver.datapath.classify(1, Frame(FRAME)).reason is DropReason.NO_LIVE_BUCKET
    assert tallies(driver, 2) == (1, [1])  # counted all the same
    assert tallies(driver, 1) == (1, [0])


def test_a_bucket_may_watch_another_port_than_it_sends_to(driver: Any) -> None:
    buckets = [Bucket(watch_port=4, actions=(Output(2),)), *out(3, watch_port=3)]
    group(driver, 1, *buckets, kind=OFPGT.FF)
    driver.apply(Group(1))
    driver.datapath.set_port(4, False)
    assert driver.send(FRAME) == [(3, FRAME)]


def test_a_group_that_is_watched_lives_by_its_buckets(driver: Any) -> None:
    inner = [Bucket(watch_port=port, actions=(Output(port),)) for port in (2, 3)]
    group(driver, 1, *inner, kind=OFPGT.FF)
    outer = [Bucket(watch_group=1, actions=(Group(1),)), *out(4, watch_port=4)]
    group(driver, 2, *outer, kind=OFPGT.FF)
    driver.apply(Group(2))
    assert driver.send(FRAME) == [(2, FRAME)]
    driver.datapath.set_port(2, False)
    assert driver.send(FRAME) == [(3, FRAME)]
    driver.datapath.set_port(3, False)
    assert driver.send(FRAME) == [(4, FRAME)]


def test_a_select_group_leaves_dead_buckets_out(driver: Any) -> None:
    group(driver, 1, *out(2, weight=9, watch_port=2), *out(3, weight=1), kind=OFPGT.SELECT)
    driver.apply(Group(1))
    driver.datapath.set_port(2, False)
    frames = [FRAME[:11] + bytes([number]) + FRAME[12:] for number in range(40)]
    assert {driver.send(frame)[0][0] for frame in frames} == {3}


def test_a_group_without_buckets_drops(driver: Any) -> None:
    group(driver, 1)
    driver.apply(Group(1), Output(2), priority=1)
    driver.mod(WriteActions((Group(1), Output(3))), priority=2, match=Match.of(in_port=2))
    assert driver.send(FRAME) == [(2, FRAME)]
    assert driver.send(FRAME, port=2) == []


def test_the_ttl_that_runs_out_in_a_bucket_ends_that_copy_only(driver: Any) -> None:
    packet = bytes(Ether(src="02:00:00:00:00:01") / IP(ttl=1, dst="10.0.0.1"))
    group(driver, 1, Bucket(actions=(DecNwTtl(), Output(2))), *out(3))
    driver.apply(Group(1))
    ((punt, first), (port, second)) = driver.send(packet)
    assert punt.reason == OFPR.INVALID_TTL
    assert (port, first, second) == (3, packet, packet)


# counters


def test_groups_and_buckets_count_what_they_get(driver: Any) -> None:
    group(driver, 1, Bucket(actions=(PushVlan(0x8100), Output(2))), Bucket())
    group(driver, 2, *to(1), *out(3))
    driver.apply(Group(2))
    for _ in range(3):
        driver.send(FRAME)
    assert tallies(driver, 2) == (3, [3, 3])
    assert tallies(driver, 1) == (3, [3, 3])  # the second bucket drops what it counts
    assert driver.datapath.state.groups[1].tally.bytes == 3 * len(FRAME)


def test_a_packet_out_counts_in_groups_and_an_explanation_does_not(driver: Any) -> None:
    group(driver, 1, *out(2))
    assert driver.packet_out(Group(1), data=FRAME) == [(2, FRAME)]
    driver.apply(Group(1))
    assert driver.datapath.explain(1, Frame(FRAME))[-1] == "to port 2"
    assert tallies(driver, 1) == (1, [1])


def told(driver: Any) -> list[str]:
    lines = driver.datapath.explain(1, Frame(FRAME))
    return [line for line in lines if line.startswith("  group ")]


def test_an_explanation_tells_why_a_bucket_is_chosen(driver: Any) -> None:
    group(
        driver,
        1,
        *out(2, weight=3),
        *out(3, weight=1),
        *out(9, 4, weight=2, watch_port=9),
        kind=OFPGT.SELECT,
    )
    driver.apply(Group(1))
    assert told(driver) == [
        "  group 1: bucket 2 is left out: port 9 is not alive",
        "  group 1: bucket 3 is left out: port 9 is not alive",
        "  group 1: bucket 0 is chosen: by the flow's hash, with weight 3 of 4",
        "  group 1, bucket 0: output:2",
    ]


def test_an_explanation_tells_why_a_bucket_is_left_out(driver: Any) -> None:
    group(driver, 1, *out(2, watch_port=9), kind=OFPGT.FF)
    both = Bucket(watch_port=9, watch_group=1, actions=(Output(2),))
    group(driver, 2, both, *out(3, watch_port=3), *out(4, watch_port=4), kind=OFPGT.FF)
    driver.apply(Group(2))
    assert told(driver) == [
        "  group 2: bucket 0 is left out: port 9 and group 1 are not alive",
        "  group 2: bucket 1 is chosen: the first that is alive",
        "  group 2, bucket 1: output:3",
    ]
    driver.apply(Group(1))
    assert told(driver) == [
        "  group 1: bucket 0 is left out: port 9 is not alive",
        "  group 1: no bucket is alive",
    ]


def test_users_are_entries_and_groups_that_lead_to_a_group(driver: Any) -> None:
    group(driver, 1, *out(2))
    group(driver, 2, *to(1, 1))
    driver.apply(Group(1), Group(1), priority=1)
    driver.mod(WriteActions((Group(1),)), table_id=3)
    assert driver.datapath.users_of_groups() == {1: 3}


# group mods (6.5)


def test_a_group_that_is_deleted_takes_its_entries_along(driver: Any) -> None:
    for number in (1, 2):
        group(driver, number, *out(2))
    driver.apply(Group(1), priority=1, flags=OFPFF.SEND_FLOW_REM)
    driver.mod(WriteActions((Group(1),)), table_id=2)
    driver.apply(Group(2), priority=3, flags=OFPFF.SEND_FLOW_REM)
    (removal,) = delete(driver, 1)
    assert (removal.entry.priority, removal.reason) == (1, OFPRR.GROUP_DELETE)
    assert driver.counters() == [(3, 0, 0)]
    assert delete(driver, 1) == []  # deleting what is not there is no error
    assert [one.entry.priority for one in delete(driver, OFPG.ALL)] == [3]
    assert len(driver.datapath.state.groups) == 0


def test_a_group_that_another_leads_to_cannot_be_deleted_alone(driver: Any) -> None:
    group(driver, 1, *out(2))
    group(driver, 2, *to(1))
    with pytest.raises(OpenFlowError) as caught:
        delete(driver, 1)
    assert caught.value.code == OFPGMFC.CHAINED_GROUP
    delete(driver, 2)
    delete(driver, 1)
    assert len(driver.datapath.state.groups) == 0


@pytest.mark.parametrize(
    ("mod", "answer"),
    [
        (GroupMod(OFPGC.ADD, OFPGT.ALL, 7), "GROUP_MOD_FAILED/GROUP_EXISTS"),
        (GroupMod(OFPGC.MODIFY, OFPGT.ALL, 1), "GROUP_MOD_FAILED/UNKNOWN_GROUP"),
        (GroupMod(OFPGC.ADD, OFPGT.ALL, OFPG.ALL), "GROUP_MOD_FAILED/INVALID_GROUP"),
        (GroupMod(OFPGC.DELETE, OFPGT.ALL, OFPG.ANY), "GROUP_MOD_FAILED/INVALID_GROUP"),
        (GroupMod(OFPGC.ADD, OFPGT.ALL, 1, out(2, weight=1)), "GROUP_MOD_FAILED/INVALID_GROUP"),
        (GroupMod(OFPGC.ADD, OFPGT.SELECT, 1, out(2)), "GROUP_MOD_FAILED/INVALID_GROUP"),
        (GroupMod(OFPGC.ADD, OFPGT.INDIRECT, 1, out(2, 3)), "GROUP_MOD_FAILED/INVALID_GROUP"),
        (GroupMod(OFPGC.ADD, OFPGT.INDIRECT, 1), "GROUP_MOD_FAILED/INVALID_GROUP"),
        (GroupMod(OFPGC.ADD, OFPGT.FF, 1, out(2)), "GROUP_MOD_FAILED/INVALID_GROUP"),
        (
            GroupMod(OFPGC.ADD, OFPGT.ALL, 1, out(2, watch_port=2)),
            "GROUP_MOD_FAILED/WATCH_UNSUPPORTED",
        ),
        (
            GroupMod(OFPGC.ADD, OFPGT.FF, 1, out(2, watch_port=OFPP.CONTROLLER)),
            "GROUP_MOD_FAILED/BAD_WATCH",
        ),
        (
            GroupMod(OFPGC.ADD, OFPGT.ALL, 1, (Bucket(),) * (MAX_BUCKETS + 1)),
            "GROUP_MOD_FAILED/OUT_OF_BUCKETS",
        ),
        (GroupMod(OFPGC.ADD, OFPGT.ALL, 1, to(99)), "BAD_ACTION/BAD_OUT_GROUP"),
        (GroupMod(OFPGC.ADD, OFPGT.ALL, 1, out(OFPP.ANY)), "BAD_ACTION/BAD_OUT_PORT"),
        (GroupMod(OFPGC.ADD, OFPGT.ALL, 1, out(OFPP.TABLE)), "BAD_ACTION/BAD_OUT_PORT"),
    ],
)
def test_what_a_group_mod_cannot_have_is_refused(driver: Any, mod: GroupMod, answer: str) -> None:
    group(driver, 7, *out(2))
    with pytest.raises(OpenFlowError) as caught:
        driver.datapath.modify_group(mod, 0)
    assert error_name(caught.value.error_type, caught.value.code) == answer
    assert [one.group_id for one in driver.datapath.state.groups] == [7]


def test_a_group_that_is_refused_leaves_the_old_one_at_work(driver: Any) -> None:
    group(driver, 1, *out(2))
    driver.apply(Group(1))
    assert refused(driver, 1, *out(3, weight=1)) == "INVALID_GROUP"
    assert driver.send(FRAME) == [(2, FRAME)]


def test_a_changed_group_has_new_buckets_and_counts_on(driver: Any) -> None:
    group(driver, 1, *out(2))
    driver.apply(Group(1))
    assert driver.send(FRAME) == [(2, FRAME)]
    driver.datapath.modify_group(GroupMod(OFPGC.MODIFY, OFPGT.ALL, 1, out(3, 4)), 7)
    assert tallies(driver, 1) == (1, [0, 0])
    assert driver.send(FRAME) == [(3, FRAME), (4, FRAME)]
    assert tallies(driver, 1) == (2, [1, 1])
    assert driver.datapath.state.groups[1].created_ns == 0


# chains


def test_a_group_that_leads_to_itself_is_refused(driver: Any) -> None:
    assert refused(driver, 1, *to(1)) == "LOOP"
    group(driver, 1, Bucket(actions=(Output(2),)))
    group(driver, 2, *to(1))
    assert refused(driver, 1, *to(2)) == "LOOP"


def test_a_group_that_watches_itself_is_refused(driver: Any) -> None:
    def watch(group_id: int) -> Bucket:
        return Bucket(watch_group=group_id, actions=(Output(2),))

    assert refused(driver, 1, watch(1), kind=OFPGT.FF) == "LOOP"
    assert refused(driver, 1, watch(2), kind=OFPGT.FF) == "BAD_WATCH"
    group(driver, 1, Bucket(watch_port=2, actions=(Output(2),)), kind=OFPGT.FF)
    group(driver, 2, watch(1), kind=OFPGT.FF)
    assert refused(driver, 1, watch(2), kind=OFPGT.FF) == "LOOP"
    driver.apply(Group(2))
    assert driver.send(FRAME) == [(2, FRAME)]
    driver.datapath.set_port(2, False)
    assert driver.send(FRAME) == []


def test_a_group_that_another_one_watches_cannot_be_deleted_alone(driver: Any) -> None:
    group(driver, 1, Bucket(watch_port=2, actions=(Output(2),)), kind=OFPGT.FF)
    group(driver, 2, Bucket(watch_group=1, actions=(Output(2),)), kind=OFPGT.FF)
    with pytest.raises(OpenFlowError):
        delete(driver, 1)
    delete(driver, OFPG.ALL)
    assert len(driver.datapath.state.groups) == 0


def test_a_chain_of_groups_has_a_greatest_length(driver: Any) -> None:
    group(driver, 1, Bucket(actions=(Output(2),)))
    for number in range(2, MAX_CHAIN + 1):
        group(driver, number, *to(number - 1))
    assert refused(driver, MAX_CHAIN + 1, *to(MAX_CHAIN)) == "CHAINING_UNSUPPORTED"
    driver.apply(Group(MAX_CHAIN))
    assert driver.send(FRAME) == [(2, FRAME)]
    group(driver, 1000, Bucket(actions=(Output(3),)))
    assert refused(driver, 1, *to(1000)) == "CHAINING_UNSUPPORTED"
    assert driver.send(FRAME) == [(2, FRAME)]


def test_groups_that_double_a_packet_over_and_over_are_refused(driver: Any) -> None:
    group(driver, 1, Bucket(actions=(Output(2),)))
    answers = []
    for number in range(2, MAX_CHAIN + 1):
        try:
            group(driver, number, *to(number - 1, number - 1))
        except OpenFlowError as error:
            answers.append(error_name(error.error_type, error.code))
            break
    assert answers == ["GROUP_MOD_FAILED/CHAINING_UNSUPPORTED"]
    driver.apply(Group(number - 1))
    copies = len(driver.send(FRAME))
    assert copies == 1 << (number - 2)
    assert copies <= 4096


# the choice of a select group


@pytest.mark.parametrize("tags", [0, 1])
def test_packets_of_one_flow_choose_one_bucket_whatever_they_carry(driver: Any, tags: int) -> None:
    """A second tag makes the packet's shape an unusual one, in which the payload counts."""
    buckets = [Bucket(weight=1, actions=(Output(port),)) for port in (2, 3, 4)]
    group(driver, 1, *buckets, kind=OFPGT.SELECT)
    driver.apply(PushVlan(0x88A8), Group(1))
    packet = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    packet = packet / Dot1Q(vlan=1) if tags else packet
    chosen = set()
    for number in range(16):
        data = bytes(packet / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(seq=number) / Raw(bytes(9)))
        walked = driver.datapath.translate(1, Frame(data)).preview(Frame(data))
        chosen |= {port for port, _ in driver.seen(walked)}
    assert len(chosen) == 1


def test_flows_spread_over_the_buckets_by_weight(driver: Any) -> None:
    weights = {2: 1, 3: 2, 4: 5}
    buckets = [Bucket(weight=w, actions=(Output(port),)) for port, w in weights.items()]
    group(driver, 1, *buckets, kind=OFPGT.SELECT)
    driver.apply(Group(1))
    counts = dict.fromkeys(weights, 0)
    for number in range(4000):
        source = (0x02_00_00_00_00_00 + number).to_bytes(6, "big")
        ((port, _),) = driver.send(FRAME[:6] + source + FRAME[12:])
        counts[port] += 1
    for port, weight in weights.items():
        assert abs(counts[port] - 500 * weight) < 150


@given(st.lists(st.integers(1, 0xFFFF), min_size=1, max_size=8), st.binary(min_size=14))
def test_a_choice_is_one_of_the_living_and_the_same_every_time(
    weights: list[int], key: bytes
) -> None:
    table = GroupTable(lambda actions: None, lambda: None)
    buckets = tuple(
        Bucket(weight=weight, watch_port=number) for number, weight in enumerate(weights, 1)
    )
    table.modify(GroupMod(OFPGC.ADD, OFPGT.SELECT, 1, buckets), 0)
    for living in (lambda port: True, lambda port: port % 2 == 1, lambda port: False):
        chosen = table.choose(table[1], key, living)
        assert len(chosen) == any(living(port) for port in range(1, len(weights) + 1))
        assert all(living(bucket.spec.watch_port) for bucket in chosen)
        assert table.choose(table[1], key, living) == chosen
