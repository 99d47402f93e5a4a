"""Registers, parts of fields, resubmits: Nicira's actions on packets."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether

from sdnvirt.datapath.flow import Punt
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira import actions as nx
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.constants import IN_PORT, SAME_TABLE
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output, SetField
from sdnvirt.openflow.v13.constants import OFPGC, OFPGT, OFPP, OFPR
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.groups import Bucket, GroupMod
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable, WriteActions
from sdnvirt.openflow.v13.match import Match

REG0, REG1 = nxm.REGS[:2]
DATA = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.0.0.1") / UDP())


def whole(field: oxm.OxmField) -> Subfield:
    return Subfield(field, 0, field.bits)


def load(field: oxm.OxmField, value: int) -> nx.RegLoad:
    return nx.RegLoad(whole(field), value)


def ports(driver: Any, data: bytes = DATA, **arrival: int) -> list[Any]:
    return [where for where, _ in driver.send(data, **arrival)]


def dropped(driver: Any, data: bytes = DATA) -> DropReason:
    flow = driver.datapath.translate(1, Frame(data))
    assert flow.run(Frame(data), 0) == []
    return flow.reason


# registers


def test_registers_are_zero_when_a_packet_arrives(driver: Any) -> None:
    driver.to(2, match=Match.of(reg0=0, reg15=0, ct_state=0, tun_ipv4_dst=0))
    assert ports(driver) == [2]


def test_a_register_is_carried_to_the_next_table(driver: Any) -> None:
    driver.mod(ApplyActions((SetField(REG0, 7),)), GotoTable(1))
    driver.to(2, table_id=1, match=Match.of(reg0=7))
    driver.to(3, table_id=1, match=Match.of(reg0=8))
    assert ports(driver) == [2]


def test_an_entry_that_comes_later_takes_over_by_its_register(driver: Any) -> None:
    driver.mod(ApplyActions((SetField(REG0, 7),)), GotoTable(1))
    driver.to(2, table_id=1, priority=1)
    assert ports(driver) == [2]
    driver.to(3, table_id=1, priority=2, match=Match.of(reg0=(4, 4)))
    assert ports(driver) == [3]


def test_registers_outlive_a_change_of_the_packet(driver: Any) -> None:
    driver.mod(ApplyActions((SetField(REG0, 7), SetField(oxm.ETH_SRC, 1))), GotoTable(1))
    driver.to(2, table_id=1, match=Match.of(reg0=7, eth_src=1))
    assert ports(driver) == [2]


def test_a_set_field_of_a_register_may_wait_in_the_action_set(driver: Any) -> None:
    driver.mod(WriteActions((SetField(REG0, 7), Output(2))))
    assert ports(driver) == [2]


def test_parts_of_registers_are_loaded_and_masked(driver: Any) -> None:
    driver.mod(
        ApplyActions((
            SetField(REG0, 0xFFFFFFFF),
            nx.RegLoad(Subfield(REG0, 8, 8), 0),
            nx.RegLoad2(REG0, 0x5, 0xF),
        )),
        GotoTable(1),
    )  # fmt: skip
    driver.to(2, table_id=1, match=Match.of(reg0=0xFFFF00F5))
    assert ports(driver) == [2]


def test_metadata_and_tunnel_ids_are_loaded_too(driver: Any) -> None:
    tunnel = nx.SetTunnel64(1 << 33)
    driver.mod(ApplyActions((load(oxm.METADATA, 5), tunnel)), GotoTable(1))
    driver.to(2, table_id=1, match=Match.of(metadata=5, tunnel_id=1 << 33))
    assert ports(driver) == [2]
    driver.apply(nx.SetTunnel(9), Output(3))
    ((sent, where),) = driver.datapath.translate(1, Frame(DATA)).run(Frame(DATA), 0)
    assert (sent.tunnel_id, where) == (9, 3)


def test_a_move_swaps_the_addresses(driver: Any) -> None:
    driver.apply(
        nx.RegMove(Subfield(oxm.ETH_SRC, 0, 32), whole(REG0)),
        nx.RegMove(whole(oxm.ETH_DST), whole(oxm.ETH_SRC)),
        nx.RegMove(whole(REG0), Subfield(oxm.ETH_DST, 0, 32)),
        Output(OFPP.IN_PORT),
    )
    ((where, sent),) = driver.send(DATA)
    assert where == 1
    assert (Ether(sent).src, Ether(sent).dst) == ("02:00:00:00:00:02", "02:00:00:00:00:01")


def test_the_arp_responder_that_rest_vtep_installs(driver: Any) -> None:
    mac, address = 0x020000000099, int.from_bytes(bytes((10, 0, 0, 9)), "big")
    driver.apply(
        nx.RegMove(whole(oxm.ETH_SRC), whole(oxm.ETH_DST)),
        SetField(oxm.ETH_SRC, mac),
        SetField(oxm.ARP_OP, 2),
        nx.RegMove(whole(oxm.ARP_SHA), whole(oxm.ARP_THA)),
        nx.RegMove(whole(oxm.ARP_SPA), whole(oxm.ARP_TPA)),
        SetField(oxm.ARP_SHA, mac),
        SetField(oxm.ARP_SPA, address),
        Output(OFPP.IN_PORT),
        match=Match.of(eth_type=0x0806, arp_op=1, arp_tpa=address),
    )
    asker = "02:00:00:00:00:01"
    request = Ether(src=asker) / ARP(hwsrc=asker, psrc="10.0.0.1", pdst="10.0.0.9")
    ((where, sent),) = driver.send(bytes(request))
    reply = Ether(sent)[ARP]
    assert where == 1
    assert (reply.op, reply.psrc, reply.hwsrc) == (2, "10.0.0.9", "02:00:00:00:00:99")
    assert (reply.pdst, reply.hwdst, Ether(sent).dst) == ("10.0.0.1", asker, asker)


def test_a_load_repairs_checksums(driver: Any) -> None:
    match = Match.of(eth_type=0x0800)
    driver.apply(nx.RegLoad(Subfield(oxm.IPV4_SRC, 0, 8), 77), Output(2), match=match)
    ((_, sent),) = driver.send(DATA)
    expected = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="10.0.0.77") / UDP()
    assert sent == bytes(expected)


def test_a_load_of_vlan_bits_leaves_the_rest_of_the_tag(driver: Any) -> None:
    driver.apply(nx.RegLoad(Subfield(oxm.VLAN_VID, 0, 12), 5), Output(2))
    tagged = Ether() / Dot1Q(vlan=0xABC, prio=3) / IP()
    ((_, sent),) = driver.send(bytes(tagged))
    assert (Ether(sent)[Dot1Q].vlan, Ether(sent)[Dot1Q].prio, Ether(sent)[Dot1Q].id) == (5, 3, 0)


def test_what_a_packet_lacks_is_neither_read_nor_written(driver: Any) -> None:
    cut_short = bytes(Ether(type=0x0806))
    spa = Subfield(oxm.ARP_SPA, 0, 32)
    match = Match.of(eth_type=0x0806)
    driver.apply(nx.RegMove(spa, whole(REG0)), nx.RegLoad(spa, 7), Output(2), match=match)
    assert driver.send(cut_short) == [(2, cut_short)]


# output to what a field says


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (2, [2]),
        (1, []),
        (0, []),
        (9, []),
        (0xFFF8, [1]),
        (0xFFFB, [2, 3, 4]),
        (OFPP.ALL, [2, 3, 4]),
        (0xFFFE, [OFPP.LOCAL]),
        (OFPP.LOCAL, [OFPP.LOCAL]),
    ],
)
def test_output_to_the_port_in_a_register(driver: Any, value: int, where: list[int]) -> None:
    driver.datapath.set_port(OFPP.LOCAL, False)
    driver.apply(load(REG1, value), nx.OutputReg(whole(REG1), 0xFFFF))
    assert ports(driver) == where


def test_output_to_the_controller_by_a_register(driver: Any) -> None:
    driver.apply(load(REG1, 0xFFFD), nx.OutputReg2(Subfield(REG1, 0, 16), 99), priority=5)
    assert ports(driver) == [Punt(99, OFPR.ACTION, 0, 0)]


def test_the_controller_action_says_its_own_reason(driver: Any) -> None:
    driver.apply(nx.Controller(50, 0, OFPR.INVALID_TTL), priority=5)
    assert ports(driver) == [Punt(50, OFPR.INVALID_TTL, 0, 0)]


# resubmits


def test_a_resubmit_comes_back_to_what_follows_it(driver: Any) -> None:
    driver.apply(nx.ResubmitTable(IN_PORT, 5), Output(4))
    driver.apply(Output(2), nx.ResubmitTable(IN_PORT, 6), table_id=5)
    driver.to(3, table_id=6)
    assert ports(driver) == [2, 3, 4]


def test_a_resubmit_that_finds_nothing_is_no_miss(driver: Any) -> None:
    driver.apply(nx.ResubmitTable(IN_PORT, 5), Output(4))
    assert ports(driver) == [4]


def test_what_a_resubmit_changed_stays_changed(driver: Any) -> None:
    driver.apply(nx.ResubmitTable(IN_PORT, 5), nx.OutputReg(whole(REG0), 0))
    driver.apply(load(REG0, 3), table_id=5)
    assert ports(driver) == [3]


def test_a_resubmit_follows_goto_and_shares_the_action_set(driver: Any) -> None:
    driver.apply(nx.ResubmitTable(IN_PORT, 5), Output(4))
    driver.mod(WriteActions((Output(2),)), GotoTable(6), table_id=5)
    driver.to(3, table_id=6)
    assert ports(driver) == [3, 4, 2]


def test_a_resubmit_as_from_another_port(driver: Any) -> None:
    driver.apply(nx.Resubmit(3), Output(4), match=Match.of(in_port=1))
    driver.apply(Output(OFPP.IN_PORT), Output(2), match=Match.of(in_port=3))
    assert ports(driver) == [1, 2, 4]


def test_a_resubmit_as_from_the_local_port(driver: Any) -> None:
    driver.apply(nx.Resubmit(0xFFFE), match=Match.of(in_port=1))
    driver.to(2, match=Match.of(in_port=OFPP.LOCAL))
    assert ports(driver) == [2]


def test_a_later_entry_for_another_port_is_seen_by_the_cache(driver: Any) -> None:
    driver.apply(nx.ResubmitTable(3, 7), Output(4), match=Match.of(in_port=1))
    assert ports(driver) == [4]
    driver.to(2, table_id=7, match=Match.of(in_port=3))
    assert ports(driver) == [2, 4]


def test_resubmits_may_go_back_but_not_for_ever(driver: Any) -> None:
    driver.apply(Output(2), nx.ResubmitTable(IN_PORT, SAME_TABLE))
    assert dropped(driver) is DropReason.RESUBMIT_LIMIT


def test_resubmits_that_double_end_too(driver: Any) -> None:
    again = nx.ResubmitTable
    for table in range(20):
        driver.apply(again(IN_PORT, table + 1), again(IN_PORT, table + 1), table_id=table)
    assert dropped(driver) is DropReason.RESUBMIT_LIMIT


def test_exit_ends_all_actions_but_those_of_the_set(driver: Any) -> None:
    driver.mod(ApplyActions((nx.ResubmitTable(IN_PORT, 5), Output(4))), WriteActions((Output(2),)))
    driver.apply(Output(3), nx.Exit(), Output(4), table_id=5)
    assert ports(driver) == [3]
    driver.mod(WriteActions((Output(2),)), ApplyActions((Output(3), nx.Exit())), table_id=5)
    driver.mod(WriteActions((Output(2),)), GotoTable(5))
    assert ports(driver) == [3, 2]


def test_a_bucket_may_resubmit_nothing(driver: Any) -> None:
    bucket = Bucket(actions=(nx.ResubmitTable(IN_PORT, 5),))
    mod = GroupMod(OFPGC.ADD, OFPGT.ALL, 1, buckets=(bucket,))
    with pytest.raises(OpenFlowError) as caught:
        driver.datapath.modify_group(mod, 0)
    assert error_name(caught.value.error_type, caught.value.code) == "BAD_ACTION/BAD_TYPE"


def test_explain_follows_a_resubmit(driver: Any) -> None:
    driver.apply(nx.ResubmitTable(IN_PORT, 5), Output(4))
    driver.to(2, table_id=5, match=Match.of(reg0=0))
    text = "\n".join(driver.datapath.explain(1, Frame(DATA)))
    assert text.index("resubmit(,5)") < text.index("reg0=0x0") < text.index("to port 2")


def test_a_note_does_nothing(driver: Any) -> None:
    driver.apply(nx.Note(b"\x01\x02\x03\0\0\0"), Output(2))
    assert ports(driver) == [2]


# what is refused


REFUSED: list[tuple[Action, str]] = [
    (load(oxm.IN_PORT, 1), "BAD_ACTION/BAD_SET_ARGUMENT"),
    (load(nxm.CT_MARK, 1), "BAD_ACTION/BAD_SET_ARGUMENT"),
    (nx.RegLoad2(nxm.CT_STATE, 1), "BAD_ACTION/BAD_SET_ARGUMENT"),
    (nx.RegMove(whole(REG0), whole(oxm.IN_PHY_PORT)), "BAD_ACTION/BAD_SET_ARGUMENT"),
    (load(oxm.TCP_DST, 1), "BAD_ACTION/MATCH_INCONSISTENT"),
    (nx.RegMove(whole(oxm.TCP_DST), Subfield(REG0, 0, 16)), "BAD_ACTION/MATCH_INCONSISTENT"),
    (nx.OutputReg(whole(oxm.TCP_DST), 0), "BAD_ACTION/MATCH_INCONSISTENT"),
    (SetField(nxm.CT_MARK, 1), "BAD_ACTION/BAD_SET_TYPE"),
    (nx.Controller(1, 7, 0), "BAD_ACTION/BAD_ARGUMENT"),
    (nx.Resubmit(0xFFFB), "BAD_ACTION/BAD_OUT_PORT"),
]


@pytest.mark.parametrize(("action", "answer"), REFUSED, ids=str)
def test_what_cannot_be_done_is_refused(driver: Any, action: Action, answer: str) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.apply(action)
    assert error_name(caught.value.error_type, caught.value.code) == answer


def test_an_action_set_holds_none_of_these(driver: Any) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.mod(WriteActions((load(REG0, 1),)))
    assert error_name(caught.value.error_type, caught.value.code) == "BAD_ACTION/BAD_TYPE"
