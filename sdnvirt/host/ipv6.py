"""How a host takes IPv6 packets (RFC 8200).

Tests on addresses slice the frame before anything is parsed, as with IPv4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.ipv6 import HEADER_LENGTH, Ipv6Packet
from sdnvirt.wire.ipv6_extensions import (
    ExtensionType,
    Fragment,
    Option,
    Options,
    OptionType,
    Routing,
    UnknownOption,
)

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

_CLASS_AT: Final = ETHERNET_HEADER + 1
"""The traffic class's lower half, ECN included, is the upper half of this byte."""
_DST_AT: Final = ETHERNET_HEADER + 24
_END: Final = ETHERNET_HEADER + HEADER_LENGTH
_ROUTING_TYPE_AT: Final = 2
_FIRST_OPTION_AT: Final = 2
_KNOWN_OPTIONS: Final = (OptionType.PAD1, OptionType.PADN, OptionType.ROUTER_ALERT)


def receive(host: Host, interface: Interface, frame: Frame) -> Handled:
    """Take a frame with an IPv6 packet; return what became of it.

    Raises:
        WireError: the bytes are not an IPv6 packet.
    """
    data = frame.data
    connection = host.tcp_flows.get(data[early.IPV6_ENDS]) if host.tcp_flows else None
    if connection is not None:
        segment = early.ipv6_segment(interface, data)
        if segment is not None:
            return connection.arrived(segment, data[_CLASS_AT] >> 4 & ECN_MASK == MARKED)
    reason = refusal(interface, data)
    if reason is not None:
        if reason is DropReason.NOT_FOR_ME_L3 and host.forwarding is not None:
            return host.forwarding.receive_ipv6(interface, frame)
        return reason
    packet = Ipv6Packet.parse(data[ETHERNET_HEADER:])
    if is_martian(interface, packet, data):
        return DropReason.MARTIAN
    return deliver(host, interface, packet, frame)


def deliver(host: Host, interface: Interface, packet: Ipv6Packet, frame: Frame) -> Handled:
    """Examine the extension headers of a packet and hand it to its protocol.

    Returns:
        why it was of no use, or None if it was.

    Raises:
        WireError: the payload is not of that protocol.
    """
    if packet.extensions:
        reason = _examine(host, interface, packet, frame)
        if reason is not None:
            return reason
        if packet.is_fragment:
            return host.fragments.receive(interface, packet, frame)
    handler = IP_PROTOCOLS.get(packet.protocol)
    if handler is not None:
        return handler(host, interface, packet, frame)
    if packet.protocol != ExtensionType.NO_NEXT_HEADER:  # there is nothing to handle then (4.7)
        _report(host, interface, packet, frame, Problem.PROTOCOL, packet.protocol_offset)
    return DropReason.UNKNOWN_PROTOCOL


def refusal(interface: Interface, data: bytes) -> DropReason | None:
    """Return why a packet is not for this interface, by its addresses, or None if it is."""
    if interface.nd is None:
        return DropReason.UNKNOWN_PROTOCOL
    if len(data) < _END:
        return DropReason.MALFORMED
    cast = interface.accepts.get(data[_DST_AT:_END])
    if cast is None:
        return DropReason.NOT_FOR_ME_L3
    if cast is Cast.UNICAST and data[0] & 1:
        return DropReason.NOT_FOR_ME_L2
    return None


def is_martian(interface: Interface, packet: Ipv6Packet, data: bytes) -> bool:
    """Whether nobody sends such a packet from where it says (RFC 4291, 2.5.2, 2.5.3 and 2.7)."""
    src = packet.src
    if src.is_multicast or (src.is_loopback and not interface.has(src)):
        return True
    # Who has no address yet speaks of the link only.
    if src.is_unspecified and packet.protocol != IpProtocol.ICMPV6:
        return True
    return interface.has(src) and data[6:12] != interface.mac


def _examine(
    host: Host, interface: Interface, packet: Ipv6Packet, frame: Frame
) -> DropReason | None:
    """Act on extension headers, in order; return why the packet ends here, or None."""
    at = HEADER_LENGTH
    for extension in packet.extensions:
        match extension:
            case Options():
                reason = _examine_options(host, interface, packet, frame, extension, at)
                if reason is not None:
                    return reason
            # No routing header is known here; type 0 must not be (RFC 8200, 4.4; RFC 5095).
            case Routing(segments_left=left) if left:
                _report(host, interface, packet, frame, Problem.PARAMETER, at + _ROUTING_TYPE_AT)
                return DropReason.SOURCE_ROUTED
            case Routing() | Fragment():
                pass
        at += extension.length
    return None


def _examine_options(
    host: Host, interface: Interface, packet: Ipv6Packet, frame: Frame, header: Options, at: int
) -> DropReason | None:
    at += _FIRST_OPTION_AT
    for option in header.options:
        if option.type not in _KNOWN_OPTIONS and option.if_unknown is not UnknownOption.SKIP:
            if _is_told(option, packet):
                _report(host, interface, packet, frame, Problem.OPTION, at)
            return DropReason.UNKNOWN_OPTION
        at += option.length
    return None


def _is_told(option: Option, packet: Ipv6Packet) -> bool:
    """Whether the sender is told that its option is not known (RFC 8200, 4.2)."""
    action = option.if_unknown
    return action is UnknownOption.REPORT or (
        action is UnknownOption.REPORT_UNLESS_MULTICAST and not packet.dst.is_multicast
    )


def _report(
    host: Host, interface: Interface, packet: Ipv6Packet, frame: Frame, problem: Problem, at: int
) -> None:
    icmp.report(
        host, interface, packet, problem, group_frame=bool(frame.data[0] & 1),
        cause=frame.provenance.cause, pointer=at,
    )  # fmt: skip
