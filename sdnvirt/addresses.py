"""Addresses and identifiers: MAC, IPv4, VLAN, VNI, datapath id.

An address is the bytes that stand in the frame, so that cutting one out of a frame costs no
conversion, and hashing one costs nothing the second time. Prefixes of configurations are the
standard library's :class:`ipaddress.IPv4Network`.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address
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


ANY_IPV4: Final = Ipv4(b"\0" * 4)
"""No address yet, or any address (RFC 1122, 3.2.1.3)."""

BROADCAST_IPV4: Final = Ipv4(b"\xff" * 4)
"""Every host on the local network (RFC 919)."""

BROADCAST: Final = Mac(b"\xff" * 6)
"""All stations."""


def dpid_text(dpid: int) -> str:
    """Return a datapath id as the 16 hexadecimal digits that OpenFlow tools print."""
    return f"{dpid:016x}"
