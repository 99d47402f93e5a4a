"""Messages out of a stream of bytes (RFC 7047, 4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.control.ovsdb.framing import DEPTH_LIMIT, MESSAGE_LIMIT, MessageStream, encode
from sdnvirt.errors import MalformedError

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
messages = st.lists(st.dictionaries(st.text(), values, max_size=3), max_size=4)


@given(messages, st.integers(1, 9), st.sampled_from(["", " ", "\n\t"]), st.booleans())
def test_messages_come_out_however_they_are_cut(
    sent: list[Any], size: int, between: str, ascii_only: bool
) -> None:
    data = between.join(json.dumps(one, ensure_ascii=ascii_only) for one in sent).encode()
    stream, got = MessageStream(), []
    for start in range(0, len(data), size):
        got += stream.feed(data[start : start + size])
    assert got == sent


@given(st.dictionaries(st.text(), values, max_size=3))
def test_what_is_encoded_is_one_message(message: dict[str, Any]) -> None:
    assert MessageStream().feed(encode(message)) == [message]


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"7",
        b'"text"',
        b"}",
        b"{]",
        b'{"a":}',
        b"{'a':1}",
        b'{"a":NaN}',
        b'{"a":"\xff"}',
        b'{"a":' * DEPTH_LIMIT + b"[",
        b'{"a":"' + bytes(MESSAGE_LIMIT),
    ],
    ids=lambda data: repr(data[:12]),
)
def test_what_is_no_message_ends_the_stream(data: bytes) -> None:
    with pytest.raises(MalformedError):
        MessageStream().feed(data)


def test_a_long_string_is_looked_at_again_only_from_its_beginning() -> None:
    """Whoever sends a string byte by byte costs what it sends, not its square, but for copies."""
    stream = MessageStream()
    stream.feed(b'{"a":"')
    for _ in range(1000):
        assert stream.feed(b"x" * 100) == []
    assert stream.feed(b'"}') == [{"a": "x" * 100_000}]
