"""The time to live: of IP, and copied between headers that have one (OpenFlow 1.3.5, 5.12)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from sdnvirt.datapath.layout import (
    ABSENT,
    IP_IN_IP,
    LABEL_SIZE,
    MPLS_TYPES,
    Layout,
    layout,
    network_layout,
)
from sdnvirt.datapath.rewriting.patch import Patch
from sdnvirt.wire.ethernet import EtherType

_IP_VERSIONS: Final = {4: EtherType.IPV4, 6: EtherType.IPV6}


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
    return Patch(data, where).put(at, bytes((ttl,))).done()


def copy_ttl_out(data: bytes, _: int) -> bytes:
    """Return the packet with the TTL of its second header with one copied to the first."""
    return _copy(data, 1, 0)


def copy_ttl_in(data: bytes, _: int) -> bytes:
    """Return the packet with the TTL of its first header with one copied to the second."""
    return _copy(data, 0, 1)


def _copy(data: bytes, source: int, target: int) -> bytes:
    headers = list(islice(_with_ttl(data, layout(data)), 2))
    if len(headers) < 2:
        return data
    where, at = headers[target]
    return Patch(data, where).put(at, bytes((data[headers[source][1]],))).done()


def _with_ttl(data: bytes, where: Layout) -> Iterator[tuple[Layout, int]]:
    """Yield the headers with a TTL, outermost first, and where it stands."""
    at = where.l3
    if where.ethertype in MPLS_TYPES and len(data) >= at + LABEL_SIZE:
        yield where, at + 3
        at += LABEL_SIZE
        if data[at - 2] & 1:
            yield from _with_ttl(data, network_layout(data, ip_version_at(data, at), at))
        else:
            yield from _with_ttl(data, Layout(ABSENT, where.ethertype, at))
    elif where.protocol != ABSENT:
        yield where, _ttl_at(where)
        if where.protocol in IP_IN_IP and where.l4 != ABSENT:
            yield from _with_ttl(data, network_layout(data, IP_IN_IP[where.protocol], where.l4))


def ip_version_at(data: bytes, at: int) -> int:
    """Return the EtherType of the IP version that the first bits of a packet say, or ABSENT."""
    return _IP_VERSIONS.get(data[at] >> 4, ABSENT) if at < len(data) else ABSENT


def _ttl_at(where: Layout) -> int:
    if where.protocol == ABSENT:
        return ABSENT
    return where.l3 + (8 if where.ethertype == EtherType.IPV4 else 7)
