"""The MPLS label stack (RFC 3032; OpenFlow 1.3.5, 5.12 and 7.2.5).

::

    label (20 bits) | traffic class (3) | bottom of stack (1) | TTL (8)
"""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.layout import ABSENT, LABEL_SIZE, MPLS_TYPES, Layout, layout
from sdnvirt.datapath.rewriting.patch import Rewrite
from sdnvirt.datapath.rewriting.ttl import ip_version_at, ttl_of

_BOTTOM: Final = 1 << 8
_WITHOUT_BOTTOM: Final = 0xFFFFFFFF ^ _BOTTOM


def has_label(data: bytes, where: Layout) -> bool:
    """Whether a frame has a label."""
    return where.ethertype in MPLS_TYPES and len(data) >= where.l3 + LABEL_SIZE


def push_mpls(data: bytes, ethertype: int) -> bytes:
    """Return the frame with a new label before all other tags.

    Label, traffic class and TTL are copied from an outer label. Without one, the TTL is that of
    IP, and all else 0 (5.12.1). The type of what follows is not in an MPLS packet, so the one of
    the frame is lost; who pops the label says it.
    """
    where = layout(data)
    if where.ethertype == ABSENT:
        return data
    entry = _BOTTOM
    if has_label(data, where):
        entry = int.from_bytes(data[where.l3 : where.l3 + LABEL_SIZE], "big") & _WITHOUT_BOTTOM
        if where.vlan != ABSENT:
            entry |= _BOTTOM  # a tag stands between the two
    else:
        entry |= ttl_of(data) or 0
    return data[:12] + ethertype.to_bytes(2, "big") + entry.to_bytes(LABEL_SIZE, "big") + data[14:]


def pop_mpls(data: bytes, ethertype: int) -> bytes:
    """Return the frame without its outermost label, and with the type of what follows."""
    where = layout(data)
    if not has_label(data, where):
        return data
    type_at = where.l3 - 2
    return data[:type_at] + ethertype.to_bytes(2, "big") + data[where.l3 + LABEL_SIZE :]


def payload_type(data: bytes) -> int:
    """Return the type of what follows the outermost label, as far as its bytes tell, else ABSENT.

    That is the type of the frame above the bottom of the stack, and at the bottom the version of
    IP that the first bits say.
    """
    where = layout(data)
    if not has_label(data, where):
        return ABSENT
    at = where.l3 + LABEL_SIZE
    return ip_version_at(data, at) if data[at - 2] & 1 else where.ethertype


def set_bits(keep: int, shift: int) -> Rewrite:
    """Return what sets bits of the outermost label.

    Args:
        keep: the bits that stay as they are.
        shift: how far the value stands from the lowest bit.
    """

    def rewrite(data: bytes, value: int) -> bytes:
        where = layout(data)
        if not has_label(data, where):
            return data
        at = where.l3
        entry = int.from_bytes(data[at : at + LABEL_SIZE], "big") & keep | value << shift
        return data[:at] + entry.to_bytes(LABEL_SIZE, "big") + data[at + LABEL_SIZE :]

    return rewrite


def mpls_ttl_of(data: bytes) -> int | None:
    """Return the TTL of the outermost label, None where there is no label."""
    where = layout(data)
    return data[where.l3 + 3] if has_label(data, where) else None


set_mpls_ttl: Final = set_bits(keep=0xFFFFFF00, shift=0)
"""Returns the frame with another TTL in its outermost label."""
