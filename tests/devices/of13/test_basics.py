"""The configuration of a switch: what it does with fragments (OpenFlow 1.3.5, 7.3.2)."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import Dot1Q, Ether

from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPCFrag
from sdnvirt.openflow.v13.features import GetConfigReply, GetConfigRequest, SetConfig
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from tests.devices.controller import Controller

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
FIRST, MIDDLE, LAST = (1, 0), (1, 100), (0, 200)
WHOLE = (0, 0)


def ipv4(more: int, offset: int) -> bytes:
    return bytes(ETHER / Dot1Q(vlan=1) / IP(flags=more, frag=offset) / UDP() / bytes(30))


def ipv6(more: int, offset: int) -> bytes:
    return bytes(ETHER / IPv6() / IPv6ExtHdrFragment(m=more, offset=offset) / UDP() / bytes(30))


@pytest.mark.parametrize("make", [ipv4, ipv6])
@pytest.mark.parametrize("piece", [FIRST, MIDDLE, LAST])
def test_fragments_pass_unless_the_switch_drops_them(
    world: World, controller: Controller, stations: list[Any], make: Any, piece: tuple[int, int]
) -> None:
    controller.send(FlowMod(instructions=(ApplyActions((Output(2),)),)))
    stations[0].send(make(*piece))
    assert len(stations[1].received) == 1
    controller.send(SetConfig(OFPCFrag.DROP, 128))
    assert controller.ask(GetConfigRequest()) == [GetConfigReply(OFPCFrag.DROP, 128)]
    stations[0].send(make(*piece))
    assert world.ledger.by_reason() == {DropReason.FRAGMENT_REFUSED: 1}
    controller.send(SetConfig(OFPCFrag.NORMAL, 128))
    stations[0].send(make(*piece))
    assert len(stations[1].received) == 2


def test_whole_packets_pass_in_any_case(controller: Controller, stations: list[Any]) -> None:
    controller.send(FlowMod(instructions=(ApplyActions((Output(2),)),)))
    controller.send(SetConfig(OFPCFrag.DROP, 128))
    for data in (ipv4(*WHOLE), bytes(ETHER / IP(flags="DF") / UDP()), bytes(ETHER / IPv6())):
        stations[0].send(data)
    assert len(stations[1].received) == 3


def test_the_configuration_can_be_set_and_read(controller: Controller) -> None:
    assert controller.ask(GetConfigRequest()) == [GetConfigReply(0, 128)]
    assert controller.ask(SetConfig(0, 77)) == []
    assert controller.ask(GetConfigRequest()) == [GetConfigReply(0, 77)]


def test_a_way_to_treat_fragments_that_is_not_there_is_refused(controller: Controller) -> None:
    answer = controller.refusal(SetConfig(OFPCFrag.REASM, 77))
    assert answer == "SWITCH_CONFIG_FAILED/BAD_FLAGS"
    assert controller.ask(GetConfigRequest()) == [GetConfigReply(0, 128)]
