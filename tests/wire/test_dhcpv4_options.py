"""DHCP options: the table, the values of every kind, and options split and put together."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Ipv4
from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire.dhcpv4_options import (
    ClasslessRoute,
    OptionCode,
    OptionKind,
    OptionValue,
    decode_option,
    decode_routes,
    decode_text,
    encode_option,
    encode_options,
    read_options,
    write_options,
)

IPV4 = st.binary(min_size=4, max_size=4).map(Ipv4)
NETWORKS = st.builds(
    lambda address, width: IPv4Network((address, width), strict=False),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 32),
)
VALUES: dict[OptionKind, st.SearchStrategy[OptionValue]] = {
    OptionKind.ADDRESS: IPV4,
    OptionKind.ADDRESSES: st.lists(IPV4, min_size=1, max_size=4).map(tuple),
    OptionKind.FLAG: st.integers(0, 1),
    OptionKind.U8: st.integers(1, 3),
    OptionKind.U16: st.integers(576, 0xFFFF),
    OptionKind.U32: st.integers(0, 0xFFFFFFFF),
    OptionKind.TEXT: st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    OptionKind.CODES: st.binary(max_size=20).map(tuple),
    OptionKind.ROUTES: st.lists(
        st.builds(ClasslessRoute, NETWORKS, IPV4), min_size=1, max_size=4
    ).map(tuple),
    OptionKind.OPAQUE: st.binary(max_size=20),
}
OPTIONS = st.dictionaries(st.integers(1, 254), st.binary(max_size=600), max_size=5)


@pytest.mark.parametrize("option", OptionCode)
@settings(max_examples=25)
@given(data=st.data())
def test_every_option_of_the_table_keeps_its_value(option: OptionCode, data: st.DataObject) -> None:
    value = data.draw(VALUES[option.kind])
    assert decode_option(option, encode_option(option, value)) == value


@pytest.mark.parametrize("option", OptionCode)
@settings(max_examples=25)
@given(data=st.binary(max_size=12))
def test_any_bytes_are_a_value_of_an_option_or_a_wire_error(
    option: OptionCode, data: bytes
) -> None:
    try:
        value = decode_option(option, data)
    except WireError:
        return
    if option.kind not in (OptionKind.TEXT, OptionKind.ROUTES):  # these drop NULs and host bits
        assert encode_option(option, value) == data


@pytest.mark.parametrize(
    ("code", "number"),
    [
        (OptionCode.IP_FORWARDING, 2),
        (OptionCode.DEFAULT_TTL, 0),
        (OptionCode.INTERFACE_MTU, 67),
        (OptionCode.OVERLOAD, 4),
        (OptionCode.MAX_MESSAGE_SIZE, 575),
    ],
)
def test_numbers_that_rfc_2132_forbids_are_malformed(code: OptionCode, number: int) -> None:
    with pytest.raises(MalformedError):
        decode_option(code, encode_option(code, number))


def test_unknown_options_mean_their_bytes() -> None:
    assert decode_option(224, b"site") == b"site"


def test_the_example_routes_of_rfc_3442() -> None:
    gateway = Ipv4("10.17.0.1")
    prefixes = {
        "0.0.0.0/0": "00",
        "10.0.0.0/8": "08 0a",
        "10.17.0.0/16": "10 0a11",
        "10.27.129.0/24": "18 0a1b81",
        "10.229.0.128/25": "19 0ae50080",
        "10.198.122.47/32": "20 0ac67a2f",
    }
    for prefix, descriptor in prefixes.items():
        route = ClasslessRoute(IPv4Network(prefix), gateway)
        assert route.emit() == bytes.fromhex(descriptor) + gateway
        assert decode_routes(route.emit()) == (route,)


def test_host_bits_of_a_route_are_cleared() -> None:
    assert str(decode_routes(bytes([9, 10, 255, 1, 2, 3, 4]))[0]) == "10.128.0.0/9 via 1.2.3.4"


def test_a_prefix_over_32_bits_or_no_route_at_all_is_malformed() -> None:
    with pytest.raises(MalformedError):
        decode_routes(bytes([33]) + bytes(9))
    with pytest.raises(MalformedError):
        decode_routes(b"")


def test_text_drops_trailing_nuls_and_shows_other_bytes_escaped() -> None:
    assert decode_text(b"vm1\0\0") == "vm1"
    assert decode_text(b"vm\xff") == "vm\\xff"


@given(OPTIONS)
def test_written_options_read_back_in_order(options: dict[int, bytes]) -> None:
    read = read_options([write_options(options)])
    assert list(read.items()) == list(options.items())


def test_long_options_are_split_at_255_bytes() -> None:
    written = write_options({43: bytes(256)})
    assert written == bytes([43, 255]) + bytes(255) + bytes([43, 1, 0, 255])


def test_parts_of_an_option_join_over_pads_other_options_and_fields() -> None:
    first = bytes([0, 12, 2]) + b"vm" + bytes([0, 1, 4, 255, 255, 255, 0, 12, 1]) + b"-" + b"\xff"
    second = bytes([12, 1]) + b"1" + b"\xff" + b"ignored"
    assert read_options([first, second]) == {12: b"vm-1", 1: bytes([255, 255, 255, 0])}


def test_options_cut_anywhere_are_truncated() -> None:
    values: dict[int, OptionValue] = {OptionCode.HOSTNAME: "vm1", OptionCode.LEASE_TIME: 3600}
    written = write_options(encode_options(values))
    for length in range(len(written)):
        with pytest.raises(TruncatedError):
            read_options([written[:length]])
