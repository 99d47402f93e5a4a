"""The flow match: twelve header fields and the wildcards among them (OpenFlow 1.0.0, 5.2.3).

::

    0          4        6       12      18       20           22
    wildcards  in_port  dl_src  dl_dst  dl_vlan  dl_vlan_pcp  dl_type

    24      25        28      32      36      38
    nw_tos  nw_proto  nw_src  nw_dst  tp_src  tp_dst

A match keeps what its bytes say, wildcarded fields too. Which packets it means, and that two
matches mean the same ones, is said by its translation (:mod:`sdnvirt.openflow.v10.translate`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from sdnvirt.addresses import ANY_IPV4, Ipv4, Mac
from sdnvirt.openflow.layout import IPV4, MAC, Layout
from sdnvirt.openflow.record import Record
from sdnvirt.openflow.v10.constants import (
    NW_BITS_MASK,
    NW_DST_SHIFT,
    NW_SRC_SHIFT,
    OFPFW,
    OFPP,
    VLAN_NONE,
    WILDCARDS_ALL,
)
from sdnvirt.openflow.v13.constants import named

_NO_MAC: Final = Mac(bytes(6))
_ADDRESS_BITS: Final = 32

_WILDCARD_OF: Final[dict[str, int]] = {
    **{str(field.name).lower(): field.value for field in OFPFW},
    "nw_src": NW_BITS_MASK << NW_SRC_SHIFT,
    "nw_dst": NW_BITS_MASK << NW_DST_SHIFT,
}


@dataclass(frozen=True, slots=True)
class Match(Record):
    """Which packets a flow entry is for (ofp_match).

    Attributes:
        wildcards: bits of OFPFW for the fields that any value matches, and how many low bits of
            nw_src and nw_dst are ignored.
        in_port: the port where the packet arrives.
        dl_vlan: VLAN identifier of 12 bits, or VLAN_NONE for a frame without a tag.
        dl_vlan_pcp: VLAN priority of 3 bits.
        dl_type: EtherType behind a VLAN tag; 0x05ff for a frame of 802.3 without SNAP.
        nw_tos: the DSCP in the upper 6 of 8 bits.
        nw_proto: IP protocol, or the low 8 bits of an ARP opcode.
        tp_src: TCP or UDP port, or ICMP type in the low 8 bits; ``tp_dst`` the port or ICMP code.
    """

    wildcards: int = WILDCARDS_ALL
    in_port: int = 0
    dl_src: Mac = _NO_MAC
    dl_dst: Mac = _NO_MAC
    dl_vlan: int = 0
    dl_vlan_pcp: int = 0
    dl_type: int = 0
    nw_tos: int = 0
    nw_proto: int = 0
    nw_src: Ipv4 = ANY_IPV4
    nw_dst: Ipv4 = ANY_IPV4
    tp_src: int = 0
    tp_dst: int = 0

    LAYOUT: ClassVar[Layout] = Layout("IH", MAC, MAC, "HBxHBB2x", IPV4, IPV4, "HH")
    NOUN: ClassVar[str] = "a match"

    @classmethod
    def of(
        cls,
        nw_src_bits: int = _ADDRESS_BITS,
        nw_dst_bits: int = _ADDRESS_BITS,
        **fields: int | Mac | Ipv4,
    ) -> Self:
        """Return the match of the fields that are given, with a wildcard for each other.

        Args:
            nw_src_bits: length of the prefix of ``nw_src`` that counts, 0 to 32.
            nw_dst_bits: length of the prefix of ``nw_dst`` that counts, 0 to 32.
            fields: values by name.

        Raises:
            KeyError: there is no field of that name.
        """
        wildcards = WILDCARDS_ALL
        for name in fields:
            wildcards &= ~_WILDCARD_OF[name]
        if "nw_src" in fields:
            wildcards |= _ADDRESS_BITS - nw_src_bits << NW_SRC_SHIFT
        if "nw_dst" in fields:
            wildcards |= _ADDRESS_BITS - nw_dst_bits << NW_DST_SHIFT
        make: Callable[..., Self] = cls
        return make(wildcards, **fields)

    def tests(self, field: OFPFW) -> bool:
        """Return whether a field counts, that is, is not wildcarded."""
        return not self.wildcards & field

    @property
    def is_exact(self) -> bool:
        """Whether no field is wildcarded; such an entry precedes all others (3.4)."""
        return not self.wildcards & WILDCARDS_ALL

    @property
    def nw_src_bits(self) -> int:
        """Length of the prefix of nw_src that counts, 0 to 32."""
        return max(0, _ADDRESS_BITS - (self.wildcards >> NW_SRC_SHIFT & NW_BITS_MASK))

    @property
    def nw_dst_bits(self) -> int:
        """Length of the prefix of nw_dst that counts, 0 to 32."""
        return max(0, _ADDRESS_BITS - (self.wildcards >> NW_DST_SHIFT & NW_BITS_MASK))

    def __str__(self) -> str:
        """Return the fields that count as ovs-ofctl prints them, or ``*`` for all packets."""
        vlan = "none" if self.dl_vlan == VLAN_NONE else str(self.dl_vlan)
        texts = (
            (self.tests(OFPFW.IN_PORT), f"in_port={named(self.in_port, OFPP)}"),
            (self.tests(OFPFW.DL_VLAN), f"dl_vlan={vlan}"),
            (self.tests(OFPFW.DL_VLAN_PCP), f"dl_vlan_pcp={self.dl_vlan_pcp}"),
            (self.tests(OFPFW.DL_SRC), f"dl_src={self.dl_src}"),
            (self.tests(OFPFW.DL_DST), f"dl_dst={self.dl_dst}"),
            (self.tests(OFPFW.DL_TYPE), f"dl_type={self.dl_type:#06x}"),
            (self.nw_src_bits, f"nw_src={_prefix_text(self.nw_src, self.nw_src_bits)}"),
            (self.nw_dst_bits, f"nw_dst={_prefix_text(self.nw_dst, self.nw_dst_bits)}"),
            (self.tests(OFPFW.NW_PROTO), f"nw_proto={self.nw_proto}"),
            (self.tests(OFPFW.NW_TOS), f"nw_tos={self.nw_tos}"),
            (self.tests(OFPFW.TP_SRC), f"tp_src={self.tp_src}"),
            (self.tests(OFPFW.TP_DST), f"tp_dst={self.tp_dst}"),
        )
        return ",".join(text for counts, text in texts if counts) or "*"


ALL_PACKETS: Final = Match()
"""The match that wildcards every field."""


def _prefix_text(address: Ipv4, bits: int) -> str:
    return str(address) if bits == _ADDRESS_BITS else f"{address}/{bits}"
