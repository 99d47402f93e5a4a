"""Where the headers of a frame stand.

Both the reading of match fields and the rewriting of packets ask this. A header that is cut short
counts as absent, so offsets never reach past the end, whatever the bytes are.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sdnvirt.datapath.extensions import EXTENSIONS, walk_extensions
from sdnvirt.wire.ethernet import MIN_ETHERTYPE, EtherType
from sdnvirt.wire.ipv4 import IpProtocol

ABSENT: Final = -1

TAGS_LIMIT: Final = 8
"""VLAN tags that are walked over; more in one frame is an attack, and ends the parse."""

NO_TYPE: Final = 0x05FF
"""The type of frames that have a length and no type (OpenFlow 1.0.0, 3.3, table 3)."""

_SNAP: Final = bytes.fromhex("aaaa03000000")
"""LLC and SNAP headers of frames that have a type behind them (RFC 1042)."""

VLAN_TYPES: Final = (EtherType.VLAN, EtherType.QINQ)
MPLS_TYPES: Final = (EtherType.MPLS, EtherType.MPLS_MULTICAST)
IP_TYPES: Final = (EtherType.IPV4, EtherType.IPV6)

LABEL_SIZE: Final = 4
"""Bytes of an entry of the MPLS label stack (RFC 3032, 2.1)."""

I_TAG_SIZE: Final = 4
"""Bytes of a backbone service instance tag's control information (IEEE 802.1Q, 9.7)."""

IP_IN_IP: Final[dict[int, EtherType]] = {4: EtherType.IPV4, 41: EtherType.IPV6}
"""What protocols that encapsulate IP carry (RFC 2003, RFC 2473)."""

_READ: Final[frozenset[int]] = frozenset(
    {
        IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP, IpProtocol.ICMP, IpProtocol.ICMPV6,
        *IP_IN_IP,
    }
)  # fmt: skip
_READ_SIZE: Final = 4
"""Bytes of a transport header that a match can test: two ports, or a type, a code and more."""


class Layout(NamedTuple):
    """Offsets of headers in a frame; ABSENT for those it does not have.

    Attributes:
        vlan: the outermost VLAN tag's control information.
        ethertype: the type of the payload behind all VLAN tags; NO_TYPE for frames of 802.3 that
            have a length instead, and ABSENT where there is neither.
        l3: the first byte behind that type.
        protocol: the IP protocol (IPv6: behind extension headers), or ABSENT.
        protocol_at: where its number stands.
        l4: the transport header, or the IP header that is encapsulated; ABSENT in a fragment that
            does not begin it.
        extensions: OFPIEH of an IPv6 packet's extension headers.
        fragment: whether other fragments follow, so that this is not all of the payload.
        routed: whether an IPv6 routing header names the destination that checksums are about.
    """

    vlan: int
    ethertype: int
    l3: int
    protocol: int = ABSENT
    protocol_at: int = ABSENT
    l4: int = ABSENT
    extensions: int = 0
    fragment: bool = False
    routed: bool = False


_NOTHING: Final = Layout(ABSENT, ABSENT, ABSENT)


def layout(data: bytes) -> Layout:
    """Return where the headers of a frame stand."""
    size = len(data)
    if size < 14:
        return _NOTHING
    vlan = ABSENT
    at = 12
    ethertype = data[12] << 8 | data[13]
    for _ in range(TAGS_LIMIT):
        if ethertype not in VLAN_TYPES or size < at + 6:
            break
        if vlan == ABSENT:
            vlan = at + 2
        at += 4
        ethertype = data[at] << 8 | data[at + 1]
    if ethertype < MIN_ETHERTYPE:
        ethertype, at = _llc_type(data, at)
    return network_layout(data, ethertype, at + 2, vlan)


def _llc_type(data: bytes, at: int) -> tuple[int, int]:
    """Return the type of a frame whose length stands at an offset, and where the type stands.

    Of frames without a type only OpenFlow 1.0 and 1.1 speak; this is what they say, which 1.3 does
    not contradict.
    """
    if data[at + 2 : at + 2 + len(_SNAP)] == _SNAP and len(data) >= at + 10:
        at += 2 + len(_SNAP)
        return data[at] << 8 | data[at + 1], at
    return NO_TYPE, at


def network_layout(data: bytes, ethertype: int, l3: int, vlan: int = ABSENT) -> Layout:
    """Return where the headers stand from a network header on, given its type and its place."""
    if ethertype == EtherType.IPV4:
        return _ipv4(data, l3, vlan)
    if ethertype == EtherType.IPV6:
        return _ipv6(data, l3, vlan)
    return Layout(vlan, ethertype, l3)


def _ipv4(data: bytes, l3: int, vlan: int) -> Layout:
    ethertype = EtherType.IPV4.value
    if len(data) < l3 + 20 or data[l3] >> 4 != 4 or data[l3] & 0x0F < 5:
        return Layout(vlan, ethertype, l3)
    protocol = data[l3 + 9]
    more = bool(data[l3 + 6] & 0x20)
    l4 = ABSENT
    if not (data[l3 + 6] & 0x1F or data[l3 + 7]):
        l4 = _read(data, l3 + (data[l3] & 0x0F) * 4, protocol)
    return Layout(vlan, ethertype, l3, protocol, l3 + 9, l4, 0, more)


def _ipv6(data: bytes, l3: int, vlan: int) -> Layout:
    ethertype = EtherType.IPV6.value
    if len(data) < l3 + 40 or data[l3] >> 4 != 6:
        return Layout(vlan, ethertype, l3)
    protocol = data[l3 + 6]
    if protocol not in EXTENSIONS:
        return Layout(vlan, ethertype, l3, protocol, l3 + 6, _read(data, l3 + 40, protocol))
    chain = walk_extensions(data, l3)
    l4 = ABSENT if chain.offset else _read(data, chain.upper, chain.protocol)
    return Layout(
        vlan, ethertype, l3, chain.protocol, chain.protocol_at, l4,
        chain.bits, chain.more, chain.routed,
    )  # fmt: skip


def _read(data: bytes, at: int, protocol: int) -> int:
    """Return ``at`` if the fields that a match can test are there, else ABSENT."""
    return at if protocol in _READ and len(data) >= at + _READ_SIZE else ABSENT
