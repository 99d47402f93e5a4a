"""DHCP messages."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.errors import MalformedError, TruncatedError, WireError
from sdnvirt.wire.dhcpv4 import DEFAULT_MAX_SIZE, MIN_LENGTH, BootpOp, DhcpMessageType, Dhcpv4
from sdnvirt.wire.dhcpv4_options import ClasslessRoute, OptionCode, encode_options

IPV4 = st.binary(min_size=4, max_size=4).map(Ipv4)
NAME = st.binary(max_size=64).filter(lambda name: 0 not in name)
SITE_OPTIONS = st.dictionaries(st.integers(224, 254), st.binary(max_size=255), max_size=4)
MESSAGES = st.builds(
    Dhcpv4,
    op=st.sampled_from(BootpOp),
    xid=st.integers(0, 0xFFFFFFFF),
    chaddr=st.binary(min_size=6, max_size=6).map(Mac),
    secs=st.integers(0, 0xFFFF),
    broadcast=st.booleans(),
    ciaddr=IPV4,
    yiaddr=IPV4,
    siaddr=IPV4,
    giaddr=IPV4,
    hops=st.integers(0, 255),
    sname=NAME,
    file=NAME,
    options=st.builds(
        lambda kind, site: {OptionCode.MESSAGE_TYPE: bytes([kind])} | site,
        st.sampled_from(DhcpMessageType),
        SITE_OPTIONS,
    ),
)

A = Mac("02:00:00:00:00:01")
SERVER = Ipv4("10.0.0.1")
ROUTE = ClasslessRoute(IPv4Network("192.0.2.0/24"), SERVER)
ACK = Dhcpv4(
    BootpOp.REPLY,
    0x3903F326,
    A,
    yiaddr=Ipv4("10.0.0.5"),
    options=encode_options(
        {
            OptionCode.MESSAGE_TYPE: DhcpMessageType.ACK,
            OptionCode.SERVER_ID: SERVER,
            OptionCode.LEASE_TIME: 3600,
            OptionCode.RENEWAL_TIME: 1800,
            OptionCode.REBINDING_TIME: 3150,
            OptionCode.SUBNET_MASK: Ipv4("255.255.255.0"),
            OptionCode.ROUTER: (SERVER,),
            OptionCode.DNS_SERVER: (SERVER, Ipv4("10.0.0.2")),
            OptionCode.HOSTNAME: "vm1",
            OptionCode.DOMAIN_NAME: "red.example",
            OptionCode.INTERFACE_MTU: 1450,
            OptionCode.CLASSLESS_ROUTES: (ROUTE,),
        }
    ),
)
DISCOVER = Dhcpv4(
    BootpOp.REQUEST,
    0x3903F326,
    A,
    broadcast=True,
    options=encode_options(
        {
            OptionCode.MESSAGE_TYPE: DhcpMessageType.DISCOVER,
            OptionCode.REQUESTED_ADDRESS: Ipv4("10.0.0.5"),
            OptionCode.PARAMETER_REQUEST_LIST: (1, 3, 6),
            OptionCode.CLIENT_ID: b"\x01" + A,
            OptionCode.MAX_MESSAGE_SIZE: 1500,
            OptionCode.MESSAGE: "hello",
        }
    ),
)


def with_fields(options: bytes, file: bytes = b"", sname: bytes = b"") -> bytes:
    """A message with these bytes in its three fields that can hold options."""
    data = DISCOVER.emit()
    return data[:44] + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + data[236:240] + options


@given(MESSAGES)
def test_what_is_emitted_parses_to_the_same_message(message: Dhcpv4) -> None:
    assert Dhcpv4.parse(message.emit()) == message


@given(MESSAGES)
def test_bytes_are_those_of_scapy(message: Dhcpv4) -> None:
    theirs = BOOTP(
        op=message.op,
        hops=message.hops,
        xid=message.xid,
        secs=message.secs,
        flags=0x8000 if message.broadcast else 0,
        ciaddr=str(message.ciaddr),
        yiaddr=str(message.yiaddr),
        siaddr=str(message.siaddr),
        giaddr=str(message.giaddr),
        chaddr=bytes(message.chaddr),
        sname=message.sname,
        file=message.file,
    ) / DHCP(options=[*((int(code), data) for code, data in message.options.items()), "end"])
    assert message.emit() == bytes(theirs).ljust(MIN_LENGTH, b"\0")


def test_scapy_reads_the_options_of_an_ack() -> None:
    options = BOOTP(ACK.emit())[DHCP].options
    assert options[: options.index("end")] == [
        ("message-type", 5),
        ("server_id", "10.0.0.1"),
        ("lease_time", 3600),
        ("renewal_time", 1800),
        ("rebinding_time", 3150),
        ("subnet_mask", "255.255.255.0"),
        ("router", "10.0.0.1"),
        ("name_server", "10.0.0.1", "10.0.0.2"),
        ("hostname", b"vm1"),
        ("domain", b"red.example"),
        ("interface-mtu", 1450),
        ("classless_static_routes", ["192.0.2.0/24:10.0.0.1"]),
    ]


def test_an_ack_tells_the_client_its_configuration() -> None:
    ack = Dhcpv4.parse(ACK.emit())
    assert ack.message_type is DhcpMessageType.ACK
    assert ack.server_id == SERVER
    assert (ack.lease_time_s, ack.renewal_time_s, ack.rebinding_time_s) == (3600, 1800, 3150)
    assert str(ack.subnet_mask) == "255.255.255.0"
    assert ack.routers == (SERVER,)
    assert [str(server) for server in ack.dns_servers] == ["10.0.0.1", "10.0.0.2"]
    assert (ack.hostname, ack.domain_name) == ("vm1", "red.example")
    assert ack.interface_mtu == 1450
    assert ack.classless_routes == (ROUTE,)


def test_a_discover_tells_the_server_what_the_client_wants() -> None:
    discover = Dhcpv4.parse(DISCOVER.emit())
    assert discover.message_type is DhcpMessageType.DISCOVER
    assert discover.broadcast
    assert str(discover.requested_address) == "10.0.0.5"
    assert discover.parameter_request_list == (1, 3, 6)
    assert discover.client_id == b"\x01" + A
    assert discover.max_message_size == 1500
    assert discover.message == "hello"


def test_options_that_are_not_there() -> None:
    bootp = Dhcpv4.parse(Dhcpv4(BootpOp.REQUEST, 1, A).emit())
    assert bootp.message_type is bootp.requested_address is bootp.server_id is None
    assert bootp.lease_time_s is bootp.subnet_mask is bootp.hostname is bootp.client_id is None
    assert bootp.routers == bootp.classless_routes == bootp.parameter_request_list == ()
    assert bootp.max_message_size == DEFAULT_MAX_SIZE


@pytest.mark.parametrize(
    ("overload", "joined", "sname", "file"),
    [(1, b"f", b"sn", b""), (2, b"s", b"", b"fi"), (3, b"fs", b"", b"")],
)
def test_overloaded_fields_hold_more_options(
    overload: int, joined: bytes, sname: bytes, file: bytes
) -> None:
    message = Dhcpv4.parse(
        with_fields(
            bytes([53, 1, 1, 52, 1, overload, 224, 1]) + b"o\xff",
            file=b"\xe1\x01f\xff" if overload & 1 else b"fi",
            sname=b"\xe1\x01s\xff" if overload & 2 else b"sn",
        )
    )
    assert message.options == {53: b"\x01", 224: b"o", 225: joined}
    assert (message.sname, message.file) == (sname, file)
    assert Dhcpv4.parse(message.emit()) == message


def test_an_overloaded_field_without_end_is_truncated() -> None:
    with pytest.raises(TruncatedError):
        Dhcpv4.parse(with_fields(bytes([52, 1, 1, 255]), file=b""))


def test_a_cut_message_is_truncated() -> None:
    data = ACK.emit().rstrip(b"\0")
    for length in range(len(data)):
        with pytest.raises(TruncatedError):
            Dhcpv4.parse(data[:length])


@pytest.mark.parametrize(
    ("offset", "why"),
    [(0, "operation"), (1, "hardware"), (2, "hardware"), (236, "cookie"), (242, "type")],
)
def test_what_rfc_2131_does_not_allow_is_malformed(offset: int, why: str) -> None:
    data = bytearray(ACK.emit())
    data[offset] = 77
    with pytest.raises(MalformedError, match=why):
        Dhcpv4.parse(bytes(data))


def test_known_options_of_a_wrong_length_are_malformed() -> None:
    with pytest.raises(MalformedError):
        Dhcpv4.parse(with_fields(bytes([51, 2, 0, 1, 255])))


@given(st.data())
def test_a_corrupted_message_is_a_message_or_a_wire_error(data: st.DataObject) -> None:
    corrupted = bytearray(ACK.emit())
    for offset in data.draw(st.lists(st.integers(0, len(corrupted) - 1), min_size=1, max_size=4)):
        corrupted[offset] = data.draw(st.integers(0, 255))
    try:
        message = Dhcpv4.parse(bytes(corrupted))
    except WireError:
        return
    assert Dhcpv4.parse(message.emit()) == message
    assert str(message)


def test_text() -> None:
    client = "client 02:00:00:00:00:01"
    assert str(ACK) == f"DHCP Ack, xid 0x3903f326, {client}, your-ip 10.0.0.5"
    assert str(DISCOVER) == f"DHCP Discover, xid 0x3903f326, {client}, requested-ip 10.0.0.5"
    assert str(Dhcpv4(BootpOp.REQUEST, 1, A)) == f"BOOTP Request, xid 0x00000001, {client}"
