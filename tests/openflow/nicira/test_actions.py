"""Nicira's actions: Ryu writes them, we read them and write them again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ryu.ofproto import ofproto_v1_3_parser as parser
from ryu.ofproto.nicira_ext import ofs_nbits

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira.codec import NICIRA_ACTIONS
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.error_codes import error_name

NAT = parser.NXActionNAT
SRC, DST, PERSISTENT, HASH, RANDOM = 1, 2, 4, 8, 16
LEARNED = [
    parser.NXFlowSpecMatch(src=0x0800, dst=("eth_type", 0), n_bits=16),
    parser.NXFlowSpecMatch(src=("reg1", 1), dst=("reg2", 3), n_bits=5),
    parser.NXFlowSpecMatch(src=("eth_src", 0), dst=("eth_dst", 0), n_bits=48),
    parser.NXFlowSpecMatch(src=("reg3", 1), dst=("reg3", 1), n_bits=5),
    parser.NXFlowSpecLoad(src=0, dst=("reg4", 3), n_bits=5),
    parser.NXFlowSpecLoad(src=("reg5", 1), dst=("reg6", 3), n_bits=5),
    parser.NXFlowSpecOutput(src=("in_port", 0), n_bits=16),
]

RYUS = [
    (parser.NXActionRegLoad(ofs_nbits(4, 19), "reg1", 0x7F), "load:0x7f->NXM_NX_REG1[4..19]"),
    (parser.NXActionRegLoad(ofs_nbits(0, 0), "metadata", 1), "load:0x1->OXM_OF_METADATA[0]"),
    (parser.NXActionRegLoad2("reg1", 7, 0xFF), "set_field:0x7/0xff->reg1"),
    (parser.NXActionRegLoad2("tun_ipv4_dst", "10.0.0.1"), "set_field:10.0.0.1->tun_ipv4_dst"),
    (parser.NXActionRegMove("eth_src", "eth_dst", 48), "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]"),
    (
        parser.NXActionRegMove("arp_spa", "reg0", 8, src_ofs=24, dst_ofs=8),
        "move:NXM_OF_ARP_SPA[24..31]->NXM_NX_REG0[8..15]",
    ),
    (parser.NXActionResubmit(3), "resubmit:3"),
    (parser.NXActionResubmit(), "resubmit(,)"),
    (parser.NXActionResubmitTable(3, 5), "resubmit(3,5)"),
    (parser.NXActionResubmitTable(table_id=5), "resubmit(,5)"),
    (parser.NXActionOutputReg(ofs_nbits(0, 15), "reg2", 128), "output:NXM_NX_REG2[0..15]"),
    (parser.NXActionOutputReg2(ofs_nbits(0, 31), "reg2", 128), "output:NXM_NX_REG2[]"),
    (parser.NXActionSetTunnel(7), "set_tunnel:0x7"),
    (parser.NXActionSetTunnel64(1 << 40), "set_tunnel64:0x10000000000"),
    (parser.NXActionExit(), "exit"),
    (parser.NXActionController(128, 0, 1), "CONTROLLER:128"),
    (parser.NXActionController(65535, 5, 2), "controller(reason=invalid_ttl,id=5)"),
    (parser.NXActionNote([1, 2, 3]), "note:01.02.03.00.00.00"),
    (parser.NXActionCT(0, "", 0, 255, 0, []), "ct()"),
    (parser.NXActionCT(3, "", 7, 4, 21, []), "ct(commit,force,table=4,zone=7,alg=ftp)"),
    (
        parser.NXActionCT(0, "reg0", ofs_nbits(0, 15), 1, 0, []),
        "ct(table=1,zone=NXM_NX_REG0[0..15])",
    ),
    (
        parser.NXActionCT(
            1, "", 0, 255, 0, [parser.NXActionRegLoad(ofs_nbits(0, 31), "ct_mark", 7)]
        ),
        "ct(commit,exec(load:0x7->NXM_NX_CT_MARK[]))",
    ),
    (parser.NXActionCT(1, "", 0, 255, 0, [NAT(0)]), "ct(commit,nat)"),
    (
        parser.NXActionCT(1, "", 0, 255, 0, [NAT(SRC, "10.0.0.1", "10.0.0.9")]),
        "ct(commit,nat(src=10.0.0.1-10.0.0.9))",
    ),
    (
        parser.NXActionCT(
            1, "", 0, 255, 0,
            [NAT(DST | PERSISTENT | RANDOM, "10.0.0.1", range_proto_min=80, range_proto_max=89)],
        ),
        "ct(commit,nat(dst=10.0.0.1:80-89,persistent,random))",
    ),
    (
        parser.NXActionCT(
            1, "", 0, 255, 0, [NAT(SRC | HASH, range_ipv6_min="fc00::1", range_ipv6_max="fc00::9")]
        ),
        "ct(commit,nat(src=[fc00::1]-[fc00::9],hash))",
    ),
    (parser.NXActionCTClear(), "ct_clear"),
    (
        parser.NXActionLearn(10, LEARNED, 180, 300, 1, 0x64, 1, 18, 30),
        "learn(table=10,idle_timeout=180,hard_timeout=300,fin_idle_timeout=18,fin_hard_timeout=30,"
        "priority=1,send_flow_rem,cookie=0x64,eth_type=0x800,"
        "NXM_NX_REG2[3..7]=NXM_NX_REG1[1..5],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],NXM_NX_REG3[1..5],"
        "load:0->NXM_NX_REG4[3..7],load:NXM_NX_REG5[1..5]->NXM_NX_REG6[3..7],"
        "output:OXM_OF_IN_PORT[0..15])",
    ),
]  # fmt: skip


def refusal(caught: pytest.ExceptionInfo[OpenFlowError]) -> str:
    return error_name(caught.value.error_type, caught.value.code)


def written(action: Any) -> bytes:
    wire = bytearray()
    action.serialize(wire, 0)
    return bytes(wire).ljust(action.len, b"\0")  # Ryu leaves the last padding to what follows


@pytest.mark.parametrize(("theirs", "text"), RYUS, ids=[text for _, text in RYUS])
def test_what_ryu_writes_is_read_and_written_again(theirs: Any, text: str) -> None:
    wire = written(theirs)
    (ours,) = unpack_actions(wire, 0, len(wire))
    assert str(ours) == text
    assert ours.pack() == wire


def test_every_action_is_held_against_ryus() -> None:
    assert {theirs.subtype for theirs, _ in RYUS} == set(NICIRA_ACTIONS)


@given(data=st.data())
def test_actions_come_back_as_they_were(any_nicira_action: Any, data: st.DataObject) -> None:
    actions = tuple(data.draw(st.lists(any_nicira_action, max_size=3)))
    wire = b"".join(action.pack() for action in actions)
    assert len(wire) % 8 == 0
    assert unpack_actions(wire, 0, len(wire)) == actions
    assert all(str(action) for action in actions)


@given(data=st.data())
def test_actions_cut_short_or_overwritten_are_refused_or_read(
    any_nicira_action: Any, data: st.DataObject
) -> None:
    wire = bytearray(data.draw(any_nicira_action).pack())
    cut = data.draw(st.integers(1, len(wire)))
    with pytest.raises(OpenFlowError):
        unpack_actions(bytes(wire), 0, len(wire) - cut or -1)
    wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(st.integers(0, 255))
    shorter = data.draw(st.integers(2, len(wire) // 8 + 2)) * 8
    wire[2:4] = shorter.to_bytes(2, "big")
    try:
        read = unpack_actions(bytes(wire), 0, min(shorter, len(wire)))
    except OpenFlowError:
        return
    again = b"".join(action.pack() for action in read)
    assert unpack_actions(again, 0, len(again)) == read


NICIRA = "ffff {length:04x} 00002320 "


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("", "BAD_ACTION/BAD_LEN"),
        ("0063 000000000000", "BAD_ACTION/BAD_EXP_TYPE"),
        ("0024 0000 0000 0000", "BAD_ACTION/BAD_EXP_TYPE"),
        ("0007 001f 00010204 0000000000000007 0000000000000000", "BAD_ACTION/BAD_LEN"),
        ("0007 001f 00017e04 0000000000000007", "BAD_ACTION/BAD_SET_TYPE"),
        ("0007 001f 00010308 0000000000000007", "BAD_ACTION/BAD_SET_TYPE"),
        ("0007 005f 00010204 0000000000000007", "BAD_ACTION/BAD_SET_ARGUMENT"),
        ("0007 0000 00010204 0000000000000007", "BAD_ACTION/BAD_ARGUMENT"),
        ("0006 0000 0000 0000 00010204 00010004", "BAD_ACTION/BAD_SET_ARGUMENT"),
        ("0021 00010308 00000007 00000006 0000", "BAD_ACTION/BAD_SET_ARGUMENT"),
        ("0010 0000 0000", "BAD_ACTION/BAD_LEN"),
        ("0023 0000 00010004 0000 ff 000000 0000", "BAD_ACTION/BAD_SET_ARGUMENT"),
        ("0023 0000 00000000 0000 ff 000000 0000 0000 0008 0000 0001", "BAD_ACTION/BAD_ARGUMENT"),
        ("0023 0000 00000000 0000 ff 000000 0000 ffff 0000 00002320", "BAD_ACTION/BAD_LEN"),
    ],
)
def test_what_breaks_the_rules_is_refused(arguments: str, answer: str) -> None:
    body = bytes.fromhex(arguments)
    length = (8 + len(body) + 7) // 8 * 8
    wire = bytes.fromhex(NICIRA.format(length=length)) + body.ljust(length - 8, b"\0")
    with pytest.raises(OpenFlowError) as caught:
        unpack_actions(wire, 0, len(wire))
    assert refusal(caught) == answer


@pytest.mark.parametrize("nat", ["0001 0002 0a000001", "0001 0003 0a000002 0a000001"])
def test_ranges_have_a_beginning_before_their_end(nat: str) -> None:
    body = bytes.fromhex("0024 0000" + nat)
    inner = bytes.fromhex(f"ffff {(15 + len(body)) // 8 * 8:04x} 00002320") + body
    inner = inner.ljust(int.from_bytes(inner[2:4], "big"), b"\0")
    wire = bytes.fromhex(
        f"ffff {24 + len(inner):04x} 00002320 0023 0000 00000000 0000 ff000000 0000"
    )
    wire += inner
    with pytest.raises(OpenFlowError) as caught:
        unpack_actions(wire, 0, len(wire))
    assert refusal(caught) == "BAD_ACTION/BAD_ARGUMENT"
