"""DHCP messages for IPv4 (RFC 2131, section 2; options RFC 2132; minimum size RFC 1542, 2.1).

Only Ethernet clients exist in the emulator. Options that a sender has put into the server name and
boot file fields for want of room are found there; messages made here never need to.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Self

from sdnvirt.addresses import ANY_IPV4, Ipv4, Mac
from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire.dhcpv4_options import (
    ClasslessRoute,
    OptionCode,
    decode_address,
    decode_addresses,
    decode_number,
    decode_option,
    decode_routes,
    decode_text,
    read_options,
    write_options,
)

SERVER_PORT: Final = 67
CLIENT_PORT: Final = 68

MAGIC_COOKIE: Final = bytes([99, 130, 83, 99])
"""Begins the options (RFC 2131, section 3)."""

MIN_LENGTH: Final = 300
"""BOOTP relays may drop shorter messages (RFC 1542, 2.1)."""

DEFAULT_MAX_SIZE: Final = 576
"""Bytes of an IP packet that every client takes (RFC 2131, section 2)."""

_LAYOUT: Final = struct.Struct("!BBBBIHH4s4s4s4s6s10x64s128s4s")
_OPTIONS_OFFSET: Final = _LAYOUT.size
_HARDWARE: Final = (1, 6)
"""Hardware type and address length of Ethernet (the IANA registry of ARP hardware types)."""

_BROADCAST: Final = 0x8000
_SNAME_LENGTH: Final = 64
_FILE_LENGTH: Final = 128
_FILE_HOLDS_OPTIONS: Final = 1
_SNAME_HOLDS_OPTIONS: Final = 2
"""Bits of the option overload (RFC 2132, 9.3)."""


class BootpOp(IntEnum):
    """Who sends a message (RFC 2131, table 1)."""

    REQUEST = 1
    REPLY = 2


class DhcpMessageType(IntEnum):
    """What a message is for (RFC 2132, 9.6)."""

    DISCOVER = 1
    OFFER = 2
    REQUEST = 3
    DECLINE = 4
    ACK = 5
    NAK = 6
    RELEASE = 7
    INFORM = 8


@dataclass(frozen=True, slots=True)
class Dhcpv4:
    """A DHCP message, or a BOOTP message if it has no message type.

    The properties read options and are None, or empty, where the message has no such option.

    Attributes:
        op: whether a client or a server sends it.
        xid: the client's transaction, 32 bits.
        chaddr: the client's hardware address.
        secs: seconds since the client began, 16 bits.
        broadcast: whether the client cannot take a unicast answer yet.
        ciaddr: address that the client has and can be reached at.
        yiaddr: address that the server gives.
        siaddr: next server of the boot process.
        giaddr: the relay that the message came through.
        hops: relays so far, 8 bits.
        sname: name of the server, 64 bytes at most, without a NUL.
        file: boot file, 128 bytes at most, without a NUL.
        options: bytes of the options by code, in the order of the message.
    """

    op: BootpOp
    xid: int
    chaddr: Mac
    secs: int = 0
    broadcast: bool = False
    ciaddr: Ipv4 = ANY_IPV4
    yiaddr: Ipv4 = ANY_IPV4
    siaddr: Ipv4 = ANY_IPV4
    giaddr: Ipv4 = ANY_IPV4
    hops: int = 0
    sname: bytes = b""
    file: bytes = b""
    options: Mapping[int, bytes] = field(default_factory=dict, hash=False)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the message that the payload of a UDP datagram is.

        Raises:
            TruncatedError: the bytes end before the fixed fields, an option or the end option.
            MalformedError: operation, hardware, magic cookie or a known option is not allowed.
        """
        if len(data) < _OPTIONS_OFFSET:
            raise TruncatedError(f"a DHCP message of {len(data)} bytes has no whole header")
        (
            op, htype, hlen, hops, xid, secs, flags,
            ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file, cookie,
        ) = _LAYOUT.unpack_from(data)  # fmt: skip
        if op not in (BootpOp.REQUEST, BootpOp.REPLY):
            raise MalformedError(f"a DHCP message with operation {op}")
        if (htype, hlen) != _HARDWARE:
            raise MalformedError(f"a DHCP client with hardware type {htype}, length {hlen}")
        if cookie != MAGIC_COOKIE:
            raise MalformedError(f"a BOOTP message with the cookie 0x{cookie.hex()}")
        options, overload = _read_all_options(data[_OPTIONS_OFFSET:], file, sname)
        return cls(
            BootpOp(op), xid, Mac(chaddr), secs, bool(flags & _BROADCAST),
            Ipv4(ciaddr), Ipv4(yiaddr), Ipv4(siaddr), Ipv4(giaddr), hops,
            b"" if overload & _SNAME_HOLDS_OPTIONS else sname.partition(b"\0")[0],
            b"" if overload & _FILE_HOLDS_OPTIONS else file.partition(b"\0")[0],
            options,
        )  # fmt: skip

    def emit(self) -> bytes:
        """Return the bytes of the message, padded to the least that relays forward."""
        assert len(self.sname) <= _SNAME_LENGTH, "the server name is too long"
        assert len(self.file) <= _FILE_LENGTH, "the boot file name is too long"
        assert OptionCode.OVERLOAD not in self.options, "options are never overloaded here"
        header = _LAYOUT.pack(
            self.op, *_HARDWARE, self.hops, self.xid, self.secs,
            _BROADCAST if self.broadcast else 0,
            self.ciaddr, self.yiaddr, self.siaddr, self.giaddr, self.chaddr,
            self.sname, self.file, MAGIC_COOKIE,
        )  # fmt: skip
        return (header + write_options(self.options)).ljust(MIN_LENGTH, b"\0")

    @property
    def message_type(self) -> DhcpMessageType | None:
        """What the message is for; None of a BOOTP message."""
        number = self._number(OptionCode.MESSAGE_TYPE)
        return None if number is None else DhcpMessageType(number)

    @property
    def requested_address(self) -> Ipv4 | None:
        """The address that the client asks for."""
        return self._address(OptionCode.REQUESTED_ADDRESS)

    @property
    def server_id(self) -> Ipv4 | None:
        """The server that speaks, or that the client has chosen."""
        return self._address(OptionCode.SERVER_ID)

    @property
    def lease_time_s(self) -> int | None:
        """Seconds that the lease lasts; 0xffffffff is for ever (RFC 2131, 3.3)."""
        return self._number(OptionCode.LEASE_TIME)

    @property
    def renewal_time_s(self) -> int | None:
        """Seconds until the client asks its server to renew, T1."""
        return self._number(OptionCode.RENEWAL_TIME)

    @property
    def rebinding_time_s(self) -> int | None:
        """Seconds until the client asks any server to renew, T2."""
        return self._number(OptionCode.REBINDING_TIME)

    @property
    def subnet_mask(self) -> Ipv4 | None:
        """The mask of the client's subnet."""
        return self._address(OptionCode.SUBNET_MASK)

    @property
    def routers(self) -> tuple[Ipv4, ...]:
        """Routers on the client's subnet, the best first."""
        return self._addresses(OptionCode.ROUTER)

    @property
    def dns_servers(self) -> tuple[Ipv4, ...]:
        """Name servers, the best first."""
        return self._addresses(OptionCode.DNS_SERVER)

    @property
    def hostname(self) -> str | None:
        """The client's name."""
        return self._text(OptionCode.HOSTNAME)

    @property
    def domain_name(self) -> str | None:
        """The domain in which the client resolves names."""
        return self._text(OptionCode.DOMAIN_NAME)

    @property
    def interface_mtu(self) -> int | None:
        """The MTU of the client's interface in bytes."""
        return self._number(OptionCode.INTERFACE_MTU)

    @property
    def classless_routes(self) -> tuple[ClasslessRoute, ...]:
        """Routes of the client; if there are any, :attr:`routers` do not count (RFC 3442)."""
        code = OptionCode.CLASSLESS_ROUTES
        return decode_routes(self.options[code]) if code in self.options else ()

    @property
    def parameter_request_list(self) -> tuple[int, ...]:
        """Codes of the options that the client wants, the dearest first."""
        return tuple(self.options.get(OptionCode.PARAMETER_REQUEST_LIST, b""))

    @property
    def client_id(self) -> bytes | None:
        """What identifies the client instead of its hardware address (RFC 2132, 9.14)."""
        return self.options.get(OptionCode.CLIENT_ID)

    @property
    def max_message_size(self) -> int:
        """Bytes of the largest IP packet that the client takes."""
        return self._number(OptionCode.MAX_MESSAGE_SIZE) or DEFAULT_MAX_SIZE

    @property
    def message(self) -> str | None:
        """Why the sender refuses or declines."""
        return self._text(OptionCode.MESSAGE)

    def __str__(self) -> str:
        kind = self.message_type
        name = f"DHCP {kind.name.capitalize()}" if kind else f"BOOTP {self.op.name.capitalize()}"
        given = f", your-ip {self.yiaddr}" if self.yiaddr != ANY_IPV4 else ""
        asked = f", requested-ip {self.requested_address}" if self.requested_address else ""
        return f"{name}, xid 0x{self.xid:08x}, client {self.chaddr}{given}{asked}"

    def _address(self, code: int) -> Ipv4 | None:
        return decode_address(self.options[code]) if code in self.options else None

    def _addresses(self, code: int) -> tuple[Ipv4, ...]:
        return decode_addresses(self.options[code]) if code in self.options else ()

    def _number(self, code: int) -> int | None:
        return decode_number(code, self.options[code]) if code in self.options else None

    def _text(self, code: int) -> str | None:
        return decode_text(self.options[code]) if code in self.options else None


def _read_all_options(data: bytes, file: bytes, sname: bytes) -> tuple[dict[int, bytes], int]:
    """Return the options of all fields, each checked by its kind, and the overload's bits.

    The overload says which fields hold more options, and is consumed by that (RFC 2131, 4.1).
    """
    options = read_options([data])
    overload = 0
    if OptionCode.OVERLOAD in options:
        overload = decode_number(OptionCode.OVERLOAD, options[OptionCode.OVERLOAD])
        fields = [data]
        if overload & _FILE_HOLDS_OPTIONS:
            fields.append(file)
        if overload & _SNAME_HOLDS_OPTIONS:
            fields.append(sname)
        options = read_options(fields)
        del options[OptionCode.OVERLOAD]
    for code, value in options.items():
        decode_option(code, value)
    if OptionCode.MESSAGE_TYPE in options:
        number = decode_number(OptionCode.MESSAGE_TYPE, options[OptionCode.MESSAGE_TYPE])
        if number not in DhcpMessageType._value2member_map_:
            raise MalformedError(f"a DHCP message of type {number}")
    return options, overload
