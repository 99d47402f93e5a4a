"""Explanations: the same walk, told line by line, changing nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether

from sdnvirt.datapath.datapath import Datapath
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import DecNwTtl, Output, PopVlan, PushVlan, SetField
from sdnvirt.openflow.v13.constants import OFPP
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    GotoTable,
    Instruction,
    WriteActions,
    WriteMetadata,
)
from sdnvirt.openflow.v13.match import Match

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
UDP_FRAME = bytes(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", ttl=9) / UDP(sport=1, dport=2))


def explain(driver: Any, data: bytes, port: int = 1) -> list[str]:
    return driver.datapath.explain(port, Frame(data))


def test_a_frame_that_is_forwarded(driver: Any) -> None:
    driver.to(2, match=Match.of(in_port=1, eth_dst=0x020000000002), priority=10)
    assert explain(driver, UDP_FRAME) == [
        "table 0: priority 10, in_port=1,eth_dst=02:00:00:00:00:02",
        "  output:2",
        "to port 2",
    ]


def test_a_frame_that_is_flooded(driver: Any) -> None:
    driver.to(OFPP.FLOOD)
    driver.datapath.set_port(3, False)
    assert explain(driver, UDP_FRAME) == [
        "table 0: priority 32768, *",
        "  FLOOD",
        "to port 2",
        "to port 4",
    ]


def test_a_frame_that_no_entry_is_for(driver: Any) -> None:
    assert explain(driver, UDP_FRAME) == [
        "table 0: no match",
        f"drop: {DropReason.TABLE_MISS.value}",
    ]


def test_a_frame_whose_entry_names_no_output(driver: Any) -> None:
    driver.mod(priority=7)
    assert explain(driver, UDP_FRAME) == [
        "table 0: priority 7, *",
        f"drop: {DropReason.NO_OUTPUT.value}",
    ]


def test_a_frame_that_goes_to_the_controller(driver: Any) -> None:
    driver.apply(Output(OFPP.CONTROLLER, 128), priority=0)
    assert explain(driver, UDP_FRAME) == [
        "table 0: priority 0, *",
        "  CONTROLLER:128",
        "to the controller",
    ]


def test_a_frame_whose_ttl_expires(driver: Any) -> None:
    driver.apply(DecNwTtl(), Output(2))
    data = bytes(ETHER / IP(ttl=1) / UDP())
    assert explain(driver, data) == [
        "table 0: priority 32768, *",
        "  dec_ttl,output:2",
        "  time to live expired: to the controller",
        "to the controller",
    ]


def test_outputs_that_are_left_out(driver: Any) -> None:
    driver.apply(Output(1), Output(9), Output(2))
    assert explain(driver, UDP_FRAME) == [
        "table 0: priority 32768, *",
        "  output:1,output:9,output:2",
        "  output to 1 is left out: the packet came from there",
        "  output to 9 is left out: no such port",
        "to port 2",
    ]


def test_a_frame_that_walks_through_tables_and_is_rewritten(driver: Any) -> None:
    driver.mod(
        ApplyActions((PushVlan(0x8100), SetField(oxm.VLAN_VID, 0x1005), Output(2))),
        WriteActions((Output(3), SetField(oxm.TUNNEL_ID, 7))),
        WriteMetadata(1),
        GotoTable(1),
        match=Match.of(eth_type=0x0800, ipv4_dst=(0x0A000000, 0xFF000000)),
        priority=4,
    )
    driver.mod(table_id=1, match=Match.of(metadata=1, vlan_vid=0x1005), priority=5)
    assert explain(driver, UDP_FRAME) == [
        "table 0: priority 4, eth_type=0x0800,ipv4_dst=10.0.0.0/8",
        "  push_vlan:0x8100,set_field:0x1005->vlan_vid,output:2",
        "  write_actions(output:3,set_field:7->tunnel_id)",
        "  write_metadata:0x1",
        "  goto_table:1",
        "table 1: priority 5, metadata=0x1,vlan_vid=0x1005",
        "action set: set_field:7->tunnel_id",
        "action set: output:3",
        "to port 2 as 46 B, rewritten",
        "to port 3 as 46 B, rewritten with tunnel id 7",
    ]


def test_an_explanation_counts_and_caches_nothing(driver: Any) -> None:
    driver.to(2, idle_timeout=5)
    driver.now = 3
    frame = Frame(UDP_FRAME)
    driver.datapath.explain(1, frame)
    (entry,) = driver.entries()
    assert (entry.packets, entry.used_ns, driver.datapath.cached_flows) == (0, 0, 0)
    assert frame.key is None


INSTRUCTIONS = st.lists(
    st.sampled_from((
        ApplyActions((Output(2), DecNwTtl(), Output(OFPP.FLOOD))), GotoTable(1), ClearActions(),
        ApplyActions((PopVlan(), Output(3), Output(OFPP.CONTROLLER))), WriteMetadata(1),
        WriteActions((Output(4), SetField(oxm.TUNNEL_ID, 3))), WriteActions((DecNwTtl(),)),
    )),
    max_size=3, unique_by=type,
)  # fmt: skip
ENTRIES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from((
            Match(), Match.of(in_port=1), Match.of(eth_type=0x0800), Match.of(vlan_vid=0x1005),
        )),
        INSTRUCTIONS,
        INSTRUCTIONS,
    ),
    max_size=4,
)  # fmt: skip
FRAMES = st.sampled_from((
    UDP_FRAME, bytes(ETHER / IP(ttl=1) / UDP()), bytes(ETHER / ARP()), b"",
    bytes(ETHER / Dot1Q(vlan=5) / IP() / UDP()),
))  # fmt: skip


@settings(max_examples=4 * settings().max_examples)
@given(ENTRIES, FRAMES, st.integers(1, 4))
def test_the_explanation_ends_with_what_really_happens(
    entries: list[tuple[int, Match, list[Instruction], list[Instruction]]], data: bytes, port: int
) -> None:
    datapath = Datapath()
    for number in (1, 2, 3, 4):
        datapath.set_port(number, number != 4)
    for priority, match, first, second in entries:
        datapath.modify(FlowMod(priority=priority, match=match, instructions=tuple(first)), 0)
        later = tuple(one for one in second if not isinstance(one, GotoTable))
        mod = FlowMod(table_id=1, priority=priority, match=match, instructions=later)
        datapath.modify(mod, 0)
    told = datapath.explain(port, Frame(data))
    flow = datapath.classify(port, Frame(data))
    emissions = flow.run(Frame(data), 0)
    ends = [line.split(" as ")[0].split(" with ")[0] for line in told if line.startswith("to ")]
    assert ends == [
        f"to port {target}" if isinstance(target, int) else "to the controller"
        for _, target in emissions
    ]
    if not emissions:
        assert told[-1] == f"drop: {flow.reason.value}"
    asked = [line.split(":")[0] for line in told if line.startswith("table ")]
    looked_up = [f"table {table.number}" for table, _ in flow.lookups]
    assert asked[: len(looked_up)] == looked_up
    assert sum(entry.packets for entry in datapath.entries(FlowStatsRequest())) == 0
