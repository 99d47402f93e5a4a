"""Matches and actions as people read them."""

from __future__ import annotations

import pytest

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.openflow.action import actions_text
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v10 import actions as act
from sdnvirt.openflow.v10.constants import OFPP, WILDCARDS_ALL
from sdnvirt.openflow.v10.match import ALL_PACKETS, Match


def test_a_match_of_nothing_is_the_one_of_all_packets():
    assert Match.of() == ALL_PACKETS == Match(WILDCARDS_ALL)
    assert not ALL_PACKETS.is_exact


def test_only_what_is_given_counts():
    match = Match.of(in_port=3, nw_src=Ipv4("10.1.0.0"), nw_src_bits=16)
    assert (match.in_port, match.nw_src_bits, match.nw_dst_bits) == (3, 16, 0)
    assert match.wildcards == WILDCARDS_ALL & ~(1 << 0) & ~(63 << 8) | 16 << 8


def test_counts_of_ignored_bits_over_32_ignore_the_address():
    for count in (32, 33, 63):
        assert Match(count << 8).nw_src_bits == 0
        assert Match(count << 14).nw_dst_bits == 0


def test_a_match_without_wildcards_is_exact():
    assert Match(0).is_exact
    assert Match(1 << 30).is_exact  # a bit that is no wildcard
    assert not Match(1 << 14).is_exact


@pytest.mark.parametrize(
    ("match", "text"),
    [
        (Match.of(), "*"),
        (Match.of(in_port=OFPP.LOCAL), "in_port=LOCAL"),
        (Match.of(dl_vlan=0xFFFF), "dl_vlan=none"),
        (Match.of(dl_vlan=7, dl_vlan_pcp=3), "dl_vlan=7,dl_vlan_pcp=3"),
        (
            Match.of(in_port=1, dl_src=Mac("02:00:00:00:00:01"), dl_dst=Mac(2)),
            "in_port=1,dl_src=02:00:00:00:00:01,dl_dst=00:00:00:00:00:02",
        ),
        (
            Match.of(
                8, dl_type=0x0800, nw_src=Ipv4("10.0.0.0"), nw_dst=Ipv4("10.1.2.3"),
                nw_proto=6, nw_tos=32, tp_src=80, tp_dst=0,
            ),
            "dl_type=0x0800,nw_src=10.0.0.0/8,nw_dst=10.1.2.3,nw_proto=6,nw_tos=32,"
            "tp_src=80,tp_dst=0",
        ),
    ],
)  # fmt: skip
def test_text_has_the_fields_that_count(match, text):
    assert str(match) == text


def test_a_match_that_is_cut_short_is_refused():
    with pytest.raises(OpenFlowError):
        Match.take(bytes(39), 0, 39)
    with pytest.raises(OpenFlowError):
        Match.take(bytes(40), 0, 39)


def test_text_of_actions_is_that_of_ovs_ofctl():
    actions = (
        act.SetVlanVid(5),
        act.SetVlanPcp(2),
        act.StripVlan(),
        act.SetDlSrc(Mac("02:00:00:00:00:01")),
        act.SetDlDst(Mac("02:00:00:00:00:02")),
        act.SetNwSrc(Ipv4("10.0.0.1")),
        act.SetNwDst(Ipv4("10.0.0.2")),
        act.SetNwTos(32),
        act.SetTpSrc(80),
        act.SetTpDst(443),
        act.Enqueue(1, 2),
        act.Output(3),
        act.Output(OFPP.FLOOD),
        act.Output(OFPP.CONTROLLER, 128),
        act.VendorAction(0x2320, bytes(8)),
    )
    assert actions_text(actions) == (
        "mod_vlan_vid:5,mod_vlan_pcp:2,strip_vlan,mod_dl_src:02:00:00:00:00:01,"
        "mod_dl_dst:02:00:00:00:00:02,mod_nw_src:10.0.0.1,mod_nw_dst:10.0.0.2,mod_nw_tos:32,"
        "mod_tp_src:80,mod_tp_dst:443,enqueue:1:2,output:3,FLOOD,CONTROLLER:128,"
        "vendor:0x2320(0000000000000000)"
    )
    assert actions_text(()) == "drop"
