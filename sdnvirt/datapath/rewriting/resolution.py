"""Address resolution: ARP (RFC 826) and IPv6 neighbour discovery (RFC 4861)."""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.layout import ABSENT, Layout, layout
from sdnvirt.datapath.neighbour import ADVERTISEMENT, SOLICITATION, TARGET_AT, link_address_at
from sdnvirt.datapath.rewriting.patch import Patch, Rewrite
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.ipv4 import IpProtocol

_ARP_SIZE: Final = 28
"""Bytes of a packet for Ethernet and IPv4."""


def set_arp(offset: int, size: int) -> Rewrite:
    """Return what sets the field of ``size`` bytes at an offset of an ARP packet."""

    def rewrite(data: bytes, value: int) -> bytes:
        where = layout(data)
        if where.ethertype != EtherType.ARP or len(data) < where.l3 + _ARP_SIZE:
            return data
        at = where.l3 + offset
        return data[:at] + value.to_bytes(size, "big") + data[at + size :]

    return rewrite


def set_target(data: bytes, value: int) -> bytes:
    """Return the solicitation or advertisement with another target."""
    where = layout(data)
    if not _is_message(data, where, (SOLICITATION, ADVERTISEMENT)):
        return data
    at = where.l4 + TARGET_AT
    if len(data) < at + 16:
        return data
    return Patch(data, where).put(at, value.to_bytes(16, "big")).done()


def set_link_address(kind: int) -> Rewrite:
    """Return what sets the link-layer address in messages of a kind."""

    def rewrite(data: bytes, value: int) -> bytes:
        where = layout(data)
        if not _is_message(data, where, (kind,)):
            return data
        at = link_address_at(data, where)
        if at == ABSENT:
            return data
        return Patch(data, where).put(at, value.to_bytes(6, "big")).done()

    return rewrite


def _is_message(data: bytes, where: Layout, kinds: tuple[int, ...]) -> bool:
    if where.ethertype != EtherType.IPV6 or where.protocol != IpProtocol.ICMPV6:
        return False
    return where.l4 != ABSENT and data[where.l4] in kinds
