"""What a meter did to a packet, later tables see (OpenFlow 1.3.5, 5.7 and 5.9)."""

from __future__ import annotations

from typing import Any

from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from sdnvirt.datapath.flow import Loss, Police
from sdnvirt.datapath.outcomes import OUTCOMES_LIMIT
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.nicira import actions as nx
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.constants import IN_PORT
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output, PushVlan, SetField
from sdnvirt.openflow.v13.constants import OFPMC, OFPMF
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    GotoTable,
    Instruction,
    Meter,
    WriteActions,
)
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.meters import Band, DropBand, DscpRemarkBand, MeterMod

AF11, AF12, AF13 = 10, 12, 14
GREEN, YELLOW, RED = 2, 3, 4


def packet(dscp: int = AF11, version: int = 4) -> bytes:
    layer = IP(tos=dscp << 2) if version == 4 else IPv6(tc=dscp << 2)
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / layer / UDP())


def meter(driver: Any, *bands: Band, meter_id: int = 1) -> None:
    """Each band lets the first of its packets pass and exceeds with the next."""
    flags = OFPMF.PKTPS | OFPMF.BURST
    driver.datapath.modify_meter(MeterMod(OFPMC.ADD, flags, meter_id, bands), driver.now)


def remark(level: int = 1, rate: int = 1) -> DscpRemarkBand:
    return DscpRemarkBand(rate, burst_size=rate, prec_level=level)


def dscp(value: int, ethertype: int = 0x0800) -> Match:
    return Match.of(eth_type=ethertype, ip_dscp=value)


def by_colour(driver: Any, *first: Instruction, ethertype: int = 0x0800) -> None:
    """Let table 1 send each drop precedence out of a port of its own."""
    driver.mod(*first, GotoTable(1))
    for value, port in ((AF11, GREEN), (AF12, YELLOW), (AF13, RED)):
        driver.to(port, table_id=1, match=dscp(value, ethertype))


def where(driver: Any, data: bytes | None = None, times: int = 1) -> list[Any]:
    return [port for _ in range(times) for port, _ in driver.send(data or packet())]


def police(driver: Any) -> Police:
    """The only meter of the program for the packet."""
    steps = driver.datapath.translate(1, Frame(packet())).steps
    (found,) = [step for step in steps if isinstance(step, Police)]
    assert isinstance(found, Police)
    return found


# what is seen


def test_the_next_table_matches_what_the_meter_made(driver: Any) -> None:
    meter(driver, remark())
    by_colour(driver, Meter(1))
    assert where(driver, times=3) == [GREEN, YELLOW, YELLOW]
    driver.now += 10**9
    assert where(driver, times=2) == [GREEN, YELLOW]


def test_of_ipv6_too(driver: Any) -> None:
    meter(driver, remark(2))
    by_colour(driver, Meter(1), ethertype=0x86DD)
    assert where(driver, packet(version=6), times=2) == [GREEN, RED]


def test_each_band_leads_on_by_its_own_level(driver: Any) -> None:
    meter(driver, remark(1, rate=1), remark(2, rate=2))
    by_colour(driver, Meter(1))
    assert where(driver, times=3) == [GREEN, YELLOW, RED]


def test_meters_in_a_row_raise_one_after_the_other(driver: Any) -> None:
    meter(driver, remark(), meter_id=1)
    meter(driver, remark(rate=2), meter_id=2)
    driver.mod(Meter(1), GotoTable(1))
    driver.mod(Meter(2), GotoTable(2), table_id=1)
    for value, port in ((AF11, GREEN), (AF12, YELLOW), (AF13, RED)):
        driver.to(port, table_id=2, match=dscp(value))
    assert where(driver, times=3) == [GREEN, YELLOW, RED]


def test_the_entry_itself_was_chosen_before(driver: Any) -> None:
    meter(driver, remark())
    driver.mod(Meter(1), ApplyActions((Output(GREEN),)), match=dscp(AF11))
    driver.to(RED, priority=1)
    assert where(driver, times=2) == [GREEN, GREEN]


def test_actions_read_what_the_meter_made(driver: Any) -> None:
    meter(driver, remark())
    field = Subfield(oxm.IP_DSCP, 2, 2)  # AF11 has 2 there, AF12 has 3
    driver.mod(Meter(1), ApplyActions((nx.OutputReg(field, 0),)), match=dscp(AF11))
    assert where(driver, times=2) == [2, 3]


def test_the_action_set_is_not_forgotten(driver: Any) -> None:
    meter(driver, remark())
    driver.mod(Meter(1), WriteActions((Output(GREEN),)), GotoTable(1))
    driver.mod(WriteActions((Output(RED),)), table_id=1, match=dscp(AF12))
    driver.mod(table_id=1, priority=1)
    assert where(driver, times=2) == [GREEN, RED]


def test_a_meter_in_a_resubmit_leads_on_behind_it(driver: Any) -> None:
    meter(driver, remark())
    again = nx.ResubmitTable(IN_PORT, 2)
    driver.apply(nx.ResubmitTable(IN_PORT, 1), again, Output(RED))
    driver.mod(Meter(1), table_id=1)
    driver.to(GREEN, table_id=2, match=dscp(AF11))
    driver.to(YELLOW, table_id=2, match=dscp(AF12))
    assert where(driver, times=2) == [GREEN, RED, YELLOW, RED]


def test_a_register_written_before_is_still_there(driver: Any) -> None:
    meter(driver, remark())
    load = nx.RegLoad(Subfield(nxm.REGS[0], 0, 16), RED)
    driver.mod(ApplyActions((load,)), GotoTable(1))
    driver.mod(Meter(1), GotoTable(2), table_id=1)
    driver.to(GREEN, table_id=2, match=dscp(AF11))
    register = nx.OutputReg(Subfield(nxm.REGS[0], 0, 32), 0)
    driver.apply(register, table_id=2, match=dscp(AF12))
    assert where(driver, times=2) == [GREEN, RED]


def test_what_sets_the_dscp_later_has_the_last_word(driver: Any) -> None:
    meter(driver, remark())
    again = SetField(oxm.IP_DSCP, AF11)
    driver.mod(Meter(1), ApplyActions((again,)), GotoTable(1), match=dscp(AF11))
    driver.to(GREEN, table_id=1, match=dscp(AF11))
    assert where(driver, times=2) == [GREEN, GREEN]
    assert police(driver).raised == ()


# what is lost and counted


def test_a_packet_that_is_lost_only_when_raised_says_why(driver: Any) -> None:
    meter(driver, remark())
    driver.mod(Meter(1), GotoTable(1))
    driver.to(GREEN, table_id=1, match=dscp(AF11))
    assert where(driver, times=2) == [GREEN, Loss(DropReason.TABLE_MISS, "table 1")]


def test_a_packet_that_is_sent_only_when_raised(driver: Any) -> None:
    meter(driver, remark())
    driver.mod(Meter(1), GotoTable(1))
    driver.to(RED, table_id=1, match=dscp(AF12))
    assert where(driver, times=2) == [RED]


def test_what_was_sent_before_is_no_loss(driver: Any) -> None:
    meter(driver, remark())
    driver.mod(ApplyActions((Output(GREEN),)), GotoTable(1))
    driver.mod(Meter(1), GotoTable(2), table_id=1)
    driver.to(RED, table_id=2, match=dscp(AF11))
    assert where(driver, times=2) == [GREEN, RED, GREEN]


def test_tables_and_entries_count_what_came_to_them(driver: Any) -> None:
    meter(driver, remark(rate=1), DropBand(2, burst_size=2))
    by_colour(driver, Meter(1))
    size = len(packet())
    where(driver, times=4)
    counted = {str(entry.match): (entry.packets, entry.bytes) for entry in driver.entries()}
    assert counted == {
        "*": (4, 4 * size),
        "eth_type=0x0800,ip_dscp=10": (1, size),
        "eth_type=0x0800,ip_dscp=12": (1, size),
        "eth_type=0x0800,ip_dscp=14": (0, 0),
    }
    tables = driver.datapath.tables
    assert [(t.looked_up, t.matched) for t in tables.values()] == [(4, 4), (2, 2)]


def test_sizes_are_those_of_arrival(driver: Any) -> None:
    meter(driver, DropBand(2, burst_size=2))
    driver.mod(ApplyActions((PushVlan(0x8100),)), GotoTable(1))
    driver.mod(Meter(1), GotoTable(2), table_id=1)
    driver.to(GREEN, table_id=2)
    where(driver)
    assert {entry.bytes for entry in driver.entries()} == {len(packet())}
    assert driver.datapath.state.meters[1].tally.bytes == len(packet()) + 4


def test_what_a_packet_out_resubmits_is_counted(driver: Any) -> None:
    meter(driver, remark())
    driver.mod(Meter(1), GotoTable(2), table_id=1)
    driver.to(GREEN, table_id=2)
    for _ in range(2):
        driver.packet_out(nx.ResubmitTable(IN_PORT, 1), data=packet())
    assert driver.counters() == [(0x8000, 2, 2 * len(packet()))] * 2


def test_an_entry_behind_a_meter_stays_while_it_is_used(driver: Any) -> None:
    meter(driver)
    meter(driver, remark(), meter_id=2)
    driver.mod(Meter(2), GotoTable(1))
    driver.to(GREEN, table_id=1, idle_timeout=2)
    for second in (1, 2, 3):
        driver.now = second * 10**9
        assert driver.datapath.expire(driver.now) == []
        assert where(driver) == [GREEN]
    driver.datapath.expire(5 * 10**9)
    assert len(driver.datapath.tables[1]) == 0


# the cache


def test_packets_of_another_dscp_are_decided_about_anew(driver: Any) -> None:
    meter(driver, remark())
    by_colour(driver, Meter(1))
    where(driver, times=2)
    assert where(driver, packet(AF12), times=2) == [RED, RED]
    assert where(driver, packet(AF13)) == [RED]


def test_an_entry_for_raised_packets_alters_cached_decisions(driver: Any) -> None:
    meter(driver, remark())
    by_colour(driver, Meter(1))
    assert where(driver, times=2) == [GREEN, YELLOW]
    driver.to(RED, table_id=1, match=dscp(AF12), priority=0xFFFF)
    assert where(driver) == [RED]
    driver.delete(strict=True, table_id=1, match=dscp(AF12), priority=0xFFFF)
    assert where(driver) == [YELLOW]


def test_a_tag_pushed_later_leaves_the_decision_to_all_flows(driver: Any) -> None:
    """What the packet looks like at the end of one walk does not narrow the next."""
    meter(driver, remark())
    by_colour(driver, Meter(1))
    driver.apply(PushVlan(0x8100), Output(GREEN), table_id=1, match=dscp(AF11))
    for port in range(1, 9):
        data = bytes(Ether() / IP(tos=AF11 << 2) / UDP(sport=port))
        driver.send(data)
    assert driver.datapath.cached_flows == 1


def test_where_it_makes_no_difference_the_program_does_not_branch(driver: Any) -> None:
    meter(driver, remark())
    driver.mod(Meter(1), GotoTable(1))
    driver.to(GREEN, table_id=1)
    assert police(driver).raised == ()
    ((port, first),), ((_, second),) = (driver.send(packet()) for _ in range(2))
    assert (port, Ether(first).tos, Ether(second).tos) == (GREEN, AF11 << 2, AF12 << 2)


# limits


def chain(driver: Any, meters: int) -> None:
    """A table for each meter, and at the end one that depends on what they did."""
    for number in range(1, meters + 1):
        meter(driver, remark(1, rate=1), remark(2, rate=2), meter_id=number)
        driver.mod(Meter(number), GotoTable(number), table_id=number - 1)
    for value, port in ((AF11, GREEN), (AF12, YELLOW), (AF13, RED)):
        driver.to(port, table_id=meters, match=dscp(value))


def test_twenty_meters_in_a_row(driver: Any) -> None:
    chain(driver, 20)
    assert where(driver, times=3) == [GREEN, RED, RED]


def test_entries_that_double_the_ways_end(driver: Any) -> None:
    chain(driver, 30)
    note = nx.RegMove(Subfield(oxm.IP_DSCP, 0, 6), Subfield(nxm.REGS[0], 0, 6))
    lower = SetField(oxm.IP_DSCP, AF11)
    for number in range(30):
        again = Meter(number + 1), ApplyActions((note, lower)), GotoTable(number + 1)
        driver.mod(*again, table_id=number, match=dscp(AF11))
    driver.to(GREEN, table_id=30, match=Match.of(reg0=AF12))
    flow = driver.datapath.translate(1, Frame(packet()))
    assert (flow.steps, flow.reason) == ((), DropReason.REMARK_LIMIT)
    assert OUTCOMES_LIMIT < 2**30


# explanations


def test_an_explanation_tells_both_ways(driver: Any) -> None:
    meter(driver, remark())
    driver.mod(Meter(1), GotoTable(1))
    driver.to(GREEN, table_id=1, match=dscp(AF11))
    driver.to(RED, table_id=1, match=dscp(AF12))
    told = [
        line
        for line in driver.datapath.explain(1, Frame(packet()))
        if "nearly" not in line and "nearest" not in line
    ]
    assert told == [
        "table 0: priority 32768, *",
        "  meter:1",
        "  if it raises the drop precedence by 1:",
        "  |   goto_table:1",
        "  | table 1: priority 32768, eth_type=0x0800,ip_dscp=12",
        "  |   output:4",
        "  goto_table:1",
        "table 1: priority 32768, eth_type=0x0800,ip_dscp=10",
        "  output:2",
        "to port 2",
        f"to port 4 as {len(packet())} B, rewritten, if meter 1 raises the drop precedence by 1",
    ]


def test_an_explanation_takes_the_way_of_a_packet_that_is_raised_now(driver: Any) -> None:
    meter(driver, remark())
    by_colour(driver, Meter(1))
    assert driver.datapath.explain(1, Frame(packet()), now=0)[-3:-1] == [
        "meter 1 lets it pass, as it stands now",
        "to port 2",
    ]
    assert where(driver) == [GREEN]
    assert driver.datapath.explain(1, Frame(packet()), now=0)[-3:-1] == [
        "meter 1 applies its band 0, as it stands now: dscp_remark, over 1 packets/s",
        f"to port {YELLOW} as {len(packet())} B, rewritten",
    ]


def test_an_explanation_tells_why_a_raised_packet_is_lost(driver: Any) -> None:
    meter(driver, remark())
    by_colour(driver, Meter(1))
    driver.delete(table_id=1, match=dscp(AF12))
    told = driver.datapath.explain(1, Frame(packet()))
    assert f"  | drop: {DropReason.TABLE_MISS.value}" in told
    assert told[-2] == "to port 2"
    assert told[-1].startswith(f"to nowhere: {DropReason.TABLE_MISS.value}")
