"""Actions: what is done with a packet (OpenFlow 1.3.5, 7.2.5).

::

    0      2        4
    type   length   arguments, up to a multiple of 8 bytes
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.action import DataAction, FixedAction, WireAction
from sdnvirt.openflow.nicira.fields import KNOWN_HEADERS, field_like
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPAT, OFPCML, OFPP, named
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse
from sdnvirt.openflow.v13.oxm import HEADER_SIZE, OxmField

_HEADER: Final = Struct("!HH")
_NUMBER: Final = Struct("!HHI")
_TTL: Final = Struct("!HHB3x")
_ETHER_TYPE: Final = Struct("!HHH2x")


@dataclass(frozen=True, slots=True)
class Output(FixedAction):
    """Send the packet out of a port.

    Attributes:
        port: port number, or one of OFPP.
        max_len: bytes that a packet-in may carry when the port is OFPP.CONTROLLER.
    """

    port: int
    max_len: int = OFPCML.NO_BUFFER

    TYPE: ClassVar[int] = OFPAT.OUTPUT
    LAYOUT: ClassVar[Struct] = Struct("!HHIH6x")

    def __str__(self) -> str:
        if self.port == OFPP.CONTROLLER:
            return f"CONTROLLER:{self.max_len}"
        if self.port > OFPP.MAX:
            return named(self.port, OFPP)
        return f"output:{self.port}"


@dataclass(frozen=True, slots=True)
class CopyTtlOut(FixedAction):
    """Copy the TTL of the next-to-outermost header to the outermost."""

    TYPE: ClassVar[int] = OFPAT.COPY_TTL_OUT

    def __str__(self) -> str:
        return "copy_ttl_out"


@dataclass(frozen=True, slots=True)
class CopyTtlIn(FixedAction):
    """Copy the TTL of the outermost header to the next-to-outermost."""

    TYPE: ClassVar[int] = OFPAT.COPY_TTL_IN

    def __str__(self) -> str:
        return "copy_ttl_in"


@dataclass(frozen=True, slots=True)
class SetMplsTtl(FixedAction):
    """Set the TTL of the outermost MPLS label."""

    ttl: int

    TYPE: ClassVar[int] = OFPAT.SET_MPLS_TTL
    LAYOUT: ClassVar[Struct] = _TTL

    def __str__(self) -> str:
        return f"set_mpls_ttl:{self.ttl}"


@dataclass(frozen=True, slots=True)
class DecMplsTtl(FixedAction):
    """Decrement the TTL of the outermost MPLS label."""

    TYPE: ClassVar[int] = OFPAT.DEC_MPLS_TTL

    def __str__(self) -> str:
        return "dec_mpls_ttl"


@dataclass(frozen=True, slots=True)
class PushVlan(FixedAction):
    """Put a VLAN tag of this EtherType before the outermost one."""

    ethertype: int

    TYPE: ClassVar[int] = OFPAT.PUSH_VLAN
    LAYOUT: ClassVar[Struct] = _ETHER_TYPE

    def __str__(self) -> str:
        return f"push_vlan:{self.ethertype:#06x}"


@dataclass(frozen=True, slots=True)
class PopVlan(FixedAction):
    """Take away the outermost VLAN tag."""

    TYPE: ClassVar[int] = OFPAT.POP_VLAN

    def __str__(self) -> str:
        return "pop_vlan"


@dataclass(frozen=True, slots=True)
class PushMpls(FixedAction):
    """Put an MPLS label of this EtherType before the outermost one."""

    ethertype: int

    TYPE: ClassVar[int] = OFPAT.PUSH_MPLS
    LAYOUT: ClassVar[Struct] = _ETHER_TYPE

    def __str__(self) -> str:
        return f"push_mpls:{self.ethertype:#06x}"


@dataclass(frozen=True, slots=True)
class PopMpls(FixedAction):
    """Take away the outermost MPLS label; what follows it has this EtherType."""

    ethertype: int

    TYPE: ClassVar[int] = OFPAT.POP_MPLS
    LAYOUT: ClassVar[Struct] = _ETHER_TYPE

    def __str__(self) -> str:
        return f"pop_mpls:{self.ethertype:#06x}"


@dataclass(frozen=True, slots=True)
class SetQueue(FixedAction):
    """Use this queue of whichever port the packet goes out of."""

    queue_id: int

    TYPE: ClassVar[int] = OFPAT.SET_QUEUE
    LAYOUT: ClassVar[Struct] = _NUMBER

    def __str__(self) -> str:
        return f"set_queue:{self.queue_id}"


@dataclass(frozen=True, slots=True)
class Group(FixedAction):
    """Process the packet by a group."""

    group_id: int

    TYPE: ClassVar[int] = OFPAT.GROUP
    LAYOUT: ClassVar[Struct] = _NUMBER

    def __str__(self) -> str:
        return f"group:{self.group_id}"


@dataclass(frozen=True, slots=True)
class SetNwTtl(FixedAction):
    """Set the IPv4 TTL or the IPv6 hop limit."""

    ttl: int

    TYPE: ClassVar[int] = OFPAT.SET_NW_TTL
    LAYOUT: ClassVar[Struct] = _TTL

    def __str__(self) -> str:
        return f"mod_nw_ttl:{self.ttl}"


@dataclass(frozen=True, slots=True)
class DecNwTtl(FixedAction):
    """Decrement the IPv4 TTL or the IPv6 hop limit."""

    TYPE: ClassVar[int] = OFPAT.DEC_NW_TTL

    def __str__(self) -> str:
        return "dec_ttl"


@dataclass(frozen=True, slots=True)
class PushPbb(FixedAction):
    """Put a provider backbone bridging header of this EtherType before the frame."""

    ethertype: int

    TYPE: ClassVar[int] = OFPAT.PUSH_PBB
    LAYOUT: ClassVar[Struct] = _ETHER_TYPE

    def __str__(self) -> str:
        return f"push_pbb:{self.ethertype:#06x}"


@dataclass(frozen=True, slots=True)
class PopPbb(FixedAction):
    """Take away the outermost provider backbone bridging header."""

    TYPE: ClassVar[int] = OFPAT.POP_PBB

    def __str__(self) -> str:
        return "pop_pbb"


@dataclass(frozen=True, slots=True)
class SetField(WireAction):
    """Give a header field this value.

    Attributes:
        field: any field but those in ``oxm.NOT_IN_PACKETS``.
        value: the value, without a mask.
    """

    field: OxmField
    value: int

    TYPE: ClassVar[int] = OFPAT.SET_FIELD

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        payload = start + _HEADER.size + HEADER_SIZE
        header = data[start + _HEADER.size : payload]
        field, masked = KNOWN_HEADERS.get(header, (None, False))
        if field is None or masked or field in oxm.NOT_IN_PACKETS:
            raise _set_field_error(header)
        stop = payload + field.size
        if end - start != (stop - start + 7) // 8 * 8:
            raise refuse(OFPBAC.BAD_SET_LEN, f"{field.name} in an action of {end - start} bytes")
        value = int.from_bytes(data[payload:stop], "big")
        if value > field.limit:
            raise refuse(OFPBAC.BAD_SET_ARGUMENT, f"{field.name} cannot be {value:#x}")
        return cls(field, value)

    def pack(self) -> bytes:
        value = self.field.header + self.value.to_bytes(self.field.size, "big")
        length = (_HEADER.size + len(value) + 7) // 8 * 8
        return _HEADER.pack(self.TYPE, length) + value.ljust(length - _HEADER.size, b"\0")

    def __str__(self) -> str:
        return f"set_field:{self.field.text(self.value)}->{self.field.name}"


def _set_field_error(header: bytes) -> Exception:
    # A field that we know and that may be set has the wrong length; all else is a wrong type.
    right = None if header[2:3] and header[2] & 1 else field_like(header)
    if right is None or right in oxm.NOT_IN_PACKETS:
        return refuse(OFPBAC.BAD_SET_TYPE, f"no field to set has the OXM header {header.hex()}")
    return refuse(OFPBAC.BAD_SET_LEN, f"{right.name} cannot have {header[3]} bytes")


@dataclass(frozen=True, slots=True)
class ExperimenterAction(DataAction):
    """An action that is not the specification's.

    Attributes:
        experimenter: who defines it.
        data: its arguments, a multiple of 8 bytes.
    """

    experimenter: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPAT.EXPERIMENTER
    LAYOUT: ClassVar[Struct] = Struct("!HHI")

    def __str__(self) -> str:
        return f"experimenter:{self.experimenter:#x}({self.data.hex()})"


ACTIONS: Final[dict[int, type[WireAction]]] = {
    action.TYPE: action
    for action in (
        Output, CopyTtlOut, CopyTtlIn, SetMplsTtl, DecMplsTtl, PushVlan, PopVlan, PushMpls,
        PopMpls, SetQueue, Group, SetNwTtl, DecNwTtl, SetField, PushPbb, PopPbb,
        ExperimenterAction,
    )
}  # fmt: skip
"""The class of each action type. An experimenter's own actions may have one of their own."""
