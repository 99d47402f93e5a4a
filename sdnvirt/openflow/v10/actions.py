"""Actions: what is done with a packet, in order (OpenFlow 1.0.0, 3.3 and 5.2.4).

::

    0      2        4
    type   length   arguments, up to a multiple of 8 bytes
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.openflow.action import DataAction, FixedAction, WireAction, unknown_action
from sdnvirt.openflow.element import pack_all, remembered, take_elements
from sdnvirt.openflow.layout import IPV4, MAC, Layout, fields_of
from sdnvirt.openflow.record import filling
from sdnvirt.openflow.v10.constants import OFPAT, OFPP
from sdnvirt.openflow.v10.error_codes import OFPBAC, refuse
from sdnvirt.openflow.v13.constants import named

_OCTET: Final = Struct("!HHB3x")
_NUMBER: Final = Struct("!HHH2x")

MAX_LEN: Final = 0xFFFF
"""The most bytes that an output to the controller can ask for: more than any packet has."""


@dataclass(frozen=True, slots=True)
class Output(FixedAction):
    """Send the packet out of a port.

    Attributes:
        port: port number, or one of OFPP.
        max_len: bytes that a packet-in may carry when the port is OFPP.CONTROLLER.
    """

    port: int
    max_len: int = MAX_LEN

    TYPE: ClassVar[int] = OFPAT.OUTPUT
    LAYOUT: ClassVar[Struct] = Struct("!HHHH")

    def __str__(self) -> str:
        if self.port == OFPP.CONTROLLER:
            return f"CONTROLLER:{self.max_len}"
        if self.port > OFPP.MAX:
            return named(self.port, OFPP)
        return f"output:{self.port}"


class _BitsAction(FixedAction):
    """An action with one integer, of which only the bits in ``BITS`` may be set."""

    __slots__ = ()

    BITS: ClassVar[int]

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        action = super().unpack(data, start, end)
        (value,) = fields_of(action)
        if value & ~cls.BITS:
            raise refuse(OFPBAC.BAD_ARGUMENT, f"{cls.__name__} cannot set {value:#x}")
        return action


@dataclass(frozen=True, slots=True)
class SetVlanVid(_BitsAction):
    """Set the VLAN identifier, 12 bits; a packet without a tag gets one, of priority 0."""

    vlan_vid: int

    TYPE: ClassVar[int] = OFPAT.SET_VLAN_VID
    LAYOUT: ClassVar[Struct] = _NUMBER
    BITS: ClassVar[int] = 0xFFF

    def __str__(self) -> str:
        return f"mod_vlan_vid:{self.vlan_vid}"


@dataclass(frozen=True, slots=True)
class SetVlanPcp(_BitsAction):
    """Set the VLAN priority, 3 bits; a packet without a tag gets one, of VLAN 0."""

    vlan_pcp: int

    TYPE: ClassVar[int] = OFPAT.SET_VLAN_PCP
    LAYOUT: ClassVar[Struct] = _OCTET
    BITS: ClassVar[int] = 7

    def __str__(self) -> str:
        return f"mod_vlan_pcp:{self.vlan_pcp}"


@dataclass(frozen=True, slots=True)
class StripVlan(FixedAction):
    """Take away the VLAN tag, if there is one."""

    TYPE: ClassVar[int] = OFPAT.STRIP_VLAN

    def __str__(self) -> str:
        return "strip_vlan"


@dataclass(frozen=True, slots=True)
class _SetDlAddress(FixedAction):
    dl_addr: Mac

    LAYOUT: ClassVar[Layout] = Layout("HH", MAC, "6x")


@dataclass(frozen=True, slots=True)
class SetDlSrc(_SetDlAddress):
    """Set the Ethernet source address."""

    TYPE: ClassVar[int] = OFPAT.SET_DL_SRC

    def __str__(self) -> str:
        return f"mod_dl_src:{self.dl_addr}"


@dataclass(frozen=True, slots=True)
class SetDlDst(_SetDlAddress):
    """Set the Ethernet destination address."""

    TYPE: ClassVar[int] = OFPAT.SET_DL_DST

    def __str__(self) -> str:
        return f"mod_dl_dst:{self.dl_addr}"


@dataclass(frozen=True, slots=True)
class _SetNwAddress(FixedAction):
    nw_addr: Ipv4

    LAYOUT: ClassVar[Layout] = Layout("HH", IPV4)


@dataclass(frozen=True, slots=True)
class SetNwSrc(_SetNwAddress):
    """Set the IPv4 source address of a packet that has one."""

    TYPE: ClassVar[int] = OFPAT.SET_NW_SRC

    def __str__(self) -> str:
        return f"mod_nw_src:{self.nw_addr}"


@dataclass(frozen=True, slots=True)
class SetNwDst(_SetNwAddress):
    """Set the IPv4 destination address of a packet that has one."""

    TYPE: ClassVar[int] = OFPAT.SET_NW_DST

    def __str__(self) -> str:
        return f"mod_nw_dst:{self.nw_addr}"


@dataclass(frozen=True, slots=True)
class SetNwTos(_BitsAction):
    """Set the DSCP of an IP packet, which stands in the upper 6 bits of ``tos``."""

    tos: int

    TYPE: ClassVar[int] = OFPAT.SET_NW_TOS
    LAYOUT: ClassVar[Struct] = _OCTET
    BITS: ClassVar[int] = 0xFC

    def __str__(self) -> str:
        return f"mod_nw_tos:{self.tos}"


@dataclass(frozen=True, slots=True)
class SetTpSrc(FixedAction):
    """Set the source port of a packet whose transport protocol has ports."""

    tp: int

    TYPE: ClassVar[int] = OFPAT.SET_TP_SRC
    LAYOUT: ClassVar[Struct] = _NUMBER

    def __str__(self) -> str:
        return f"mod_tp_src:{self.tp}"


@dataclass(frozen=True, slots=True)
class SetTpDst(FixedAction):
    """Set the destination port of a packet whose transport protocol has ports."""

    tp: int

    TYPE: ClassVar[int] = OFPAT.SET_TP_DST
    LAYOUT: ClassVar[Struct] = _NUMBER

    def __str__(self) -> str:
        return f"mod_tp_dst:{self.tp}"


@dataclass(frozen=True, slots=True)
class Enqueue(FixedAction):
    """Send the packet out of a port by one of its queues; later outputs are not affected."""

    port: int
    queue_id: int

    TYPE: ClassVar[int] = OFPAT.ENQUEUE
    LAYOUT: ClassVar[Struct] = Struct("!HHH6xI")

    def __str__(self) -> str:
        return f"enqueue:{named(self.port, OFPP)}:{self.queue_id}"


@dataclass(frozen=True, slots=True)
class VendorAction(DataAction):
    """An action that is not the specification's.

    Attributes:
        vendor: who defines it.
        data: its arguments, a multiple of 8 bytes.
    """

    vendor: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPAT.VENDOR
    LAYOUT: ClassVar[Struct] = Struct("!HHI")

    def __str__(self) -> str:
        return f"vendor:{self.vendor:#x}({self.data.hex()})"


ACTIONS: Final[dict[int, type[WireAction]]] = {
    action.TYPE: action
    for action in (
        Output, SetVlanVid, SetVlanPcp, StripVlan, SetDlSrc, SetDlDst, SetNwSrc, SetNwDst,
        SetNwTos, SetTpSrc, SetTpDst, Enqueue, VendorAction,
    )
}  # fmt: skip
"""The class of each action type."""


@remembered
def unpack_actions(data: bytes, start: int, end: int) -> tuple[WireAction, ...]:
    """Return the actions that fill ``data[start:end]``.

    Raises:
        OpenFlowError: one of them breaks the specification (OFPET_BAD_ACTION).
    """
    return take_elements(WireAction.FAMILY, data, start, end, _class_of)


def _class_of(kind: int, _data: bytes, _start: int, _end: int) -> type[WireAction]:
    action = ACTIONS.get(kind)
    if action is None:
        raise unknown_action(kind)
    return action


ACTION_LIST: Final = filling(unpack_actions, pack_all)
"""The part of a structure that is a list of actions."""
