"""ICMPv6 on a host: answers echoes, hears of errors, and hands on what is of the link (RFC 4443).

What errors the host sends itself is in :mod:`sdnvirt.host.icmp`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import IpAddress, Ipv6
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host import echo, icmp
from sdnvirt.host.paths import Fragmentation, Path
from sdnvirt.host.transport_errors import ERROR_HANDLERS
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.ipv6 import Ipv6Packet

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

MLD_TYPES: Final = (
    Icmpv6Type.LISTENER_QUERY, Icmpv6Type.LISTENER_REPORT, Icmpv6Type.LISTENER_DONE,
    Icmpv6Type.LISTENER_REPORT_V2,
)  # fmt: skip
ND_TYPES: Final = (
    Icmpv6Type.ROUTER_SOLICITATION, Icmpv6Type.ROUTER_ADVERTISEMENT,
    Icmpv6Type.NEIGHBOUR_SOLICITATION, Icmpv6Type.NEIGHBOUR_ADVERTISEMENT, Icmpv6Type.REDIRECT,
)  # fmt: skip


def receive(host: Host, interface: Interface, packet: IpPacket, frame: Frame) -> DropReason | None:
    """Take an ICMPv6 message; return why it was of no use, or None if it was.

    Raises:
        WireError: the bytes are not an ICMPv6 message, or not one of its type.
    """
    if not isinstance(packet, Ipv6Packet):  # ICMPv6 in IPv4 means nothing
        return DropReason.UNKNOWN_PROTOCOL
    message = Icmpv6.parse(packet.payload, packet.src, packet.dst)
    if message.type == Icmpv6Type.ECHO_REQUEST:
        return _answer_echo(host, interface, message, packet, frame)
    if message.type == Icmpv6Type.ECHO_REPLY:
        taken = echo.reply_arrived(host, message, packet, frame.data[6:12])
        return None if taken else DropReason.ICMP_UNEXPECTED
    if message.is_error:
        return _receive_error(host, message, packet)
    if message.type in MLD_TYPES and interface.mld is not None:
        return interface.mld.receive(message, packet)
    if message.type in ND_TYPES and interface.nd is not None:
        return interface.nd.receive(message, packet, frame)
    return DropReason.UNKNOWN_PROTOCOL


def _answer_echo(
    host: Host, interface: Interface, request: Icmpv6, packet: Ipv6Packet, frame: Frame
) -> DropReason | None:
    own: IpAddress | None = packet.dst
    if packet.dst.is_multicast:
        # One packet to a group makes many, and all go to whom it says it is from: so they are
        # limited as errors are.
        if not host.icmp_errors.allows(host.world.scheduler.now):
            return DropReason.GROUP_ECHO_LIMIT
        own = interface.source_to(packet.src)  # it must be one host's (RFC 4443, 4.2)
        if own is None:
            return DropReason.NO_ADDRESS
    path = host.ip.path(packet.src, own, _zone(packet, interface))
    if isinstance(path, Path) and isinstance(path.src, Ipv6):
        answer = Icmpv6.echo_reply(request).emit(path.src, packet.src)
        path.send(
            IpProtocol.ICMPV6, answer, fragmentation=Fragmentation.SENDER,
            cause=frame.provenance.cause,
        )  # fmt: skip
    return None


def _zone(packet: Ipv6Packet, interface: Interface) -> Interface | None:
    """Return the interface that an address means something on only, or None."""
    return interface if packet.src.is_link_local else None


def _receive_error(host: Host, message: Icmpv6, packet: Ipv6Packet) -> DropReason | None:
    quoted = message.quoted_packet()
    if host.ip.owner(quoted.src) is None:  # not about a packet of ours
        return DropReason.ICMP_UNEXPECTED
    report = icmp.heard(
        host, packet, quoted, (message.type, message.code),
        mtu=message.next_hop_mtu, length=quoted.length,
    )  # fmt: skip
    handler = ERROR_HANDLERS.get(quoted.protocol)
    told = handler is not None and handler(host, quoted, report)
    # Of an answer that was too big nobody hears, but the next one fits.
    return None if told or report.mtu is not None else DropReason.ICMP_UNEXPECTED
