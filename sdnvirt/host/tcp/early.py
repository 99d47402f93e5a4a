"""Segments of connections that are known already, found by the first look at a frame.

Nearly all segments that come to a host are of a connection, in a packet without anything unusual.
Addresses and ports stand side by side in such a frame, so that one look-up in ``host.tcp_flows``
tells the connection (the early demultiplexing of Linux). What is found out here is all that the IP
layer and :class:`~sdnvirt.host.tcp.service.TcpService` would find out, in one place and without
values between; whatever is not just as expected is left to them, to be told in full.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from sdnvirt.host.addressing import Cast
from sdnvirt.wire import ethernet, ipv4, ipv6
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.tcp import ACK, RST, SYN, Tcp

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface

_TCP: Final = int(IpProtocol.TCP)
_OPENED: Final = SYN | ACK | RST
_UNICAST: Final = Cast.UNICAST

_IP: Final = ethernet.HEADER_LENGTH
_PORTS: Final = 4

_IPV4_HEADER: Final = struct.Struct("!BBHHHBB2x4s4s")
_IPV4_FIRST: Final = ipv4.VERSION << 4 | ipv4.HEADER_LENGTH // 4
_IPV4_DATA: Final = _IP + ipv4.HEADER_LENGTH
_IPV4_ADDRESSES: Final = (1 << 64) - 1
"""The end of the header as a number: both addresses."""
_IPV4_FLAGS: Final = _IPV4_DATA + 13
_CUT: Final = 0xBFFF
"""All of the fragment field but the flag that forbids to fragment."""
_IPV4_GROUPS: Final = 224
_IPV4_LOOPBACK: Final = 127
"""First bytes of the first group and of the loopback network."""
IPV4_ENDS: Final = slice(_IPV4_DATA - 8, _IPV4_DATA + _PORTS)
"""Where addresses and ports stand in a frame."""

_IPV6_HEADER: Final = struct.Struct("!IHBB16s16s")
_IPV6_DATA: Final = _IP + ipv6.HEADER_LENGTH
_IPV6_FLAGS: Final = _IPV6_DATA + 13
IPV6_ENDS: Final = slice(_IPV6_DATA - 32, _IPV6_DATA + _PORTS)


def ipv4_segment(interface: Interface, data: bytes) -> Tcp | None:
    """Return the segment of a frame that belongs to a known connection, or None to look closer.

    Raises:
        WireError: the packet is right, and its segment is not.
    """
    if len(data) <= _IPV4_FLAGS or data[0] & 1 or data[_IPV4_FLAGS] & _OPENED != ACK:
        return None
    first, _, length, _, fragment, ttl, protocol, src, dst = _IPV4_HEADER.unpack_from(data, _IP)
    header = int.from_bytes(data[_IP:_IPV4_DATA], "big")
    accepts = interface.accepts
    if (
        first != _IPV4_FIRST
        or protocol != _TCP
        or fragment & _CUT
        or not ttl
        or not ipv4.HEADER_LENGTH <= length <= len(data) - _IP
        or header % 0xFFFF  # a wrong checksum
        or accepts.get(dst) is not _UNICAST
        or src in accepts
        or not 0 < src[0] < _IPV4_GROUPS  # martians are among the others
        or src[0] == _IPV4_LOOPBACK
    ):
        return None
    return Tcp.parse_between(data[_IPV4_DATA : _IP + length], header & _IPV4_ADDRESSES)


def ipv6_segment(interface: Interface, data: bytes) -> Tcp | None:
    """Return the segment of a frame that belongs to a known connection, or None to look closer.

    Raises:
        WireError: the packet is right, and its segment is not.
    """
    if len(data) <= _IPV6_FLAGS or data[0] & 1 or data[_IPV6_FLAGS] & _OPENED != ACK:
        return None
    word, length, protocol, _, src, dst = _IPV6_HEADER.unpack_from(data, _IP)
    accepts = interface.accepts
    if (
        word >> 28 != ipv6.VERSION
        or protocol != _TCP
        or length > len(data) - _IPV6_DATA
        or accepts.get(dst) is not _UNICAST
        or src in accepts
        or not 0 < src[0] < 0xFF  # groups, the loopback and no address are among the others
    ):
        return None
    return Tcp.parse_between(
        data[_IPV6_DATA : _IPV6_DATA + length],
        int.from_bytes(data[_IPV6_DATA - 32 : _IPV6_DATA], "big"),
    )
