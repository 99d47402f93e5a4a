"""The match fields of NXM, OXM's forerunner, that have no place in OpenFlow 1.3 (ovs-fields(7)).

On the wire they look like the specification's, with a class of their own. Where NXM has a field
that OpenFlow 1.3 has too, of the same size, its header is an alias: it is understood, and the
answer says it in the specification's words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPXMC
from sdnvirt.openflow.v13.oxm import HAS_MASK, HEADER_SIZE, Form, OxmField

REGISTERS: Final = 16
"""Registers of 32 bits that a packet carries through the tables, as in Open vSwitch."""


@dataclass(frozen=True, slots=True, eq=False)
class NxmField(OxmField):
    """A match field of the class NXM_1; none of them requires another."""

    def __reduce__(self) -> tuple[Callable[[str], OxmField], tuple[str]]:
        # A copy of a field is the field itself, because fields are compared by identity.
        return field_named, (self.name,)


def _header(oxm_class: int, number: int, length: int, mask: int = 0) -> bytes:
    return (oxm_class << 16 | number << 9 | mask | length).to_bytes(HEADER_SIZE, "big")


def _row(number: int, name: str, bits: int, form: Form = Form.HEX) -> NxmField:
    size = bits // 8
    return NxmField(
        number=number,
        name=name,
        bits=bits,
        size=size,
        maskable=True,
        requires=None,
        form=form,
        header=_header(OFPXMC.NXM_1, number, size),
        masked_header=_header(OFPXMC.NXM_1, number, 2 * size, HAS_MASK),
        limit=(1 << bits) - 1,
    )


REGS: Final = tuple(_row(number, f"reg{number}", 32) for number in range(REGISTERS))
"""The registers; they hold 0 when a packet arrives."""

TUN_IPV4_SRC: Final = _row(31, "tun_ipv4_src", 32, Form.IPV4)
TUN_IPV4_DST: Final = _row(32, "tun_ipv4_dst", 32, Form.IPV4)
CT_STATE: Final = _row(105, "ct_state", 32)
CT_ZONE: Final = _row(106, "ct_zone", 16, Form.DECIMAL)
CT_MARK: Final = _row(107, "ct_mark", 32)
CT_LABEL: Final = _row(108, "ct_label", 128)

CONNTRACK: Final = (CT_STATE, CT_ZONE, CT_MARK, CT_LABEL)
"""What the connection tracker says of a packet; 0 if it was not asked."""

FIELDS: Final = (*REGS, TUN_IPV4_SRC, TUN_IPV4_DST, *CONNTRACK)
"""All fields, in the order of their numbers."""

MATCHABLE: Final = frozenset(FIELDS)
"""All of them, to be asked quickly."""

SETTABLE: Final = frozenset({*REGS, TUN_IPV4_SRC, TUN_IPV4_DST})
"""Those that actions may give a value to wherever they stand."""

NXM_0_NUMBERS: Final[dict[OxmField, tuple[int, str]]] = {
    oxm.ETH_DST: (1, "ETH_DST"), oxm.ETH_SRC: (2, "ETH_SRC"), oxm.ETH_TYPE: (3, "ETH_TYPE"),
    oxm.IP_PROTO: (6, "IP_PROTO"), oxm.IPV4_SRC: (7, "IP_SRC"), oxm.IPV4_DST: (8, "IP_DST"),
    oxm.TCP_SRC: (9, "TCP_SRC"), oxm.TCP_DST: (10, "TCP_DST"), oxm.UDP_SRC: (11, "UDP_SRC"),
    oxm.UDP_DST: (12, "UDP_DST"), oxm.ICMPV4_TYPE: (13, "ICMP_TYPE"),
    oxm.ICMPV4_CODE: (14, "ICMP_CODE"), oxm.ARP_OP: (15, "ARP_OP"),
    oxm.ARP_SPA: (16, "ARP_SPA"), oxm.ARP_TPA: (17, "ARP_TPA"),
}  # fmt: skip
"""Fields of OpenFlow 1.3 that have a number and a name in the class NXM_0, too."""

NXM_1_NUMBERS: Final[dict[OxmField, tuple[int, str]]] = {
    oxm.TUNNEL_ID: (16, "TUN_ID"), oxm.ARP_SHA: (17, "ARP_SHA"), oxm.ARP_THA: (18, "ARP_THA"),
    oxm.IPV6_SRC: (19, "IPV6_SRC"), oxm.IPV6_DST: (20, "IPV6_DST"),
    oxm.ICMPV6_TYPE: (21, "ICMPV6_TYPE"), oxm.ICMPV6_CODE: (22, "ICMPV6_CODE"),
    oxm.IPV6_ND_TARGET: (23, "ND_TARGET"), oxm.IPV6_ND_SLL: (24, "ND_SLL"),
    oxm.IPV6_ND_TLL: (25, "ND_TLL"), oxm.IPV6_FLABEL: (27, "IPV6_LABEL"),
    oxm.IP_ECN: (28, "IP_ECN"),
}  # fmt: skip
"""Those that have one in the class NXM_1."""


def _aliases() -> dict[bytes, tuple[OxmField, bool]]:
    found: dict[bytes, tuple[OxmField, bool]] = {}
    for oxm_class, numbers in ((OFPXMC.NXM_0, NXM_0_NUMBERS), (OFPXMC.NXM_1, NXM_1_NUMBERS)):
        for field, (number, _) in numbers.items():
            found[_header(oxm_class, number, field.size)] = field, False
            if field.maskable:
                found[_header(oxm_class, number, 2 * field.size, HAS_MASK)] = field, True
    return found


KNOWN_NAMES: Final[dict[str, OxmField]] = {
    **oxm.BY_NAME, **{field.name: field for field in FIELDS}
}  # fmt: skip
"""The field of a name, the specification's fields and these."""

KNOWN_HEADERS: Final[dict[bytes, tuple[OxmField, bool]]] = {
    **oxm.BY_HEADER,
    **_aliases(),
    **{field.header: (field, False) for field in FIELDS},
    **{field.masked_header: (field, True) for field in FIELDS},
}
"""The field that an OXM or NXM header announces, and whether a mask follows its value."""


def field_named(name: str) -> OxmField:
    """Return the field of a name.

    Raises:
        KeyError: neither OpenFlow 1.3 nor NXM has a field of that name.
    """
    return KNOWN_NAMES[name]


def field_like(header: bytes) -> OxmField | None:
    """Return the field whose class and number a header has, whatever mask and length it says."""
    for known, (field, _) in KNOWN_HEADERS.items():
        if known[:2] == header[:2] and (known[2] ^ header[2]) & 0xFE == 0:
            return field
    return None
