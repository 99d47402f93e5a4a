"""Ethernet headers and VLAN tags (IEEE 802.3, 802.1Q; OpenFlow 1.3.5, 5.12)."""

from __future__ import annotations

from sdnvirt.datapath.layout import ABSENT, layout
from sdnvirt.datapath.rewriting.patch import Rewrite


def set_address(at: int) -> Rewrite:
    """Return what sets the address at an offset."""

    def rewrite(data: bytes, value: int) -> bytes:
        return data if len(data) < 14 else data[:at] + value.to_bytes(6, "big") + data[at + 6 :]

    return rewrite


def set_type(data: bytes, value: int) -> bytes:
    """Return the frame with another type behind its VLAN tags; what follows stays as it is."""
    where = layout(data)
    if where.ethertype == ABSENT:
        return data
    return data[: where.l3 - 2] + value.to_bytes(2, "big") + data[where.l3 :]


def push_vlan(data: bytes, tpid: int) -> bytes:
    """Return the frame with a new outermost tag; VLAN and priority are copied from an outer one.

    OpenFlow 1.3.5, table 7: pushed fields take the values of existing ones, or 0. The drop
    eligible indicator is not among those that are copied.
    """
    where = layout(data)
    if where.ethertype == ABSENT:
        return data
    tci = b"\0\0"
    if where.vlan != ABSENT:
        tci = bytes((data[where.vlan] & 0xEF, data[where.vlan + 1]))
    return data[:12] + tpid.to_bytes(2, "big") + tci + data[12:]


def pop_vlan(data: bytes, _: int) -> bytes:
    """Return the frame without its outermost tag."""
    return data if layout(data).vlan == ABSENT else data[:12] + data[16:]


def set_tag(keep: int, shift: int) -> Rewrite:
    """Return what sets bits of the outermost tag's control information.

    Args:
        keep: the bits that stay as they are.
        shift: how far the value stands from the lowest bit.
    """

    def rewrite(data: bytes, value: int) -> bytes:
        at = layout(data).vlan
        if at == ABSENT:
            return data
        tci = (data[at] << 8 | data[at + 1]) & keep | (value << shift) & ~keep & 0xFFFF
        return data[:at] + tci.to_bytes(2, "big") + data[at + 2 :]

    return rewrite
