"""How each settable field is set in a packet (OpenFlow 1.3.5, 7.2.5)."""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.neighbour import ADVERTISEMENT, SOLICITATION
from sdnvirt.datapath.rewriting import ethernet, ip, mpls, pbb
from sdnvirt.datapath.rewriting.patch import Rewrite
from sdnvirt.datapath.rewriting.resolution import set_arp, set_link_address, set_target
from sdnvirt.datapath.rewriting.transport import set_icmp, set_port
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.oxm import OxmField
from sdnvirt.wire.ethernet import EtherType
from sdnvirt.wire.ipv4 import IpProtocol

SETTERS: Final[dict[OxmField, Rewrite]] = {
    oxm.ETH_DST: ethernet.set_address(0),
    oxm.ETH_SRC: ethernet.set_address(6),
    oxm.ETH_TYPE: ethernet.set_type,
    oxm.VLAN_VID: ethernet.set_tag(keep=0xF000, shift=0),
    oxm.VLAN_PCP: ethernet.set_tag(keep=0x1FFF, shift=13),
    oxm.MPLS_LABEL: mpls.set_bits(keep=0x00000FFF, shift=12),
    oxm.MPLS_TC: mpls.set_bits(keep=0xFFFFF1FF, shift=9),
    oxm.MPLS_BOS: mpls.set_bits(keep=0xFFFFFEFF, shift=8),
    oxm.PBB_ISID: pbb.set_service,
    oxm.ARP_OP: set_arp(6, 2),
    oxm.ARP_SHA: set_arp(8, 6),
    oxm.ARP_SPA: set_arp(14, 4),
    oxm.ARP_THA: set_arp(18, 6),
    oxm.ARP_TPA: set_arp(24, 4),
    oxm.IP_DSCP: ip.set_traffic_class(keep=0x03, shift=2),
    oxm.IP_ECN: ip.set_traffic_class(keep=0xFC, shift=0),
    oxm.IP_PROTO: ip.set_protocol,
    oxm.IPV4_SRC: ip.set_address(EtherType.IPV4, 12, 4),
    oxm.IPV4_DST: ip.set_address(EtherType.IPV4, 16, 4),
    oxm.IPV6_SRC: ip.set_address(EtherType.IPV6, 8, 16),
    oxm.IPV6_DST: ip.set_ipv6_destination,
    oxm.IPV6_FLABEL: ip.set_flow_label,
    oxm.TCP_SRC: set_port(IpProtocol.TCP, 0),
    oxm.TCP_DST: set_port(IpProtocol.TCP, 2),
    oxm.UDP_SRC: set_port(IpProtocol.UDP, 0),
    oxm.UDP_DST: set_port(IpProtocol.UDP, 2),
    oxm.SCTP_SRC: set_port(IpProtocol.SCTP, 0),
    oxm.SCTP_DST: set_port(IpProtocol.SCTP, 2),
    oxm.ICMPV4_TYPE: set_icmp(EtherType.IPV4, 0),
    oxm.ICMPV4_CODE: set_icmp(EtherType.IPV4, 1),
    oxm.ICMPV6_TYPE: set_icmp(EtherType.IPV6, 0),
    oxm.ICMPV6_CODE: set_icmp(EtherType.IPV6, 1),
    oxm.IPV6_ND_TARGET: set_target,
    oxm.IPV6_ND_SLL: set_link_address(SOLICITATION),
    oxm.IPV6_ND_TLL: set_link_address(ADVERTISEMENT),
}
"""A set-field of another is refused, not ignored. Left out are the fields of the pipeline, as the
specification says, and IPV6_EXTHDR, which says what headers there are and is none itself."""
