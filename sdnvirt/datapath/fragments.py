"""IP fragments, for switches that are set to drop them (OpenFlow 1.3.5, 7.3.2)."""

from __future__ import annotations

from sdnvirt.datapath.layout import ABSENT, layout
from sdnvirt.openflow.v13.constants import OFPIEH
from sdnvirt.wire.ethernet import EtherType


def is_fragment(data: bytes) -> bool:
    """Whether a frame carries a piece of an IP packet, the first one included."""
    where = layout(data)
    if where.protocol == ABSENT:
        return False
    if where.ethertype == EtherType.IPV4:
        return bool(data[where.l3 + 6] & 0x3F or data[where.l3 + 7])  # MF, or an offset
    return bool(where.extensions & OFPIEH.FRAG)
