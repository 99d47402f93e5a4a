"""What actions do to a packet's bytes (OpenFlow 1.3.5, 5.12), checksums repaired.

Every function takes a frame's bytes and returns the new ones; a field that the frame does not
have is left alone (a match's prerequisites see to it that this does not happen). Checksums are
updated incrementally (RFC 1624), so one that was wrong stays wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sdnvirt.datapath.layout import ABSENT, Layout, layout
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.oxm import OxmField
from sdnvirt.wire.checksum import update_checksum16
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.ipv4 import IpProtocol

Rewrite = Callable[[bytes, int], bytes]
"""Takes a frame and a value, returns the new frame."""

_IPV4_CHECKSUM: Final = 10
_TCP_CHECKSUM: Final = 16
_UDP_CHECKSUM: Final = 6
_ICMP_CHECKSUM: Final = 2

_IP: Final = (EtherType.IPV4, EtherType.IPV6)
_ICMPV6: Final = (EtherType.IPV6, IpProtocol.ICMPV6)
"""Over IPv4, protocol 58 is a payload like any other."""


def push_vlan(data: bytes, tpid: int) -> bytes:
    """Return the frame with a new outermost tag; VLAN and priority are copied from an outer one.

    OpenFlow 1.3.5, table 7: pushed fields take the values of existing ones, or 0.
    """
    where = layout(data)
    if where.ethertype == ABSENT:
        return data
    tci = b"\0\0" if where.vlan == ABSENT else data[where.vlan : where.vlan + 2]
    return data[:12] + tpid.to_bytes(2, "big") + tci + data[12:]


def pop_vlan(data: bytes, _: int) -> bytes:
    """Return the frame without its outermost tag."""
    return data if layout(data).vlan == ABSENT else data[:12] + data[16:]


def ttl_of(data: bytes) -> int | None:
    """Return the TTL (IPv4) or hop limit (IPv6) of a packet, None if it is neither."""
    at = _ttl_at(layout(data))
    return None if at == ABSENT else data[at]


def set_ttl(data: bytes, ttl: int) -> bytes:
    """Return the packet with another TTL (IPv4) or hop limit (IPv6)."""
    where = layout(data)
    at = _ttl_at(where)
    if at == ABSENT:
        return data
    return _Patch(data, where).put(at, bytes((ttl,)), pseudo=False).done()


def _ttl_at(where: Layout) -> int:
    if where.protocol == ABSENT:
        return ABSENT
    return where.l3 + (8 if where.ethertype == EtherType.IPV4 else 7)


def raise_precedence(data: bytes, levels: int) -> bytes:
    """Return the packet with its DSCP's drop precedence raised (OpenFlow 1.3.5, 7.3.4.4).

    Assured forwarding (RFC 2597) has precedences 1 to 3 in bits 2 and 1 of the DSCP, in classes 1
    to 4; a packet of another class stays as it is.
    """
    where = layout(data)
    if where.protocol == ABSENT:
        return data
    l3 = where.l3
    if where.ethertype == EtherType.IPV4:
        dscp = data[l3 + 1] >> 2
    else:
        dscp = ((data[l3] << 4 | data[l3 + 1] >> 4) & 0xFF) >> 2
    precedence = dscp >> 1 & 3
    if dscp & 1 or not precedence or not 1 <= dscp >> 3 <= 4:
        return data
    raised = min(3, precedence + levels)
    return SETTERS[oxm.IP_DSCP](data, dscp & 0b111000 | raised << 1)


class _Patch:
    """A packet under change, which keeps the checksums that cover the changed bytes right."""

    def __init__(self, data: bytes, where: Layout) -> None:
        self._data = bytearray(data)
        self._where = where

    def put(self, at: int, new: bytes, pseudo: bool) -> _Patch:
        """Replace the bytes at an offset.

        Args:
            at: where the field stands.
            new: its new bytes.
            pseudo: whether the field is part of the transport's pseudo header.
        """
        where = self._where
        start, end = at & ~1, (at + len(new) + 1) & ~1  # offsets of headers are even
        before = bytes(self._data[start:end])
        self._data[at : at + len(new)] = new
        after = bytes(self._data[start:end])
        in_l4 = where.l4 != ABSENT and at >= where.l4
        if where.ethertype == EtherType.IPV4 and where.protocol != ABSENT and not in_l4:
            self._update(where.l3 + _IPV4_CHECKSUM, before, after)
        if in_l4 or (pseudo and where.l4 != ABSENT):
            self._update_transport(before, after, in_l4)
        return self

    def _update_transport(self, before: bytes, after: bytes, in_l4: bool) -> None:
        where = self._where
        protocol = where.protocol
        if protocol == IpProtocol.TCP:
            self._update(where.l4 + _TCP_CHECKSUM, before, after)
        elif protocol == IpProtocol.UDP:
            at = where.l4 + _UDP_CHECKSUM
            if self._data[at : at + 2] != b"\0\0":  # 0 is "none" (RFC 768)
                self._update(at, before, after)
                if self._data[at : at + 2] == b"\0\0":
                    self._data[at : at + 2] = b"\xff\xff"
        elif (where.ethertype, protocol) == _ICMPV6 or (protocol == IpProtocol.ICMP and in_l4):
            self._update(where.l4 + _ICMP_CHECKSUM, before, after)

    def _update(self, at: int, before: bytes, after: bytes) -> None:
        if at + 2 > len(self._data):
            return
        checksum = self._data[at] << 8 | self._data[at + 1]
        for i in range(0, len(before), 2):
            old = int.from_bytes(before[i : i + 2], "big")
            new = int.from_bytes(after[i : i + 2], "big")
            checksum = update_checksum16(checksum, old, new)
        self._data[at : at + 2] = checksum.to_bytes(2, "big")

    def done(self) -> bytes:
        """Return the packet."""
        return bytes(self._data)


def _ethernet(at: int) -> Rewrite:
    def set_address(data: bytes, value: int) -> bytes:
        return data if len(data) < 14 else data[:at] + value.to_bytes(6, "big") + data[at + 6 :]

    return set_address


def _set_vlan(keep: int, shift: int) -> Rewrite:
    def set_tci(data: bytes, value: int) -> bytes:
        at = layout(data).vlan
        if at == ABSENT:
            return data
        tci = (data[at] << 8 | data[at + 1]) & keep | (value << shift) & ~keep & 0xFFFF
        return data[:at] + tci.to_bytes(2, "big") + data[at + 2 :]

    return set_tci


def _arp(offset: int, size: int) -> Rewrite:
    def set_arp(data: bytes, value: int) -> bytes:
        where = layout(data)
        if where.ethertype != EtherType.ARP or len(data) < where.l3 + 28:
            return data
        at = where.l3 + offset
        return data[:at] + value.to_bytes(size, "big") + data[at + size :]

    return set_arp


def _ip_address(ethertype: int, offset: int, size: int) -> Rewrite:
    def set_address(data: bytes, value: int) -> bytes:
        where = layout(data)
        if where.ethertype != ethertype or where.protocol == ABSENT:
            return data
        new = value.to_bytes(size, "big")
        return _Patch(data, where).put(where.l3 + offset, new, pseudo=True).done()

    return set_address


def _traffic_class(keep: int, shift: int) -> Rewrite:
    def set_bits(data: bytes, value: int) -> bytes:
        where = layout(data)
        if where.protocol == ABSENT:
            return data
        l3 = where.l3
        if where.ethertype == EtherType.IPV4:
            octet = data[l3 + 1] & keep | value << shift
            return _Patch(data, where).put(l3 + 1, bytes((octet,)), pseudo=False).done()
        octet = ((data[l3] << 4 | data[l3 + 1] >> 4) & 0xFF) & keep | value << shift
        word = bytes((data[l3] & 0xF0 | octet >> 4, data[l3 + 1] & 0x0F | (octet & 0x0F) << 4))
        return data[:l3] + word + data[l3 + 2 :]

    return set_bits


def _transport(protocol: int, offset: int, size: int, over: tuple[int, ...] = _IP) -> Rewrite:
    def set_field(data: bytes, value: int) -> bytes:
        where = layout(data)
        if where.protocol != protocol or where.l4 == ABSENT or where.ethertype not in over:
            return data
        new = value.to_bytes(size, "big")
        return _Patch(data, where).put(where.l4 + offset, new, pseudo=False).done()

    return set_field


SETTERS: Final[dict[OxmField, Rewrite]] = {
    oxm.ETH_DST: _ethernet(0),
    oxm.ETH_SRC: _ethernet(6),
    oxm.VLAN_VID: _set_vlan(keep=0xF000, shift=0),
    oxm.VLAN_PCP: _set_vlan(keep=0x1FFF, shift=13),
    oxm.ARP_OP: _arp(6, 2),
    oxm.ARP_SHA: _arp(8, 6),
    oxm.ARP_SPA: _arp(14, 4),
    oxm.ARP_THA: _arp(18, 6),
    oxm.ARP_TPA: _arp(24, 4),
    oxm.IPV4_SRC: _ip_address(EtherType.IPV4, 12, 4),
    oxm.IPV4_DST: _ip_address(EtherType.IPV4, 16, 4),
    oxm.IPV6_SRC: _ip_address(EtherType.IPV6, 8, 16),
    oxm.IPV6_DST: _ip_address(EtherType.IPV6, 24, 16),
    oxm.IP_DSCP: _traffic_class(keep=0x03, shift=2),
    oxm.IP_ECN: _traffic_class(keep=0xFC, shift=0),
    oxm.TCP_SRC: _transport(IpProtocol.TCP, 0, 2),
    oxm.TCP_DST: _transport(IpProtocol.TCP, 2, 2),
    oxm.UDP_SRC: _transport(IpProtocol.UDP, 0, 2),
    oxm.UDP_DST: _transport(IpProtocol.UDP, 2, 2),
    oxm.ICMPV4_TYPE: _transport(IpProtocol.ICMP, 0, 1, over=(EtherType.IPV4,)),
    oxm.ICMPV4_CODE: _transport(IpProtocol.ICMP, 1, 1, over=(EtherType.IPV4,)),
}
"""How each settable field is set in a packet; a set-field of another is refused, not ignored."""
