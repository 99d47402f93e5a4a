"""The options of an IPv4 header."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, IPOption_LSRR, IPOption_Router_Alert, IPOption_RR

from sdnvirt.errors import MalformedError
from sdnvirt.wire.ipv4_options import (
    Ipv4Option,
    Ipv4OptionType,
    emit_options,
    options_of_fragments,
    parse_options,
)

OPTION = st.builds(Ipv4Option, st.integers(2, 255), st.binary(max_size=6))


@given(st.lists(OPTION, max_size=4).map(tuple))
def test_what_is_emitted_parses_to_the_same_options(options) -> None:
    data = emit_options(options)
    assert len(data) % 4 == 0
    assert parse_options(data) == options


def test_options_are_those_of_scapy() -> None:
    route = IPOption_LSRR(routers=["10.0.0.1"])
    theirs = IP(options=[IPOption_Router_Alert(), route, IPOption_RR()])
    options = parse_options(bytes(theirs)[20:])
    assert [option.type for option in options] == [
        Ipv4OptionType.ROUTER_ALERT, Ipv4OptionType.LOOSE_SOURCE_ROUTE, Ipv4OptionType.RECORD_ROUTE,
    ]  # fmt: skip
    assert options[1].data == bytes((4, 10, 0, 0, 1))


@given(st.binary(max_size=40))
def test_any_bytes_are_options_or_malformed(data: bytes) -> None:
    try:
        parse_options(data)
    except MalformedError:
        return


@pytest.mark.parametrize("data", [b"\x07", b"\x07\x00\0\0", b"\x07\x01\0\0", b"\x01\x07\x04\0"])
def test_a_wrong_length_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError, match="wrong length"):
        parse_options(data)


def test_padding_and_the_end_of_the_list_are_no_options() -> None:
    assert parse_options(b"\x01\x01\x00\xff") == ()


def test_fragments_carry_the_options_that_say_so() -> None:
    alert, route = Ipv4Option(148, b"\0\0"), Ipv4Option(7, b"\x04\0\0\0\0\0")
    assert options_of_fragments(emit_options((route, alert))) == alert.emit()
