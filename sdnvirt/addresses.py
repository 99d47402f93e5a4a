"""Addresses and identifiers: MAC, IPv4, IPv6, VLAN, VNI, datapath id.

An address is the bytes that stand in the frame, so that cutting one out of a frame costs no
conversion, and hashing one costs nothing the second time. Addresses of the two IP versions differ
in length, so both may be keys of one table. Prefixes of configurations are the standard library's
:class:`ipaddress.IPv4Network` and :class:`ipaddress.IPv6Network`.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from sdnvirt.errors import MalformedError

_MAC_TEXT: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", re.IGNORECASE)

VLAN_MAX: Final = 4094
"""The highest VLAN identifier; 0 means "priority only" and 4095 is reserved (802.1Q, 9.6)."""

VNI_MAX: Final = (1 << 24) - 1
"""The highest VXLAN network identifier, 24 bits wide (RFC 7348, section 5)."""


class Mac(bytes):
    """A 48-bit IEEE 802 MAC address: six bytes that print as ``02:00:00:00:00:01``.

    Being bytes, it compares and hashes with what was cut from a frame.
    """

    __slots__ = ()

    def __new__(cls, value: str | int | bytes) -> Mac:
        """Make an address from text with colons, a 48-bit integer, or six bytes.

        Raises:
            MalformedError: the value is none of these.
        """
        if isinstance(value, str):
            if not _MAC_TEXT.fullmatch(value):
                raise MalformedError(f"{value!r} is not a MAC address like 02:00:00:00:00:01")
            return super().__new__(cls, bytes.fromhex(value.replace(":", "")))
        if isinstance(value, int):
            if not 0 <= value < 1 << 48:
                raise MalformedError(f"{value:#x} does not fit the 48 bits of a MAC address")
            return super().__new__(cls, value.to_bytes(6, "big"))
        if len(value) != 6:
            raise MalformedError(f"a MAC address has 6 bytes, not {len(value)}")
        return super().__new__(cls, value)

    def __str__(self) -> str:
        return self.hex(":")

    def __repr__(self) -> str:
        return f"Mac({str(self)!r})"

    @property
    def is_group(self) -> bool:
        """Whether frames to this address are for several stations (IEEE 802, the I/G bit)."""
        return bool(self[0] & 1)


class Ipv4(bytes):
    """An IPv4 address: four bytes that print as ``10.0.0.1``."""

    __slots__ = ()

    def __new__(cls, value: str | int | bytes | IPv4Address) -> Ipv4:
        """Make an address from dotted text, a 32-bit integer, four bytes or a stdlib address.

        Raises:
            MalformedError: the value is none of these.
        """
        if isinstance(value, str):
            try:
                return super().__new__(cls, IPv4Address(value).packed)
            except ValueError:
                raise MalformedError(f"{value!r} is not an IPv4 address like 10.0.0.1") from None
        if isinstance(value, IPv4Address):
            return super().__new__(cls, value.packed)
        if isinstance(value, int):
            if not 0 <= value < 1 << 32:
                raise MalformedError(f"{value:#x} does not fit the 32 bits of an IPv4 address")
            return super().__new__(cls, value.to_bytes(4, "big"))
        if len(value) != 4:
            raise MalformedError(f"an IPv4 address has 4 bytes, not {len(value)}")
        return super().__new__(cls, value)

    def __str__(self) -> str:
        return ".".join(map(str, self))

    def __repr__(self) -> str:
        return f"Ipv4({str(self)!r})"

    def __int__(self) -> int:
        return int.from_bytes(self, "big")

    @property
    def is_multicast(self) -> bool:
        """Whether this is a group address, 224.0.0.0/4 (RFC 5771)."""
        return self[0] >> 4 == 14

    @property
    def is_unspecified(self) -> bool:
        """Whether this is 0.0.0.0."""
        return not any(self)

    @property
    def is_loopback(self) -> bool:
        """Whether this never leaves a host, 127.0.0.0/8 (RFC 1122, 3.2.1.3)."""
        return self[0] == 127

    @property
    def is_link_local(self) -> bool:
        """Whether this means something on one link only: 169.254.0.0/16 (RFC 3927), or a group."""
        if self.is_multicast:
            return self[:3] == b"\xe0\0\0"  # 224.0.0.0/24 is never forwarded (RFC 5771, 4)
        return self[:2] == b"\xa9\xfe"

    @property
    def group_mac(self) -> Mac:
        """The MAC address of a group address: its low 23 bits (RFC 1112, 6.4)."""
        assert self.is_multicast, f"{self} is not a group address"
        return Mac(bytes((0x01, 0x00, 0x5E, self[1] & 0x7F, self[2], self[3])))


class Ipv6(bytes):
    """An IPv6 address: sixteen bytes that print as ``2001:db8::1`` (RFC 4291)."""

    __slots__ = ()

    def __new__(cls, value: str | int | bytes | IPv6Address) -> Ipv6:
        """Make an address from text, a 128-bit integer, sixteen bytes or a stdlib address.

        Raises:
            MalformedError: the value is none of these; a zone such as ``%eth0`` is not taken.
        """
        if isinstance(value, str):
            try:
                value = IPv6Address(value)
            except ValueError:
                raise MalformedError(f"{value!r} is not an IPv6 address like 2001:db8::1") from None
        if isinstance(value, IPv6Address):
            if value.scope_id is not None:
                raise MalformedError(f"{str(value)!r} is not an IPv6 address without a zone")
            return super().__new__(cls, value.packed)
        if isinstance(value, int):
            if not 0 <= value < 1 << 128:
                raise MalformedError(f"{value:#x} does not fit the 128 bits of an IPv6 address")
            return super().__new__(cls, value.to_bytes(16, "big"))
        if len(value) != 16:
            raise MalformedError(f"an IPv6 address has 16 bytes, not {len(value)}")
        return super().__new__(cls, value)

    def __str__(self) -> str:
        """Return the text of RFC 5952: the longest run of zeros cut, an IPv4 address in dots."""
        if self[:12] == _MAPPED:
            return f"::ffff:{Ipv4(self[12:])}"
        return str(IPv6Address(bytes(self)))

    def __repr__(self) -> str:
        return f"Ipv6({str(self)!r})"

    def __int__(self) -> int:
        return int.from_bytes(self, "big")

    @property
    def is_multicast(self) -> bool:
        """Whether this is a group address, ff00::/8 (RFC 4291, 2.7)."""
        return self[0] == 0xFF

    @property
    def is_unspecified(self) -> bool:
        """Whether this is ``::`` (RFC 4291, 2.5.2)."""
        return not any(self)

    @property
    def is_loopback(self) -> bool:
        """Whether this is ``::1``, which never leaves a host (RFC 4291, 2.5.3)."""
        return self == LOOPBACK_IPV6

    @property
    def is_link_local(self) -> bool:
        """Whether this means something on one link only: fe80::/10, or a group of that scope."""
        if self.is_multicast:
            return self[1] & 0x0F <= 2  # 1 does not even leave the interface (RFC 4291, 2.7)
        return self[0] == 0xFE and self[1] & 0xC0 == 0x80

    @property
    def group_mac(self) -> Mac:
        """The MAC address of a group address: 33:33 and its low 32 bits (RFC 2464, 7)."""
        assert self.is_multicast, f"{self} is not a group address"
        return Mac(b"\x33\x33" + self[12:])

    @property
    def solicited_node(self) -> Ipv6:
        """The group in which the holder of this address is asked for (RFC 4291, 2.7.1)."""
        return Ipv6(_SOLICITED_NODE + self[13:])


IpAddress = Ipv4 | Ipv6
"""An address of either version of IP; the length of the bytes says which."""

_MAPPED: Final = b"\0" * 10 + b"\xff\xff"
_SOLICITED_NODE: Final = bytes.fromhex("ff02 0000 0000 0000 0000 0001 ff")

ANY_IPV4: Final = Ipv4(b"\0" * 4)
"""No address yet, or any address (RFC 1122, 3.2.1.3)."""

ANY_IPV6: Final = Ipv6(b"\0" * 16)
"""No address yet, or any address (RFC 4291, 2.5.2)."""

LOOPBACK_IPV6: Final = Ipv6(1)
"""The host itself (RFC 4291, 2.5.3)."""

ALL_NODES: Final = Ipv6("ff02::1")
"""Every IPv6 node of the link (RFC 4291, 2.7.1)."""

ALL_ROUTERS: Final = Ipv6("ff02::2")
"""Every IPv6 router of the link (RFC 4291, 2.7.1)."""

BROADCAST_IPV4: Final = Ipv4(b"\xff" * 4)
"""Every host on the local network (RFC 919)."""

BROADCAST: Final = Mac(b"\xff" * 6)
"""All stations."""


def dpid_text(dpid: int) -> str:
    """Return a datapath id as the 16 hexadecimal digits that OpenFlow tools print."""
    return f"{dpid:016x}"
