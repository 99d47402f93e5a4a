"""A connection, and how packets move it on.

TCP's states are those of its two ends (RFC 9293, 3.3.2), as far as flags tell; timeouts are Open
vSwitch's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sdnvirt.datapath.conntrack.packets import Endpoints, Packet
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.ipv4 import IpProtocol

FIN, SYN, RST, PSH, ACK, URG = (1 << bit for bit in range(6))


class TcpState(IntEnum):
    """How far one end of a TCP connection has come."""

    CLOSED = 0
    SYN_SENT = 1
    ESTABLISHED = 2
    CLOSING = 3
    FIN_WAIT_2 = 4
    TIME_WAIT = 5


_ANSWERED: Final = {
    TcpState.SYN_SENT: TcpState.ESTABLISHED, TcpState.CLOSING: TcpState.FIN_WAIT_2,
}  # fmt: skip
"""What the other end's ACK makes of an end's state."""

TCP_OPENING_NS: Final = 30 * NS_PER_S
TCP_ESTABLISHED_NS: Final = 24 * 3600 * NS_PER_S
TCP_CLOSING_NS: Final = 900 * NS_PER_S
TCP_FIN_WAIT_NS: Final = 45 * NS_PER_S
TCP_CLOSED_NS: Final = 30 * NS_PER_S
ICMP_ASKED_NS: Final = 60 * NS_PER_S
ICMP_ANSWERED_NS: Final = 30 * NS_PER_S
OTHER_ASKED_NS: Final = 60 * NS_PER_S
OTHER_ANSWERED_NS: Final = 30 * NS_PER_S


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that was committed.

    Attributes:
        zone: connections of different zones have nothing to do with each other.
        original: the direction of its first packet.
        reply: the direction of the answers to it, translation considered.
        expires_ns: when it is forgotten.
        answered: whether packets of both directions were seen.
        ends: of TCP, how far the end that began and the other one have come.
        mark, label: what the controller gave it.
    """

    zone: int
    original: Endpoints
    reply: Endpoints
    expires_ns: int
    answered: bool = False
    ends: tuple[TcpState, TcpState] = (TcpState.SYN_SENT, TcpState.CLOSED)
    mark: int = 0
    label: int = 0


def breaks_rules(flags: int) -> bool:
    """Whether no TCP sends these flags together."""
    if flags & SYN:
        return bool(flags & (RST | FIN))
    if not flags & (ACK | RST):
        return True
    return not flags & ACK and bool(flags & (FIN | PSH | URG))


def may_begin(packet: Packet) -> bool:
    """Whether a connection may begin with a packet; TCP under way may be picked up."""
    if not packet.endpoints.may_begin:
        return False
    if packet.endpoints.protocol != IpProtocol.TCP:
        return True
    return not breaks_rules(packet.flags) and packet.flags & (SYN | ACK) != SYN | ACK


def begins_anew(old: Connection, packet: Packet) -> bool:
    """Whether a packet of a connection that has ended is the first of a new one."""
    if packet.endpoints.protocol != IpProtocol.TCP or packet.flags & (SYN | ACK) != SYN:
        return False
    return min(old.ends) >= TcpState.FIN_WAIT_2


def advance(old: Connection, packet: Packet, backward: bool) -> tuple[TcpState, TcpState]:
    """Return how far both ends have come with a packet."""
    if packet.endpoints.protocol != IpProtocol.TCP:
        return old.ends
    flags = packet.flags
    if flags & RST:
        return TcpState.TIME_WAIT, TcpState.TIME_WAIT
    own, other = reversed(old.ends) if backward else old.ends
    own = max(own, TcpState.CLOSING if flags & FIN else TcpState.SYN_SENT)
    if flags & ACK:
        other = _ANSWERED.get(other, other)
    return (other, own) if backward else (own, other)


def lifetime(connection: Connection) -> int:
    """Return for how long a connection is remembered after a packet (ns)."""
    protocol = connection.original.protocol
    if protocol in (IpProtocol.ICMP, IpProtocol.ICMPV6):
        return ICMP_ANSWERED_NS if connection.answered else ICMP_ASKED_NS
    if protocol != IpProtocol.TCP:
        return OTHER_ANSWERED_NS if connection.answered else OTHER_ASKED_NS
    low, high = sorted(connection.ends)
    if low >= TcpState.FIN_WAIT_2:
        return TCP_CLOSED_NS
    if low >= TcpState.CLOSING:
        return TCP_FIN_WAIT_NS
    if low < TcpState.ESTABLISHED:
        return TCP_OPENING_NS
    return TCP_CLOSING_NS if high >= TcpState.CLOSING else TCP_ESTABLISHED_NS
