"""What a switch answers to a controller of OpenFlow 1.0, and what it refuses (1.0.0, 5.3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Mac
from sdnvirt.datapath.table import TABLE_LIMIT
from sdnvirt.devices.buffers import BUFFERS
from sdnvirt.openflow import header
from sdnvirt.openflow.v10.actions import Enqueue, Output, SetDlSrc, StripVlan, VendorAction
from sdnvirt.openflow.v10.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v10.constants import (
    EMERGENCY_TABLE,
    EXACT_PRIORITY,
    OFPC,
    OFPFC,
    OFPFF,
    OFPP,
    OFPRR,
    OFPST,
    VERSION,
    OFPCFrag,
)
from sdnvirt.openflow.v10.features import (
    Desc,
    FeaturesReply,
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    SetConfig,
)
from sdnvirt.openflow.v10.flow import FlowMod, FlowRemoved, FlowStatsRequest
from sdnvirt.openflow.v10.match import Match
from sdnvirt.openflow.v10.packets import PacketIn, PacketOut
from sdnvirt.openflow.v10.ports import PortStatsRequest
from sdnvirt.openflow.v10.statistics import StatsRequest
from sdnvirt.openflow.v10.vendor import Vendor, VendorStats
from tests.devices.entries import FRAME, counts

S = 1_000_000_000
H1, H2, H3 = (Mac(0x02_00_00_00_00_00 + n) for n in (1, 2, 3))
NICIRA = 0x2320
ALIKE = Match.of(in_port=1, dl_src=H1, dl_dst=H2, dl_vlan=0xFFFF, dl_type=0x88B5)
EXACT = Match(wildcards=0, in_port=1, dl_src=H1, dl_dst=H2, dl_vlan=0xFFFF, dl_type=0x88B5)


def stats(old: Any, kind: int, *about: Any) -> Any:
    (reply,) = old.ask(StatsRequest(kind, about))
    assert reply.kind == kind
    return reply.entries


def flows(old: Any, **wanted: Any) -> list[Any]:
    return list(stats(old, OFPST.FLOW, FlowStatsRequest(**wanted)))


def to(port: int, **fields: Any) -> FlowMod:
    return FlowMod(actions=(Output(port),), **fields)


# the switch (5.3.1, 5.3.2, 5.3.7, 5.5.4)


def test_features_come_with_the_ports(old: Any) -> None:
    (reply,) = old.ask(FeaturesRequest())
    assert isinstance(reply, FeaturesReply)
    assert (reply.datapath_id, reply.n_buffers) == (0x2A, BUFFERS)
    assert [(p.port_no, p.name, p.hw_addr) for p in reply.ports] == [
        *((n, f"h{n}", Mac(0x06 << 40 | n)) for n in (1, 2, 3)),
        (OFPP.LOCAL, "s1", Mac(0x0E << 40 | 0x2A)),
    ]
    assert reply.capabilities & (OFPC.FLOW_STATS | OFPC.ARP_MATCH_IP | OFPC.STP) == (
        OFPC.FLOW_STATS | OFPC.ARP_MATCH_IP
    )


def test_ports_that_16_bits_cannot_number_are_not_told(old: Any, switch: Any) -> None:
    for number in (OFPP.MAX - 1, OFPP.MAX, 70_000):
        switch.add_port(number, f"p{number}", Mac(number))
    (reply,) = old.ask(FeaturesRequest())
    assert [port.port_no for port in reply.ports] == [1, 2, 3, OFPP.MAX - 1, OFPP.LOCAL]


def test_the_features_of_the_largest_switch_fit_one_message(old: Any, switch: Any) -> None:
    for number in range(10, 2_000):
        switch.add_port(number, f"p{number}", Mac(number))
    (reply,) = old.ask(FeaturesRequest())
    assert len(reply.ports) == 1_364
    assert reply.ports[-1].port_no == OFPP.LOCAL


def test_the_configuration_can_be_set_and_read(old: Any) -> None:
    assert old.ask(SetConfig(OFPCFrag.NORMAL, 77)) == []
    assert old.ask(GetConfigRequest()) == [GetConfigReply(OFPCFrag.NORMAL, 77)]
    assert old.ask(SetConfig(OFPCFrag.DROP, 99)) == []
    assert old.refusal(SetConfig(OFPCFrag.REASM, 88)) == "BAD_REQUEST/EPERM"
    assert old.ask(GetConfigRequest()) == [GetConfigReply(OFPCFrag.DROP, 99)]


def test_a_barrier_is_answered(old: Any) -> None:
    assert old.ask(BarrierRequest()) == [BarrierReply()]


def test_what_is_a_vendors_is_refused(old: Any) -> None:
    assert old.refusal(Vendor(NICIRA, b"\0\0\0\x0a")) == "BAD_REQUEST/BAD_VENDOR"
    vendors = StatsRequest(OFPST.VENDOR, (VendorStats(NICIRA),))
    assert old.refusal(vendors) == "BAD_REQUEST/BAD_VENDOR"
    action = VendorAction(0xABCDEF, bytes(8))
    assert old.refusal(FlowMod(actions=(action,))) == "BAD_ACTION/BAD_VENDOR"
    assert flows(old) == []


def test_what_only_a_switch_says_is_no_request(old: Any) -> None:
    assert old.refusal(BarrierReply()) == "BAD_REQUEST/BAD_TYPE"


# flow mods (3.4, 4.6, 5.3.3)


def test_an_entry_sends_and_is_told_as_it_was_sent(old: Any, stations: list[Any]) -> None:
    match = Match.of(in_port=1, dl_type=0x88B5)
    actions = (StripVlan(), SetDlSrc(H3), Output(2), Output(OFPP.IN_PORT))
    assert old.ask(FlowMod(match=match, cookie=7, idle_timeout=5, actions=actions)) == []
    stations[0].send(FRAME)
    assert counts(stations) == [1, 1, 0]
    assert stations[1].received[0][6:12] == H3
    (entry,) = flows(old)
    assert (entry.match, entry.actions, entry.cookie, entry.table_id) == (match, actions, 7, 0)
    assert (entry.packet_count, entry.byte_count, entry.idle_timeout) == (1, 200, 5)


def test_an_entry_without_wildcards_precedes_all_others(old: Any, stations: list[Any]) -> None:
    old.ask(to(3, match=Match.of(in_port=1), priority=0xFFFE))
    old.ask(to(2, match=EXACT, priority=1))
    stations[0].send(FRAME)
    assert counts(stations) == [0, 1, 0]
    assert [entry.priority for entry in flows(old, match=EXACT)] == [EXACT_PRIORITY]


def test_adding_the_same_entry_again_starts_its_counters_anew(
    old: Any, stations: list[Any]
) -> None:
    old.ask(to(2))
    stations[0].send(FRAME)
    old.ask(to(3))
    assert [(entry.packet_count, entry.actions) for entry in flows(old)] == [(0, (Output(3),))]


@pytest.mark.parametrize("command", [OFPFC.MODIFY, OFPFC.MODIFY_STRICT])
def test_a_modification_of_nothing_adds(old: Any, stations: list[Any], command: int) -> None:
    old.ask(to(2, command=command, match=Match.of(in_port=1), cookie=5))
    stations[0].send(FRAME)
    assert counts(stations) == [0, 1, 0]
    old.ask(to(3, command=command, match=Match.of(in_port=1)))
    (entry,) = flows(old)
    assert (entry.actions, entry.packet_count, entry.cookie) == ((Output(3),), 1, 5)


def test_a_strict_modification_wants_the_very_match_and_priority(old: Any) -> None:
    old.ask(to(2, match=Match.of(in_port=1), priority=10))
    old.ask(to(3, match=Match.of(in_port=1), priority=11, command=OFPFC.MODIFY_STRICT))
    old.ask(to(3, match=Match.of(), priority=10, command=OFPFC.MODIFY_STRICT))
    assert sorted((entry.priority, entry.actions[0].port) for entry in flows(old)) == [
        (10, 2), (10, 3), (11, 3),
    ]  # fmt: skip


def test_a_modification_that_adds_may_not_overlap_if_asked(old: Any) -> None:
    old.ask(to(2, match=Match.of(in_port=1)))
    other = Match.of(dl_type=0x88B5)
    mod = to(3, match=other, command=OFPFC.MODIFY, flags=OFPFF.CHECK_OVERLAP)
    assert old.refusal(mod) == "FLOW_MOD_FAILED/OVERLAP"


def test_deletions_can_name_the_port(old: Any) -> None:
    for port in (1, 2, 3):
        old.ask(to(port, match=Match.of(in_port=port), flags=OFPFF.SEND_FLOW_REM))
    old.ask(FlowMod(command=OFPFC.DELETE, out_port=2))
    assert [(one.match.in_port, one.reason) for one in old.got(FlowRemoved)] == [(2, OFPRR.DELETE)]
    old.ask(FlowMod(command=OFPFC.DELETE))
    assert flows(old) == []
    assert [one.match.in_port for one in old.got(FlowRemoved)] == [1, 3]


def test_an_entry_that_timed_out_is_told(old: Any, world: Any) -> None:
    old.ask(to(2, match=EXACT, idle_timeout=3, flags=OFPFF.SEND_FLOW_REM, cookie=9))
    world.scheduler.run_until(4 * S)
    (removed,) = old.got(FlowRemoved)
    assert (removed.match, removed.reason) == (ALIKE, OFPRR.IDLE_TIMEOUT)
    assert (removed.cookie, removed.duration_sec, removed.idle_timeout) == (9, 3, 3)


@pytest.mark.parametrize(("mod", "error"), [
    (to(2, flags=OFPFF.EMERG), "FLOW_MOD_FAILED/ALL_TABLES_FULL"),
    (to(2, flags=OFPFF.EMERG, idle_timeout=1), "FLOW_MOD_FAILED/BAD_EMERG_TIMEOUT"),
    (to(OFPP.NONE), "BAD_ACTION/BAD_OUT_PORT"),
    (to(0), "BAD_ACTION/BAD_OUT_PORT"),
    (FlowMod(actions=(Enqueue(OFPP.FLOOD, 0),)), "BAD_ACTION/BAD_OUT_PORT"),
    (FlowMod(actions=(Enqueue(2, 7),)), "BAD_ACTION/BAD_QUEUE"),
    (to(2, buffer_id=77), "BAD_REQUEST/BUFFER_UNKNOWN"),
])  # fmt: skip
def test_a_flow_mod_that_is_refused(old: Any, mod: FlowMod, error: str) -> None:
    assert old.refusal(mod) == error


# packet-outs (5.3.6)


def test_a_packet_from_no_port_is_flooded_to_all(old: Any, stations: list[Any], world: Any) -> None:
    assert old.ask(PacketOut(actions=(Output(OFPP.FLOOD),), data=FRAME)) == []
    assert counts(stations) == [1, 1, 1]
    assert old.refusal(PacketOut(in_port=9, data=FRAME)) == "BAD_REQUEST/EPERM"


def test_a_buffered_packet_is_released_by_the_entry_that_is_for_it(
    old: Any, stations: list[Any]
) -> None:
    old.ask(SetConfig(OFPCFrag.NORMAL, 60))
    stations[0].send(FRAME)
    (packet_in,) = old.got(PacketIn)
    assert (packet_in.data, packet_in.total_len) == (FRAME[:60], 200)
    old.ask(to(2, match=EXACT, buffer_id=packet_in.buffer_id))
    assert stations[1].received == [FRAME]


# statistics (5.3.5)


def test_who_made_the_switch(old: Any) -> None:
    (desc,) = stats(old, OFPST.DESC)
    assert isinstance(desc, Desc)
    assert (desc.mfr_desc, desc.dp_desc) == ("sdnvirt", "s1")


def test_tables_and_sums_count_what_came(old: Any, stations: list[Any]) -> None:
    old.ask(to(2, match=Match.of(in_port=1)))
    for station in stations:
        station.send(FRAME)
    table = stats(old, OFPST.TABLE)[0]
    assert (table.name, table.max_entries) == ("table0", TABLE_LIMIT)
    assert (table.active_count, table.lookup_count, table.matched_count) == (1, 3, 1)
    (sums,) = stats(old, OFPST.AGGREGATE, FlowStatsRequest())
    assert (sums.packet_count, sums.byte_count, sums.flow_count) == (1, 200, 1)


def test_the_table_of_emergencies_is_empty(old: Any) -> None:
    old.ask(to(2))
    assert flows(old, table_id=EMERGENCY_TABLE) == []


def test_ports_count(old: Any, stations: list[Any]) -> None:
    old.ask(to(2))
    stations[0].send(FRAME)
    every = stats(old, OFPST.PORT, PortStatsRequest())
    assert [(p.port_no, p.rx_bytes, p.tx_bytes) for p in every] == [
        (1, 200, 0), (2, 0, 200), (3, 0, 0), (OFPP.LOCAL, 0, 0),
    ]  # fmt: skip
    assert stats(old, OFPST.PORT, PortStatsRequest(2)) == (every[1],)
    missing = StatsRequest(OFPST.PORT, (PortStatsRequest(8),))
    assert old.refusal(missing) == "BAD_REQUEST/EPERM"


def test_an_answer_that_is_too_long_comes_in_parts(old: Any) -> None:
    for source in range(1_000):
        old.ask(to(2, match=Match.of(dl_src=Mac(source))))
    parts = old.ask(StatsRequest(OFPST.FLOW, (FlowStatsRequest(),)))
    assert [part.more for part in parts] == [True, False]
    assert sum(len(part.entries) for part in parts) == 1_000


# whatever comes


@given(st.lists(st.tuples(st.integers(1, 22), st.binary(max_size=120)), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_message_takes_the_switch_away(
    old: Any, switch: Any, messages: list[tuple[int, bytes]]
) -> None:
    for kind, body in messages:
        old.deliver(header.frame(VERSION, kind, 1, body))
    assert old.ask(BarrierRequest()) == [BarrierReply()]
    assert switch.agents[0].ready
