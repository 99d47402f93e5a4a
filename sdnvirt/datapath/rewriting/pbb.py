"""Provider backbone bridging, MAC in MAC (IEEE 802.1Q, 9.7; OpenFlow 1.3.5, 5.12 and 7.2.5).

::

    B-DA  B-SA  [B-TAG]  0x88e7  I-TAG  C-DA  C-SA  what followed the frame's addresses
    I-TAG: priority (3 bits) | drop eligible (1) | use C-A (1) | reserved (3) | I-SID (24)
"""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.layout import ABSENT, I_TAG_SIZE, Layout, layout
from sdnvirt.wire.ethernet import EtherType

_ADDRESSES: Final = 12
_TYPE: Final = EtherType.PBB.to_bytes(2, "big")


def _has_tag(data: bytes, where: Layout) -> bool:
    return where.ethertype == EtherType.PBB and len(data) >= where.l3 + I_TAG_SIZE


def push_pbb(data: bytes, _: int) -> bytes:
    """Return the frame in a backbone frame with the same addresses.

    The service is copied from an outer I-TAG and the priority from an outer VLAN tag (table 7);
    the rest of the new tag is 0.
    """
    where = layout(data)
    if where.ethertype == ABSENT:
        return data
    service = b"\0\0\0"
    if _has_tag(data, where):
        service = data[where.l3 + 1 : where.l3 + I_TAG_SIZE]
    priority = 0 if where.vlan == ABSENT else data[where.vlan] & 0xE0
    return data[:_ADDRESSES] + _TYPE + bytes((priority,)) + service + data


def pop_pbb(data: bytes, _: int) -> bytes:
    """Return the frame out of its backbone frame; backbone VLAN tags stay on it (7.2.5)."""
    where = layout(data)
    customer = where.l3 + I_TAG_SIZE
    if not _has_tag(data, where) or len(data) < customer + _ADDRESSES + 2:
        return data
    behind = customer + _ADDRESSES
    return data[customer:behind] + data[_ADDRESSES : where.l3 - 2] + data[behind:]


def set_service(data: bytes, value: int) -> bytes:
    """Return the frame with another backbone service instance (I-SID)."""
    where = layout(data)
    if not _has_tag(data, where):
        return data
    end = where.l3 + I_TAG_SIZE
    return data[: where.l3 + 1] + value.to_bytes(3, "big") + data[end:]
