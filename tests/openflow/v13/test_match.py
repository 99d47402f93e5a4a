"""Matches: the table of fields, the canonical form, the rules and their errors."""

from __future__ import annotations

import copy

import pytest
from ryu.ofproto import ofproto_v1_3

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.error_codes import OFPBMC, OFPET
from sdnvirt.openflow.v13.match import ALL_PACKETS, Match, OxmMatch, take_match


def parse(fields: str) -> Match:
    body = bytes.fromhex(fields.replace(" ", ""))
    wire = b"\0\1" + (4 + len(body)).to_bytes(2, "big") + body
    wire += bytes(-len(wire) % 8)
    match, stop = take_match(wire, 0, len(wire))
    assert stop == len(wire)
    return match


@pytest.mark.parametrize("field", oxm.FIELDS, ids=lambda field: field.name)
def test_a_field_is_what_ryu_says_it_is(field):
    (theirs,) = [one for one in ofproto_v1_3.oxm_types if one.name == field.name]
    assert theirs.num == 0x8000 << 7 | field.number
    assert theirs.type.size == field.size
    assert oxm.FIELDS[field.number] is field
    assert oxm.field_named(field.name) is field


def test_a_copy_of_a_field_is_the_field():
    assert copy.deepcopy(oxm.ETH_DST) is oxm.ETH_DST


def test_fields_are_kept_in_the_order_of_the_table():
    there = parse("80000604 00000002 80000a02 0800".replace("80000604", "80000004"))
    back = parse("80000a02 0800 80000004 00000002")
    assert there == back == Match.of(in_port=2, eth_type=0x0800)
    assert there.fields == (OxmMatch(oxm.IN_PORT, 2), OxmMatch(oxm.ETH_TYPE, 0x0800))


def test_a_full_mask_is_none_and_an_empty_mask_is_no_field():
    assert parse("8000070c 020000000001 ffffffffffff") == parse("80000606 020000000001")
    assert parse("8000070c 000000000000 000000000000") == ALL_PACKETS


def test_addresses_may_be_given_as_they_are():
    match = Match.of(
        eth_dst=Mac("02:00:00:00:00:01"),
        eth_type=0x0800,
        ipv4_src=(Ipv4("10.0.0.0"), Ipv4("255.255.255.0")),
    )
    assert str(match) == "eth_dst=02:00:00:00:00:01,eth_type=0x0800,ipv4_src=10.0.0.0/24"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "*"),
        ({"in_port": 0xFFFFFFFE}, "in_port=LOCAL"),
        ({"in_port": 3, "tunnel_id": 70001}, "in_port=3,tunnel_id=70001"),
        ({"tunnel_id": (0x10, 0xF0)}, "tunnel_id=0x10/0xf0"),
        ({"metadata": (1, 0xFF)}, "metadata=0x1/0xff"),
        ({"vlan_vid": 0x1064, "vlan_pcp": 5}, "vlan_vid=0x1064,vlan_pcp=5"),
        (
            {"eth_dst": (1 << 40, 1 << 40)},
            "eth_dst=01:00:00:00:00:00/01:00:00:00:00:00",
        ),
        (
            {"eth_type": 0x0800, "ipv4_dst": (0x0A000001, 0xFF0000FF)},
            "eth_type=0x0800,ipv4_dst=10.0.0.1/255.0.0.255",
        ),
        (
            {"eth_type": 0x86DD, "ipv6_src": (0xFE80 << 112, 0xFFC0 << 112)},
            "eth_type=0x86dd,ipv6_src=fe80::/10",
        ),
    ],
)
def test_text_is_that_of_ovs_ofctl(values, text):
    assert str(Match.of(**values)) == text


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ("80000004 00000001 80000004 00000001", OFPBMC.DUP_FIELD),
        ("8000070c 000000000000 000000000000 80000606 000000000001", OFPBMC.DUP_FIELD),
        ("80001604 0a000001", OFPBMC.BAD_PREREQ),
        ("80000a02 0806 80001604 0a000001", OFPBMC.BAD_PREREQ),
        ("80001604 0a000001 80000a02 0800", OFPBMC.BAD_PREREQ),
        ("80000c02 0000 80000e01 01", OFPBMC.BAD_PREREQ),
        ("80000204 00000001", OFPBMC.BAD_PREREQ),
        ("80000c02 1001 80000e01 08", OFPBMC.BAD_VALUE),
        ("80000c02 2001", OFPBMC.BAD_VALUE),
        ("8000070c 020000000001 ffffffffff00", OFPBMC.BAD_WILDCARDS),
        ("80000d04 0001 ffff", OFPBMC.BAD_MASK),
        ("80000108 00000001 ffffffff", OFPBMC.BAD_MASK),
        ("80000002 0001", OFPBMC.BAD_LEN),
        ("80000704 00000001", OFPBMC.BAD_LEN),
        ("80000004 0000", OFPBMC.BAD_LEN),
        ("8000", OFPBMC.BAD_LEN),
        ("80005004 00000001", OFPBMC.BAD_FIELD),
        ("00000802 0001", OFPBMC.BAD_FIELD),
        ("ffff5406 4f4e4600 0001", OFPBMC.BAD_FIELD),
    ],
)
def test_a_match_that_breaks_a_rule_is_refused(fields, code):
    with pytest.raises(OpenFlowError) as caught:
        parse(fields)
    assert (caught.value.error_type, caught.value.code) == (OFPET.BAD_MATCH, code)


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        ("0000000400000000", OFPBMC.BAD_TYPE),
        ("0001000300000000", OFPBMC.BAD_LEN),
        ("0001000000000000", OFPBMC.BAD_LEN),
        ("0001000900000000", OFPBMC.BAD_LEN),
        ("000100", OFPBMC.BAD_LEN),
    ],
)
def test_a_match_header_that_breaks_a_rule_is_refused(wire, code):
    data = bytes.fromhex(wire)
    with pytest.raises(OpenFlowError) as caught:
        take_match(data, 0, len(data))
    assert (caught.value.error_type, caught.value.code) == (OFPET.BAD_MATCH, code)


def test_padding_has_no_meaning():
    assert take_match(bytes.fromhex("00010004deadbeef"), 0, 8) == (ALL_PACKETS, 8)
