"""The bounded cursor: reads in order, never past its end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.errors import TruncatedError
from sdnvirt.wire.cursor import Cursor

DATA = bytes(range(1, 16))


def test_integers_are_big_endian_and_follow_each_other() -> None:
    cursor = Cursor(DATA)
    assert cursor.u8() == 0x01
    assert cursor.u16() == 0x0203
    assert cursor.u32() == 0x04050607
    assert cursor.u64() == 0x08090A0B0C0D0E0F
    assert cursor.at_end


def test_start_and_end_bound_what_is_read() -> None:
    cursor = Cursor(DATA, 2, 5)
    assert cursor.remaining == 3
    assert cursor.rest() == bytes([3, 4, 5])
    assert cursor.rest() == b""


def test_a_narrowed_cursor_is_consumed_from_its_parent_and_ends_where_told() -> None:
    parent = Cursor(DATA, 1)
    child = parent.narrow(2)
    assert parent.u8() == 4
    assert child.u16() == 0x0203
    assert child.at_end
    with pytest.raises(TruncatedError):
        child.u8()


@pytest.mark.parametrize("read", ["u8", "u16", "u32", "u64"])
def test_an_integer_cut_short_is_truncated_and_consumes_nothing(read: str) -> None:
    width = int(read[1:]) // 8
    cursor = Cursor(DATA[: width - 1])
    with pytest.raises(TruncatedError):
        getattr(cursor, read)()
    assert cursor.remaining == width - 1


@pytest.mark.parametrize("count", [-1, 16])
def test_impossible_lengths_are_truncated(count: int) -> None:
    with pytest.raises(TruncatedError):
        Cursor(DATA).take(count)
    with pytest.raises(TruncatedError):
        Cursor(DATA).narrow(count)


@pytest.mark.parametrize(("start", "end"), [(-1, None), (16, None), (3, 2), (0, 16)])
def test_bounds_outside_the_data_are_truncated(start: int, end: int | None) -> None:
    with pytest.raises(TruncatedError):
        Cursor(DATA, start, end)


@given(data=st.binary(max_size=40), counts=st.lists(st.integers(-2, 12), max_size=8))
def test_what_is_taken_is_a_prefix_of_the_data(data: bytes, counts: list[int]) -> None:
    cursor = Cursor(data)
    taken = b""
    for count in counts:
        try:
            taken += cursor.take(count)
        except TruncatedError:
            assert count < 0 or count > cursor.remaining
    assert taken + cursor.rest() == data
