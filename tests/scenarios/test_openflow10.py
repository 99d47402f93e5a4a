"""OpenFlow 1.0 with packets: Ryu's first example app as it is, alone and beside a newer one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdnvirt.network.network import Network
from sdnvirt.openflow.channel import Channel, Event, Received
from sdnvirt.openflow.v10.translate.match import match_to_v10
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable
from sdnvirt.openflow.v13.match import Match, OxmMatch
from sdnvirt.openflow.v13.packets import PacketIn

simple_switch = pytest.mark.topology(
    controller="ryu.app.simple_switch",
    text="""
        name: three-hosts
        switches: {s1: {kind: openflow, dpid: 0x1}}
        hosts: {"h[1-3]": {address: "10.0.0.[1-3]/24"}}
        links: [{between: ["h[1-3]", s1], delay: 50us}]
    """,
)


def entries(network: Network) -> list[Any]:
    return list(network.plant.switches["s1"].datapath.entries(FlowStatsRequest()))


@simple_switch
def test_ryus_simple_switch_learns_who_is_where(network: Network) -> None:
    assert entries(network) == []  # nothing but misses brings it packets
    assert network["h1"].ping("h2", count=3).received == 3
    learned = {
        (match.in_port, match.dl_src, match.dl_dst): one.instructions
        for one in entries(network)
        for match in [match_to_v10(one.match)]
    }
    h1, h2 = (network.plant.hosts[name].ports[1].mac for name in ("h1", "h2"))
    assert learned == {
        (2, h2, h1): (ApplyActions((Output(1, 0xFFE5),)),),
        (1, h1, h2): (ApplyActions((Output(2, 0xFFE5),)),),
    }
    before = sum(one.packets for one in entries(network))
    assert network["h2"].ping("h1", count=5).received == 5
    assert sum(one.packets for one in entries(network)) == before + 10
    assert network["h3"].ping("h1", count=1).received == 1
    assert len(entries(network)) == 4


class Newcomer:
    """A controller of OpenFlow 1.3 that says what a test says."""

    def __init__(self) -> None:
        self.channel = Channel(echo_idle_ns=None)
        self.events: list[Event] = []

    def connect(
        self, dpid: int, deliver: Callable[[bytes], None], closed: Callable[[str], None]
    ) -> Newcomer:
        self.deliver = deliver
        self.channel.start()
        return self

    def feed(self, data: bytes) -> None:
        self.events += self.channel.receive(data)

    def close(self) -> None:
        pass

    def say(self, *messages: Any) -> None:
        for message in messages:
            self.channel.send(message)
        self.deliver(self.channel.outgoing())

    def packet_ins(self) -> list[PacketIn]:
        said = [event.message for event in self.events if isinstance(event, Received)]
        return [message for message in said if isinstance(message, PacketIn)]


@simple_switch
def test_a_newer_controller_takes_some_packets_for_itself(network: Network) -> None:
    new = Newcomer()
    network.plant.switches["s1"].connect(new)
    new.say()
    assert network["h1"].ping("h3", count=1).received == 1
    assert new.packet_ins() == []  # the misses were for the other
    known = len(entries(network))
    to_h3 = Match((OxmMatch(oxm.ETH_TYPE, 0x0800), OxmMatch(oxm.IPV4_DST, 0x0A000003)))
    new.say(FlowMod(match=to_h3, priority=0xFFFF, instructions=(GotoTable(1),)))
    # Nothing is in table 1; that is a matter of OpenFlow 1.3 alone, which drops.
    assert network["h1"].ping("h3", count=2).received == 0
    assert network["h1"].ping("h2", count=2).received == 2
    assert [one.packets for one in entries(network) if one.match == to_h3] == [2]
    assert len(entries(network)) == known + 1 + 2
    new.say(FlowMod(table_id=1, instructions=(ApplyActions((Output(3),)),)))
    assert network["h1"].ping("h3", count=2).received == 2
    assert new.packet_ins() == []
