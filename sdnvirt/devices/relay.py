"""The decisions of a VLAN-aware learning bridge (IEEE 802.1Q, clauses 6.9 and 8.6 to 8.8).

A frame is classified into a VLAN, its source address is learned, and it leaves by the port where
its destination was learned, or by all other ports of the VLAN. A frame whose tag need not change
is passed on as the same object, with all that has been found out about it.

Only customer tags (0x8100) are looked at: a frame with a service tag (802.1ad, 0x88A8) counts as
untagged with one more EtherType, which is what a customer bridge makes of it.

The relay decides and learns; the device that it belongs to sends, drops and keeps the books.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from sdnvirt.addresses import Mac
from sdnvirt.devices.device import Port
from sdnvirt.devices.fdb import AGEING_NS, FDB_LIMIT, FdbEntry, FilteringDatabase
from sdnvirt.devices.vlan import DEFAULT_VLAN, Access, Membership, Trunk
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.wire.dot1q import VlanTag, pop_tag, push_tag, retag

SHORTEST_FRAME: Final = 14
SHORTEST_TAGGED_FRAME: Final = 18
"""Addresses, tag and the EtherType behind it."""

CUSTOMER_TAG: Final = b"\x81\x00"
VID_MASK: Final = 0x0FFF

RESERVED_PREFIX: Final = b"\x01\x80\xc2\x00\x00"
RESERVED_LAST: Final = 0x0F
"""01-80-C2-00-00-00 to -0F never pass a bridge (802.1Q, table 8-1)."""


@dataclass(slots=True, eq=False)
class Entrance:
    """Where frames come in.

    Attributes:
        membership: the VLANs that they may be in.
        untagged: the VLAN of those without a tag, or None.
    """

    membership: Membership
    untagged: int | None


@dataclass(slots=True, eq=False)
class RelayPort(Entrance):
    """A port and what the relay knows of it; frames without a tag are in the same VLAN both ways.

    Attributes:
        port: the port itself.
        forwarding: whether frames may leave by it (802.1Q, 8.4).
    """

    port: Port
    forwarding: bool = True


FROM_OUTSIDE: Final = Entrance(Trunk(native=DEFAULT_VLAN), DEFAULT_VLAN)
"""Where frames come in that came by no port, as a controller's packet-outs."""


@dataclass(frozen=True, slots=True)
class Filtered:
    """A frame that goes nowhere, and why."""

    reason: DropReason
    detail: str


Outputs = list[tuple[Port, Frame]]
"""The ports by which a frame leaves, each with the frame as it is sent there."""


class MacRelay:
    """Classification, learning, forwarding and flooding between the ports of one device.

    Args:
        name: the device's, for explanations.
        ageing_ns: after how long an idle learned address is forgotten, from 1.
        fdb_limit: how many addresses are learned at most, from 1.
    """

    def __init__(self, name: str, ageing_ns: int = AGEING_NS, fdb_limit: int = FDB_LIMIT) -> None:
        self._name = name
        self._database = FilteringDatabase(ageing_ns, fdb_limit)
        self._ports: dict[int, RelayPort] = {}
        self._members: dict[int, tuple[RelayPort, ...]] = {}

    def configure(self, port: Port, membership: Membership) -> None:
        """Enter a port, or put it into other VLANs; what was learned at it is forgotten."""
        before = self._ports.get(port.number)
        forwarding = before is None or before.forwarding
        self._ports[port.number] = RelayPort(membership, membership.untagged, port, forwarding)
        self.forget(port)

    def remove(self, port: Port) -> None:
        """Forget a port."""
        del self._ports[port.number]
        self.forget(port)

    def set_forwarding(self, number: int, forwarding: bool) -> None:
        """Set whether frames may leave by a port."""
        self._ports[number].forwarding = forwarding
        self._members.clear()

    def membership(self, number: int) -> Membership:
        """Return the VLANs of a port."""
        return self._ports[number].membership

    def fdb(self, now: int) -> list[FdbEntry]:
        """Return what has been learned, by VLAN and address; see :func:`fdb.format_fdb`."""
        return self._database.entries(now)

    def forget(self, port: Port) -> None:
        """Forget the stations behind a port."""
        self._database.flush(port)
        self._members.clear()

    def decide(self, port: Port | None, frame: Frame, now: int) -> Outputs | Filtered:
        """Learn from a frame and return where it goes.

        Args:
            port: where it arrived, or None if it came by no port.
            frame: the frame.
            now: virtual time, ns.
        """
        data = frame.data
        vid = self._classify(port, data)
        if isinstance(vid, DropReason):
            return Filtered(vid, _at(port))
        database = self._database
        if port is not None and not data[6] & 1:
            database.learn(vid, data[6:12], port, now)
        known = None if data[0] & 1 else database.lookup(vid, data[:6], now)
        if known is None:
            return self._flood(vid, port, frame)
        if known is port:
            return Filtered(DropReason.SAME_PORT, _at(port))
        member = self._ports[known.number]
        if not member.forwarding:
            return Filtered(DropReason.NO_EGRESS, f"{known.name} does not forward")
        return [(known, _untagged(frame) if vid == member.untagged else _tagged(frame, vid))]

    def _classify(self, port: Port | None, data: bytes) -> int | DropReason:
        """Return the frame's VLAN, or why it may not enter (802.1Q, 6.9.1 and 8.6.2)."""
        if len(data) < SHORTEST_FRAME:
            return DropReason.MALFORMED
        if data[0] & 1 and data[:5] == RESERVED_PREFIX and data[5] <= RESERVED_LAST:
            return DropReason.RESERVED_ADDRESS
        entrance = FROM_OUTSIDE if port is None else self._ports[port.number]
        if data[12:14] == CUSTOMER_TAG:
            if len(data) < SHORTEST_TAGGED_FRAME:
                return DropReason.MALFORMED
            vid = (data[14] << 8 | data[15]) & VID_MASK
            if vid:
                membership = entrance.membership
                if isinstance(membership, Access):
                    return DropReason.TAG_NOT_ALLOWED
                return vid if membership.carries(vid) else DropReason.VLAN_NOT_ALLOWED
        if entrance.untagged is None:
            return DropReason.UNTAGGED_NOT_ALLOWED
        return entrance.untagged

    def _flood(self, vid: int, port: Port | None, frame: Frame) -> Outputs | Filtered:
        """Return every other port of the VLAN that is up, in the order of their numbers."""
        members = self._members.get(vid)
        if members is None:
            members = self._members[vid] = self._members_of(vid)
        outputs: Outputs = []
        tagged: Frame | None = None  # made once for all trunks
        untagged: Frame | None = None
        for member in members:
            if member.port is port:
                continue
            if vid == member.untagged:
                untagged = untagged or _untagged(frame)
                outputs.append((member.port, untagged))
            else:
                tagged = tagged or _tagged(frame, vid)
                outputs.append((member.port, tagged))
        return outputs or Filtered(DropReason.NO_EGRESS, f"VLAN {vid}")

    def _members_of(self, vid: int) -> tuple[RelayPort, ...]:
        return tuple(
            member
            for _, member in sorted(self._ports.items())
            if member.port.up and member.forwarding and member.membership.carries(vid)
        )

    def explain(self, port: Port | None, frame: Frame, now: int) -> list[str]:
        """Tell how a frame is classified and by which ports it leaves, changing nothing."""
        where = f"{self._name}:{port.name}" if port else f"{self._name}, for its controller"
        entrance = FROM_OUTSIDE if port is None else self._ports[port.number]
        membership = entrance.membership
        vid = self._classify(port, frame.data)
        if isinstance(vid, DropReason):
            return [f"{where} ({membership}) drops the frame: {vid.value}"]
        lines = [f"{where} ({membership}) puts the frame in VLAN {vid}"]
        dst = Mac(frame.data[:6])
        known = None if dst.is_group else self._database.lookup(vid, dst, now)
        if not dst.is_group and dst == frame.data[6:12]:
            known = port  # where the frame's source would be learned first
        if port is not None and known is port:
            lines.append(f"{self._name} drops the frame: {DropReason.SAME_PORT.value}")
        elif known is not None and not self._ports[known.number].forwarding:
            lines.append(f"{self._name} drops the frame: {known.name} does not forward")
        elif known is not None:
            lines.append(f"{self._name} has learned {dst} in VLAN {vid} at {known.name}")
            lines.append(self._explain_output(known, vid))
        else:
            why = "is a group address" if dst.is_group else f"is not known in VLAN {vid}"
            lines.append(f"{self._name} floods VLAN {vid}: {dst} {why}")
            lines += self._explain_flood(vid, port)
        return lines

    def _explain_flood(self, vid: int, port: Port | None) -> list[str]:
        """Tell of every other port whether the frame leaves by it, and if not, why."""
        lines = []
        outputs = 0
        for _, member in sorted(self._ports.items()):
            other = member.port
            if other is port:
                continue
            left_out = f"{self._name}:{other.name} is left out"
            if not member.membership.carries(vid):
                lines.append(f"{left_out}: {member.membership}, the frame is in VLAN {vid}")
            elif not other.up:
                lines.append(f"{left_out}: its link is down")
            elif not member.forwarding:
                lines.append(f"{left_out}: it does not forward")
            else:
                outputs += 1
                lines.append(self._explain_output(other, vid))
        if not outputs:
            lines.append(f"{self._name} drops the frame: {DropReason.NO_EGRESS.value}")
        return lines

    def _explain_output(self, port: Port, vid: int) -> str:
        form = "untagged" if vid == self._ports[port.number].untagged else f"tagged {vid}"
        return f"{self._name}:{port.name} sends it {form}"


def _at(port: Port | None) -> str:
    return "from the controller" if port is None else f"at {port.name}"


def _tagged(frame: Frame, vid: int) -> Frame:
    """Return the frame as it is sent with the tag of its VLAN: itself, if it has it."""
    data = frame.data
    if data[12:14] != CUSTOMER_TAG:
        return frame.rewritten(push_tag(data, _tag(vid)))
    if (data[14] << 8 | data[15]) & VID_MASK == vid:
        return frame
    return frame.rewritten(retag(data, vid))  # it had a priority tag


@cache
def _tag(vid: int) -> VlanTag:
    return VlanTag(vid)


def _untagged(frame: Frame) -> Frame:
    """Return the frame as it is sent without a tag: itself, if it has none."""
    data = frame.data
    return frame.rewritten(pop_tag(data)) if data[12:14] == CUSTOMER_TAG else frame
