"""How a host takes IPv4 packets (RFC 791; duties of hosts RFC 1122, 3.2.1).

Tests on addresses slice the frame before anything is parsed: of a flooded frame, most hosts need to
know no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import Ipv4
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host import icmp
from sdnvirt.host.addressing import Cast
from sdnvirt.host.handling import Handled
from sdnvirt.host.icmp import Problem
from sdnvirt.host.protocols import IP_PROTOCOLS
from sdnvirt.host.tcp import early
from sdnvirt.host.tcp.binding import ECN_MASK, MARKED
from sdnvirt.wire.ethernet import HEADER_LENGTH as ETHERNET_HEADER
from sdnvirt.wire.ipv4 import HEADER_LENGTH, IpProtocol, Ipv4Packet
from sdnvirt.wire.ipv4_options import SOURCE_ROUTES, parse_options

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

_UNICAST: Final = Cast.UNICAST
_TOS_AT: Final = ETHERNET_HEADER + 1
_DST_AT: Final = ETHERNET_HEADER + 16
_END: Final = ETHERNET_HEADER + HEADER_LENGTH


def receive(host: Host, interface: Interface, frame: Frame) -> Handled:
    """Take a frame with an IPv4 packet; return what became of it.

    Raises:
        WireError: the bytes are not an IPv4 packet.
    """
    data = frame.data
    connection = host.tcp_flows.get(data[early.IPV4_ENDS]) if host.tcp_flows else None
    if connection is not None:
        segment = early.ipv4_segment(interface, data)
        if segment is not None:
            return connection.arrived(segment, data[_TOS_AT] & ECN_MASK == MARKED)
    reason = refusal(interface, data)
    if reason is not None:
        if reason is DropReason.NOT_FOR_ME_L3 and host.forwarding is not None:
            return host.forwarding.receive_ipv4(interface, frame)
        return reason
    packet = Ipv4Packet.parse(data[ETHERNET_HEADER:])
    reason = fault(interface, packet, data)
    if reason is not None:
        return reason
    if packet.more_fragments or packet.fragment_offset:
        return host.fragments.receive(interface, packet, frame)
    return deliver(host, interface, packet, frame)


def accept(host: Host, interface: Interface, packet: Ipv4Packet, frame: Frame) -> Handled:
    """Take a packet for this host that has no fault; return what became of it.

    Raises:
        WireError: the payload is not of its protocol.
    """
    if packet.more_fragments or packet.fragment_offset:
        return host.fragments.receive(interface, packet, frame)
    return deliver(host, interface, packet, frame)


def deliver(host: Host, interface: Interface, packet: Ipv4Packet, frame: Frame) -> Handled:
    """Hand a whole packet to its protocol; return why it was of no use, or None if it was.

    Raises:
        WireError: the payload is not of that protocol.
    """
    if interface.address is None and packet.protocol != IpProtocol.UDP:
        return DropReason.NO_ADDRESS
    handler = IP_PROTOCOLS.get(packet.protocol)
    if handler is None:
        icmp.report(
            host, interface, packet, Problem.PROTOCOL, group_frame=bool(frame.data[0] & 1),
            cause=frame.provenance.cause,
        )  # fmt: skip
        return DropReason.UNKNOWN_PROTOCOL
    return handler(host, interface, packet, frame)


def refusal(interface: Interface, data: bytes) -> DropReason | None:
    """Return why a packet is not for this interface, by its addresses, or None if it is."""
    if len(data) < _END:
        return DropReason.MALFORMED
    cast = interface.accepts.get(data[_DST_AT:_END])
    if cast is _UNICAST:
        # A unicast packet in a broadcast frame is somebody's mistake (RFC 1122, 3.3.6).
        return DropReason.NOT_FOR_ME_L2 if data[0] & 1 else None
    if cast is not None:
        return None
    if interface.address is None:
        return None if interface.sockets else DropReason.NO_ADDRESS
    return DropReason.NOT_FOR_ME_L3


def fault(interface: Interface, packet: Ipv4Packet, data: bytes) -> DropReason | None:
    """Return what is wrong with a packet that came to this interface, or None."""
    if packet.ttl == 0:  # such a packet must be destroyed (RFC 791, 3.2)
        return DropReason.TTL_EXPIRED
    src = packet.src
    if not 0 < src[0] < 127 and is_martian(src) and not interface.has(src):
        return DropReason.MARTIAN
    cast = interface.accepts.get(src)
    # A broadcast address, or our own from another station; "land" is that with the same
    # destination.
    if cast is not None and (cast is not _UNICAST or data[6:12] != interface.mac):
        return DropReason.MARTIAN
    if packet.options and any(one.type in SOURCE_ROUTES for one in parse_options(packet.options)):
        return DropReason.SOURCE_ROUTED
    return None


def is_martian(src: Ipv4) -> bool:
    """Whether no host sends from an address: loopback, a group, class E (RFC 1122, 3.2.1.3).

    An address of "this network" is taken from who has none yet only if it is 0.0.0.0.
    """
    first = src[0]
    return first == 127 or first >= 224 or (first == 0 and any(src))
