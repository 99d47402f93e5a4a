"""Matches: which fields apply, and what they are called in OpenFlow 1.3.

OpenFlow 1.0.0, 3.4 and 5.2.3 (table 3). A field counts only if the match says that packets have
it: network fields need a dl_type, tp_src and tp_dst also a nw_proto; others are ignored. Beyond
the specification, nw_tos, nw_proto and the tp fields also apply to IPv6, and the tp fields to SCTP
and ICMPv6, as in Open vSwitch: to ignore them would match packets that nobody asked for.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.openflow.v10.constants import OFPFW, VLAN_NONE
from sdnvirt.openflow.v10.match import Match
from sdnvirt.openflow.v10.translate.ports import port_to_v10, port_to_v13
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPVID
from sdnvirt.openflow.v13.match import Match as Match13
from sdnvirt.openflow.v13.match import OxmMatch
from sdnvirt.openflow.v13.oxm import OxmField

_IPV4: Final = 0x0800
_ARP: Final = 0x0806
_IPV6: Final = 0x86DD
_IP: Final = (_IPV4, _IPV6)

_ADDRESSES: Final[dict[int, tuple[OxmField, OxmField]]] = {
    _IPV4: (oxm.IPV4_SRC, oxm.IPV4_DST),
    _ARP: (oxm.ARP_SPA, oxm.ARP_TPA),
}
"""What nw_src and nw_dst are, for each dl_type that has them."""

_ADDRESS_NAMES: Final[dict[OxmField, str]] = {
    field: name
    for fields in _ADDRESSES.values()
    for field, name in zip(fields, ("nw_src", "nw_dst"), strict=True)
}

_PROTOCOL: Final[dict[int, OxmField]] = {
    _IPV4: oxm.IP_PROTO,
    _IPV6: oxm.IP_PROTO,
    _ARP: oxm.ARP_OP,
}
"""What nw_proto is, for each dl_type that has it."""

_TRANSPORT: Final[dict[tuple[int, int], tuple[OxmField, OxmField]]] = {
    **{(ip, 6): (oxm.TCP_SRC, oxm.TCP_DST) for ip in _IP},
    **{(ip, 17): (oxm.UDP_SRC, oxm.UDP_DST) for ip in _IP},
    **{(ip, 132): (oxm.SCTP_SRC, oxm.SCTP_DST) for ip in _IP},
    (_IPV4, 1): (oxm.ICMPV4_TYPE, oxm.ICMPV4_CODE),
    (_IPV6, 58): (oxm.ICMPV6_TYPE, oxm.ICMPV6_CODE),
}
"""What tp_src and tp_dst are, for each dl_type and nw_proto that have them."""

_VID_BITS: Final = 0xFFF
_PCP_BITS: Final = 7
_OCTET: Final = 0xFF
_ADDRESS_BITS: Final = 32


def match_to_v13(match: Match) -> Match13:
    """Return the match in which the fields that apply are OXM fields.

    Of values too long for their field the low bits count (table 3); a priority without a VLAN is
    that of any tag.
    """
    found: list[OxmMatch] = []
    if match.tests(OFPFW.IN_PORT):
        found.append(OxmMatch(oxm.IN_PORT, port_to_v13(match.in_port)))
    if match.tests(OFPFW.DL_SRC):
        found.append(OxmMatch(oxm.ETH_SRC, int.from_bytes(match.dl_src, "big")))
    if match.tests(OFPFW.DL_DST):
        found.append(OxmMatch(oxm.ETH_DST, int.from_bytes(match.dl_dst, "big")))
    found += _vlan_to_v13(match)
    if match.tests(OFPFW.DL_TYPE):
        found.append(OxmMatch(oxm.ETH_TYPE, match.dl_type))
        found += _network_to_v13(match)
    return Match13(tuple(sorted(found)))


def _vlan_to_v13(match: Match) -> list[OxmMatch]:
    found = []
    if match.tests(OFPFW.DL_VLAN):
        if match.dl_vlan == VLAN_NONE:
            return [OxmMatch(oxm.VLAN_VID, OFPVID.NONE.value)]
        vid = match.dl_vlan & _VID_BITS | OFPVID.PRESENT.value
        found.append(OxmMatch(oxm.VLAN_VID, vid))
    if match.tests(OFPFW.DL_VLAN_PCP):
        if not found:
            found.append(OxmMatch(oxm.VLAN_VID, OFPVID.PRESENT.value, OFPVID.PRESENT.value))
        found.append(OxmMatch(oxm.VLAN_PCP, match.dl_vlan_pcp & _PCP_BITS))
    return found


def _network_to_v13(match: Match) -> list[OxmMatch]:
    found = []
    dl_type = match.dl_type
    if match.tests(OFPFW.NW_TOS) and dl_type in _IP:
        found.append(OxmMatch(oxm.IP_DSCP, match.nw_tos >> 2))
    if dl_type in _ADDRESSES:
        source, target = _ADDRESSES[dl_type]
        found += _prefix_to_v13(source, match.nw_src, match.nw_src_bits)
        found += _prefix_to_v13(target, match.nw_dst, match.nw_dst_bits)
    if match.tests(OFPFW.NW_PROTO) and dl_type in _PROTOCOL:
        found.append(OxmMatch(_PROTOCOL[dl_type], match.nw_proto))
        found += _transport_to_v13(match)
    return found


def _prefix_to_v13(field: OxmField, address: Ipv4, bits: int) -> list[OxmMatch]:
    if not bits:
        return []
    mask = field.limit >> _ADDRESS_BITS - bits << _ADDRESS_BITS - bits
    return [OxmMatch(field, int(address) & mask, None if mask == field.limit else mask)]


def _transport_to_v13(match: Match) -> list[OxmMatch]:
    fields = _TRANSPORT.get((match.dl_type, match.nw_proto))
    if fields is None:
        return []
    found = []
    if match.tests(OFPFW.TP_SRC):
        found.append(OxmMatch(fields[0], match.tp_src & fields[0].limit))
    if match.tests(OFPFW.TP_DST):
        found.append(OxmMatch(fields[1], match.tp_dst & fields[1].limit))
    return found


def match_to_v10(match: Match13) -> Match:
    """Return the match in the normal form of OpenFlow 1.0.

    What 1.0 cannot say becomes a wildcard: fields that it lacks, masks of Ethernet addresses,
    ARP opcodes over 255; an address mask with gaps becomes the prefix before the first gap.
    """
    exact = {one.field: one.value for one in match.fields if one.mask is None}
    found: dict[str, int | Mac | Ipv4] = {}
    if oxm.IN_PORT in exact:
        found["in_port"] = port_to_v10(exact[oxm.IN_PORT])
    if oxm.ETH_SRC in exact:
        found["dl_src"] = Mac(exact[oxm.ETH_SRC])
    if oxm.ETH_DST in exact:
        found["dl_dst"] = Mac(exact[oxm.ETH_DST])
    if oxm.VLAN_VID in exact:
        tagged = exact[oxm.VLAN_VID] & OFPVID.PRESENT
        found["dl_vlan"] = exact[oxm.VLAN_VID] & _VID_BITS if tagged else VLAN_NONE
    if oxm.VLAN_PCP in exact:
        found["dl_vlan_pcp"] = exact[oxm.VLAN_PCP]
    if oxm.ETH_TYPE in exact:
        found["dl_type"] = exact[oxm.ETH_TYPE]
        found |= _network_to_v10(exact)
    bits = {"nw_src": 0, "nw_dst": 0}
    for field, value, mask in match.fields:
        wild = 0 if mask is None else (mask ^ field.limit).bit_length()
        name = _ADDRESS_NAMES.get(field)
        if name is not None and wild < _ADDRESS_BITS:
            found[name] = Ipv4(value >> wild << wild)
            bits[name] = _ADDRESS_BITS - wild
    return Match.of(bits["nw_src"], bits["nw_dst"], **found)


def _network_to_v10(exact: dict[OxmField, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    dl_type = exact[oxm.ETH_TYPE]
    if oxm.IP_DSCP in exact:
        found["nw_tos"] = exact[oxm.IP_DSCP] << 2
    protocol = _PROTOCOL.get(dl_type)
    if protocol not in exact or exact[protocol] > _OCTET:
        return found
    found["nw_proto"] = exact[protocol]
    fields = _TRANSPORT.get((dl_type, exact[protocol]), ())
    for field, name in zip(fields, ("tp_src", "tp_dst"), strict=False):
        if field in exact:
            found[name] = exact[field]
    return found
