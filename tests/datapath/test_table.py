"""Flow tables, compared with a list that is searched from end to end."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.datapath.entry import FlowEntry
from sdnvirt.datapath.fields import Fields
from sdnvirt.datapath.table import FlowTable, covers, overlaps
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.match import Match

MASKABLE = (oxm.METADATA, oxm.ETH_DST, oxm.TUNNEL_ID)
"""Fields without prerequisites whose few low bits make a universe small enough to try out."""
BITS = 2


def _admissible(value: int, mask: int) -> int | tuple[int, int]:
    return (value & mask, mask)


TESTS = st.one_of(
    st.integers(0, 3),
    st.builds(_admissible, st.integers(0, 3), st.integers(0, 3)),
)
MATCHES = st.dictionaries(
    st.sampled_from([field.name for field in MASKABLE]), TESTS, max_size=3
).map(lambda tests: Match.of(**tests)) | st.just(Match.of(vlan_vid=0x1001, vlan_pcp=2))
PACKETS: list[Fields] = [
    dict(zip(MASKABLE, values, strict=True)) for values in product(range(1 << BITS), repeat=3)
]


def accepts(match: Match, fields: Fields) -> bool:
    """Whether a match takes a packet, by the definition in 7.2.3."""
    for field, value, mask in match.fields:
        if field not in fields or fields[field] & (field.limit if mask is None else mask) != value:
            return False
    return True


@settings(max_examples=4 * settings().max_examples)
@given(MATCHES, MATCHES)
def test_covers_says_whether_all_packets_of_one_are_packets_of_the_other(
    general: Match, particular: Match
) -> None:
    if oxm.VLAN_VID in {field for field, _, _ in general.fields + particular.fields}:
        return
    every = all(accepts(general, p) for p in PACKETS if accepts(particular, p))
    # A test of high bits that no packet here has would be seen as covering too little.
    assert covers(general, particular) == (
        every and _tested_bits(general) <= _tested_bits(particular)
    )


def _tested_bits(match: Match) -> frozenset[tuple[str, int]]:
    return frozenset(
        (field.name, bit)
        for field, _, mask in match.fields
        for bit in range(field.bits)
        if (field.limit if mask is None else mask) >> bit & 1
    )


@settings(max_examples=4 * settings().max_examples)
@given(MATCHES, MATCHES)
def test_overlaps_says_whether_some_packet_is_taken_by_both(one: Match, other: Match) -> None:
    both = any(accepts(one, p) and accepts(other, p) for p in PACKETS)
    if oxm.VLAN_VID in {field for field, _, _ in one.fields + other.fields}:
        tagged = [{**p, oxm.VLAN_VID: 0x1001, oxm.VLAN_PCP: 2} for p in PACKETS]
        both = any(accepts(one, p) and accepts(other, p) for p in tagged)
    assert overlaps(one, other) == overlaps(other, one) == both


@given(MATCHES)
def test_a_match_covers_itself_and_everything_covers_nothing_more(match: Match) -> None:
    assert covers(match, match)
    assert covers(Match(), match)
    assert covers(match, Match()) == (not match.fields)


def entry(priority: int, match: Match, sequence: int) -> FlowEntry:
    return FlowEntry(0, priority, match, (), sequence=sequence)


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(("add", "add", "add", "remove")), st.integers(0, 3), MATCHES),
    max_size=14,
)


@settings(max_examples=4 * settings().max_examples)
@given(OPERATIONS)
def test_lookup_finds_what_a_search_through_all_entries_finds(
    operations: list[tuple[str, int, Match]],
) -> None:
    table = FlowTable(0)
    model: list[FlowEntry] = []
    for sequence, (what, priority, match) in enumerate(operations):
        same = [e for e in model if (e.priority, e.match) == (priority, match)]
        assert [table.strict(priority, match)] == (same or [None])
        for old in same:
            table.remove(old)
            model.remove(old)
            assert not old.live
        if what == "add":
            new = entry(priority, match, sequence)
            table.add(new)
            model.append(new)
        assert list(table) == model
        assert len(table) == len(model)
    for fields in [*PACKETS, {}, {oxm.VLAN_VID: 0x1001, oxm.VLAN_PCP: 2}]:
        matching = [e for e in model if accepts(e.match, fields)]
        best = min(matching, key=lambda e: (-e.priority, e.sequence), default=None)
        assert table.lookup(fields) is best


def test_of_equal_priorities_the_older_entry_wins() -> None:
    table = FlowTable(0)
    first = entry(5, Match.of(tunnel_id=1), 1)
    second = entry(5, Match.of(metadata=1), 2)
    table.add(second)
    table.add(first)
    assert table.lookup({oxm.TUNNEL_ID: 1, oxm.METADATA: 1}) is first


def test_entries_of_one_shape_and_value_stand_by_priority() -> None:
    table = FlowTable(0)
    low, high = entry(1, Match.of(tunnel_id=1), 1), entry(9, Match.of(tunnel_id=1), 2)
    table.add(low)
    table.add(high)
    assert table.lookup({oxm.TUNNEL_ID: 1}) is high
    table.remove(high)
    assert table.lookup({oxm.TUNNEL_ID: 1}) is low
    table.remove(low)
    assert table.lookup({oxm.TUNNEL_ID: 1}) is None


def test_a_table_that_was_emptied_keeps_nothing() -> None:
    table = FlowTable(0)
    entries = [entry(n, Match.of(tunnel_id=(0, 1 << n)), n) for n in range(50)]
    for one in entries:
        table.add(one)
    for one in entries:
        table.remove(one)
    assert (len(table), table._subtables, table._order) == (0, {}, [])


@pytest.mark.parametrize(
    ("given_match", "other", "expected"),
    [
        (Match.of(vlan_vid=(0x1000, 0x1000)), Match.of(vlan_vid=0x1005), True),
        (Match.of(vlan_vid=0x1005), Match.of(vlan_vid=(0x1000, 0x1000)), False),
        (Match.of(vlan_vid=0), Match.of(vlan_vid=0x1005), False),
        (Match.of(metadata=(0, 1)), Match.of(metadata=(0, 2)), False),
        (Match.of(metadata=(0, 1)), Match.of(metadata=(0, 3)), True),
        (
            Match.of(eth_type=0x800, ipv4_dst=(0x0A000000, 0xFF000000)),
            Match.of(eth_type=0x800, ipv4_dst=0x0A000001),
            True,
        ),
        (Match.of(eth_type=0x800), Match.of(eth_type=0x806, arp_op=1), False),
        (Match.of(eth_type=0x806), Match.of(eth_type=0x806, arp_op=1), True),
    ],
)
def test_covers_in_the_cases_that_controllers_use(
    given_match: Match, other: Match, expected: bool
) -> None:
    assert covers(given_match, other) is expected
