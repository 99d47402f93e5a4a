"""The flow key: those bytes of a frame's headers that say which flow it belongs to.

Two frames with equal keys look the same to a flow table: they agree in shape (tags, header
lengths, protocols, fragment state) and in every field that a match can test or an action can
depend on. Frames of one flow that differ in lengths, identifications, checksums, sequence numbers
or payload have the same key. The key is bytes cut from the frame: cheap to make, hashed once, and
carried by the frame from switch to switch.

The usual shapes have keys of their own, each with a length that its first bytes determine:

==========================  ======================================================
ARP                         Ethernet and the 28 bytes behind it
IPv4 without options, not   Ethernet to DSCP/ECN, TTL and protocol, addresses, and the ports of
a fragment                  TCP, UDP and SCTP or the type and code of ICMP
IPv6 without extensions     Ethernet to flow label, next header and hop limit, addresses, ports
                            of TCP, UDP and SCTP or the type and code of ICMPv6 (but for
                            neighbour discovery, of which a match can test more)
one or two VLAN tags        the tags, then one of the above or below
MPLS                        up to three labels, then IP as above
PBB                         the backbone header, then the key of the customer's frame
==========================  ======================================================

Any other frame's key is its :func:`deep_key`, its first KEY_BYTES bytes and its length: more
particular than needed (fewer frames share it), never less. It is longer than the key of any usual
shape, so keys of different shapes cannot be equal.
"""

from __future__ import annotations

from typing import Final

KEY_BYTES: Final = 128
"""Bytes of an unusual frame that make its key; as deep as :mod:`sdnvirt.datapath.fields` reads."""

_ARP: Final = b"\x08\x06"
_IPV4: Final = b"\x08\x00\x45"
_IPV4_TYPE: Final = b"\x08\x00"
_IPV6_TYPE: Final = b"\x86\xdd"

_VLAN: Final = b"\x81\x00"
_VLAN_TYPES: Final = frozenset({_VLAN, b"\x88\xa8"})
_MPLS_TYPES: Final = frozenset({b"\x88\x47", b"\x88\x48"})
_PBB: Final = b"\x88\xe7"

_TCP: Final = 6
_UDP: Final = 17
_SCTP: Final = 132
_ICMP: Final = 1
_ICMPV6: Final = 58
_WITH_PORTS: Final = frozenset({_TCP, _UDP, _SCTP})
_NEIGHBOUR_DISCOVERY: Final = (135, 136)

_LABELS: Final = 3
"""MPLS labels of a usual frame: transport, service, and one more."""

_TUNNEL_ID_BYTES: Final = 8
_TUNNEL_BYTES: Final = 16


def flow_key(data: bytes, tunnel: int = 0) -> bytes:
    """Return the flow key of a frame.

    Args:
        data: the frame from the destination MAC address on, of any length.
        tunnel: tunnel metadata of the frame, 0 for none.
    """
    if data[12:15] == _IPV4 and len(data) >= 38 and not (data[20] & 0x3F or data[21]):
        protocol = data[23]
        if protocol in _WITH_PORTS:
            key = data[:16] + data[22:24] + data[26:38]
        elif protocol == _ICMP:
            key = data[:16] + data[22:24] + data[26:36]
        else:
            key = data[:16] + data[22:24] + data[26:34]
    elif data[16:19] == _IPV4 and data[12:14] == _VLAN:
        key = _ipv4_key(data, 18) or deep_key(data)
    else:
        key = _usual_key(data) or deep_key(data)
    return key + _tunnel_key(tunnel) if tunnel else key


def deep_key(data: bytes, tunnel: int = 0) -> bytes:
    """Return the key of a frame that leaves out nothing of its first KEY_BYTES bytes.

    Args:
        data: the frame, of any length.
        tunnel: tunnel metadata of the frame, 0 for none.
    """
    # Padding makes it longer than any key of a usual shape, tunnel metadata included.
    key = data[:KEY_BYTES].ljust(KEY_BYTES, b"\0") + len(data).to_bytes(4, "big")
    return key + _tunnel_key(tunnel) if tunnel else key


def _tunnel_key(tunnel: int) -> bytes:
    """Return tunnel metadata as the end of a key; by its length it is told from none and others."""
    size = _TUNNEL_BYTES if tunnel >> 8 * _TUNNEL_ID_BYTES else _TUNNEL_ID_BYTES
    return tunnel.to_bytes(size, "big")


def _usual_key(data: bytes) -> bytes | None:
    """Return the key of a frame of a usual shape that is not plain IPv4, or else None."""
    ethertype, at = data[12:14], 14
    if ethertype in _VLAN_TYPES:
        ethertype, at = data[16:18], 18
        if ethertype in _VLAN_TYPES:
            ethertype, at = data[20:22], 22
    if ethertype == _IPV4_TYPE:
        return _ipv4_key(data, at)
    if ethertype == _IPV6_TYPE:
        return _ipv6_key(data, at)
    if ethertype == _ARP:
        return data[: at + 28] if len(data) >= at + 28 else None
    if ethertype in _MPLS_TYPES:
        return _mpls_key(data, at)
    if ethertype == _PBB:
        return _customer_key(data, at)
    return None


def _ipv4_key(data: bytes, ip: int) -> bytes | None:
    """Return the key of a frame whose IPv4 header is at ``ip``."""
    if len(data) < ip + 24 or data[ip] != 0x45 or data[ip + 6] & 0x3F or data[ip + 7]:
        return None
    protocol = data[ip + 9]
    if protocol in _WITH_PORTS:
        return data[: ip + 2] + data[ip + 8 : ip + 10] + data[ip + 12 : ip + 24]
    if protocol == _ICMP:
        return data[: ip + 2] + data[ip + 8 : ip + 10] + data[ip + 12 : ip + 22]
    return data[: ip + 2] + data[ip + 8 : ip + 10] + data[ip + 12 : ip + 20]


def _ipv6_key(data: bytes, ip: int) -> bytes | None:
    """Return the key of a frame whose IPv6 header is at ``ip``."""
    if len(data) < ip + 44 or data[ip] >> 4 != 6:
        return None
    protocol = data[ip + 6]
    if protocol in _WITH_PORTS:
        return data[: ip + 4] + data[ip + 6 : ip + 44]
    if protocol == _ICMPV6 and data[ip + 40] not in _NEIGHBOUR_DISCOVERY:
        return data[: ip + 4] + data[ip + 6 : ip + 42]
    return None


def _mpls_key(data: bytes, at: int) -> bytes | None:
    """Return the key of a frame whose first MPLS label is at ``at``, if they lead to IP."""
    for _ in range(_LABELS):
        at += 4
        if len(data) <= at:
            return None
        if data[at - 2] & 1:
            break
    else:
        return None
    version = data[at] >> 4
    if version == 4:
        return _ipv4_key(data, at)
    return _ipv6_key(data, at) if version == 6 else None


def _customer_key(data: bytes, at: int) -> bytes | None:
    """Return the key of a frame in a backbone frame, whose service tag is at ``at``."""
    customer = data[at + 4 :]
    if len(customer) < 14 or customer[12:14] == _PBB:
        return None
    key = _usual_key(customer)
    return None if key is None else data[: at + 4] + key
