"""What a host does with ICMP: answers echoes, tells of errors, and hears of them.

RFC 792; the duties of hosts are RFC 1122, 3.2.2. Errors that come in go to the conversation whose
packet they quote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ANY_IPV4, BROADCAST_IPV4, Ipv4
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.ethernet import HEADER_LENGTH as ETHERNET_HEADER
from sdnvirt.wire.icmp import ERROR_TYPES, Icmp, IcmpType, TimeExceeded, Unreachable
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.udp import HEADER_LENGTH as UDP_HEADER

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

ERROR_INTERVAL_NS: Final = NS_PER_S // 1000
ERROR_BURST: Final = 50
"""Errors that a host sends: 50 at once, then one a millisecond, so that hostile packets cannot
make it a source of as many errors (RFC 1122, 3.2.2, leaves the figures open)."""

ERROR_TEXTS: Final[dict[tuple[int, int], str]] = {
    (IcmpType.DESTINATION_UNREACHABLE, Unreachable.NETWORK): "destination network unreachable",
    (IcmpType.DESTINATION_UNREACHABLE, Unreachable.HOST): "destination host unreachable",
    (IcmpType.DESTINATION_UNREACHABLE, Unreachable.PROTOCOL): "destination protocol unreachable",
    (IcmpType.DESTINATION_UNREACHABLE, Unreachable.PORT): "destination port unreachable",
    (IcmpType.DESTINATION_UNREACHABLE, Unreachable.FRAGMENTATION_NEEDED): "fragmentation needed",
    (IcmpType.DESTINATION_UNREACHABLE, Unreachable.NETWORK_PROHIBITED): "network prohibited",
    (IcmpType.DESTINATION_UNREACHABLE, Unreachable.HOST_PROHIBITED): "host prohibited",
    (IcmpType.DESTINATION_UNREACHABLE, Unreachable.ADMINISTRATIVELY_PROHIBITED): "packet filtered",
    (IcmpType.TIME_EXCEEDED, TimeExceeded.IN_TRANSIT): "time to live exceeded",
    (IcmpType.TIME_EXCEEDED, TimeExceeded.REASSEMBLY): "fragment reassembly time exceeded",
}
"""What a user is told of an error, by type and code; the others by their numbers."""


class ErrorLimit:
    """The rate limit of a host's ICMP errors: a virtual schedule (ITU-T I.371's GCRA)."""

    __slots__ = ("_theoretical_ns",)

    def __init__(self) -> None:
        self._theoretical_ns = 0

    def allows(self, now: int) -> bool:
        """Whether one more error may be sent now (ns); it counts as sent if so."""
        at = max(self._theoretical_ns, now)
        if at - now > (ERROR_BURST - 1) * ERROR_INTERVAL_NS:
            return False
        self._theoretical_ns = at + ERROR_INTERVAL_NS
        return True


def receive(
    host: Host, interface: Interface, packet: Ipv4Packet, frame: Frame
) -> DropReason | None:
    """Take an ICMP message; return why it was of no use, or None if it was.

    Raises:
        WireError: the bytes are not an ICMP message, or not one that quotes a packet.
    """
    message = Icmp.parse(packet.payload)
    if message.type == IcmpType.ECHO_REQUEST:
        # Answering broadcasts makes an amplifier of the network (RFC 1122, 3.2.2.6, allows not to).
        if packet.dst != interface.address:
            return DropReason.NOT_FOR_ME_L3
        answer = Icmp.echo_reply(message).emit()
        host.send_ip(packet.src, IpProtocol.ICMP, answer, cause=frame.provenance.cause)
        return None
    if message.type == IcmpType.ECHO_REPLY:
        ping = host.pings.get(message.identifier)
        if ping is None:
            return DropReason.UNKNOWN_PROTOCOL
        ping.answered(message, packet.src, frame.data[6:12])
        return None
    if message.is_error:
        return _receive_error(host, message, packet.src)
    return DropReason.UNKNOWN_PROTOCOL


def error_text(message: Icmp, reporter: Ipv4) -> str:
    """Return what a user is told of an ICMP error: who reports what."""
    text = ERROR_TEXTS.get((message.type, message.code))
    return f"from {reporter}: {text or f'ICMP type {message.type}, code {message.code}'}"


def _receive_error(host: Host, message: Icmp, reporter: Ipv4) -> DropReason | None:
    quoted = message.quoted_packet()
    if quoted.protocol == IpProtocol.ICMP and quoted.payload[:1] == bytes([IcmpType.ECHO_REQUEST]):
        ping = host.pings.get(int.from_bytes(quoted.payload[4:6], "big"))
        if ping is not None and ping.target == quoted.dst:
            sequence = int.from_bytes(quoted.payload[6:8], "big")
            ping.failed(sequence, error_text(message, reporter))
            return None
    if quoted.protocol == IpProtocol.UDP and len(quoted.payload) >= UDP_HEADER:
        socket = host.sockets.get(int.from_bytes(quoted.payload[:2], "big"))
        if socket is not None:
            socket.failed(error_text(message, reporter))
            return None
    return DropReason.UNKNOWN_PROTOCOL


def report(
    host: Host, interface: Interface, packet: Ipv4Packet, frame: Frame, code: Unreachable
) -> None:
    """Tell the sender of a packet that it cannot be delivered, where that is allowed.

    Never about an ICMP error, a broadcast, a multicast or a later fragment, and never to an
    address that is not one host's (RFC 1122, 3.2.2).
    """
    data = frame.data
    if (
        packet.dst != interface.address
        or data[0] & 1
        or packet.fragment_offset
        or packet.src in (ANY_IPV4, BROADCAST_IPV4, interface.broadcast)
        or packet.src[0] == 127
        or packet.src[0] >= 224
        or (packet.protocol == IpProtocol.ICMP and packet.payload[0:1] in _ERROR_BYTES)
        or not host.icmp_errors.allows(host.world.scheduler.now)
    ):
        return
    length = int.from_bytes(data[ETHERNET_HEADER + 2 : ETHERNET_HEADER + 4], "big")
    original = data[ETHERNET_HEADER : ETHERNET_HEADER + length]
    error = Icmp.unreachable(code, original).emit()
    host.send_ip(packet.src, IpProtocol.ICMP, error, cause=frame.provenance.cause)


_ERROR_BYTES: Final = tuple(bytes([icmp_type]) for icmp_type in ERROR_TYPES)
