"""Addresses: bytes of the frame that print as people write them."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import ANY_IPV4, BROADCAST, BROADCAST_IPV4, Ipv4, Mac, dpid_text
from sdnvirt.errors import MalformedError

SIX = st.binary(min_size=6, max_size=6)
FOUR = st.binary(min_size=4, max_size=4)


@given(SIX)
def test_a_mac_is_the_same_from_bytes_text_and_number(data):
    mac = Mac(data)
    assert Mac(str(mac)) == Mac(int.from_bytes(data, "big")) == mac
    assert Mac(str(mac).upper()) == mac


@given(SIX)
def test_a_mac_is_the_bytes_in_the_frame(data):
    assert Mac(data) == data
    assert hash(Mac(data)) == hash(data)
    assert {data: "station"}[Mac(data)] == "station"


def test_a_mac_prints_with_colons():
    mac = Mac("02:00:00:00:AB:01")
    assert str(mac) == f"{mac}" == "02:00:00:00:ab:01"
    assert repr(mac) == "Mac('02:00:00:00:ab:01')"


@pytest.mark.parametrize(
    ("mac", "is_group"),
    [
        (BROADCAST, True),
        (Mac("01:80:c2:00:00:00"), True),
        (Mac("02:00:00:00:00:01"), False),
        (Mac("fe:00:00:00:00:01"), False),
    ],
)
def test_the_first_bit_on_the_wire_makes_a_group(mac, is_group):
    assert mac.is_group == is_group


@pytest.mark.parametrize(
    "value",
    ["", "02:00:00:00:00", "02:00:00:00:00:0g", "02-00-00-00-00-01", "2:0:0:0:0:1", b"", b"12345",
     b"1234567", -1, 1 << 48, "02:00:00:00:00:01\n", " 02:00:00:00:00:01"],
)  # fmt: skip
def test_what_is_no_mac_is_refused(value):
    with pytest.raises(MalformedError, match="MAC address"):
        Mac(value)


@given(FOUR)
def test_an_ipv4_address_is_the_same_from_bytes_text_number_and_stdlib(data):
    address = Ipv4(data)
    stdlib = IPv4Address(data)
    assert Ipv4(str(address)) == Ipv4(int(address)) == Ipv4(stdlib) == address == data
    assert str(address) == str(stdlib)
    assert int(address) == int(stdlib)
    assert address.is_multicast == stdlib.is_multicast
    assert hash(address) == hash(data)


@given(FOUR, FOUR)
def test_addresses_sort_as_numbers(one, other):
    assert (Ipv4(one) < Ipv4(other)) == (int(Ipv4(one)) < int(Ipv4(other)))


def test_an_ipv4_address_says_what_it_is():
    assert repr(Ipv4("10.0.0.1")) == "Ipv4('10.0.0.1')"
    assert (str(ANY_IPV4), str(BROADCAST_IPV4)) == ("0.0.0.0", "255.255.255.255")


@pytest.mark.parametrize(
    "value", ["", "10.0.0", "10.0.0.256", "10.0.0.1/24", "010.0.0.1", b"", b"12345", -1, 1 << 32]
)
def test_what_is_no_ipv4_address_is_refused(value):
    with pytest.raises(MalformedError, match="IPv4 address"):
        Ipv4(value)


def test_a_datapath_id_prints_as_openflow_tools_print_it():
    assert dpid_text(1) == "0000000000000001"
    assert dpid_text(0xABC << 48) == "0abc000000000000"
