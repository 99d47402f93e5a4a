"""MTUs inside and outside of VXLAN."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.virt.mtu import inner_mtu, outer_packet_size, underlay_mtu


@pytest.mark.parametrize(("underlay", "inner"), [(1600, 1550), (1550, 1500), (1500, 1450)])
def test_the_overhead_is_50_bytes_without_tags(underlay, inner):
    assert inner_mtu(underlay) == inner
    assert underlay_mtu(inner) == underlay


def test_a_tag_inside_costs_four_bytes():
    assert inner_mtu(1600, inner_tags=1) == 1546
    assert underlay_mtu(1500, inner_tags=1) == 1554


@given(st.integers(68, 9000))
def test_a_full_inner_frame_exactly_fills_the_underlay(mtu):
    full_frame = 14 + inner_mtu(mtu)
    assert outer_packet_size(full_frame) == mtu
