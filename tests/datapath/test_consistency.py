"""Actions must fit the match of their entry (OpenFlow 1.3.5, 6.4 and 7.2.5)."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.instructions import ApplyActions, WriteActions
from sdnvirt.openflow.v13.match import Match

IPV4: dict[str, Any] = {"eth_type": 0x0800}
IPV6: dict[str, Any] = {"eth_type": 0x86DD}
MPLS: dict[str, Any] = {"eth_type": 0x8847}
PBB: dict[str, Any] = {"eth_type": 0x88E7}
UDP: dict[str, Any] = IPV4 | {"ip_proto": 17}
ND: dict[str, Any] = IPV6 | {"ip_proto": 58, "icmpv6_type": 135}
TAGGED: dict[str, Any] = {"vlan_vid": (0x1000, 0x1000)}
UNTAGGED: dict[str, Any] = {"vlan_vid": 0}


def sets(field: oxm.OxmField, value: int = 1) -> act.SetField:
    return act.SetField(field, value)


INCONSISTENT = [
    ({}, (sets(oxm.IPV4_SRC),)),
    (IPV6, (sets(oxm.IPV4_SRC),)),
    (IPV4, (sets(oxm.UDP_SRC),)),
    (UDP, (sets(oxm.TCP_SRC),)),
    (IPV4 | {"ip_proto": 6}, (sets(oxm.SCTP_SRC),)),
    ({}, (sets(oxm.ARP_OP),)),
    ({}, (sets(oxm.IP_DSCP),)),
    ({}, (sets(oxm.VLAN_PCP),)),
    (UNTAGGED, (sets(oxm.VLAN_PCP),)),
    (UNTAGGED, (sets(oxm.VLAN_VID),)),
    (IPV6 | {"ip_proto": 58}, (sets(oxm.IPV6_ND_TARGET),)),
    (ND, (sets(oxm.IPV6_ND_TLL),)),
    (IPV4, (sets(oxm.MPLS_LABEL),)),
    (IPV4, (sets(oxm.PBB_ISID),)),
    (UNTAGGED, (act.PopVlan(),)),
    (IPV4, (act.PopMpls(0x0800),)),
    (IPV4, (act.DecMplsTtl(),)),
    (IPV4, (act.SetMplsTtl(3),)),
    (IPV4, (act.PopPbb(),)),
    ({"eth_type": 0x0806}, (act.DecNwTtl(),)),
    (MPLS, (act.SetNwTtl(3),)),
    ({"eth_type": 0x0806}, (act.CopyTtlIn(),)),
    ({"eth_type": 0x0806}, (act.CopyTtlOut(),)),
    # what an action takes away
    (IPV4, (act.PushMpls(0x8847), sets(oxm.IPV4_SRC))),
    (UDP, (act.PushPbb(0x88E7), sets(oxm.UDP_SRC))),
    (UDP, (sets(oxm.IP_PROTO, 6), sets(oxm.UDP_SRC))),
    (UDP, (sets(oxm.ETH_TYPE, 0x86DD), sets(oxm.UDP_SRC))),
    (UDP, (sets(oxm.ETH_TYPE, 0x86DD), sets(oxm.IPV4_SRC))),
    (TAGGED, (act.PopVlan(), sets(oxm.VLAN_PCP))),
    (TAGGED, (act.PushMpls(0x8847), sets(oxm.VLAN_VID))),
    (UNTAGGED, (act.PushVlan(0x8100), act.PopVlan(), act.PopVlan())),
    (TAGGED, (act.PushVlan(0x8100), act.PopVlan(), act.PopVlan(), sets(oxm.VLAN_PCP))),
    (PBB, (act.PopPbb(), sets(oxm.PBB_ISID))),
    (MPLS, (act.PopMpls(0x0800), sets(oxm.MPLS_LABEL))),
    (MPLS, (act.PopMpls(0x8100), sets(oxm.IPV4_SRC))),
]
CONSISTENT = [
    ({}, (sets(oxm.ETH_DST), sets(oxm.ETH_TYPE, 0x1234), sets(oxm.TUNNEL_ID))),
    ({}, (sets(oxm.VLAN_VID, 0), sets(oxm.VLAN_VID, 0x1005))),
    (IPV4, (sets(oxm.IPV4_SRC), sets(oxm.IP_DSCP), sets(oxm.IP_PROTO, 6), act.DecNwTtl())),
    (IPV6, (sets(oxm.IP_ECN), sets(oxm.IPV6_DST), act.SetNwTtl(3))),
    (UDP, (sets(oxm.UDP_SRC), sets(oxm.UDP_DST))),
    (ND, (sets(oxm.IPV6_ND_TARGET), sets(oxm.IPV6_ND_SLL), sets(oxm.ICMPV6_CODE))),
    (TAGGED, (sets(oxm.VLAN_VID, 0x1005), sets(oxm.VLAN_PCP), act.PopVlan())),
    ({"vlan_vid": 0x1005}, (sets(oxm.VLAN_PCP),)),
    (TAGGED, (act.PushVlan(0x8100), act.PopVlan(), sets(oxm.VLAN_PCP), act.PopVlan())),
    ({}, (act.PushVlan(0x8100), act.PopVlan(), act.PopVlan())),
    (MPLS, (sets(oxm.MPLS_LABEL), sets(oxm.MPLS_BOS), act.DecMplsTtl(), act.CopyTtlOut())),
    (PBB, (sets(oxm.PBB_ISID), act.PopPbb())),
    # where the match leaves it open
    ({}, (act.DecNwTtl(), act.CopyTtlIn(), act.PopVlan(), act.PopPbb(), act.PopMpls(0x0800))),
    # what an action provides
    (UNTAGGED, (act.PushVlan(0x8100), sets(oxm.VLAN_VID, 0x1005), sets(oxm.VLAN_PCP))),
    (IPV4, (act.PushVlan(0x8100), sets(oxm.IPV4_SRC))),
    (IPV4, (act.PushMpls(0x8847), sets(oxm.MPLS_LABEL), act.DecMplsTtl())),
    (IPV4, (act.PushPbb(0x88E7), sets(oxm.PBB_ISID))),
    (MPLS, (act.PopMpls(0x0800), sets(oxm.IPV4_SRC), act.DecNwTtl())),
    ({}, (sets(oxm.ETH_TYPE, 0x0800), sets(oxm.IP_PROTO, 17), sets(oxm.UDP_SRC))),
    (MPLS, (act.PopMpls(0x8100), sets(oxm.VLAN_VID, 0x1005))),
]


@pytest.mark.parametrize(("match", "actions"), INCONSISTENT, ids=str)
def test_actions_that_do_not_fit_the_match_are_refused(
    driver: Any, match: dict[str, Any], actions: tuple[Action, ...]
) -> None:
    with pytest.raises(OpenFlowError) as caught:
        driver.apply(*actions, match=Match.of(**match))
    assert error_name(caught.value.error_type, caught.value.code) == "BAD_ACTION/MATCH_INCONSISTENT"
    assert str(actions[-1]) in caught.value.detail
    assert driver.entries() == []


@pytest.mark.parametrize(("match", "actions"), CONSISTENT, ids=str)
def test_actions_that_fit_the_match_are_admitted(
    driver: Any, match: dict[str, Any], actions: tuple[Action, ...]
) -> None:
    driver.apply(*actions, match=Match.of(**match))
    assert len(driver.entries()) == 1


def test_written_actions_come_in_the_order_of_the_set_and_after_those_applied(driver: Any) -> None:
    write = WriteActions((sets(oxm.MPLS_LABEL), act.PushMpls(0x8847)))
    driver.mod(write, match=Match.of(**IPV4))
    driver.mod(
        WriteActions((sets(oxm.VLAN_PCP),)),
        ApplyActions((act.PushVlan(0x8100),)),
        match=Match.of(**IPV6),
    )
    assert len(driver.entries()) == 2
    with pytest.raises(OpenFlowError):
        driver.mod(WriteActions((sets(oxm.IPV4_SRC), act.PushMpls(0x8847))), match=Match.of(**IPV4))


def test_a_modification_must_fit_every_entry_that_it_changes(driver: Any) -> None:
    driver.to(2, match=Match.of(in_port=1, **IPV4))
    driver.apply(sets(oxm.IPV4_SRC), command=1, match=Match.of(in_port=1))
    driver.to(3, match=Match.of(in_port=1, **IPV6))
    before = [entry.instructions for entry in driver.entries()]
    with pytest.raises(OpenFlowError):
        driver.apply(sets(oxm.IPV4_SRC, 2), command=1, match=Match.of(in_port=1))
    assert [entry.instructions for entry in driver.entries()] == before


def test_a_packet_out_has_no_match_and_does_what_applies(driver: Any) -> None:
    frame = bytes(60)
    actions = (sets(oxm.IPV4_SRC), act.PopVlan(), act.Output(2))
    assert driver.packet_out(*actions, data=frame) == [(2, frame)]
