"""Flow mods, timeouts and counters (OpenFlow 1.3.5, 5.5, 6.4 and 6.5)."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPFC, OFPFF, OFPG, OFPP, OFPRR, OFPTT
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable, WriteActions
from sdnvirt.openflow.v13.match import Match

S = 1_000_000_000
A = b"\x02\0\0\0\0\x0a"
B = b"\x02\0\0\0\0\x0b"
TO_A = Match.of(eth_dst=A)
TO_B = Match.of(eth_dst=B)
FRAME_TO_A = A + B + b"\x88\xb5" + bytes(46)
FRAME_TO_B = B + A + b"\x88\xb5" + bytes(46)


def refused(call: Any, *arguments: Any, **keywords: Any) -> str:
    with pytest.raises(OpenFlowError) as caught:
        call(*arguments, **keywords)
    return error_name(caught.value.error_type, caught.value.code)


def priorities(driver: Any) -> list[int]:
    return [entry.priority for entry in driver.entries()]


# add (6.4)


def test_an_entry_that_is_added_takes_effect_at_once(driver: Any) -> None:
    driver.to(2)
    assert driver.send(FRAME_TO_A) == [(2, FRAME_TO_A)]
    driver.to(3, match=TO_A, priority=0x9000)
    assert driver.send(FRAME_TO_A) == [(3, FRAME_TO_A)]
    assert driver.send(FRAME_TO_B) == [(2, FRAME_TO_B)]


def test_adding_the_same_match_and_priority_replaces_the_entry_and_its_duration(
    driver: Any,
) -> None:
    driver.to(2, match=TO_A, cookie=1, flags=OFPFF.SEND_FLOW_REM)
    driver.now = 5 * S
    assert driver.to(3, match=TO_A, cookie=2, idle_timeout=9) == []
    (entry,) = driver.entries()
    assert (entry.cookie, entry.created_ns, entry.flags) == (2, 5 * S, 0)
    assert entry.idle_timeout_ns == 9 * S
    assert driver.send(FRAME_TO_A) == [(3, FRAME_TO_A)]


@pytest.mark.parametrize(("flags", "kept"), [(0, (2, 120)), (OFPFF.RESET_COUNTS, (0, 0))])
def test_replacing_keeps_the_counters_unless_they_are_to_be_reset(
    driver: Any, flags: int, kept: tuple[int, int]
) -> None:
    driver.to(2, match=TO_A)
    driver.send(FRAME_TO_A)
    driver.send(FRAME_TO_A)
    driver.to(3, match=TO_A, flags=flags)
    (entry,) = driver.entries()
    assert (entry.packets, entry.bytes) == kept


def test_an_entry_of_another_priority_is_another_entry(driver: Any) -> None:
    driver.to(2, match=TO_A, priority=1)
    driver.to(3, match=TO_A, priority=2)
    assert priorities(driver) == [1, 2]


def test_check_overlap_refuses_what_could_match_one_packet_at_one_priority(driver: Any) -> None:
    driver.to(2, match=TO_A, priority=5)
    check = OFPFF.CHECK_OVERLAP
    in_port = Match.of(in_port=1)
    assert (
        refused(driver.to, 3, match=in_port, priority=5, flags=check) == "FLOW_MOD_FAILED/OVERLAP"
    )
    assert refused(driver.to, 3, match=TO_A, priority=5, flags=check) == "FLOW_MOD_FAILED/OVERLAP"
    assert driver.send(FRAME_TO_A) == [(2, FRAME_TO_A)]
    driver.to(3, match=in_port, priority=6, flags=check)
    driver.to(3, match=TO_B, priority=5, flags=check)
    driver.to(3, match=in_port, priority=5)
    assert priorities(driver) == [5, 6, 5, 5]


def test_a_full_table_refuses_new_entries_and_still_replaces_old_ones(
    driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdnvirt.datapath.flow_entries.TABLE_LIMIT", 2)
    driver.to(2, match=TO_A)
    driver.to(2, match=TO_B)
    assert refused(driver.to, 2) == "FLOW_MOD_FAILED/TABLE_FULL"
    driver.to(3, match=TO_B)
    driver.to(2, table_id=1)
    assert [(e.table_id, e.match) for e in driver.entries()] == [
        (0, TO_A), (0, TO_B), (1, Match()),
    ]  # fmt: skip


# modify (6.4)


def test_modify_changes_instructions_and_nothing_else(driver: Any) -> None:
    driver.to(2, match=TO_A, cookie=7, idle_timeout=8, hard_timeout=9, flags=OFPFF.SEND_FLOW_REM)
    driver.send(FRAME_TO_A)
    driver.now = 1 * S
    driver.modify(3, match=TO_A, cookie=99, idle_timeout=1, hard_timeout=1, flags=0)
    assert driver.send(FRAME_TO_A) == [(3, FRAME_TO_A)]
    (entry,) = driver.entries()
    assert (entry.cookie, entry.idle_timeout_ns, entry.hard_timeout_ns) == (7, 8 * S, 9 * S)
    assert (entry.packets, entry.created_ns, entry.flags) == (2, 0, OFPFF.SEND_FLOW_REM)


def test_modify_resets_counters_when_told_to(driver: Any) -> None:
    driver.to(2, match=TO_A)
    driver.send(FRAME_TO_A)
    driver.modify(3, match=TO_A, flags=OFPFF.RESET_COUNTS)
    assert driver.counters() == [(0x8000, 0, 0)]


def test_modify_of_nothing_changes_nothing(driver: Any) -> None:
    driver.modify(3, match=TO_A)
    driver.modify(3, match=TO_A, strict=True)
    assert driver.entries() == []
    assert driver.datapath.tables == {}


def test_modify_is_for_all_covered_entries_of_any_priority(driver: Any) -> None:
    driver.to(2, match=TO_A, priority=1)
    driver.to(2, match=Match.of(eth_dst=A, eth_src=B), priority=2)
    driver.to(2, match=TO_B, priority=3)
    driver.to(2, priority=4)
    driver.modify(3, match=TO_A, priority=77)
    outputs = [entry.instructions[0].actions[0].port for entry in driver.entries()]
    assert outputs == [3, 3, 2, 2]


def test_modify_strict_is_for_the_one_entry_of_that_match_and_priority(driver: Any) -> None:
    driver.to(2, match=TO_A, priority=1)
    driver.to(2, match=TO_A, priority=2)
    driver.modify(3, match=TO_A, priority=2, strict=True)
    outputs = [entry.instructions[0].actions[0].port for entry in driver.entries()]
    assert outputs == [2, 3]


def test_modify_and_delete_can_be_restricted_by_cookie(driver: Any) -> None:
    for cookie in (0x11, 0x12, 0x21):
        driver.to(2, priority=cookie, cookie=cookie)
    driver.modify(3, cookie=0x10, cookie_mask=0xF0)
    outputs = [entry.instructions[0].actions[0].port for entry in driver.entries()]
    assert outputs == [3, 3, 2]
    driver.delete(cookie=0x01, cookie_mask=0x0F)
    assert priorities(driver) == [0x12]
    driver.delete(strict=True, priority=0x12, cookie=0x13, cookie_mask=0xFF)
    assert priorities(driver) == [0x12]


def test_a_modify_goes_through_the_same_checks_as_an_add(driver: Any) -> None:
    bad = (GotoTable(0),)
    assert refused(driver.mod, *bad, command=OFPFC.MODIFY) == "BAD_INSTRUCTION/BAD_TABLE_ID"


# delete (6.4)


def test_delete_is_for_what_the_match_covers(driver: Any) -> None:
    driver.to(2, match=TO_A, priority=1)
    driver.to(2, match=Match.of(eth_dst=A, eth_src=B), priority=2)
    driver.to(2, match=TO_B, priority=3)
    driver.to(2, priority=4)
    driver.delete(match=TO_A, priority=99)
    assert priorities(driver) == [3, 4]
    assert driver.send(FRAME_TO_A) == [(2, FRAME_TO_A)]
    driver.delete()
    assert priorities(driver) == []
    assert driver.send(FRAME_TO_A) == []


def test_delete_strict_is_for_one_entry(driver: Any) -> None:
    driver.to(2, match=TO_A, priority=1)
    driver.to(2, match=TO_A, priority=2)
    driver.delete(strict=True, match=TO_A, priority=3)
    driver.delete(strict=True, priority=2)
    assert priorities(driver) == [1, 2]
    driver.delete(strict=True, match=TO_A, priority=2)
    assert priorities(driver) == [1]


def test_delete_can_be_restricted_to_entries_that_send_to_a_port(driver: Any) -> None:
    driver.to(2, priority=1)
    driver.to(3, priority=2)
    driver.mod(WriteActions((Output(2),)), priority=3)
    driver.mod(priority=4)
    driver.delete(out_port=2)
    assert priorities(driver) == [2, 4]
    driver.delete(strict=True, priority=2, out_port=2)
    assert priorities(driver) == [2, 4]
    driver.delete(out_group=5)
    assert priorities(driver) == [2, 4]
    driver.delete(out_port=OFPP.ANY, out_group=OFPG.ANY)
    assert priorities(driver) == []


def test_delete_is_for_one_table_or_for_all(driver: Any) -> None:
    for table_id in (0, 5, 254):
        driver.to(2, table_id=table_id)
    driver.delete(table_id=5)
    assert [entry.table_id for entry in driver.entries()] == [0, 254]
    driver.delete(table_id=9)
    driver.delete(table_id=OFPTT.ALL)
    assert driver.entries() == []


@pytest.mark.parametrize("command", [OFPFC.ADD, OFPFC.MODIFY, OFPFC.MODIFY_STRICT])
def test_only_a_delete_can_name_all_tables(driver: Any, command: int) -> None:
    answer = refused(driver.to, 2, table_id=OFPTT.ALL, command=command)
    assert answer == "FLOW_MOD_FAILED/BAD_TABLE_ID"


def test_a_deletion_is_reported_for_entries_that_ask_for_it(driver: Any) -> None:
    driver.to(2, priority=1, flags=OFPFF.SEND_FLOW_REM)
    driver.to(2, priority=2)
    driver.send(FRAME_TO_A)
    removals = driver.delete()
    assert [(r.entry.priority, r.reason) for r in removals] == [(1, OFPRR.DELETE)]
    assert removals[0].entry.packets == 0
    driver.to(2, priority=1, flags=OFPFF.SEND_FLOW_REM)
    driver.send(FRAME_TO_A)
    (removal,) = driver.delete()
    assert (removal.entry.packets, removal.entry.bytes) == (1, 60)


# timeouts (5.5)


def test_a_hard_timeout_ends_an_entry_to_the_nanosecond(driver: Any) -> None:
    driver.now = 7
    driver.to(2, hard_timeout=3, flags=OFPFF.SEND_FLOW_REM)
    assert driver.datapath.next_expiry() == 3 * S + 7
    driver.now = 3 * S + 6
    driver.send(FRAME_TO_A)
    assert driver.datapath.expire(3 * S + 6) == []
    (removal,) = driver.datapath.expire(3 * S + 7)
    assert (removal.reason, removal.entry.packets) == (OFPRR.HARD_TIMEOUT, 1)
    assert driver.send(FRAME_TO_A) == []
    assert driver.datapath.next_expiry() is None


def test_an_idle_timeout_counts_from_the_last_packet(driver: Any) -> None:
    driver.to(2, idle_timeout=3, flags=OFPFF.SEND_FLOW_REM)
    driver.now = 2 * S
    driver.send(FRAME_TO_A)
    assert driver.datapath.expire(3 * S) == []
    assert driver.datapath.next_expiry() == 5 * S
    assert driver.datapath.expire(5 * S - 1) == []
    (removal,) = driver.datapath.expire(5 * S)
    assert removal.reason == OFPRR.IDLE_TIMEOUT


def test_entries_with_traffic_are_looked_at_together(driver: Any) -> None:
    for number in range(100):
        driver.now = number
        driver.to(2, match=Match.of(tunnel_id=number), idle_timeout=3)
    driver.now = 2 * S
    for number in range(100):
        driver.send(FRAME_TO_A, tunnel_id=number)
    assert driver.datapath.expire(3 * S) == []
    assert driver.datapath.next_expiry() == 5 * S
    assert len(driver.entries()) == 100


def test_of_both_timeouts_the_earlier_counts(driver: Any) -> None:
    driver.to(2, idle_timeout=2, hard_timeout=3, flags=OFPFF.SEND_FLOW_REM)
    for now in (S, 2 * S, 3 * S - 1):
        driver.now = now
        assert driver.datapath.expire(now) == []
        driver.send(FRAME_TO_A)
    (removal,) = driver.datapath.expire(3 * S)
    assert removal.reason == OFPRR.HARD_TIMEOUT


def test_an_expiry_is_reported_only_with_the_flag(driver: Any) -> None:
    driver.to(2, hard_timeout=1)
    assert driver.datapath.expire(S) == []
    assert driver.entries() == []


def test_entries_without_timeouts_stay(driver: Any) -> None:
    driver.to(2)
    assert driver.datapath.next_expiry() is None
    assert driver.datapath.expire(1000 * S) == []
    assert len(driver.entries()) == 1


def test_a_replaced_or_deleted_entry_does_not_expire(driver: Any) -> None:
    flags = OFPFF.SEND_FLOW_REM
    driver.to(2, match=TO_A, hard_timeout=1, flags=flags)
    driver.to(2, match=TO_A, hard_timeout=5, flags=flags)
    driver.to(2, match=TO_B, hard_timeout=2, flags=flags)
    driver.delete(match=TO_B)
    assert driver.datapath.next_expiry() == 5 * S
    assert driver.datapath.expire(4 * S) == []
    assert len(driver.datapath.expire(5 * S)) == 1


def test_refreshing_an_entry_over_and_over_keeps_no_trace_of_the_old_ones(driver: Any) -> None:
    for _ in range(1000):
        driver.to(2, match=TO_A, hard_timeout=3600)
    assert len(driver.datapath._entries._deadlines) < 100


def test_a_packet_out_through_the_tables_keeps_an_entry_alive(driver: Any) -> None:
    driver.to(2, idle_timeout=3)
    driver.now = 2 * S
    assert driver.packet_out(Output(OFPP.TABLE), data=FRAME_TO_A) == [(2, FRAME_TO_A)]
    driver.datapath.expire(4 * S)
    (entry,) = driver.entries()
    assert (entry.packets, entry.bytes) == (1, 60)


# counters (5.8)


def test_entries_and_tables_count_what_they_matched(driver: Any) -> None:
    driver.mod(GotoTable(1), match=TO_A, priority=2)
    driver.mod(ApplyActions((Output(2),)), GotoTable(1), match=TO_B, priority=1)
    driver.to(3, table_id=1, match=TO_A)
    for data in (FRAME_TO_A, FRAME_TO_A, FRAME_TO_B, b"\xff" * 60):
        driver.send(data)
    assert driver.counters() == [(2, 2, 120), (1, 1, 60), (0x8000, 2, 120)]
    tables = driver.datapath.tables
    assert [(t.number, t.looked_up, t.matched) for t in tables.values()] == [(0, 4, 3), (1, 3, 2)]


def test_a_lookup_counts_once_however_often_the_counters_are_read(driver: Any) -> None:
    driver.to(2)
    driver.send(FRAME_TO_A)
    assert driver.counters() == driver.counters() == [(0x8000, 1, 60)]
    driver.send(FRAME_TO_A)
    assert driver.counters() == [(0x8000, 2, 120)]


def test_no_count_is_lost_when_the_cache_starts_afresh(
    driver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sdnvirt.datapath.cache.CACHE_LIMIT", 4)
    driver.to(2)
    for number in range(11):
        driver.send(A + number.to_bytes(6, "big") + b"\x88\xb5" + bytes(46))
    assert driver.datapath.cached_flows <= 4
    assert driver.counters() == [(0x8000, 11, 660)]


def test_entries_can_be_asked_for_by_table_match_cookie_and_port(driver: Any) -> None:
    driver.to(2, match=TO_A, cookie=1, priority=1)
    driver.to(3, match=TO_B, cookie=2, priority=2)
    driver.to(3, table_id=4, cookie=3, priority=3)
    ask = driver.entries
    assert [e.priority for e in ask()] == [1, 2, 3]
    assert [e.priority for e in ask(table_id=4)] == [3]
    assert [e.priority for e in ask(table_id=9)] == []
    assert [e.priority for e in ask(match=TO_A)] == [1]
    assert [e.priority for e in ask(cookie=2, cookie_mask=2)] == [2, 3]
    assert [e.priority for e in ask(out_port=3)] == [2, 3]
    assert [e.priority for e in ask(out_group=3)] == []
