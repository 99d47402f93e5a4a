"""The VXLAN header, which carries Ethernet frames in UDP (RFC 7348, section 5)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final, Self

from sdnvirt.errors import MalformedError, TruncatedError
from sdnvirt.wire import ethernet, ipv4, udp

UDP_PORT: Final = 4789
"""Destination port that IANA assigned."""

SRC_PORT_MIN: Final = 49152
SRC_PORT_MAX: Final = 65535
"""Source ports, chosen by a hash of the inner frame so that the underlay spreads the flows."""

HEADER_LENGTH: Final = 8

IP_OVERHEAD: Final = ipv4.HEADER_LENGTH + udp.HEADER_LENGTH + HEADER_LENGTH
"""36: bytes that the outer IPv4 packet is longer than the inner Ethernet frame."""

FRAME_OVERHEAD: Final = ethernet.HEADER_LENGTH + IP_OVERHEAD
"""50: bytes that the outer Ethernet frame is longer than the inner one. An underlay of MTU m
carries untagged inner frames of MTU m - 50, as the inner frame brings its own Ethernet header."""

_VNI_VALID: Final = 0x08
_LAYOUT: Final = struct.Struct("!B3xI")


@dataclass(frozen=True, slots=True)
class Vxlan:
    """A VXLAN header and what it carries.

    Attributes:
        vni: VXLAN network identifier, 24 bits.
        payload: the inner Ethernet frame without its check sequence.
    """

    vni: int
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the header and frame in the payload of a UDP datagram; reserved bits are ignored.

        Raises:
            TruncatedError: the bytes are shorter than the header.
            MalformedError: the flag of a valid VNI is not set; raised for nothing else.
        """
        if len(data) < HEADER_LENGTH:
            raise TruncatedError(f"a VXLAN packet of {len(data)} bytes has no whole header")
        flags, vni_and_reserved = _LAYOUT.unpack_from(data)
        if not flags & _VNI_VALID:
            raise MalformedError(f"VXLAN flags 0x{flags:02x} without a valid VNI")
        return cls(vni_and_reserved >> 8, data[HEADER_LENGTH:])

    def emit(self) -> bytes:
        """Return the bytes of header and frame."""
        return _LAYOUT.pack(_VNI_VALID, self.vni << 8) + self.payload

    def __str__(self) -> str:
        return f"VXLAN, flags [I] (0x{_VNI_VALID:02x}), vni {self.vni}"
