"""Addresses: bytes of the frame that print as people write them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdnvirt.addresses import (
    ALL_NODES,
    ANY_IPV4,
    ANY_IPV6,
    BROADCAST,
    BROADCAST_IPV4,
    LOOPBACK_IPV6,
    Ipv4,
    Ipv6,
    Mac,
    dpid_text,
)
from sdnvirt.errors import MalformedError

SIX = st.binary(min_size=6, max_size=6)
FOUR = st.binary(min_size=4, max_size=4)
SIXTEEN = st.binary(min_size=16, max_size=16) | st.lists(
    st.sampled_from([0, 0, 0, 1, 0xFE]), min_size=16, max_size=16
).map(bytes)


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


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("224.0.0.1", "01:00:5e:00:00:01"),
        ("239.255.129.7", "01:00:5e:7f:81:07"),  # 9 of the 32 bits do not show (RFC 1112, 6.4)
        ("224.127.129.7", "01:00:5e:7f:81:07"),
    ],
)
def test_an_ipv4_group_has_a_mac_address(text, mac):
    assert Ipv4(text).group_mac == Mac(mac)


@given(SIXTEEN)
def test_an_ipv6_address_is_the_same_from_bytes_text_number_and_stdlib(data):
    address = Ipv6(data)
    stdlib = IPv6Address(data)
    assert Ipv6(str(address)) == Ipv6(int(address)) == Ipv6(stdlib) == address == data
    assert int(address) == int(stdlib)
    assert hash(address) == hash(data)
    assert address.is_multicast == stdlib.is_multicast
    assert address.is_unspecified == stdlib.is_unspecified
    assert address.is_loopback == stdlib.is_loopback
    if not address.is_multicast:
        assert address.is_link_local == stdlib.is_link_local


@given(FOUR)
def test_an_ipv4_address_knows_its_kind_as_the_stdlib_does(data):
    address, stdlib = Ipv4(data), IPv4Address(data)
    assert address.is_unspecified == stdlib.is_unspecified
    assert address.is_loopback == stdlib.is_loopback
    if not address.is_multicast:
        assert address.is_link_local == stdlib.is_link_local


@pytest.mark.parametrize(
    ("text", "canonical"),
    [  # RFC 5952, sections 2.2, 4.2 and 5
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8::0001", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("::FFFF:10.0.0.1", "::ffff:10.0.0.1"),
        ("0:0:0:0:0:0:0:0", "::"),
        ("fe80::1", "fe80::1"),
    ],
)
def test_an_ipv6_address_prints_in_one_way(text, canonical):
    assert str(Ipv6(text)) == canonical
    assert repr(Ipv6(text)) == f"Ipv6('{canonical}')"


@pytest.mark.parametrize(
    ("text", "link_local"),
    [
        ("fe80::1", True), ("febf::1", True), ("fec0::1", False), ("ff02::1", True),
        ("ff12::1", True), ("ff01::1", True), ("ff05::2", False), ("ff0e::1", False),
    ],
)  # fmt: skip
def test_link_local_addresses_and_groups_stay_on_the_link(text, link_local):
    assert Ipv6(text).is_link_local == link_local


def test_an_ipv4_group_of_the_link_stays_there():
    assert Ipv4("224.0.0.251").is_link_local
    assert not Ipv4("224.0.1.1").is_link_local


def test_ipv6_groups_of_a_link():
    assert Ipv6("2001:db8::1:800:200e:8c6c").solicited_node == Ipv6("ff02::1:ff0e:8c6c")
    assert Ipv6("ff02::1:ff0e:8c6c").group_mac == Mac("33:33:ff:0e:8c:6c")
    assert ALL_NODES.group_mac == Mac("33:33:00:00:00:01")
    assert (str(ANY_IPV6), str(LOOPBACK_IPV6)) == ("::", "::1")


@pytest.mark.parametrize(
    "value",
    ["", "10.0.0.1", "2001:db8::1/64", "fe80::1%eth0", "1::2::3", b"", b"1234", b"0" * 17, -1,
     1 << 128, IPv6Address("fe80::1%eth0")],
)  # fmt: skip
def test_what_is_no_ipv6_address_is_refused(value):
    with pytest.raises(MalformedError, match="IPv6 address"):
        Ipv6(value)


def test_a_datapath_id_prints_as_openflow_tools_print_it():
    assert dpid_text(1) == "0000000000000001"
    assert dpid_text(0xABC << 48) == "0abc000000000000"
