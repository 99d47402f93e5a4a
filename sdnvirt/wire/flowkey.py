"""The flow key: those bytes of a frame's headers that say which flow it belongs to.

Two frames with equal keys look the same to a flow table: they agree in shape (tags, header
lengths, protocols, fragment state) and in every field that a match can test or an action can
depend on. Frames of one flow that differ in lengths, identifications, checksums, sequence numbers
or payload have the same key. The key is bytes cut from the frame: cheap to make, hashed once, and
carried by the frame from switch to switch.

The usual shapes have keys of their own, each with a length that its first bytes determine:

==========================  ======================================================
ARP                         the first 42 bytes
IPv4 without options, not   Ethernet to DSCP/ECN, TTL and protocol, addresses, and the ports of
a fragment                  TCP, UDP and SCTP or the type and code of ICMP
IPv6 without extensions     Ethernet to flow label, next header and hop limit, addresses, ports
                            of TCP, UDP and SCTP
one 802.1Q tag before those the tag, then the same
==========================  ======================================================

Any other frame's key is its first KEY_BYTES bytes and its length: more particular than needed
(fewer frames share it), never less. It is longer than the key of any usual shape, so keys of
different shapes cannot be equal.
"""

from __future__ import annotations

from typing import Final

KEY_BYTES: Final = 128
"""Bytes of an unusual frame that make its key; as deep as :mod:`sdnvirt.datapath.fields` reads."""

_ARP: Final = b"\x08\x06"
_IPV4: Final = b"\x08\x00\x45"
_IPV6: Final = b"\x86\xdd"
_VLAN: Final = b"\x81\x00"

_TCP: Final = 6
_UDP: Final = 17
_SCTP: Final = 132
_ICMP: Final = 1
_WITH_PORTS: Final = frozenset({_TCP, _UDP, _SCTP})

_TUNNEL_BYTES: Final = 8


def flow_key(data: bytes, tunnel_id: int = 0) -> bytes:
    """Return the flow key of a frame.

    Args:
        data: the frame from the destination MAC address on, of any length.
        tunnel_id: tunnel metadata of the frame, 0 for none.
    """
    if data[12:15] == _IPV4 and len(data) >= 38 and not (data[20] & 0x3F or data[21]):
        protocol = data[23]
        if protocol in _WITH_PORTS:
            key = data[:16] + data[22:24] + data[26:38]
        elif protocol == _ICMP:
            key = data[:16] + data[22:24] + data[26:36]
        else:
            key = data[:16] + data[22:24] + data[26:34]
    elif data[12:14] == _VLAN:
        key = _tagged_key(data)
    else:
        key = _other_key(data, 12)
    if tunnel_id:
        return key + tunnel_id.to_bytes(_TUNNEL_BYTES, "big")
    return key


def _tagged_key(data: bytes) -> bytes:
    """Return the key of a frame with an 802.1Q tag."""
    if data[16:19] == _IPV4 and len(data) >= 42 and not (data[24] & 0x3F or data[25]):
        protocol = data[27]
        if protocol in _WITH_PORTS:
            return data[:20] + data[26:28] + data[30:42]
        if protocol == _ICMP:
            return data[:20] + data[26:28] + data[30:40]
        return data[:20] + data[26:28] + data[30:38]
    return _other_key(data, 16)


def _other_key(data: bytes, at: int) -> bytes:
    """Return the key of a frame whose EtherType at ``at`` is not that of plain IPv4."""
    ethertype = data[at : at + 2]
    if ethertype == _ARP and len(data) >= at + 30:
        return data[: at + 30]
    if ethertype == _IPV6 and len(data) >= at + 46:
        ip = at + 2
        if data[ip + 6] in _WITH_PORTS and data[ip] >> 4 == 6:
            return data[: ip + 4] + data[ip + 6 : ip + 44]
    # Padding makes it longer than any key above, tunnel id included.
    return data[:KEY_BYTES].ljust(KEY_BYTES, b"\0") + len(data).to_bytes(4, "big")
