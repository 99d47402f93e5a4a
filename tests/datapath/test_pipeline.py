"""The pipeline: tables, instructions, actions, action set, outputs (OpenFlow 1.3.5, section 5)."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, PadN
from scapy.layers.l2 import Dot1Q, Ether

from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.flow import Punt
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import (
    DecNwTtl,
    Output,
    PopVlan,
    PushVlan,
    SetField,
    SetNwTtl,
)
from sdnvirt.openflow.v13.constants import OFPCML, OFPP, OFPR
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    GotoTable,
    WriteActions,
    WriteMetadata,
)
from sdnvirt.openflow.v13.match import Match
from sdnvirt.wire.flowkey import KEY_BYTES

ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
FRAME = bytes(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", ttl=9) / UDP(sport=1, dport=2))
TO_CONTROLLER = Output(OFPP.CONTROLLER)
TO_TABLES = Output(OFPP.TABLE)


def with_ttl(ttl: int) -> bytes:
    return bytes(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", ttl=ttl) / UDP(sport=1, dport=2))


def drop(driver: Any, data: bytes, port: int = 1) -> tuple[DropReason, str]:
    flow = driver.datapath.translate(port, Frame(data))
    assert flow.run(Frame(data), 0) == []
    return flow.reason, flow.detail


# tables (5.1)


def test_goto_continues_with_a_later_table(driver: Any) -> None:
    driver.mod(GotoTable(7))
    driver.mod(ApplyActions((Output(2),)), GotoTable(254), table_id=7)
    driver.to(3, table_id=254)
    assert driver.send(FRAME) == [(2, FRAME), (3, FRAME)]


def test_a_later_table_sees_the_packet_as_earlier_ones_changed_it(driver: Any) -> None:
    rewrite = SetField(oxm.IPV4_DST, 0x0A000009)
    driver.mod(ApplyActions((rewrite,)), GotoTable(1), match=Match.of(eth_type=0x800))
    driver.to(2, table_id=1, match=Match.of(eth_type=0x800, ipv4_dst=0x0A000002))
    driver.to(3, table_id=1, match=Match.of(eth_type=0x800, ipv4_dst=0x0A000009))
    ((port, data),) = driver.send(FRAME)
    assert (port, data[30:34]) == (3, b"\x0a\0\0\x09")


def test_a_later_table_sees_tags_that_were_pushed_and_popped(driver: Any) -> None:
    driver.mod(ApplyActions((PushVlan(0x8100), SetField(oxm.VLAN_VID, 0x1005))), GotoTable(1))
    driver.mod(
        ApplyActions((PopVlan(), Output(2))), GotoTable(2),
        table_id=1, match=Match.of(vlan_vid=0x1005),
    )  # fmt: skip
    driver.to(3, table_id=2, match=Match.of(vlan_vid=0))
    assert driver.send(FRAME) == [(2, FRAME), (3, FRAME)]


def test_metadata_is_written_through_its_mask_and_begins_as_zero(driver: Any) -> None:
    driver.mod(WriteMetadata(0xFF, 0x0F), GotoTable(1), match=Match.of(metadata=0))
    driver.mod(WriteMetadata(0xA0, 0xF0), GotoTable(2), table_id=1, match=Match.of(metadata=0x0F))
    driver.mod(WriteMetadata(0, 0x0F), GotoTable(3), table_id=2, match=Match.of(metadata=0xAF))
    driver.to(2, table_id=3, match=Match.of(metadata=(0xA0, 0xFF)))
    assert driver.send(FRAME) == [(2, FRAME)]


def test_a_miss_drops_the_packet_and_its_action_set(driver: Any) -> None:
    assert drop(driver, FRAME) == (DropReason.TABLE_MISS, "table 0")
    driver.mod(WriteActions((Output(2),)), GotoTable(1))
    assert drop(driver, FRAME) == (DropReason.TABLE_MISS, "table 1")
    driver.mod(table_id=1, match=Match.of(in_port=2))
    assert drop(driver, FRAME) == (DropReason.TABLE_MISS, "table 1")


def test_a_miss_takes_nothing_back_of_what_was_sent_before(driver: Any) -> None:
    driver.mod(ApplyActions((Output(2),)), GotoTable(1))
    assert driver.send(FRAME) == [(2, FRAME)]


def test_an_entry_without_output_drops(driver: Any) -> None:
    driver.mod(cookie=0xAB)
    where = "table 0, priority 32768, *"
    assert drop(driver, FRAME) == (DropReason.NO_OUTPUT, f"{where}, cookie 0xab")
    driver.apply(SetField(oxm.ETH_DST, 1), cookie=0xAC)
    assert drop(driver, FRAME) == (DropReason.NO_OUTPUT, f"{where}, cookie 0xac")


# what goes to the controller (5.4, 7.4.1)


def test_a_table_miss_entry_hands_over_with_the_reason_no_match(driver: Any) -> None:
    driver.apply(Output(OFPP.CONTROLLER, 128), priority=0, cookie=5)
    assert driver.send(FRAME) == [(Punt(128, OFPR.NO_MATCH, 0, 5), FRAME)]


@pytest.mark.parametrize(
    ("priority", "match"), [(1, Match()), (0, Match.of(in_port=1))], ids=["priority", "match"]
)
def test_every_other_entry_hands_over_with_the_reason_action(
    driver: Any, priority: int, match: Match
) -> None:
    driver.apply(TO_CONTROLLER, priority=priority, match=match, cookie=6)
    expected = Punt(OFPCML.NO_BUFFER, OFPR.ACTION, 0, 6)
    assert driver.send(FRAME) == [(expected, FRAME)]


def test_the_table_that_hands_over_is_named(driver: Any) -> None:
    driver.mod(GotoTable(4))
    driver.apply(TO_CONTROLLER, table_id=4, priority=0, cookie=1)
    ((punt, _),) = driver.send(FRAME)
    assert (punt.table_id, punt.reason, punt.cookie) == (4, OFPR.NO_MATCH, 1)


def test_the_controller_gets_the_packet_as_it_is_at_that_point(driver: Any) -> None:
    driver.apply(TO_CONTROLLER, SetNwTtl(3), TO_CONTROLLER, Output(2))
    assert [data for _, data in driver.send(FRAME)] == [FRAME, with_ttl(3), with_ttl(3)]


# instructions (5.9)


def test_instructions_are_executed_in_the_order_of_the_specification(driver: Any) -> None:
    driver.mod(WriteActions((Output(2),)), GotoTable(1))
    driver.mod(
        GotoTable(2), WriteMetadata(1), WriteActions((Output(3),)), ClearActions(),
        ApplyActions((Output(4),)), table_id=1,
    )  # fmt: skip
    driver.mod(table_id=2, match=Match.of(metadata=1))
    assert driver.send(FRAME) == [(4, FRAME), (3, FRAME)]


# the action set (5.10)


def test_the_action_set_is_executed_in_its_own_order_when_the_pipeline_ends(driver: Any) -> None:
    driver.mod(
        WriteActions((
            Output(2), SetField(oxm.VLAN_VID, 0x1007), DecNwTtl(), PushVlan(0x8100), PopVlan(),
        )),
        GotoTable(1),
    )  # fmt: skip
    driver.apply(Output(3), table_id=1)
    tagged = bytes(ETHER / Dot1Q(vlan=5, prio=2) / IP(FRAME[14:]))
    expected = bytes(ETHER / Dot1Q(vlan=7) / IP(with_ttl(8)[14:]))
    assert driver.send(tagged) == [(3, tagged), (2, expected)]


def test_a_later_write_replaces_the_action_of_its_type_and_field(driver: Any) -> None:
    udp = Match.of(eth_type=0x800, ip_proto=17)
    both = WriteActions((Output(2), SetField(oxm.UDP_SRC, 7), SetField(oxm.UDP_DST, 8)))
    driver.mod(both, GotoTable(1), match=udp)
    driver.mod(WriteActions((SetField(oxm.UDP_SRC, 9), Output(3))), match=udp, table_id=1)
    ((port, data),) = driver.send(FRAME)
    assert (port, data[34:38]) == (3, b"\0\x09\0\x08")


def test_the_ttl_is_decremented_before_it_is_set(driver: Any) -> None:
    driver.mod(WriteActions((Output(2), SetNwTtl(77), DecNwTtl())))
    assert driver.send(FRAME) == [(2, with_ttl(77))]


def test_an_action_set_without_output_drops(driver: Any) -> None:
    driver.mod(WriteActions((SetNwTtl(3),)))
    assert drop(driver, FRAME)[0] is DropReason.NO_OUTPUT


def test_cleared_actions_are_not_executed(driver: Any) -> None:
    driver.mod(WriteActions((Output(2),)), GotoTable(1))
    driver.mod(ClearActions(), table_id=1)
    assert drop(driver, FRAME)[0] is DropReason.NO_OUTPUT


# outputs (4.5)


def ports(emissions: list[tuple[Any, bytes]]) -> list[int]:
    return [port for port, _ in emissions]


def test_a_packet_does_not_return_to_its_port_but_by_in_port(driver: Any) -> None:
    driver.apply(Output(1), Output(2))
    assert ports(driver.send(FRAME, port=1)) == [2]
    assert ports(driver.send(FRAME, port=2)) == [1]
    driver.to(1)
    assert drop(driver, FRAME, port=1)[0] is DropReason.NO_OUTPUT
    driver.to(OFPP.IN_PORT)
    assert ports(driver.send(FRAME, port=1)) == [1]
    assert ports(driver.send(FRAME, port=4)) == [4]


@pytest.mark.parametrize("everywhere", [OFPP.FLOOD, OFPP.ALL])
def test_a_flood_leaves_out_the_port_of_arrival_and_ports_that_are_down(
    driver: Any, everywhere: int
) -> None:
    driver.to(everywhere)
    assert ports(driver.send(FRAME, port=2)) == [1, 3, 4]
    driver.datapath.set_port(3, False)
    assert ports(driver.send(FRAME, port=2)) == [1, 4]
    driver.datapath.set_port(3, True)
    assert ports(driver.send(FRAME, port=2)) == [1, 3, 4]


def test_a_flood_with_nowhere_to_go_is_a_drop(driver: Any) -> None:
    driver.to(OFPP.FLOOD)
    for number in (2, 3, 4):
        driver.datapath.set_port(number, False)
    assert drop(driver, FRAME, port=1)[0] is DropReason.NO_OUTPUT


def test_a_flood_goes_through_the_ports_in_order_of_number() -> None:
    datapath = Datapath()
    for number in (4, 1, 3, 2):
        datapath.set_port(number, True)
    flow = datapath.packet_out(1, Frame(FRAME), (Output(OFPP.FLOOD),), 0)
    assert [port for _, port in flow.run(Frame(FRAME), 0)] == [2, 3, 4]


def test_a_port_that_is_named_is_sent_to_though_it_is_down(driver: Any) -> None:
    driver.datapath.set_port(2, False)
    driver.to(2)
    assert ports(driver.send(FRAME)) == [2]  # the drop is the link's to report


def test_a_port_that_does_not_exist_takes_nothing(driver: Any) -> None:
    driver.apply(Output(99), Output(3))
    assert ports(driver.send(FRAME)) == [3]


def test_a_port_that_is_named_twice_is_sent_to_twice(driver: Any) -> None:
    driver.apply(Output(2), Output(2), Output(OFPP.FLOOD))
    assert ports(driver.send(FRAME)) == [2, 2, 2, 3, 4]


def test_each_output_sends_the_packet_as_it_is_at_that_point(driver: Any) -> None:
    driver.apply(Output(2), SetNwTtl(5), Output(3), SetNwTtl(6), Output(4))
    assert driver.send(FRAME) == [(2, FRAME), (3, with_ttl(5)), (4, with_ttl(6))]


# time to live (5.12)


def test_the_ttl_is_decremented(driver: Any) -> None:
    driver.apply(DecNwTtl(), Output(2))
    assert driver.send(FRAME) == [(2, with_ttl(8))]
    assert driver.send(with_ttl(2)) == [(2, with_ttl(1))]
    six = ETHER / IPv6(hlim=5) / TCP()
    ((_, data),) = driver.send(bytes(six))
    assert data[21] == 4


@pytest.mark.parametrize("ttl", [0, 1])
def test_an_expired_packet_goes_to_the_controller_and_no_further(driver: Any, ttl: int) -> None:
    driver.mod(
        ApplyActions((Output(2), DecNwTtl(), Output(3))),
        WriteActions((Output(4),)),
        GotoTable(1),
        cookie=9,
    )
    driver.to(4, table_id=1)
    data = with_ttl(ttl)
    expected = Punt(None, OFPR.INVALID_TTL, 0, 9)
    assert driver.send(data) == [(2, data), (expected, data)]


def test_a_packet_that_is_not_ip_has_no_ttl_to_expire(driver: Any) -> None:
    driver.apply(DecNwTtl(), Output(2))
    assert driver.send(bytes(60)) == [(2, bytes(60))]


# tunnels


def test_the_tunnel_id_is_matched_and_set(driver: Any) -> None:
    driver.apply(SetField(oxm.TUNNEL_ID, 8), Output(2), match=Match.of(tunnel_id=7))
    assert driver.send(FRAME, tunnel_id=6) == []
    flow = driver.datapath.translate(1, Frame(FRAME, tunnel=7))
    ((frame, port),) = flow.run(Frame(FRAME, tunnel=7), 0)
    assert (port, frame.tunnel_id, frame.data) == (2, 8, FRAME)


# packet-out (7.3.7)


def test_a_packet_out_executes_its_actions_without_any_table(driver: Any) -> None:
    assert driver.packet_out(SetNwTtl(3), Output(2), data=FRAME) == [(2, with_ttl(3))]
    assert driver.packet_out(data=FRAME) == []


def test_a_packet_out_can_send_through_the_tables(driver: Any) -> None:
    driver.to(3, match=Match.of(in_port=2))
    assert driver.packet_out(SetNwTtl(3), TO_TABLES, data=FRAME, port=2) == [(3, with_ttl(3))]
    assert driver.packet_out(TO_TABLES, data=FRAME, port=1) == []


def test_a_packet_out_that_misses_in_the_tables_says_so(driver: Any) -> None:
    flow = driver.datapath.packet_out(1, Frame(FRAME), (TO_TABLES,), 0)
    assert (flow.reason, flow.detail) == (DropReason.TABLE_MISS, "table 0")
    flow = driver.datapath.packet_out(1, Frame(FRAME), (), 0)
    assert (flow.reason, flow.detail) == (DropReason.NO_OUTPUT, "packet-out")


def test_what_the_tables_change_stays_in_the_tables(driver: Any) -> None:
    driver.apply(SetNwTtl(3), SetField(oxm.TUNNEL_ID, 5), Output(2))
    out = driver.packet_out(TO_TABLES, Output(4), data=FRAME)
    assert out == [(2, with_ttl(3)), (4, FRAME)]


def test_an_expired_packet_does_not_enter_the_tables(driver: Any) -> None:
    driver.to(2)
    emissions = driver.packet_out(DecNwTtl(), TO_TABLES, data=with_ttl(1))
    assert [target.reason for target, _ in emissions] == [OFPR.INVALID_TTL]


def test_a_packet_out_is_no_table_miss(driver: Any) -> None:
    driver.apply(Output(2), priority=0)
    emissions = driver.packet_out(TO_TABLES, TO_CONTROLLER, data=FRAME)
    assert emissions[0] == (2, FRAME)
    assert emissions[1] == (Punt(OFPCML.NO_BUFFER, OFPR.ACTION, 0, (1 << 64) - 1), FRAME)


def test_a_packet_out_from_the_controller_floods_everywhere_and_returns_nowhere(
    driver: Any,
) -> None:
    flood = driver.packet_out(Output(OFPP.FLOOD), data=FRAME, port=OFPP.CONTROLLER)
    assert ports(flood) == [1, 2, 3, 4]
    assert driver.packet_out(Output(OFPP.IN_PORT), data=FRAME, port=OFPP.CONTROLLER) == []
    driver.to(OFPP.IN_PORT)
    assert driver.packet_out(TO_TABLES, data=FRAME, port=OFPP.CONTROLLER) == []


def test_a_packet_out_through_the_tables_is_counted(driver: Any) -> None:
    driver.mod(GotoTable(1))
    driver.to(2, table_id=1)
    driver.packet_out(TO_TABLES, Output(3), data=FRAME)
    assert driver.counters() == [(0x8000, 1, 42), (0x8000, 1, 42)]
    tables = driver.datapath.tables.values()
    assert [(table.looked_up, table.matched) for table in tables] == [(1, 1), (1, 1)]


def test_each_pass_through_the_tables_is_counted_where_it_happened(driver: Any) -> None:
    driver.mod(GotoTable(1))
    driver.mod(table_id=1, match=Match.of(in_port=2))
    driver.packet_out(TO_TABLES, TO_TABLES, data=FRAME)
    tables = driver.datapath.tables.values()
    assert [(table.looked_up, table.matched) for table in tables] == [(2, 2), (2, 0)]


# what the flow key does not cover


def test_bytes_behind_those_of_the_key_decide_nothing_even_when_tags_before_them_go(
    driver: Any,
) -> None:
    """The port of TCP stands right behind the bytes of the key, and popping moves it in."""
    driver.mod(ApplyActions((PopVlan(),)), GotoTable(1))
    web = Match.of(eth_type=0x86DD, ip_proto=6, tcp_dst=80)
    driver.to(2, table_id=1, match=web, priority=2)
    driver.to(3, table_id=1, priority=1)
    frames = [
        bytes(
            ETHER / Dot1Q() / Dot1Q() / IPv6() / IPv6ExtHdrDestOpt(options=PadN(optdata=bytes(60)))
            / TCP(dport=port)
        )
        for port in (80, 81)
    ]  # fmt: skip
    assert frames[0].index(b"\0\x14\0\x50") == KEY_BYTES - 2
    first, second = (driver.send(frame) for frame in frames)
    assert ports(first) == ports(second)
