"""IPv4 and IPv6 headers (RFC 791, RFC 8200; DSCP and ECN: RFC 2474, RFC 3168)."""

from __future__ import annotations

from sdnvirt.datapath.layout import ABSENT, Layout, layout
from sdnvirt.datapath.rewriting.patch import Patch, Rewrite
from sdnvirt.wire.ethernet import EtherType


def set_address(ethertype: int, offset: int, size: int) -> Rewrite:
    """Return what sets the address of ``size`` bytes at an offset of the header."""

    def rewrite(data: bytes, value: int) -> bytes:
        where = layout(data)
        if where.ethertype != ethertype or where.protocol == ABSENT:
            return data
        new = value.to_bytes(size, "big")
        return Patch(data, where).put(where.l3 + offset, new, pseudo=True).done()

    return rewrite


def set_ipv6_destination(data: bytes, value: int) -> bytes:
    """Return the IPv6 packet with another destination.

    Before a routing header's last hop, checksums are about the address that stands there (RFC
    8200, 8.1).
    """
    where = layout(data)
    if where.ethertype != EtherType.IPV6 or where.protocol == ABSENT:
        return data
    new = value.to_bytes(16, "big")
    return Patch(data, where).put(where.l3 + 24, new, pseudo=not where.routed).done()


def set_traffic_class(keep: int, shift: int) -> Rewrite:
    """Return what sets bits of the octet that is DSCP and ECN.

    Args:
        keep: the bits that stay as they are.
        shift: how far the value stands from the lowest bit.
    """

    def rewrite(data: bytes, value: int) -> bytes:
        where = layout(data)
        if where.protocol == ABSENT:
            return data
        return _with_traffic_class(data, where, traffic_class(data, where) & keep | value << shift)

    return rewrite


def traffic_class(data: bytes, where: Layout) -> int:
    """Return the octet of an IP packet that is DSCP and ECN."""
    l3 = where.l3
    if where.ethertype == EtherType.IPV4:
        return data[l3 + 1]
    return (data[l3] << 4 | data[l3 + 1] >> 4) & 0xFF


def _with_traffic_class(data: bytes, where: Layout, octet: int) -> bytes:
    l3 = where.l3
    if where.ethertype == EtherType.IPV4:
        return Patch(data, where).put(l3 + 1, bytes((octet,))).done()
    word = bytes((data[l3] & 0xF0 | octet >> 4, data[l3 + 1] & 0x0F | (octet & 0x0F) << 4))
    return data[:l3] + word + data[l3 + 2 :]


def raise_precedence(data: bytes, levels: int) -> bytes:
    """Return the packet with its DSCP's drop precedence raised (OpenFlow 1.3.5, 7.3.4.4).

    Assured forwarding (RFC 2597) has precedences 1 to 3 in bits 2 and 1 of the DSCP, in classes 1
    to 4; a packet of another class stays as it is.
    """
    where = layout(data)
    if where.protocol == ABSENT:
        return data
    octet = traffic_class(data, where)
    dscp = octet >> 2
    precedence = dscp >> 1 & 3
    if dscp & 1 or not precedence or not 1 <= dscp >> 3 <= 4:
        return data
    raised = min(3, precedence + levels)
    return _with_traffic_class(data, where, (dscp & 0b111000 | raised << 1) << 2 | octet & 3)


def set_flow_label(data: bytes, value: int) -> bytes:
    """Return the IPv6 packet with another flow label."""
    where = layout(data)
    if where.ethertype != EtherType.IPV6 or where.protocol == ABSENT:
        return data
    at = where.l3 + 1
    label = (data[at] & 0xF0) << 16 | value
    return data[:at] + label.to_bytes(3, "big") + data[at + 3 :]


def set_protocol(data: bytes, value: int) -> bytes:
    """Return the packet with another number of what follows IP (IPv6: and its extensions).

    The number is part of the pseudo header: the checksum of the protocol that was stays right.
    """
    where = layout(data)
    if where.protocol == ABSENT:
        return data
    patch = Patch(data, where)
    patch.put_pseudo(bytes((0, where.protocol)), bytes((0, value)))
    return patch.put(where.protocol_at, bytes((value,))).done()
