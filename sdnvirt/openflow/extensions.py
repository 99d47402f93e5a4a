"""Actions that are not OpenFlow 1.3's but which the datapath executes.

OpenFlow 1.0 has actions that apply where they can and do nothing elsewhere, or that make the
header they need. No list of OpenFlow 1.3's actions does the same to every packet, and 1.3 refuses
a set-field whose field the match does not promise; so they are actions of their own here.

No message of OpenFlow 1.3 brings them. One that tells of an entry of version 1.0 says the nearest
that 1.3 has: that is what ``pack`` returns, and it may be several actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output, PopVlan, SetField, SetQueue
from sdnvirt.openflow.v13.constants import OFPAT, OFPP, OFPVID, named
from sdnvirt.openflow.v13.oxm import OxmField


@dataclass(frozen=True, slots=True)
class SetVlanVid(Action):
    """Set the outermost tag's VLAN, 0 to 4095; a packet without gets a tag of 0x8100, priority 0.

    OpenFlow 1.0.0, 3.3 (table 5).
    """

    vlan_vid: int

    TYPE: ClassVar[int] = OFPAT.SET_FIELD

    def pack(self) -> bytes:
        return SetField(oxm.VLAN_VID, self.vlan_vid | OFPVID.PRESENT).pack()

    def __str__(self) -> str:
        return f"mod_vlan_vid:{self.vlan_vid}"


@dataclass(frozen=True, slots=True)
class SetVlanPcp(Action):
    """Set the outermost tag's priority, 0 to 7; a packet without gets a tag of 0x8100, VLAN 0.

    OpenFlow 1.0.0, 3.3 (table 5).
    """

    vlan_pcp: int

    TYPE: ClassVar[int] = OFPAT.SET_FIELD

    def pack(self) -> bytes:
        return SetField(oxm.VLAN_PCP, self.vlan_pcp).pack()

    def __str__(self) -> str:
        return f"mod_vlan_pcp:{self.vlan_pcp}"


@dataclass(frozen=True, slots=True)
class StripVlan(Action):
    """Take away the outermost VLAN tag of a packet that has one (OpenFlow 1.0.0, 3.3)."""

    TYPE: ClassVar[int] = OFPAT.POP_VLAN

    def pack(self) -> bytes:
        return PopVlan().pack()

    def __str__(self) -> str:
        return "strip_vlan"


class Settable(Enum):
    """What :class:`SetIfPresent` can set.

    Attributes:
        verb: how ovs-ofctl calls it.
        fields: those that it may be, of which a packet has one or none.
    """

    NW_SRC = ("mod_nw_src", (oxm.IPV4_SRC,))
    NW_DST = ("mod_nw_dst", (oxm.IPV4_DST,))
    NW_TOS = ("mod_nw_tos", (oxm.IP_DSCP,))
    TP_SRC = ("mod_tp_src", (oxm.TCP_SRC, oxm.UDP_SRC, oxm.SCTP_SRC))
    TP_DST = ("mod_tp_dst", (oxm.TCP_DST, oxm.UDP_DST, oxm.SCTP_DST))

    def __init__(self, verb: str, fields: tuple[OxmField, ...]) -> None:
        self.verb = verb
        self.fields = fields


@dataclass(frozen=True, slots=True)
class SetIfPresent(Action):
    """Give this value to the one of ``what.fields`` that the packet has, or do nothing.

    Checksums are repaired as by a set-field. OpenFlow 1.0.0, 3.3 (table 5); IPv6 and SCTP, of
    which that table does not speak, are set like IPv4, TCP and UDP, as Open vSwitch does.

    Attributes:
        value: as wide as the fields; of NW_TOS the six bits of the DSCP.
    """

    what: Settable
    value: int

    TYPE: ClassVar[int] = OFPAT.SET_FIELD

    def pack(self) -> bytes:
        return b"".join([SetField(field, self.value).pack() for field in self.what.fields])

    def __str__(self) -> str:
        if self.what is Settable.NW_TOS:
            return f"{self.what.verb}:{self.value << 2}"
        return f"{self.what.verb}:{self.what.fields[0].text(self.value)}"


@dataclass(frozen=True, slots=True)
class Enqueue(Action):
    """Send the packet out of a port by one of its queues; the queue of later outputs is unchanged.

    OpenFlow 1.0.0, 5.2.4.

    Attributes:
        port: a switch port's number, or OFPP.IN_PORT, as in OpenFlow 1.3.
        queue_id: one of the port's queues.
    """

    port: int
    queue_id: int

    TYPE: ClassVar[int] = OFPAT.OUTPUT

    def pack(self) -> bytes:
        return SetQueue(self.queue_id).pack() + Output(self.port).pack()

    def __str__(self) -> str:
        return f"enqueue:{named(self.port, OFPP)}:{self.queue_id}"
