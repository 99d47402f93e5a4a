"""The trace digest."""

from __future__ import annotations

from itertools import permutations

from sdnvirt.engine.digest import TraceDigest


def digest(*records: tuple[int, str, int, bytes]) -> str:
    trace = TraceDigest()
    for record in records:
        trace.update(*record)
    assert trace.records == len(records)
    return trace.hexdigest()


def test_the_digest_of_a_trace_is_fixed_for_ever():
    assert digest() == "cae66941d9efbd404e4d88758ea67670"
    assert digest((5, "h1", 1, b"abc")) == "5f34cfeb4af6c7c651fddb04bc5c027f"


def test_equal_traces_have_equal_digests():
    record = (1, "h1", 1, b"frame")
    assert digest(record, record) == digest(record, record)


def test_every_part_of_a_record_counts():
    variants = [
        (1, "h1", 1, b"frame"),
        (2, "h1", 1, b"frame"),
        (1, "h2", 1, b"frame"),
        (1, "h1", 2, b"frame"),
        (1, "h1", 1, b"Frame"),
        (1, "h1f", 1, b"rame"),
        (1, "h1", 1, b"frame\0"),
    ]
    assert len({digest(variant) for variant in variants}) == len(variants)


def test_the_order_counts():
    records = [(1, "a", 1, b"x"), (1, "b", 1, b"x"), (1, "c", 1, b"x")]
    assert len({digest(*order) for order in permutations(records)}) == 6


def test_two_records_are_never_one():
    assert digest((1, "a", 1, b"xy")) != digest((1, "a", 1, b"x"), (1, "a", 1, b"y"))


def test_a_digest_can_be_read_while_it_runs():
    trace = TraceDigest()
    trace.update(1, "a", 1, b"x")
    assert trace.hexdigest() == digest((1, "a", 1, b"x"))
    trace.update(2, "a", 1, b"x")
    assert trace.hexdigest() == digest((1, "a", 1, b"x"), (2, "a", 1, b"x"))
