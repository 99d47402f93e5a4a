"""Taps go on and come off exactly, and packets have names."""

from __future__ import annotations

import pytest

from sdnvirt.capture.taps import packet_name, tap_all, untap
from sdnvirt.capture.trace import TraceTap
from sdnvirt.frame import Provenance


def test_a_tap_comes_off_and_leaves_the_others_in_order(row) -> None:
    first, second, third = (TraceTap(row.world) for _ in range(3))
    for tap in (first, second, third):
        tap_all(row.ports, tap)
    assert {port.taps for port in row.ports} == {(first, second, third)}
    untap(row.ports, second)
    untap(row.ports, second)
    assert {port.taps for port in row.ports} == {(first, third)}


def test_a_tap_sees_no_frame_twice(row) -> None:
    tap = TraceTap(row.world)
    tap_all(row.ports, tap)
    with pytest.raises(AssertionError, match="alice:s1 has this tap already"):
        tap_all(row.ports, tap)


def test_a_packet_is_named_after_its_origin_and_network() -> None:
    assert packet_name(Provenance(17, "acme-a", "acme", "acme/web")) == (
        "packet 17 of acme-a (acme/web)"
    )
    assert packet_name(Provenance(3, "h1")) == "packet 3 of h1"
