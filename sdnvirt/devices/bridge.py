"""A VLAN-aware learning bridge (IEEE 802.1Q, clauses 6.9 and 8.6 to 8.8).

A frame is classified into a VLAN, its source address is learned, and it leaves by the port where
its destination was learned, or by all other ports of the VLAN. A frame whose tag need not change
is passed on as the same object, with all that has been found out about it.

Only customer tags (0x8100) are looked at: a frame with a service tag (802.1ad, 0x88A8) counts as
untagged with one more EtherType, which is what a customer bridge makes of it.

Left out: spanning trees (build topologies without loops, or steer them with OpenFlow) and
multicast pruning; the addresses reserved for such protocols are filtered as a bridge must.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from sdnvirt.addresses import Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.fdb import AGEING_NS, FDB_LIMIT, FdbEntry, FilteringDatabase
from sdnvirt.devices.vlan import Access, Membership
from sdnvirt.devices.world import World
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
class BridgePort:
    """A port and what the bridge knows of it.

    Attributes:
        port: the port itself.
        membership: its VLANs.
        untagged: the VLAN that is untagged on its cable, or None.
    """

    port: Port
    membership: Membership
    untagged: int | None


class Bridge(Device):
    """A switch of layer 2 that learns where stations are.

    Args:
        name: unique in the network.
        world: the surroundings.
        ageing_ns: after how long an idle learned address is forgotten, from 1.
        fdb_limit: how many addresses are learned at most, from 1.
    """

    def __init__(
        self, name: str, world: World, ageing_ns: int = AGEING_NS, fdb_limit: int = FDB_LIMIT
    ) -> None:
        super().__init__(name, world)
        self._database = FilteringDatabase(ageing_ns, fdb_limit)
        self._ports: dict[int, BridgePort] = {}
        self._members: dict[int, tuple[BridgePort, ...]] = {}

    def add_port(self, number: int, name: str, mac: Mac) -> Port:
        """Give the bridge one more port, an access port of VLAN 1 until it is configured."""
        port = super().add_port(number, name, mac)
        self.configure(number, Access())
        return port

    def configure(self, number: int, membership: Membership) -> None:
        """Put a port into VLANs; what was learned at it is forgotten."""
        port = self.ports[number]
        self._ports[number] = BridgePort(port, membership, membership.untagged)
        self._forget(port)

    def membership(self, number: int) -> Membership:
        """Return the VLANs of a port."""
        return self._ports[number].membership

    def fdb(self) -> list[FdbEntry]:
        """Return what the bridge has learned, by VLAN and address; see :func:`fdb.format_fdb`."""
        return self._database.entries(self.world.scheduler.now)

    def port_changed(self, port: Port) -> None:
        """Forget the stations behind a port whose link changed."""
        self._forget(port)

    def _forget(self, port: Port) -> None:
        self._database.flush(port)
        self._members.clear()

    def receive(self, port: Port, frame: Frame) -> None:
        """Classify, learn, and forward, flood or filter."""
        data = frame.data
        vid = self._classify(port, data)
        if isinstance(vid, DropReason):
            self.drop(frame, vid, f"at {port.name}")
            return
        now = self.world.scheduler.now
        database = self._database
        if not data[6] & 1:
            database.learn(vid, data[6:12], port, now)
        known = None if data[0] & 1 else database.lookup(vid, data[:6], now)
        if known is None:
            self._flood(vid, port, frame)
        elif known is port:
            self.drop(frame, DropReason.SAME_PORT, f"at {port.name}")
        else:
            plain = vid == self._ports[known.number].untagged
            known.send(_untagged(frame) if plain else _tagged(frame, vid))

    def _classify(self, port: Port, data: bytes) -> int | DropReason:
        """Return the frame's VLAN, or why it may not enter (802.1Q, 6.9.1 and 8.6.2)."""
        if len(data) < SHORTEST_FRAME:
            return DropReason.MALFORMED
        if data[0] & 1 and data[:5] == RESERVED_PREFIX and data[5] <= RESERVED_LAST:
            return DropReason.RESERVED_ADDRESS
        bridge_port = self._ports[port.number]
        if data[12:14] == CUSTOMER_TAG:
            if len(data) < SHORTEST_TAGGED_FRAME:
                return DropReason.MALFORMED
            vid = (data[14] << 8 | data[15]) & VID_MASK
            if vid:
                membership = bridge_port.membership
                if isinstance(membership, Access):
                    return DropReason.TAG_NOT_ALLOWED
                return vid if membership.carries(vid) else DropReason.VLAN_NOT_ALLOWED
        if bridge_port.untagged is None:
            return DropReason.UNTAGGED_NOT_ALLOWED
        return bridge_port.untagged

    def _flood(self, vid: int, port: Port, frame: Frame) -> None:
        """Send by every other port of the VLAN that is up, in the order of their numbers."""
        members = self._members.get(vid)
        if members is None:
            members = self._members[vid] = self._members_of(vid)
        outputs = [member for member in members if member.port is not port]
        if not outputs:
            self.drop(frame, DropReason.NO_EGRESS, f"VLAN {vid}")
            return
        self.world.ledger.copied += len(outputs) - 1
        tagged: Frame | None = None  # made once for all trunks
        untagged: Frame | None = None
        for member in outputs:
            if vid == member.untagged:
                untagged = untagged or _untagged(frame)
                member.port.send(untagged)
            else:
                tagged = tagged or _tagged(frame, vid)
                member.port.send(tagged)

    def _members_of(self, vid: int) -> tuple[BridgePort, ...]:
        return tuple(
            member
            for _, member in sorted(self._ports.items())
            if member.port.up and member.membership.carries(vid)
        )

    def explain(self, port: Port, frame: Frame) -> list[str]:
        """Tell how the frame is classified and by which ports it leaves, changing nothing."""
        where = f"{self.name}:{port.name}"
        membership = self._ports[port.number].membership
        vid = self._classify(port, frame.data)
        if isinstance(vid, DropReason):
            return [f"{where} ({membership}) drops the frame: {vid.value}"]
        lines = [f"{where} ({membership}) puts the frame in VLAN {vid}"]
        dst = Mac(frame.data[:6])
        now = self.world.scheduler.now
        known = None if dst.is_group else self._database.lookup(vid, dst, now)
        if not dst.is_group and dst == frame.data[6:12]:
            known = port  # where the frame's source would be learned first
        if known is port:
            lines.append(f"{self.name} drops the frame: {DropReason.SAME_PORT.value}")
        elif known is not None:
            lines.append(f"{self.name} has learned {dst} in VLAN {vid} at {known.name}")
            lines.append(self._explain_output(known, vid))
        else:
            why = "is a group address" if dst.is_group else f"is not known in VLAN {vid}"
            lines.append(f"{self.name} floods VLAN {vid}: {dst} {why}")
            lines += self._explain_flood(vid, port)
        return lines

    def _explain_flood(self, vid: int, port: Port) -> list[str]:
        """Tell of every other port whether the frame leaves by it, and if not, why."""
        lines = []
        outputs = 0
        for number, member in sorted(self._ports.items()):
            other = member.port
            if other is port:
                continue
            left_out = f"{self.name}:{other.name} is left out"
            if not member.membership.carries(vid):
                lines.append(f"{left_out}: {member.membership}, the frame is in VLAN {vid}")
            elif not other.up:
                lines.append(f"{left_out}: its link is down")
            else:
                outputs += 1
                lines.append(self._explain_output(self.ports[number], vid))
        if not outputs:
            lines.append(f"{self.name} drops the frame: {DropReason.NO_EGRESS.value}")
        return lines

    def _explain_output(self, port: Port, vid: int) -> str:
        form = "untagged" if vid == self._ports[port.number].untagged else f"tagged {vid}"
        return f"{self.name}:{port.name} sends it {form}"


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
