"""What a host that forwards does with packets for others (RFC 1812; RFC 8200; RFC 4443).

It forwards by the routes that it sends by, tells senders what cannot be forwarded and why, and who
would be the better next hop. Left out: multicast and directed broadcasts (RFC 2644), and filtering
by the reverse path.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host import icmp, ipv4, ipv6
from sdnvirt.host.families import FAMILIES
from sdnvirt.host.fragmenting import cut_packet
from sdnvirt.host.handling import Handled, Kept
from sdnvirt.host.icmp import Problem
from sdnvirt.host.paths import Path
from sdnvirt.host.routes import Route
from sdnvirt.wire import nd
from sdnvirt.wire.checksum import update_checksum16
from sdnvirt.wire.ethernet import HEADER_LENGTH as ETHERNET_HEADER
from sdnvirt.wire.icmp import Icmp, Redirect
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.ipv6 import Ipv6Packet
from sdnvirt.wire.nd_options import NdOptions

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

_TTL_AT: Final = 8
_CHECKSUM_AT: Final = 10
_HOP_LIMIT_AT: Final = 7


class Forwarding:
    """The forwarding of one host."""

    __slots__ = ("_host",)

    def __init__(self, host: Host) -> None:
        self._host = host

    def __len__(self) -> int:
        """Return the number of frames that wait for the MAC address of a next hop."""
        return sum(one.forwarded_waiting() for one in self._host.all_interfaces())

    def receive_ipv4(self, interface: Interface, frame: Frame) -> Handled:
        """Take a frame with an IPv4 packet that is not for the interface; return what became of it.

        Raises:
            WireError: the bytes are not an IPv4 packet.
        """
        packet = Ipv4Packet.parse(frame.data[ETHERNET_HEADER:])
        reason = ipv4.fault(interface, packet, frame.data)
        if reason is not None:
            return reason
        owner = None if packet.dst.is_loopback else self._host.ip.owner(packet.dst)
        if owner is not None:
            return ipv4.accept(self._host, owner, packet, frame)
        if _is_not_forwarded(packet, frame):
            return DropReason.NOT_FORWARDED
        return self._forward(interface, packet, frame)

    def receive_ipv6(self, interface: Interface, frame: Frame) -> Handled:
        """Take a frame with an IPv6 packet that is not for the interface; return what became of it.

        Raises:
            WireError: the bytes are not an IPv6 packet.
        """
        packet = Ipv6Packet.parse(frame.data[ETHERNET_HEADER:])
        if ipv6.is_martian(interface, packet, frame.data):
            return DropReason.MARTIAN
        dst = packet.dst
        owner = None if dst.is_loopback or dst.is_link_local else self._host.ip.owner(dst)
        if owner is not None:
            return ipv6.deliver(self._host, owner, packet, frame)
        if _is_not_forwarded(packet, frame):
            return DropReason.NOT_FORWARDED
        return self._forward(interface, packet, frame)

    def _forward(self, interface: Interface, packet: IpPacket, frame: Frame) -> Handled:
        if packet.hop_limit <= 1:
            self._report(interface, packet, frame, Problem.HOP_LIMIT)
            return DropReason.TTL_EXPIRED
        route = self._host.ip.routes.lookup(packet.dst)
        if route is None:
            self._report(interface, packet, frame, Problem.NETWORK)
            return DropReason.NO_ROUTE
        out = route.interface
        if packet.dst in out.broadcasts:  # (RFC 2644)
            return DropReason.NOT_FORWARDED
        mtu = FAMILIES[type(packet.dst)].link_mtu(out)
        if packet.length > mtu and not _may_be_cut(packet):
            self._report(interface, packet, frame, Problem.TOO_BIG, mtu)
            return DropReason.TOO_BIG
        hop = route.gateway or packet.dst
        if out is interface:
            self._redirect(interface, packet, frame, route, hop)
        self._pass_on(interface, packet, frame, route, hop, mtu)
        return Kept.KEPT

    def _pass_on(
        self,
        interface: Interface,
        packet: IpPacket,
        frame: Frame,
        route: Route,
        hop: IpAddress,
        mtu: int,
    ) -> None:
        """Send a packet on, one hop older, in fragments if it must be."""
        data = _aged(frame.data[ETHERNET_HEADER : ETHERNET_HEADER + packet.length], packet)
        pieces = [data] if len(data) <= mtu else cut_packet(Ipv4Packet.parse(data), mtu)
        self._host.world.ledger.copied += len(pieces) - 1
        failed = self._failure(interface, packet, frame)
        resolver = route.interface.resolver(hop)
        for piece in pieces:
            resolver.forward(hop, piece, frame, failed)

    def _failure(
        self, interface: Interface, packet: IpPacket, frame: Frame
    ) -> Callable[[str], None]:
        """Return what tells the sender that the next hop does not answer (RFC 1812, 5.2.7.1)."""
        return lambda _text: self._report(interface, packet, frame, Problem.HOST)

    def _redirect(
        self, interface: Interface, packet: IpPacket, frame: Frame, route: Route, hop: IpAddress
    ) -> None:
        """Tell a neighbour of a better next hop (RFC 1812, 5.2.7.2; RFC 4861, 8.2)."""
        host = self._host
        src = packet.src
        if not host.ip.is_on_link(src, interface) or icmp.is_error(packet):
            return
        path = host.ip.path(src, None, interface)
        if not isinstance(path, Path) or not host.icmp_errors.allows(host.world.scheduler.now):
            return
        if isinstance(packet, Ipv4Packet) and isinstance(hop, Ipv4):
            quoted = packet.emit()
            message = Icmp.redirect(Redirect.HOST, hop, quoted).emit()
            path.send(IpProtocol.ICMP, message, cause=frame.provenance.cause)
        elif isinstance(packet, Ipv6Packet) and isinstance(hop, Ipv6):
            self._redirect_ipv6(interface, packet, frame, hop)

    def _redirect_ipv6(
        self, interface: Interface, packet: Ipv6Packet, frame: Frame, hop: Ipv6
    ) -> None:
        source = interface.link_local
        # A router is told of by its link-local address only (RFC 4861, 8.2).
        if interface.nd is None or source is None:
            return
        if hop != packet.dst and not hop.is_link_local:
            return
        mac = interface.nd.known_mac(hop)
        options = NdOptions(target_mac=mac, redirected=packet.emit()[:_REDIRECTED])
        message = nd.Redirect(hop, packet.dst, options).message()
        path = self._host.ip.path(packet.src, source, interface)
        if isinstance(path, Path):
            data = message.emit(source, packet.src)
            path.send(IpProtocol.ICMPV6, data, hop_limit=nd.HOP_LIMIT, cause=frame.provenance.cause)

    def _report(
        self, interface: Interface, packet: IpPacket, frame: Frame, problem: Problem, mtu: int = 0
    ) -> None:
        icmp.report(
            self._host, interface, packet, problem, group_frame=bool(frame.data[0] & 1),
            cause=frame.provenance.cause, mtu=mtu,
        )  # fmt: skip


_REDIRECTED: Final = 1000
"""Bytes of the packet that a redirect tells: it stays below the smallest MTU (RFC 4861, 4.6.3)."""


def _is_not_forwarded(packet: IpPacket, frame: Frame) -> bool:
    """Whether a packet means something on its link only, or to many (RFC 1812, 5.3.4, 5.3.5)."""
    src, dst = packet.src, packet.dst
    if frame.data[0] & 1 or src.is_unspecified or src.is_link_local:
        return True
    if dst.is_multicast or dst.is_link_local or dst.is_loopback or dst.is_unspecified:
        return True
    return isinstance(dst, Ipv4) and (dst[0] == 0 or dst[0] >= 240)


def _may_be_cut(packet: IpPacket) -> bool:
    return isinstance(packet, Ipv4Packet) and not packet.dont_fragment


def _aged(data: bytes, packet: IpPacket) -> bytes:
    """Return a packet with one hop less to live."""
    if isinstance(packet, Ipv6Packet):
        return data[:_HOP_LIMIT_AT] + bytes((packet.hop_limit - 1,)) + data[_HOP_LIMIT_AT + 1 :]
    # Time to live and protocol are one word of the checksum (RFC 1624, 3).
    word = packet.ttl << 8 | packet.protocol
    checksum = update_checksum16(
        int.from_bytes(data[_CHECKSUM_AT : _CHECKSUM_AT + 2], "big"), word, word - 0x100
    )
    return (
        data[:_TTL_AT]
        + (word - 0x100).to_bytes(2, "big")
        + checksum.to_bytes(2, "big")
        + data[_CHECKSUM_AT + 2 :]
    )
