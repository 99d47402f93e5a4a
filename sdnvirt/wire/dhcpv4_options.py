"""DHCP options: their table, their values, and their way in and out of bytes.

RFC 2132 defines the format and most options, RFC 3442 the classless static routes, and RFC 3396
how an option longer than 255 bytes is split and put together again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from ipaddress import IPv4Network
from typing import Final, Self

from sdnvirt.addresses import Ipv4
from sdnvirt.errors import MalformedError
from sdnvirt.wire.cursor import Cursor

PAD: Final = 0
"""A byte of its own that means nothing (RFC 2132, 3.1)."""

END: Final = 255
"""A byte of its own that ends the options (RFC 2132, 3.2)."""

MAX_PART_LENGTH: Final = 255
"""The length of an option is one byte; longer values are split (RFC 3396)."""


class OptionKind(Enum):
    """What the bytes of an option are; the value is the phrase that the documentation prints."""

    ADDRESS = "IPv4 address"
    ADDRESSES = "list of IPv4 addresses"
    FLAG = "flag"
    U8 = "8-bit number"
    U16 = "16-bit number"
    U32 = "32-bit number"
    TEXT = "text"
    CODES = "list of option codes"
    ROUTES = "list of destinations and gateways"
    OPAQUE = "bytes"


class OptionCode(IntEnum):
    """The options known by name, as rows of code, name and kind; others are kept as bytes."""

    label: str
    kind: OptionKind

    def __new__(cls, code: int, label: str, kind: OptionKind) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.label = label
        member.kind = kind
        return member

    SUBNET_MASK = 1, "subnet mask", OptionKind.ADDRESS
    ROUTER = 3, "router", OptionKind.ADDRESSES
    TIME_SERVER = 4, "time server", OptionKind.ADDRESSES
    DNS_SERVER = 6, "domain name server", OptionKind.ADDRESSES
    LOG_SERVER = 7, "log server", OptionKind.ADDRESSES
    HOSTNAME = 12, "host name", OptionKind.TEXT
    DOMAIN_NAME = 15, "domain name", OptionKind.TEXT
    IP_FORWARDING = 19, "IP forwarding", OptionKind.FLAG
    DEFAULT_TTL = 23, "default time to live", OptionKind.U8
    INTERFACE_MTU = 26, "interface MTU", OptionKind.U16
    BROADCAST_ADDRESS = 28, "broadcast address", OptionKind.ADDRESS
    NTP_SERVER = 42, "NTP server", OptionKind.ADDRESSES
    VENDOR_SPECIFIC = 43, "vendor specific information", OptionKind.OPAQUE
    REQUESTED_ADDRESS = 50, "requested IP address", OptionKind.ADDRESS
    LEASE_TIME = 51, "IP address lease time", OptionKind.U32
    OVERLOAD = 52, "option overload", OptionKind.U8
    MESSAGE_TYPE = 53, "DHCP message type", OptionKind.U8
    SERVER_ID = 54, "server identifier", OptionKind.ADDRESS
    PARAMETER_REQUEST_LIST = 55, "parameter request list", OptionKind.CODES
    MESSAGE = 56, "message", OptionKind.TEXT
    MAX_MESSAGE_SIZE = 57, "maximum DHCP message size", OptionKind.U16
    RENEWAL_TIME = 58, "renewal time (T1)", OptionKind.U32
    REBINDING_TIME = 59, "rebinding time (T2)", OptionKind.U32
    VENDOR_CLASS = 60, "vendor class identifier", OptionKind.TEXT
    CLIENT_ID = 61, "client identifier", OptionKind.OPAQUE
    TFTP_SERVER_NAME = 66, "TFTP server name", OptionKind.TEXT
    BOOTFILE_NAME = 67, "bootfile name", OptionKind.TEXT
    RELAY_AGENT = 82, "relay agent information", OptionKind.OPAQUE
    DOMAIN_SEARCH = 119, "domain search", OptionKind.OPAQUE
    CLASSLESS_ROUTES = 121, "classless static routes", OptionKind.ROUTES


_BY_CODE: Final = {int(option): option for option in OptionCode}

_WIDTHS: Final = {OptionKind.FLAG: 1, OptionKind.U8: 1, OptionKind.U16: 2, OptionKind.U32: 4}

_RANGES: Final[dict[int, range]] = {
    OptionCode.IP_FORWARDING: range(2),  # RFC 2132, 4.1
    OptionCode.DEFAULT_TTL: range(1, 256),  # RFC 2132, 4.5
    OptionCode.INTERFACE_MTU: range(68, 1 << 16),  # RFC 2132, 5.1
    OptionCode.OVERLOAD: range(1, 4),  # RFC 2132, 9.3
    OptionCode.MAX_MESSAGE_SIZE: range(576, 1 << 16),  # RFC 2132, 9.10
}
"""Legal numbers of the options that do not allow all."""


@dataclass(frozen=True, slots=True)
class ClasslessRoute:
    """A route that a client shall add (RFC 3442).

    Attributes:
        destination: the prefix reached, 0.0.0.0/0 for the default route.
        gateway: the next hop, 0.0.0.0 if the prefix is on the link.
    """

    destination: IPv4Network
    gateway: Ipv4

    def emit(self) -> bytes:
        """Return the prefix length, the significant bytes of the prefix, and the gateway."""
        width = self.destination.prefixlen
        significant = self.destination.network_address.packed[: (width + 7) // 8]
        return bytes([width]) + significant + self.gateway

    def __str__(self) -> str:
        return f"{self.destination} via {self.gateway}"


OptionValue = int | str | bytes | tuple[int, ...] | tuple[Ipv4, ...] | tuple[ClasslessRoute, ...]
"""What an option means, by its kind: a flag is 0 or 1, an address is an :class:`Ipv4`."""


def decode_address(data: bytes) -> Ipv4:
    """Return the one address of an ADDRESS option, or raise MalformedError."""
    return Ipv4(data)


def decode_addresses(data: bytes) -> tuple[Ipv4, ...]:
    """Return the addresses of an ADDRESSES option, one at least, or raise MalformedError."""
    if not data or len(data) % 4:
        raise MalformedError(f"{len(data)} bytes are no list of IPv4 addresses")
    return tuple(Ipv4(data[at : at + 4]) for at in range(0, len(data), 4))


def decode_text(data: bytes) -> str:
    """Return the text of a TEXT option; NULs at its end are dropped (RFC 2132, section 2)."""
    return data.rstrip(b"\0").decode("ascii", "backslashreplace")


def decode_routes(data: bytes) -> tuple[ClasslessRoute, ...]:
    """Return the routes of a ROUTES option, one at least.

    Bits of a destination behind its prefix are cleared (RFC 3442).

    Raises:
        WireError: a prefix is longer than 32 bits, or the bytes end inside a route.
    """
    if not data:
        raise MalformedError("no classless routes in their option")
    routes = []
    cursor = Cursor(data)
    while not cursor.at_end:
        width = cursor.u8()
        if width > 32:
            raise MalformedError(f"a classless route with a prefix of {width} bits")
        prefix = int.from_bytes(cursor.take((width + 7) // 8).ljust(4, b"\0"), "big")
        mask = 0xFFFFFFFF << (32 - width) & 0xFFFFFFFF
        routes.append(ClasslessRoute(IPv4Network((prefix & mask, width)), Ipv4(cursor.take(4))))
    return tuple(routes)


def decode_number(code: int, data: bytes) -> int:
    """Return the number of a FLAG, U8, U16 or U32 option.

    Raises:
        MalformedError: the length is not that of the kind, or the number is not legal.
    """
    option = _BY_CODE[code]
    number = int.from_bytes(data, "big")
    if len(data) != _WIDTHS[option.kind] or number not in _RANGES.get(code, range(1 << 32)):
        raise MalformedError(f"0x{data.hex()} is no {option.label}")
    return number


def decode_option(code: int, data: bytes) -> OptionValue:
    """Return what the bytes of an option mean; unknown options mean their bytes.

    Raises:
        WireError: they are not of the kind that the table says.
    """
    kind = _BY_CODE[code].kind if code in _BY_CODE else OptionKind.OPAQUE
    match kind:
        case OptionKind.ADDRESS:
            return decode_address(data)
        case OptionKind.ADDRESSES:
            return decode_addresses(data)
        case OptionKind.TEXT:
            return decode_text(data)
        case OptionKind.ROUTES:
            return decode_routes(data)
        case OptionKind.CODES:
            return tuple(data)
        case OptionKind.OPAQUE:
            return data
        case _:
            return decode_number(code, data)


def encode_option(code: int, value: OptionValue) -> bytes:
    """Return the bytes of an option with this value, without code and length.

    Args:
        code: the option; it says how wide a number is.
        value: a value of the option's kind.
    """
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, str):
        return value.encode("ascii")
    if isinstance(value, int):
        return value.to_bytes(_WIDTHS[_BY_CODE[code].kind], "big")
    return b"".join(_element(element) for element in value)


def _element(element: int | Ipv4 | ClasslessRoute) -> bytes:
    """Return the bytes of one element of a list."""
    if isinstance(element, ClasslessRoute):
        return element.emit()
    return bytes([element]) if isinstance(element, int) else element


def encode_options(values: Mapping[int, OptionValue]) -> dict[int, bytes]:
    """Return the bytes of several options by their codes, in the order given."""
    return {code: encode_option(code, value) for code, value in values.items()}


def read_options(fields: Iterable[bytes]) -> dict[int, bytes]:
    """Return the options in some fields of a message, in the order of their first appearance.

    An option that appears more than once is one that was split (RFC 3396).

    Raises:
        TruncatedError: a field ends inside an option or without the end option.
    """
    options: dict[int, bytes] = {}
    for data in fields:
        cursor = Cursor(data)
        while (code := cursor.u8()) != END:
            if code != PAD:
                options[code] = options.get(code, b"") + cursor.take(cursor.u8())
    return options


def write_options(options: Mapping[int, bytes]) -> bytes:
    """Return the options with codes and lengths, split where they are long, and the end option."""
    written = bytearray()
    for code, data in options.items():
        assert PAD < code < END, "a DHCP option code"
        for at in range(0, max(len(data), 1), MAX_PART_LENGTH):
            part = data[at : at + MAX_PART_LENGTH]
            written += bytes([code, len(part)]) + part
    written.append(END)
    return bytes(written)
