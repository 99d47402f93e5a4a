"""The match fields of OpenFlow 1.3.5 as one table (7.2.3).

Field names are the specification's OXM_OF_* names in lower case. A value is an integer, as wide as
the table says: addresses too, so that a masked comparison is one ``&`` and one ``==``.

::

    0        2                3        4
    class    field | hasmask  length   value [mask]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from sdnvirt.openflow.v13.constants import OFPP, OFPVID, OFPXMC, named

HEADER_SIZE: Final = 4
HAS_MASK: Final = 1 << 8
"""The bit of an OXM header that says that a mask follows the value."""


class Form(Enum):
    """How people write a field's value."""

    DECIMAL = auto()
    HEX = auto()
    ETHER_TYPE = auto()
    PORT = auto()
    MAC = auto()
    IPV4 = auto()
    IPV6 = auto()


_TEXT: Final[dict[Form, Callable[[int], str]]] = {
    Form.DECIMAL: str,
    Form.HEX: "{:#x}".format,
    Form.ETHER_TYPE: "{:#06x}".format,
    Form.PORT: lambda value: named(value, OFPP),
    Form.MAC: lambda value: value.to_bytes(6, "big").hex(":"),
    Form.IPV4: lambda value: str(IPv4Address(value)),
    Form.IPV6: lambda value: str(IPv6Address(value)),
}


class Requirement(NamedTuple):
    """What another field of the match must be: ``value & bits`` is one of ``values``."""

    field: OxmField
    bits: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OxmField:
    """A match field: one row of the table, and one object for the life of the process.

    Attributes:
        number: the field's number in its class, here OFPXMC_OPENFLOW_BASIC.
        name: the specification's name in lower case, without OXM_OF_.
        bits: how many bits of a value have a meaning.
        size: bytes of a value on the wire.
        maskable: whether a match may mask it.
        requires: what another field of the match must be, or None.
        form: how people write a value.
        header: the OXM header without a mask; ``masked_header`` is the one with.
        limit: the value with all its bits set, which as a mask makes an exact match.
    """

    number: int
    name: str
    bits: int
    size: int
    maskable: bool
    requires: Requirement | None
    form: Form
    header: bytes
    masked_header: bytes
    limit: int

    def __lt__(self, other: OxmField) -> bool:
        return self.header < other.header

    def __repr__(self) -> str:
        return f"<OXM {self.name}>"

    def __reduce__(self) -> tuple[Callable[[str], OxmField], tuple[str]]:
        # A copy of a field is the field itself, because fields are compared by identity.
        return field_named, (self.name,)

    def text(self, value: int, mask: int | None = None) -> str:
        """Return a value as ovs-ofctl prints it, such as ``10.0.0.0/24`` or ``0x5/0xff``."""
        write = _TEXT[self.form]
        if mask is None:
            return write(value)
        wild = mask ^ self.limit
        if self.form in (Form.IPV4, Form.IPV6) and wild & (wild + 1) == 0:
            return f"{write(value)}/{self.bits - wild.bit_length()}"
        if self.form in (Form.DECIMAL, Form.PORT):
            write = _TEXT[Form.HEX]
        return f"{write(value)}/{write(mask)}"


def _row(
    number: int,
    name: str,
    bits: int,
    size: int,
    form: Form = Form.DECIMAL,
    requires: Requirement | None = None,
    *,
    maskable: bool = False,
) -> OxmField:
    header = OFPXMC.OPENFLOW_BASIC << 16 | number << 9
    return OxmField(
        number=number,
        name=name,
        bits=bits,
        size=size,
        maskable=maskable,
        requires=requires,
        form=form,
        header=(header | size).to_bytes(HEADER_SIZE, "big"),
        masked_header=(header | HAS_MASK | 2 * size).to_bytes(HEADER_SIZE, "big"),
        limit=(1 << bits) - 1,
    )


# fmt: off
IN_PORT = _row(0, "in_port", 32, 4, Form.PORT)
_IN_PORT_GIVEN = Requirement(IN_PORT, 0, (0,))
IN_PHY_PORT = _row(1, "in_phy_port", 32, 4, Form.PORT, _IN_PORT_GIVEN)
METADATA = _row(2, "metadata", 64, 8, Form.HEX, maskable=True)
ETH_DST = _row(3, "eth_dst", 48, 6, Form.MAC, maskable=True)
ETH_SRC = _row(4, "eth_src", 48, 6, Form.MAC, maskable=True)
ETH_TYPE = _row(5, "eth_type", 16, 2, Form.ETHER_TYPE)

_IPV4 = Requirement(ETH_TYPE, 0xFFFF, (0x0800,))
_ARP = Requirement(ETH_TYPE, 0xFFFF, (0x0806,))
_IPV6 = Requirement(ETH_TYPE, 0xFFFF, (0x86DD,))
_IP = Requirement(ETH_TYPE, 0xFFFF, (0x0800, 0x86DD))
_MPLS = Requirement(ETH_TYPE, 0xFFFF, (0x8847, 0x8848))
_PBB = Requirement(ETH_TYPE, 0xFFFF, (0x88E7,))

VLAN_VID = _row(6, "vlan_vid", 13, 2, Form.HEX, maskable=True)
_TAGGED = Requirement(VLAN_VID, OFPVID.PRESENT, (OFPVID.PRESENT,))
VLAN_PCP = _row(7, "vlan_pcp", 3, 1, Form.DECIMAL, _TAGGED)
IP_DSCP = _row(8, "ip_dscp", 6, 1, Form.DECIMAL, _IP)
IP_ECN = _row(9, "ip_ecn", 2, 1, Form.DECIMAL, _IP)
IP_PROTO = _row(10, "ip_proto", 8, 1, Form.DECIMAL, _IP)

_ICMPV4 = Requirement(IP_PROTO, 0xFF, (1,))
_TCP = Requirement(IP_PROTO, 0xFF, (6,))
_UDP = Requirement(IP_PROTO, 0xFF, (17,))
_ICMPV6 = Requirement(IP_PROTO, 0xFF, (58,))
_SCTP = Requirement(IP_PROTO, 0xFF, (132,))

IPV4_SRC = _row(11, "ipv4_src", 32, 4, Form.IPV4, _IPV4, maskable=True)
IPV4_DST = _row(12, "ipv4_dst", 32, 4, Form.IPV4, _IPV4, maskable=True)
TCP_SRC = _row(13, "tcp_src", 16, 2, Form.DECIMAL, _TCP)
TCP_DST = _row(14, "tcp_dst", 16, 2, Form.DECIMAL, _TCP)
UDP_SRC = _row(15, "udp_src", 16, 2, Form.DECIMAL, _UDP)
UDP_DST = _row(16, "udp_dst", 16, 2, Form.DECIMAL, _UDP)
SCTP_SRC = _row(17, "sctp_src", 16, 2, Form.DECIMAL, _SCTP)
SCTP_DST = _row(18, "sctp_dst", 16, 2, Form.DECIMAL, _SCTP)
ICMPV4_TYPE = _row(19, "icmpv4_type", 8, 1, Form.DECIMAL, _ICMPV4)
ICMPV4_CODE = _row(20, "icmpv4_code", 8, 1, Form.DECIMAL, _ICMPV4)
ARP_OP = _row(21, "arp_op", 16, 2, Form.DECIMAL, _ARP)
ARP_SPA = _row(22, "arp_spa", 32, 4, Form.IPV4, _ARP, maskable=True)
ARP_TPA = _row(23, "arp_tpa", 32, 4, Form.IPV4, _ARP, maskable=True)
ARP_SHA = _row(24, "arp_sha", 48, 6, Form.MAC, _ARP, maskable=True)
ARP_THA = _row(25, "arp_tha", 48, 6, Form.MAC, _ARP, maskable=True)
IPV6_SRC = _row(26, "ipv6_src", 128, 16, Form.IPV6, _IPV6, maskable=True)
IPV6_DST = _row(27, "ipv6_dst", 128, 16, Form.IPV6, _IPV6, maskable=True)
IPV6_FLABEL = _row(28, "ipv6_flabel", 20, 4, Form.HEX, _IPV6, maskable=True)
ICMPV6_TYPE = _row(29, "icmpv6_type", 8, 1, Form.DECIMAL, _ICMPV6)
ICMPV6_CODE = _row(30, "icmpv6_code", 8, 1, Form.DECIMAL, _ICMPV6)

_NEIGHBOUR = Requirement(ICMPV6_TYPE, 0xFF, (135, 136))
_SOLICITATION = Requirement(ICMPV6_TYPE, 0xFF, (135,))
_ADVERTISEMENT = Requirement(ICMPV6_TYPE, 0xFF, (136,))

IPV6_ND_TARGET = _row(31, "ipv6_nd_target", 128, 16, Form.IPV6, _NEIGHBOUR)
IPV6_ND_SLL = _row(32, "ipv6_nd_sll", 48, 6, Form.MAC, _SOLICITATION)
IPV6_ND_TLL = _row(33, "ipv6_nd_tll", 48, 6, Form.MAC, _ADVERTISEMENT)
MPLS_LABEL = _row(34, "mpls_label", 20, 4, Form.DECIMAL, _MPLS)
MPLS_TC = _row(35, "mpls_tc", 3, 1, Form.DECIMAL, _MPLS)
MPLS_BOS = _row(36, "mpls_bos", 1, 1, Form.DECIMAL, _MPLS)
PBB_ISID = _row(37, "pbb_isid", 24, 3, Form.DECIMAL, _PBB, maskable=True)
TUNNEL_ID = _row(38, "tunnel_id", 64, 8, Form.DECIMAL, maskable=True)
IPV6_EXTHDR = _row(39, "ipv6_exthdr", 9, 2, Form.HEX, _IPV6, maskable=True)
# fmt: on

FIELDS: Final[tuple[OxmField, ...]] = (
    IN_PORT, IN_PHY_PORT, METADATA, ETH_DST, ETH_SRC, ETH_TYPE, VLAN_VID, VLAN_PCP, IP_DSCP,
    IP_ECN, IP_PROTO, IPV4_SRC, IPV4_DST, TCP_SRC, TCP_DST, UDP_SRC, UDP_DST, SCTP_SRC, SCTP_DST,
    ICMPV4_TYPE, ICMPV4_CODE, ARP_OP, ARP_SPA, ARP_TPA, ARP_SHA, ARP_THA, IPV6_SRC, IPV6_DST,
    IPV6_FLABEL, ICMPV6_TYPE, ICMPV6_CODE, IPV6_ND_TARGET, IPV6_ND_SLL, IPV6_ND_TLL, MPLS_LABEL,
    MPLS_TC, MPLS_BOS, PBB_ISID, TUNNEL_ID, IPV6_EXTHDR,
)  # fmt: skip
"""All fields; the field of number n is ``FIELDS[n]``."""

BY_NAME: Final[dict[str, OxmField]] = {field.name: field for field in FIELDS}
"""The field of a name, such as ``eth_dst``."""

BY_HEADER: Final[dict[bytes, tuple[OxmField, bool]]] = {
    **{field.header: (field, False) for field in FIELDS},
    **{field.masked_header: (field, True) for field in FIELDS if field.maskable},
}
"""The field that a correct OXM header announces, and whether a mask follows its value."""

NOT_IN_PACKETS: Final = frozenset({IN_PORT, IN_PHY_PORT, METADATA})
"""Fields that no set-field action may name: they are no headers (7.2.5)."""


def field_named(name: str) -> OxmField:
    """Return the field of a name.

    Raises:
        KeyError: OpenFlow 1.3 has no field of that name.
    """
    return BY_NAME[name]
