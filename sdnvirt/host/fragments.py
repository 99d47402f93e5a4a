"""Runs reassembly for a host: fragments in, whole packets to their protocols.

The frames of a packet share its fate: they are in flight while it is not whole, and are delivered
or dropped with it. The sender of one that is not whole in time is told, if its first fragment came
(RFC 792, "Time Exceeded"; RFC 8200, 4.5).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.errors import MalformedError, WireError
from sdnvirt.frame import Frame
from sdnvirt.host import icmp, ipv4, ipv6
from sdnvirt.host.handling import Handled, Kept
from sdnvirt.host.icmp import Problem
from sdnvirt.host.reassembly import (
    Duplicate,
    Expired,
    Key,
    Part,
    Reassembler,
    Refused,
    Waiting,
    Whole,
)
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import Ipv4Packet
from sdnvirt.wire.ipv6 import HEADER_LENGTH, MAX_PAYLOAD_LENGTH, Ipv6Packet

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host


@dataclass(frozen=True, slots=True, eq=False)
class _Arrived:
    """A fragment, where it came from, and the frame that brought it."""

    interface: Interface
    packet: IpPacket
    frame: Frame


class Fragments:
    """The fragments that a host has taken."""

    __slots__ = ("_armed_for", "_host", "_reassembler")

    def __init__(self, host: Host) -> None:
        self._host = host
        self._reassembler: Reassembler[_Arrived] = Reassembler()
        self._armed_for = NEVER

    def __len__(self) -> int:
        """Return the number of fragments that wait for others."""
        return len(self._reassembler)

    def receive(self, interface: Interface, packet: IpPacket, frame: Frame) -> Handled:
        """Take a fragment; return what became of it.

        Raises:
            WireError: the packet is whole and breaks its protocol's rules.
        """
        key, offset, more = _place(packet)
        arrived = _Arrived(interface, packet, frame)
        part = Part(offset, more, packet.payload, arrived)
        match self._reassembler.add(key, part, self._now):
            case Whole(payload, tokens, first):
                return self._deliver(payload, tokens, first, arrived)
            case Refused(tokens):
                self._settle(tokens, DropReason.FRAGMENT_MISFIT)
                return DropReason.FRAGMENT_MISFIT
            case Duplicate():
                return DropReason.FRAGMENT_DUPLICATE
            case Waiting():
                pass
        surplus = self._reassembler.overflow()
        if surplus is not None:
            self._settle(surplus.tokens, DropReason.REASSEMBLY_FULL)
        self._arm()
        return Kept.KEPT

    def crash(self) -> None:
        """Lose all that waits: the host lost its power."""
        self._settle(self._reassembler.clear(), DropReason.CRASHED)

    def _deliver(
        self, payload: bytes, tokens: list[_Arrived], first: _Arrived, last: _Arrived
    ) -> Handled:
        """Hand a whole packet on; its earlier frames are settled here, the last by the caller."""
        earlier = [one for one in tokens if one is not last]
        try:
            handled = self._hand_on(_join(first.packet, payload, tokens), last)
        except WireError as error:
            for one in earlier:
                self._host.refuse(one.frame, error)
            raise
        self._settle(earlier, handled)
        return handled

    def _hand_on(self, packet: IpPacket, last: _Arrived) -> Handled:
        if isinstance(packet, Ipv4Packet):
            return ipv4.deliver(self._host, last.interface, packet, last.frame)
        if packet.is_fragment:  # of a fragment; nobody makes such packets
            return DropReason.FRAGMENT
        return ipv6.deliver(self._host, last.interface, packet, last.frame)

    def _settle(self, tokens: list[_Arrived], handled: Handled) -> None:
        for one in tokens:
            self._host.settle(one.frame, handled)

    def _arm(self) -> None:
        due = self._reassembler.next_timeout()
        if due < self._armed_for:
            self._armed_for = due
            self._host.world.scheduler.call_at(due, self._tick)

    def _tick(self, _argument: None) -> None:
        self._armed_for = NEVER
        for expired in self._reassembler.tick(self._now):
            self._give_up(expired)
        self._arm()

    def _give_up(self, expired: Expired[_Arrived]) -> None:
        self._settle(expired.tokens, DropReason.REASSEMBLY_TIMEOUT)
        first = expired.first
        if first is not None:
            icmp.report(
                self._host, first.interface, first.packet, Problem.REASSEMBLY,
                group_frame=bool(first.frame.data[0] & 1), cause=first.frame.provenance.cause,
            )  # fmt: skip

    @property
    def _now(self) -> int:
        return self._host.world.scheduler.now


def _place(packet: IpPacket) -> tuple[Key, int, bool]:
    """Return what packet a fragment is of, its offset, and whether it is not the last."""
    if isinstance(packet, Ipv4Packet):
        place = packet.fragment_offset, packet.more_fragments
        return (packet.src, packet.dst, packet.protocol, packet.identification), *place
    fragment = packet.fragment
    assert fragment is not None
    return (packet.src, packet.dst, 0, fragment.identification), fragment.offset, fragment.more


def _join(first: IpPacket, payload: bytes, tokens: list[_Arrived]) -> IpPacket:
    """Return the packet that the fragments are of.

    Raises:
        WireError: it is too long, or headers in it are wrong.
    """
    # A router that marked one fragment marked the packet (RFC 3168, 5.3).
    marks = [one.packet.ecn for one in tokens]
    ecn = _CONGESTION if _CONGESTION in marks else first.ecn
    if isinstance(first, Ipv4Packet):
        return replace(first, payload=payload, ecn=ecn, more_fragments=False, fragment_offset=0)
    whole = replace(first, payload=payload, ecn=ecn, extensions=first.extensions[:-1])
    if whole.length - HEADER_LENGTH > MAX_PAYLOAD_LENGTH:
        raise MalformedError(f"fragments of an IPv6 packet of {whole.length} bytes")
    return Ipv6Packet.parse(whole.emit())  # what was behind the fragment header is seen now


_CONGESTION: Final = 3
"""The ECN codepoint "congestion experienced" (RFC 3168, 5)."""
