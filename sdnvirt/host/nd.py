"""Neighbour discovery on an interface: who has an IPv6 address (RFC 4861, 7).

The cache and its states are those of :mod:`sdnvirt.host.neighbours`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ALL_NODES, IpAddress, Ipv6, Mac
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host.families import FAMILIES
from sdnvirt.host.neighbours import ND, Event
from sdnvirt.host.paths import LinkPath
from sdnvirt.host.resolver import Resolver
from sdnvirt.wire import nd
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.ipv6 import Ipv6Packet
from sdnvirt.wire.nd import NeighbourAdvertisement, NeighbourSolicitation
from sdnvirt.wire.nd_options import NdOptions

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface

ETHERTYPE_IPV6: Final = b"\x86\xdd"
"""The registered EtherType as it stands in a frame."""

FAILURES: Final = {
    DropReason.NEIGHBOUR_UNRESOLVED: "no answer to neighbour solicitations",
    DropReason.NEIGHBOUR_QUEUE_FULL: "too many packets wait for the neighbour's answer",
}
"""What a conversation is told of a packet that never left, after the address of the next hop."""


class NdResolver(Resolver):
    """Neighbour discovery of one interface."""

    __slots__ = ()

    ethertype = ETHERTYPE_IPV6
    failures = FAILURES

    def __init__(self, interface: Interface) -> None:
        super().__init__(interface, ND)

    def receive(self, message: Icmpv6, packet: Ipv6Packet, frame: Frame) -> DropReason | None:
        """Take a message of the link; return why it was of no use, or None if it was.

        Raises:
            WireError: the message breaks the rules of its type.
        """
        if packet.hop_limit != nd.HOP_LIMIT:  # it has crossed a router (RFC 4861, 7.1)
            return DropReason.HOP_LIMIT_NOT_255
        if message.type == Icmpv6Type.NEIGHBOUR_SOLICITATION:
            solicitation = NeighbourSolicitation.of(message)
            return self._solicited(solicitation, packet, frame.provenance.cause)
        if message.type == Icmpv6Type.NEIGHBOUR_ADVERTISEMENT:
            return self._advertised(NeighbourAdvertisement.of(message), packet)
        return DropReason.UNKNOWN_PROTOCOL

    def emit(
        self,
        message: Icmpv6,
        dst: Ipv6,
        mac: Mac | None = None,
        src: Ipv6 | None = None,
        cause: int = 0,
    ) -> None:
        """Send a message on the link, with the hop limit that shows that it is of the link.

        Args:
            message: the message.
            dst: destination; to a group, or with ``mac``.
            mac: MAC address of the destination, or None to derive it from a group.
            src: source; by default the best of the interface.
            cause: the conversation that it belongs to.
        """
        interface = self.interface
        source = src or interface.source_to(dst)
        assert isinstance(source, Ipv6), "an interface that speaks has an address"
        path = LinkPath(interface.host.ip, FAMILIES[Ipv6], interface, source, dst, mac)
        path.send(IpProtocol.ICMPV6, message.emit(source, dst), hop_limit=nd.HOP_LIMIT, cause=cause)

    def advertise(self, target: Ipv6, dst: Ipv6, mac: Mac | None, cause: int = 0) -> None:
        """Tell a neighbour that asked, or everybody, who has an address (RFC 4861, 7.2.4)."""
        answer = NeighbourAdvertisement(
            target, solicited=dst != ALL_NODES, override=True,
            options=NdOptions(target_mac=self.interface.mac),
        )  # fmt: skip
        self.emit(answer.message(), dst, mac, src=target, cause=cause)

    def _solicited(
        self, solicitation: NeighbourSolicitation, packet: Ipv6Packet, cause: int
    ) -> DropReason | None:
        """Answer a neighbour that asks for an address of this interface (RFC 4861, 7.2.3)."""
        mac = solicitation.options.source_mac
        if not self.interface.has(solicitation.target):
            return DropReason.NOT_MY_ND
        if packet.src.is_unspecified:  # somebody wants the address (RFC 4862, 5.4.3)
            self.advertise(solicitation.target, ALL_NODES, None, cause)
            return None
        if mac is not None and not mac.is_group:
            heard = self.neighbours.heard(packet.src, mac, Event.ASKED, self.now)
            self.carry_out(heard)
        elif not self.neighbours.knows(packet.src, self.now):
            return DropReason.NOT_MY_ND
        self.advertise(solicitation.target, packet.src, mac, cause)
        return None

    def _advertised(
        self, advertisement: NeighbourAdvertisement, packet: Ipv6Packet
    ) -> DropReason | None:
        """Learn from what a neighbour tells of itself (RFC 4861, 7.2.5)."""
        target, mac = advertisement.target, advertisement.options.target_mac
        if advertisement.solicited and packet.dst.is_multicast:  # (7.1.2)
            return DropReason.MALFORMED
        now = self.now
        if mac is None:
            if not advertisement.solicited or not self.neighbours.knows(target, now):
                return DropReason.NOT_MY_ND
            self.carry_out(self.neighbours.answered(target, now))
            return None
        if mac.is_group:
            return DropReason.MALFORMED
        event = Event.ANSWERED if advertisement.solicited else Event.OVERHEARD
        heard = self.neighbours.heard(target, mac, event, now, advertisement.override)
        self.carry_out(heard)
        # An advertisement makes no entry where nobody asked (7.2.5).
        return None if self.neighbours.knows(target, now) else DropReason.NOT_MY_ND

    def _solicit(self, address: IpAddress, mac: Mac | None, cause: int) -> None:
        assert isinstance(address, Ipv6)
        message = NeighbourSolicitation(address, NdOptions(source_mac=self.interface.mac)).message()
        dst = address if mac is not None else address.solicited_node
        self.emit(message, dst, mac, cause=cause)

    def _gone(self, address: IpAddress) -> None:
        """Use another router, if the one that has gone was one (RFC 4861, 7.3.3)."""
