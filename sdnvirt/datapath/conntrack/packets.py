"""What connection tracking reads of a packet, and how it translates one.

RFC 5508 (ICMP through address translators), 4.2: of an ICMP error, the packet that it is about
says which connection it belongs to, and is translated with it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sdnvirt.datapath.layout import ABSENT, IP_TYPES, Layout, layout
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.oxm import OxmField
from sdnvirt.wire.checksum import internet_checksum, pseudo_header_sum
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.ipv4 import IpProtocol

OPPOSITE: Final[dict[tuple[int, int], int]] = {
    (IpProtocol.ICMP, 8): 0, (IpProtocol.ICMP, 13): 14, (IpProtocol.ICMP, 15): 16,
    (IpProtocol.ICMP, 17): 18, (IpProtocol.ICMPV6, 128): 129,
}  # fmt: skip
"""The reply to each type of ICMP request (RFC 792, RFC 950, RFC 4443)."""

_BACK: Final = {(protocol, reply): asked for (protocol, asked), reply in OPPOSITE.items()}

_ERRORS: Final[dict[int, tuple[int, ...]]] = {
    IpProtocol.ICMP: (3, 4, 5, 11, 12), IpProtocol.ICMPV6: (1, 2, 3, 4),
}  # fmt: skip
"""ICMP types that carry the beginning of the packet they are about."""

_ICMP_HEADER: Final = 8
_TCP_FLAGS: Final = 13
_IDENTIFIER: Final = 4

_WITH_PORTS: Final = (IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP)

_ADDRESSES: Final[dict[int, tuple[OxmField, OxmField]]] = {
    4: (oxm.IPV4_SRC, oxm.IPV4_DST), 6: (oxm.IPV6_SRC, oxm.IPV6_DST),
}  # fmt: skip
_PORTS: Final[dict[int, tuple[OxmField, OxmField]]] = {
    IpProtocol.TCP: (oxm.TCP_SRC, oxm.TCP_DST), IpProtocol.UDP: (oxm.UDP_SRC, oxm.UDP_DST),
    IpProtocol.SCTP: (oxm.SCTP_SRC, oxm.SCTP_DST),
}  # fmt: skip


class Endpoints(NamedTuple):
    """One direction of a connection.

    Attributes:
        version: 4 or 6.
        protocol: of IP.
        src, dst: addresses.
        src_port, dst_port: ports; of ICMP the identifier and the type; 0 of other protocols.
    """

    version: int
    protocol: int
    src: int
    dst: int
    src_port: int
    dst_port: int

    def reverse(self) -> Endpoints:
        """Return the other direction."""
        kind = self.protocol, self.dst_port
        if self.protocol in _ERRORS:
            answer = OPPOSITE.get(kind, _BACK.get(kind, self.dst_port))
            return self._replace(src=self.dst, dst=self.src, dst_port=answer)
        return Endpoints(
            self.version, self.protocol, self.dst, self.src, self.dst_port, self.src_port
        )

    @property
    def has_ports(self) -> bool:
        """Whether the protocol has ports."""
        return self.protocol in _WITH_PORTS

    @property
    def may_begin(self) -> bool:
        """Whether a connection may begin with such a packet; of ICMP, a request may."""
        return self.protocol not in _ERRORS or (self.protocol, self.dst_port) in OPPOSITE


class Packet(NamedTuple):
    """What there is to know of a packet.

    Attributes:
        endpoints: its direction.
        flags: of TCP, else 0.
        about: of an ICMP error, the direction of the packet that it is about.
    """

    endpoints: Endpoints
    flags: int = 0
    about: Endpoints | None = None


def read_packet(data: bytes) -> Packet | None:
    """Return what there is to know of a frame, or None if it belongs to no connection.

    That is so of all but IP, of fragments that do not begin their packet (Open vSwitch would
    reassemble them first), and of headers that are cut short.
    """
    where = layout(data)
    if where.ethertype not in IP_TYPES or where.protocol == ABSENT:
        return None
    if where.l4 == ABSENT:
        return None if _needs_header(where.protocol) or where.fragment else _bare(data, where)
    endpoints = _endpoints(data, where)
    if endpoints is None:
        return None
    if where.protocol == IpProtocol.TCP:
        if len(data) <= where.l4 + _TCP_FLAGS:
            return None
        return Packet(endpoints, data[where.l4 + _TCP_FLAGS])
    if where.protocol in _ERRORS and data[where.l4] in _ERRORS[where.protocol]:
        inner = _inner_frame(data, where)
        about = None if inner is None else _endpoints(inner, layout(inner))
        return None if about is None else Packet(endpoints, about=about)
    return Packet(endpoints)


def _needs_header(protocol: int) -> bool:
    return protocol in _WITH_PORTS or protocol in _ERRORS


def _bare(data: bytes, where: Layout) -> Packet:
    version, src, dst = _addresses(data, where)
    return Packet(Endpoints(version, where.protocol, src, dst, 0, 0))


def _addresses(data: bytes, where: Layout) -> tuple[int, int, int]:
    """Return the version of IP and both addresses."""
    if where.ethertype == EtherType.IPV4:
        version, at, size = 4, where.l3 + 12, 4
    else:
        version, at, size = 6, where.l3 + 8, 16
    src, dst = data[at : at + size], data[at + size : at + 2 * size]
    return version, int.from_bytes(src, "big"), int.from_bytes(dst, "big")


def _endpoints(data: bytes, where: Layout) -> Endpoints | None:
    """Return the direction of a packet, or None if its headers are cut short."""
    if where.ethertype not in IP_TYPES or where.l4 == ABSENT:
        return None
    version, src, dst = _addresses(data, where)
    l4 = where.l4
    if where.protocol in _WITH_PORTS:
        ports = data[l4] << 8 | data[l4 + 1], data[l4 + 2] << 8 | data[l4 + 3]
    elif where.protocol in _ERRORS:
        identifier = data[l4 + _IDENTIFIER : l4 + _IDENTIFIER + 2]
        if len(identifier) < 2:
            return None
        ports = int.from_bytes(identifier, "big"), data[l4]
    else:
        ports = 0, 0
    return Endpoints(version, where.protocol, src, dst, *ports)


def _inner_frame(data: bytes, where: Layout) -> bytes | None:
    """Return the packet that an ICMP error is about, behind an empty Ethernet header."""
    inner = data[where.l4 + _ICMP_HEADER :]
    ethertype = EtherType.IPV4 if where.protocol == IpProtocol.ICMP else EtherType.IPV6
    return bytes(12) + ethertype.to_bytes(2, "big") + inner if inner else None


def translate(data: bytes, old: Endpoints, new: Endpoints) -> bytes:
    """Return a frame of one direction with the addresses and ports of another."""
    src, dst = _ADDRESSES[old.version]
    pairs = [(src, old.src, new.src), (dst, old.dst, new.dst)]
    if old.has_ports:
        src_port, dst_port = _PORTS[old.protocol]
        pairs += [
            (src_port, old.src_port, new.src_port),
            (dst_port, old.dst_port, new.dst_port),
        ]
    for field, before, after in pairs:
        if before != after:
            data = SETTERS[field](data, after)
    return data


def translate_error(data: bytes, old: Endpoints, new: Endpoints) -> bytes:
    """Return an ICMP error about a packet that went ``old``, so that it is about ``new``.

    The error goes to where that packet came from, and may come from where it went to.
    """
    where = layout(data)
    inner = _inner_frame(data, where)
    assert inner is not None
    changed = translate(inner, old, new)[14:]
    at = where.l4 + _ICMP_HEADER
    data = data[:at] + changed
    _, src, dst = _addresses(data, where)
    source, destination = _ADDRESSES[old.version]
    if dst == old.src != new.src:
        data = SETTERS[destination](data, new.src)
    if src == old.dst != new.dst:
        data = SETTERS[source](data, new.dst)
    return _with_icmp_checksum(data, where)


def _with_icmp_checksum(data: bytes, where: Layout) -> bytes:
    l4 = where.l4
    if where.ethertype == EtherType.IPV4:
        end = where.l3 + int.from_bytes(data[where.l3 + 2 : where.l3 + 4], "big")
        start = 0
    else:
        end = where.l3 + 40 + int.from_bytes(data[where.l3 + 4 : where.l3 + 6], "big")
        addresses = data[where.l3 + 8 : where.l3 + 24], data[where.l3 + 24 : where.l3 + 40]
        start = pseudo_header_sum(*addresses, where.protocol, end - l4)
    message = data[l4 : l4 + 2] + b"\0\0" + data[l4 + 4 : end]
    checksum = internet_checksum(message, start)
    return data[: l4 + 2] + checksum.to_bytes(2, "big") + data[l4 + 4 :]
