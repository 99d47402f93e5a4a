"""The trace digest is that of every frame at every port that received it."""

from __future__ import annotations

from sdnvirt.capture.taps import tap_all
from sdnvirt.capture.trace import TraceTap
from sdnvirt.engine.digest import TraceDigest


def traced(row) -> TraceTap:
    tap = TraceTap(row.world)
    tap_all(row.ports, tap)
    return tap


def test_each_arrival_counts_with_time_device_port_and_bytes(row) -> None:
    tap = traced(row)
    row.alice.send(b"hello")
    row.settle()
    expected = TraceDigest()
    expected.update(1_000, "s1", 1, b"hello")
    expected.update(2_000, "s2", 1, b"hello")
    expected.update(3_000, "bob", 1, b"hello")
    assert tap.digest.hexdigest() == expected.hexdigest()
    assert tap.hops == 3


def test_equal_runs_have_equal_digests_and_others_have_not(row, another_row) -> None:
    one, other = traced(row), traced(another_row)
    for each in (row, another_row):
        each.alice.send(b"hello")
        each.settle()
    assert one.digest.hexdigest() == other.digest.hexdigest()
    row.bob.send(b"hello")
    row.settle()
    another_row.bob.send(b"hellO")
    another_row.settle()
    assert one.hops == other.hops == 6
    assert one.digest.hexdigest() != other.digest.hexdigest()
