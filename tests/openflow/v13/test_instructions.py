"""Actions and instructions: their texts, and what is refused."""

from __future__ import annotations

import tracemalloc

import pytest

from sdnvirt.openflow.action import actions_text
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13 import actions, instructions, oxm
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.actions import ACTIONS
from sdnvirt.openflow.v13.constants import OFPAT, OFPIT, OFPP
from sdnvirt.openflow.v13.error_codes import OFPBAC, OFPBIC, OFPET
from sdnvirt.openflow.v13.instructions import (
    INSTRUCTIONS,
    instructions_text,
    unpack_instructions,
)


def test_every_type_of_the_specification_has_a_class():
    assert sorted(ACTIONS) == sorted(OFPAT)
    assert sorted(INSTRUCTIONS) == sorted(OFPIT)


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (actions.Output(2), "output:2"),
        (actions.Output(OFPP.CONTROLLER), "CONTROLLER:65535"),
        (actions.Output(OFPP.CONTROLLER, 128), "CONTROLLER:128"),
        (actions.Output(OFPP.IN_PORT), "IN_PORT"),
        (actions.Output(OFPP.FLOOD), "FLOOD"),
        (actions.SetField(oxm.TUNNEL_ID, 70001), "set_field:70001->tunnel_id"),
        (actions.SetField(oxm.ETH_DST, 2 << 40), "set_field:02:00:00:00:00:00->eth_dst"),
        (actions.PushVlan(0x8100), "push_vlan:0x8100"),
        (actions.PopMpls(0x0800), "pop_mpls:0x0800"),
        (actions.Group(3), "group:3"),
        (actions.DecNwTtl(), "dec_ttl"),
    ],
)
def test_an_action_prints_as_in_ovs_ofctl(action, text):
    assert str(action) == text


def test_instructions_print_as_in_ovs_ofctl():
    found = (
        instructions.Meter(1),
        instructions.ApplyActions((actions.PopVlan(), actions.Output(1))),
        instructions.ClearActions(),
        instructions.WriteActions((actions.Group(7),)),
        instructions.WriteMetadata(5, 0xFF),
        instructions.GotoTable(2),
    )
    assert instructions_text(found) == (
        "meter:1,pop_vlan,output:1,clear_actions,write_actions(group:7),"
        "write_metadata:0x5/0xff,goto_table:2"
    )
    assert instructions_text(()) == actions_text(()) == "drop"


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ("0063000800000000", OFPBAC.BAD_TYPE),
        ("0012000000000000", OFPBAC.BAD_LEN),
        ("0012000400000000", OFPBAC.BAD_LEN),
        ("0012000900000000", OFPBAC.BAD_LEN),
        ("0012001000000000", OFPBAC.BAD_LEN),
        ("00120010000000000000000000000000", OFPBAC.BAD_LEN),
        ("0000000800000001", OFPBAC.BAD_LEN),
        ("00120008", OFPBAC.BAD_LEN),
        ("00190010800000040000000100000000", OFPBAC.BAD_SET_TYPE),
        ("00190018800004080000000000000001" + "00" * 8, OFPBAC.BAD_SET_TYPE),
        ("00190010000008020001000000000000", OFPBAC.BAD_SET_TYPE),
        ("0019001080000d041064ffff00000000", OFPBAC.BAD_SET_TYPE),
        ("0019001080000c041064000000000000", OFPBAC.BAD_SET_LEN),
        ("0019000880000c02", OFPBAC.BAD_SET_LEN),
        ("0019001880000c021064" + "00" * 14, OFPBAC.BAD_SET_LEN),
        ("0019001080000c02ffff000000000000", OFPBAC.BAD_SET_ARGUMENT),
    ],
)
def test_an_action_that_breaks_a_rule_is_refused(wire, code):
    data = bytes.fromhex(wire)
    with pytest.raises(OpenFlowError) as caught:
        unpack_actions(data, 0, len(data))
    assert (caught.value.error_type, caught.value.code) == (OFPET.BAD_ACTION, code)


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ("0063000800000000", OFPBIC.UNKNOWN_INST),
        ("0001000000000000", OFPBIC.BAD_LEN),
        ("0001000900000000", OFPBIC.BAD_LEN),
        ("0001001001000000", OFPBIC.BAD_LEN),
        ("00010010010000000000000000000000", OFPBIC.BAD_LEN),
        ("00050010000000000012000800000000", OFPBIC.BAD_LEN),
        ("00010008", OFPBIC.BAD_LEN),
        ("00010008010000000001000802000000", OFPBIC.UNSUP_INST),
    ],
)
def test_an_instruction_that_breaks_a_rule_is_refused(wire, code):
    data = bytes.fromhex(wire)
    with pytest.raises(OpenFlowError) as caught:
        unpack_instructions(data, 0, len(data))
    assert (caught.value.error_type, caught.value.code) == (OFPET.BAD_INSTRUCTION, code)


def test_an_action_cannot_reach_past_its_instruction():
    data = bytes.fromhex("00040010000000000000001000000001" + "0000000000000000")
    with pytest.raises(OpenFlowError) as caught:
        unpack_instructions(data, 0, len(data))
    assert (caught.value.error_type, caught.value.code) == (OFPET.BAD_ACTION, OFPBAC.BAD_LEN)


def test_equal_short_lists_are_one_object_and_long_ones_are_not_kept():
    short = instructions.ApplyActions((actions.Output(1),)).pack()
    assert unpack_instructions(short, 0, 16 + 8) is unpack_instructions(b"?" + short, 1, 1 + 24)
    tracemalloc.start()
    for queue in range(5):
        many = (actions.SetQueue(queue),) * 4_000
        long = instructions.ApplyActions(many).pack()
        assert unpack_instructions(long, 0, len(long))[0].actions == many
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 4 * len(long)
