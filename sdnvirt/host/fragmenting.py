"""Cutting an IPv4 packet, as senders and routers do (RFC 791, 2.3 and 3.2)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sdnvirt.wire.ipv4 import HEADER_LENGTH, Ipv4Packet
from sdnvirt.wire.ipv4_options import options_of_fragments

FRAGMENT_UNIT: Final = 8
"""All fragments but the last carry a multiple of 8 bytes, in both versions of IP."""


def cut_packet(packet: Ipv4Packet, mtu: int) -> list[bytes]:
    """Return the fragments of a packet, or of a fragment, in order.

    Args:
        packet: the packet; routers may cut it.
        mtu: bytes of the largest fragment, at least 68.

    Raises:
        MalformedError: its options are.
    """
    assert not packet.dont_fragment, "the packet must not be cut"
    later = replace(packet, options=options_of_fragments(packet.options))
    pieces: list[bytes] = []
    at = 0
    while at < len(packet.payload):
        source = packet if at == 0 else later
        room = (mtu - HEADER_LENGTH - len(source.options)) // FRAGMENT_UNIT * FRAGMENT_UNIT
        last = at + room >= len(packet.payload)
        piece = replace(
            source, payload=packet.payload[at : at + room],
            fragment_offset=packet.fragment_offset + at,
            more_fragments=packet.more_fragments or not last,
        )  # fmt: skip
        pieces.append(piece.emit())
        at += room
    return pieces
