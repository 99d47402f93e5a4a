"""Messages of ICMP and ICMPv6 in tcpdump's words, which for errors tell what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sdnvirt.addresses import Ipv6
from sdnvirt.errors import WireError
from sdnvirt.wire.icmp import Icmp, IcmpType, TimeExceeded, Unreachable
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.icmpv6 import TimeExceeded as TimeExceeded6
from sdnvirt.wire.icmpv6 import Unreachable as Unreachable6
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import PROTOCOL_NAMES, IpProtocol

_UNREACHABLE: Final = IcmpType.DESTINATION_UNREACHABLE
_UNREACHABLE6: Final = Icmpv6Type.DESTINATION_UNREACHABLE
_HEADER: Final = 8
_TARGET: Final = slice(0, 16)
"""Where solicitations and advertisements of neighbours have their target (RFC 4861, 4.3, 4.4)."""

ERRORS_V4: Final[Mapping[tuple[int, int], str]] = {
    (_UNREACHABLE, Unreachable.NETWORK): "net {dst} unreachable",
    (_UNREACHABLE, Unreachable.HOST): "host {dst} unreachable",
    (_UNREACHABLE, Unreachable.PROTOCOL): "{dst} protocol {protocol} unreachable",
    (_UNREACHABLE, Unreachable.PORT): "{dst} {port} unreachable",
    (_UNREACHABLE, Unreachable.FRAGMENTATION_NEEDED): (
        "{dst} unreachable - need to frag (mtu {mtu})"
    ),
    (_UNREACHABLE, Unreachable.NETWORK_PROHIBITED): "net {dst} unreachable - admin prohibited",
    (_UNREACHABLE, Unreachable.HOST_PROHIBITED): "host {dst} unreachable - admin prohibited",
    (_UNREACHABLE, Unreachable.ADMINISTRATIVELY_PROHIBITED): (
        "host {dst} unreachable - admin prohibited filter"
    ),
    (IcmpType.TIME_EXCEEDED, TimeExceeded.IN_TRANSIT): "time exceeded in-transit",
}
ERRORS_V6: Final[Mapping[tuple[int, int], str]] = {
    (_UNREACHABLE6, Unreachable6.NO_ROUTE): "destination unreachable, unreachable route {dst}",
    (_UNREACHABLE6, Unreachable6.PORT): "destination unreachable, unreachable port, {dst} {port}",
    (Icmpv6Type.TIME_EXCEEDED, TimeExceeded6.IN_TRANSIT): "time exceeded in-transit for {dst}",
}
"""What is said of errors by type and code; of others, what they are called elsewhere here."""

_NEIGHBOURS: Final[Mapping[int, str]] = {
    Icmpv6Type.NEIGHBOUR_SOLICITATION: "neighbor solicitation, who has",
    Icmpv6Type.NEIGHBOUR_ADVERTISEMENT: "neighbor advertisement, tgt is",
}


def words(message: Icmp | Icmpv6) -> str:
    """Return what is printed of a message behind the addresses of its packet."""
    length = f"length {_HEADER + len(message.payload)}"
    if isinstance(message, Icmp):
        error = _error(ERRORS_V4, message)
        return str(message) if error is None else f"ICMP {error}, {length}"
    error = _error(ERRORS_V6, message)
    if error is not None:
        return f"ICMP6, {error}, {length}"
    neighbour = _NEIGHBOURS.get(message.type)
    target = message.payload[_TARGET]
    if neighbour is not None and len(target) == _TARGET.stop:
        return f"ICMP6, {neighbour} {Ipv6(target)}, {length}"
    return str(message).replace("ICMP6 ", "ICMP6, ", 1)


def _error(known: Mapping[tuple[int, int], str], message: Icmp | Icmpv6) -> str | None:
    text = known.get((message.type, message.code))
    if text is None:
        return None
    try:
        quoted = message.quoted_packet()
    except WireError:
        return None
    return text.format(
        dst=quoted.dst, protocol=quoted.protocol, port=_port(quoted), mtu=message.next_hop_mtu
    )


def _port(packet: IpPacket) -> str:
    """Return which port a packet was for."""
    number = int.from_bytes(packet.payload[2:4], "big")
    if packet.protocol in (IpProtocol.TCP, IpProtocol.UDP):
        return f"{PROTOCOL_NAMES[packet.protocol].lower()} port {number}"
    return f"protocol {packet.protocol} port {number}"
