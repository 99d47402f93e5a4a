"""What the devices of an IP underlay look at in an Ethernet frame, by offset.

Routers and tunnel endpoints handle packets of others by the thousand; they read the few fields
they need where they stand, and leave whole values to :mod:`sdnvirt.wire.ipv4`.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.drops import DropReason
from sdnvirt.wire.checksum import internet_checksum

ETHERTYPE: Final = slice(12, 14)
IPV4: Final = b"\x08\x00"
IPV6: Final = b"\x86\xdd"
VLAN_TAG: Final = b"\x81\x00"

IP_START: Final = 14
"""Offset of the packet in an untagged frame."""

IPV6_HEADER: Final = 40

_PORTED: Final = (6, 17)
"""TCP and UDP: protocols that begin with source and destination port."""

FRAGMENT_BITS: Final = 0x3FFF
"""More fragments, and the fragment offset."""


def ipv4_fault(data: bytes) -> DropReason | None:
    """Return why the IPv4 packet of an untagged frame must be dropped, or None (RFC 1812, 5.2.2).

    Args:
        data: the frame, whose EtherType is IPv4.
    """
    size = len(data) - IP_START
    if size < 20:
        return DropReason.MALFORMED
    header = (data[IP_START] & 0x0F) * 4
    length = data[16] << 8 | data[17]
    if data[IP_START] >> 4 != 4 or not 20 <= header <= length <= size:
        return DropReason.MALFORMED
    if internet_checksum(data[IP_START : IP_START + header]):
        return DropReason.BAD_CHECKSUM
    return None


def ipv4_flow(data: bytes, start: int) -> bytes:
    """Return the bytes that the packets of one flow have in common.

    They are protocol and addresses and, for TCP and UDP, the ports; a fragmented packet goes
    without ports, which only its first fragment has (RFC 2992; RFC 7348, 5).

    Args:
        data: bytes that hold an IPv4 packet.
        start: offset of the packet; as many bytes as there are of it are read.
    """
    flow = data[start + 9 : start + 10] + data[start + 12 : start + 20]
    if (
        len(data) >= start + 20
        and data[start + 9] in _PORTED
        and not (data[start + 6] << 8 | data[start + 7]) & FRAGMENT_BITS
    ):
        ports = start + (data[start] & 0x0F) * 4
        flow += data[ports : ports + 4]
    return flow


def inner_flow(data: bytes) -> bytes:
    """Return the bytes of a tenant's frame that stay the same within one flow.

    These are protocol, addresses and ports of IP, and MAC addresses and EtherType of what is not
    IP. The frame may be anything; as many bytes as there are of it are read.
    """
    start = IP_START
    if data[ETHERTYPE] == VLAN_TAG:
        start += 4
    ethertype = data[start - 2 : start]
    if ethertype == IPV4:
        return ipv4_flow(data, start)
    if ethertype == IPV6 and len(data) >= start + IPV6_HEADER:
        ports = 4 if data[start + 6] in _PORTED else 0
        return data[start + 6 : start + 7] + data[start + 8 : start + IPV6_HEADER + ports]
    return data[:start]
