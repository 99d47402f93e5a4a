"""ICMP for IPv4 on a host: answers echoes, hears of errors and redirects (RFC 792).

Duties of hosts are RFC 1122, 3.2.2. What errors the host sends itself is in
:mod:`sdnvirt.host.icmp`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host import echo, icmp
from sdnvirt.host.addressing import Cast
from sdnvirt.host.paths import Fragmentation
from sdnvirt.host.transport_errors import ERROR_HANDLERS
from sdnvirt.wire.icmp import Icmp, IcmpType
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host


def receive(host: Host, interface: Interface, packet: IpPacket, frame: Frame) -> DropReason | None:
    """Take an ICMP message; return why it was of no use, or None if it was.

    Raises:
        WireError: the bytes are not an ICMP message, or not one that quotes a packet.
    """
    if not isinstance(packet, Ipv4Packet):  # ICMP for IPv4 in IPv6 means nothing
        return DropReason.UNKNOWN_PROTOCOL
    message = Icmp.parse(packet.payload)
    if message.type == IcmpType.ECHO_REQUEST:
        # Answering broadcasts makes an amplifier of the network (RFC 1122, 3.2.2.6, allows not to).
        if interface.accepts.get(packet.dst) in (Cast.BROADCAST, Cast.MULTICAST):
            return DropReason.NOT_FOR_ME_L3
        answer = Icmp.echo_reply(message).emit()
        # All of the data goes back, however much it is (RFC 1122, 3.2.2.6); nothing would send it
        # again if it proved too big on its way, so routers may cut it.
        host.ip.send(
            packet.src, IpProtocol.ICMP, answer, src=packet.dst,
            fragmentation=Fragmentation.ANYBODY, cause=frame.provenance.cause,
        )  # fmt: skip
        return None
    if message.type == IcmpType.ECHO_REPLY:
        taken = echo.reply_arrived(host, message, packet, frame.data[6:12])
        return None if taken else DropReason.ICMP_UNEXPECTED
    if message.type == IcmpType.REDIRECT:
        return _redirect(host, interface, message, packet)
    if message.is_error:
        return _receive_error(host, message, packet)
    return DropReason.UNKNOWN_PROTOCOL


def _receive_error(host: Host, message: Icmp, packet: Ipv4Packet) -> DropReason | None:
    quoted = message.quoted_packet()
    if host.ip.owner(quoted.src) is None:  # not about a packet of ours
        return DropReason.ICMP_UNEXPECTED
    length = int.from_bytes(message.payload[2:4], "big")
    report = icmp.heard(
        host, packet, quoted, (message.type, message.code), mtu=message.next_hop_mtu, length=length
    )
    handler = ERROR_HANDLERS.get(quoted.protocol)
    told = handler is not None and handler(host, quoted, report)
    # Of an answer that was too big nobody hears, but the next one fits.
    return None if told or report.mtu is not None else DropReason.ICMP_UNEXPECTED


def _redirect(
    host: Host, interface: Interface, message: Icmp, packet: Ipv4Packet
) -> DropReason | None:
    """Use another gateway for one destination, if the present one says so (RFC 1122, 3.2.2.2)."""
    quoted = message.quoted_packet()
    route = host.ip.routes.lookup(quoted.dst)
    if (
        route is None
        or route.gateway != packet.src
        or route.interface is not interface
        or message.gateway == packet.src
        or interface.has(message.gateway)
        or host.forwarding is not None
        or not host.ip.is_on_link(message.gateway, interface)
    ):
        return DropReason.REDIRECT_IGNORED
    host.ip.redirect(quoted.dst, message.gateway, interface)
    return None
