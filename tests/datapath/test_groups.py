"""Groups: that no group mod can make a packet go in circles, and that a choice stays the same."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from sdnvirt.datapath.groups import MAX_CHAIN
from sdnvirt.frame import Frame
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13.actions import Group, Output, PushVlan
from sdnvirt.openflow.v13.constants import OFPG, OFPGC, OFPGT
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.groups import Bucket, GroupMod

FRAME = b"\x02" * 12 + b"\x88\xb5" + bytes(46)


def group(driver: Any, group_id: int, *buckets: Bucket, kind: int = OFPGT.ALL) -> None:
    exists = group_id in driver.datapath.state.groups
    command = OFPGC.MODIFY if exists else OFPGC.ADD
    driver.datapath.modify_group(GroupMod(command, kind, group_id, buckets), 0)


def to(*ids: int) -> tuple[Bucket, ...]:
    return tuple(Bucket(actions=(Group(group_id),)) for group_id in ids)


def refused(driver: Any, *arguments: Any, **keywords: Any) -> str:
    with pytest.raises(OpenFlowError) as caught:
        group(driver, *arguments, **keywords)
    return error_name(caught.value.error_type, caught.value.code).removeprefix("GROUP_MOD_FAILED/")


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
        driver.datapath.modify_group(GroupMod(OFPGC.DELETE, OFPGT.ALL, 1), 0)
    driver.datapath.modify_group(GroupMod(OFPGC.DELETE, OFPGT.ALL, OFPG.ALL), 0)
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
