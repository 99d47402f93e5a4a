"""The match fields of a frame (OpenFlow 1.3.5, 7.2.3.7).

Only the headers that the flow key covers are read, so that frames with equal keys have equal
fields; that is what makes the cache right.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.layout import ABSENT, I_TAG_SIZE, MPLS_TYPES, Layout, layout
from sdnvirt.datapath.neighbour import (
    ADVERTISEMENT,
    SOLICITATION,
    TARGET_AT,
    link_address_at,
)
from sdnvirt.frame import TUNNEL_DST_SHIFT, TUNNEL_ID_MASK, TUNNEL_SRC_SHIFT
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPVID
from sdnvirt.openflow.v13.oxm import OxmField
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.flowkey import KEY_BYTES
from sdnvirt.wire.ipv4 import IpProtocol

Fields = dict[OxmField, int]

_PORTS: Final[dict[int, tuple[OxmField, OxmField]]] = {
    IpProtocol.TCP: (oxm.TCP_SRC, oxm.TCP_DST),
    IpProtocol.UDP: (oxm.UDP_SRC, oxm.UDP_DST),
    IpProtocol.SCTP: (oxm.SCTP_SRC, oxm.SCTP_DST),
}
_ICMP: Final[dict[tuple[int, int], tuple[OxmField, OxmField]]] = {
    (EtherType.IPV4, IpProtocol.ICMP): (oxm.ICMPV4_TYPE, oxm.ICMPV4_CODE),
    (EtherType.IPV6, IpProtocol.ICMPV6): (oxm.ICMPV6_TYPE, oxm.ICMPV6_CODE),
}
_ND_OPTIONS: Final[dict[int, OxmField]] = {
    SOLICITATION: oxm.IPV6_ND_SLL,
    ADVERTISEMENT: oxm.IPV6_ND_TLL,
}

_ETHERNET: Final = (oxm.ETH_DST, oxm.ETH_SRC, oxm.ETH_TYPE, oxm.VLAN_VID, oxm.VLAN_PCP)
_ARP: Final = (oxm.ARP_OP, oxm.ARP_SPA, oxm.ARP_TPA, oxm.ARP_SHA, oxm.ARP_THA)
_MPLS: Final = (oxm.MPLS_LABEL, oxm.MPLS_TC, oxm.MPLS_BOS)
_IP: Final = (
    oxm.IP_DSCP, oxm.IP_ECN, oxm.IP_PROTO, oxm.IPV4_SRC, oxm.IPV4_DST,
    oxm.IPV6_SRC, oxm.IPV6_DST, oxm.IPV6_FLABEL, oxm.IPV6_EXTHDR,
)  # fmt: skip
_NEIGHBOUR: Final = (oxm.IPV6_ND_TARGET, oxm.IPV6_ND_SLL, oxm.IPV6_ND_TLL)

MATCHABLE: Final = frozenset({
    oxm.IN_PORT, oxm.IN_PHY_PORT, oxm.METADATA, oxm.TUNNEL_ID,
    *_ETHERNET, *_ARP, *_MPLS, oxm.PBB_ISID, *_IP, *_NEIGHBOUR,
    *(field for pair in _PORTS.values() for field in pair),
    *(field for pair in _ICMP.values() for field in pair),
})  # fmt: skip
"""The fields that are read here; a match on another is refused, not ignored."""


_BLANK: Final[Fields] = dict.fromkeys(nxm.FIELDS, 0)
"""Registers and the like, which hold 0 until an action writes there."""


TUNNEL_SHIFTS: Final[dict[OxmField, int]] = {
    oxm.TUNNEL_ID: 0,
    nxm.TUN_IPV4_DST: TUNNEL_DST_SHIFT,
    nxm.TUN_IPV4_SRC: TUNNEL_SRC_SHIFT,
}
"""Where fields stand in a frame's tunnel metadata."""


def packet_fields(data: bytes, in_port: int, tunnel: int, metadata: int) -> Fields:
    """Return the fields of a frame, with those of the pipeline.

    A field whose header is absent is left out: no entry that matches on it can match.

    Args:
        data: the frame.
        in_port: number of the port where it arrived.
        tunnel: its tunnel metadata, 0 for none.
        metadata: the pipeline's metadata register.
    """
    head = data[:KEY_BYTES]
    where = layout(head)
    fields: Fields = {
        **_BLANK,
        oxm.IN_PORT: in_port,
        oxm.IN_PHY_PORT: in_port,
        oxm.METADATA: metadata,
        oxm.TUNNEL_ID: tunnel & TUNNEL_ID_MASK,
    }
    if tunnel >> TUNNEL_DST_SHIFT:
        for field in (nxm.TUN_IPV4_SRC, nxm.TUN_IPV4_DST):
            fields[field] = tunnel >> TUNNEL_SHIFTS[field] & field.limit
    if where.ethertype == ABSENT:
        return fields
    fields[oxm.ETH_DST] = int.from_bytes(head[:6], "big")
    fields[oxm.ETH_SRC] = int.from_bytes(head[6:12], "big")
    fields[oxm.ETH_TYPE] = where.ethertype
    if where.vlan == ABSENT:
        fields[oxm.VLAN_VID] = OFPVID.NONE.value
    else:
        tci = head[where.vlan] << 8 | head[where.vlan + 1]
        fields[oxm.VLAN_VID] = tci & 0x0FFF | OFPVID.PRESENT.value
        fields[oxm.VLAN_PCP] = tci >> 13
    if where.protocol != ABSENT:
        _add_ip(fields, head, where)
    elif where.ethertype == EtherType.ARP:
        _add_arp(fields, head, where.l3)
    elif where.ethertype in MPLS_TYPES:
        _add_mpls(fields, head, where.l3)
    elif where.ethertype == EtherType.PBB and len(head) >= where.l3 + I_TAG_SIZE:
        fields[oxm.PBB_ISID] = int.from_bytes(head[where.l3 + 1 : where.l3 + 4], "big")
    return fields


def _add_arp(fields: Fields, head: bytes, l3: int) -> None:
    """Add the fields of an Ethernet/IPv4 ARP packet."""
    if len(head) < l3 + 28:
        return
    fields[oxm.ARP_OP] = int.from_bytes(head[l3 + 6 : l3 + 8], "big")
    fields[oxm.ARP_SHA] = int.from_bytes(head[l3 + 8 : l3 + 14], "big")
    fields[oxm.ARP_SPA] = int.from_bytes(head[l3 + 14 : l3 + 18], "big")
    fields[oxm.ARP_THA] = int.from_bytes(head[l3 + 18 : l3 + 24], "big")
    fields[oxm.ARP_TPA] = int.from_bytes(head[l3 + 24 : l3 + 28], "big")


def _add_mpls(fields: Fields, head: bytes, l3: int) -> None:
    """Add the fields of the outermost MPLS label (RFC 3032, 2.1)."""
    if len(head) < l3 + 4:
        return
    entry = int.from_bytes(head[l3 : l3 + 4], "big")
    fields[oxm.MPLS_LABEL] = entry >> 12
    fields[oxm.MPLS_TC] = entry >> 9 & 7
    fields[oxm.MPLS_BOS] = entry >> 8 & 1


def _add_ip(fields: Fields, head: bytes, where: Layout) -> None:
    """Add the fields of an IPv4 or IPv6 packet and of its transport header."""
    l3 = where.l3
    if where.ethertype == EtherType.IPV4:
        traffic_class = head[l3 + 1]
        fields[oxm.IPV4_SRC] = int.from_bytes(head[l3 + 12 : l3 + 16], "big")
        fields[oxm.IPV4_DST] = int.from_bytes(head[l3 + 16 : l3 + 20], "big")
    else:
        traffic_class = (head[l3] << 4 | head[l3 + 1] >> 4) & 0xFF
        fields[oxm.IPV6_FLABEL] = int.from_bytes(head[l3 + 1 : l3 + 4], "big") & 0xFFFFF
        fields[oxm.IPV6_SRC] = int.from_bytes(head[l3 + 8 : l3 + 24], "big")
        fields[oxm.IPV6_DST] = int.from_bytes(head[l3 + 24 : l3 + 40], "big")
        fields[oxm.IPV6_EXTHDR] = where.extensions
    fields[oxm.IP_DSCP] = traffic_class >> 2
    fields[oxm.IP_ECN] = traffic_class & 3
    fields[oxm.IP_PROTO] = where.protocol
    l4 = where.l4
    if l4 == ABSENT:
        return
    ports = _PORTS.get(where.protocol)
    if ports is not None:
        fields[ports[0]] = head[l4] << 8 | head[l4 + 1]
        fields[ports[1]] = head[l4 + 2] << 8 | head[l4 + 3]
        return
    icmp = _ICMP.get((where.ethertype, where.protocol))
    if icmp is not None:
        fields[icmp[0]] = head[l4]
        fields[icmp[1]] = head[l4 + 1]
        if where.protocol == IpProtocol.ICMPV6 and head[l4] in _ND_OPTIONS:
            _add_neighbour(fields, head, where)


def _add_neighbour(fields: Fields, head: bytes, where: Layout) -> None:
    """Add the target and the link-layer address of neighbour discovery (RFC 4861, 4.3, 4.4)."""
    at = where.l4 + TARGET_AT
    if len(head) >= at + 16:
        fields[oxm.IPV6_ND_TARGET] = int.from_bytes(head[at : at + 16], "big")
    field = _ND_OPTIONS[head[where.l4]]
    at = link_address_at(head, where)
    if at != ABSENT:
        fields[field] = int.from_bytes(head[at : at + 6], "big")
