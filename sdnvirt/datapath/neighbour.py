"""Neighbour discovery, as far as OpenFlow matches on it (RFC 4861, 4.3, 4.4 and 4.6.1)."""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.layout import ABSENT, Layout

SOLICITATION: Final = 135
ADVERTISEMENT: Final = 136

TARGET_AT: Final = 8
"""Where the target's address stands in both messages."""

_OPTIONS_AT: Final = 24
_LINK_ADDRESS: Final[dict[int, int]] = {SOLICITATION: 1, ADVERTISEMENT: 2}
"""The option that a match can test: the source's link-layer address, or the target's."""
_OPTION_SIZE: Final = 8

OPTIONS_LIMIT: Final = 8
"""Options that are looked through; messages have one or two."""


def link_address_at(data: bytes, where: Layout) -> int:
    """Return where the link-layer address of a solicitation or advertisement stands, or ABSENT.

    Args:
        data: the frame.
        where: its layout, with an ICMPv6 header.
    """
    wanted = _LINK_ADDRESS.get(data[where.l4])
    payload_length = data[where.l3 + 4] << 8 | data[where.l3 + 5]
    end = min(len(data), where.l3 + 40 + payload_length)
    at = where.l4 + _OPTIONS_AT
    for _ in range(OPTIONS_LIMIT):
        if at + _OPTION_SIZE > end:
            break
        kind, length = data[at], _OPTION_SIZE * data[at + 1]
        if kind == wanted:
            return at + 2 if length == _OPTION_SIZE else ABSENT
        if not length:
            break  # RFC 4861, 4.6: such a message is to be discarded
        at += length
    return ABSENT
