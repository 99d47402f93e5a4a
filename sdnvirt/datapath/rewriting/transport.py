"""Ports of TCP, UDP and SCTP; types and codes of ICMP and ICMPv6."""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.layout import ABSENT, IP_TYPES, layout
from sdnvirt.datapath.rewriting.patch import Patch, Rewrite
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.ipv4 import IpProtocol

_ICMP: Final = (
    (EtherType.IPV4.value, IpProtocol.ICMP.value),
    (EtherType.IPV6.value, IpProtocol.ICMPV6.value),
)


def set_port(protocol: int, offset: int) -> Rewrite:
    """Return what sets the port at an offset of a protocol's header."""

    def rewrite(data: bytes, value: int) -> bytes:
        where = layout(data)
        if where.protocol != protocol or where.l4 == ABSENT or where.ethertype not in IP_TYPES:
            return data
        return Patch(data, where).put(where.l4 + offset, value.to_bytes(2, "big")).done()

    return rewrite


def set_icmp(ethertype: int, offset: int) -> Rewrite:
    """Return what sets the octet at an offset of the ICMP header over a version of IP."""

    def rewrite(data: bytes, value: int) -> bytes:
        where = layout(data)
        if where.l4 == ABSENT or where.ethertype != ethertype:
            return data
        if (where.ethertype, where.protocol) not in _ICMP:
            return data
        return Patch(data, where).put(where.l4 + offset, bytes((value,))).done()

    return rewrite
