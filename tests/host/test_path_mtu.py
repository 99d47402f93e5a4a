"""What a host remembers of path MTUs."""

from __future__ import annotations

import pytest

from sdnvirt.addresses import Ipv4, Ipv6
from sdnvirt.host.path_mtu import AGE_NS, TABLE_LIMIT, PathMtus

V4, V6 = Ipv4("192.0.2.1"), Ipv6("2001:db8::1")


@pytest.mark.parametrize("dst", [V4, V6])
def test_an_error_lowers_the_path_mtu_for_a_while(dst) -> None:
    mtus = PathMtus()
    assert mtus.get(dst, 1500, 0) == 1500
    assert mtus.learn(dst, 1400, 1500, 1500, 0) == 1400
    assert mtus.get(dst, 1500, AGE_NS - 1) == 1400
    assert mtus.get(dst, 1500, AGE_NS) == 1500
    assert len(mtus) == 0


@pytest.mark.parametrize("dst", [V4, V6])
def test_an_error_never_raises_it(dst) -> None:
    mtus = PathMtus()
    mtus.learn(dst, 1400, 1500, 1500, 0)
    assert mtus.learn(dst, 1450, 1500, 1500, 0) is None
    assert mtus.learn(dst, 9000, 1500, 1500, 0) is None
    assert mtus.get(dst, 1500, 0) == 1400


def test_it_never_falls_below_what_every_link_carries() -> None:
    mtus = PathMtus()
    assert mtus.learn(V4, 20, 1500, 1500, 0) == 68
    assert mtus.learn(V6, 296, 1500, 1500, 0) == 1280


def test_a_router_that_does_not_tell_is_guessed_at() -> None:
    mtus = PathMtus()
    assert mtus.learn(V4, 0, 1500, 1500, 0) == 1492
    assert mtus.learn(V4, 0, 1492, 1500, 0) == 1006
    assert mtus.learn(V4, 0, 60, 1500, 0) == 68


def test_errors_about_many_destinations_cost_bounded_memory() -> None:
    mtus = PathMtus()
    for number in range(2 * TABLE_LIMIT):
        mtus.learn(Ipv4(number), 1400, 1500, 1500, 0)
    assert len(mtus) == TABLE_LIMIT
    assert mtus.get(Ipv4(0), 1500, 0) == 1500
    assert mtus.get(Ipv4(2 * TABLE_LIMIT - 1), 1500, 0) == 1400
