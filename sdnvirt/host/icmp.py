"""What a host does with ICMP of either version: tells of errors, and hears of them.

The two versions name the same problems by other numbers; :class:`Problem` is what the host's
protocols speak of, and the tables here translate. RFC 1122, 3.2.2, and RFC 1812, 4.3.2, for IPv4;
RFC 4443 for IPv6. Errors that come in go to the conversation whose packet they quote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import BROADCAST_IPV4, IpAddress, Ipv4, Ipv6
from sdnvirt.host.addressing import Cast
from sdnvirt.host.paths import Path
from sdnvirt.units import NS_PER_S
from sdnvirt.wire import icmp as icmpv4
from sdnvirt.wire import icmpv6
from sdnvirt.wire.icmp import Icmp, IcmpType
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

ERROR_INTERVAL_NS: Final = NS_PER_S // 1000
ERROR_BURST: Final = 50
"""Errors that a host sends: 50 at once, then one a millisecond, so that hostile packets cannot
make it a source of as many errors (the figures are open: RFC 1122, 3.2.2; RFC 4443, 2.4 f)."""


class Problem(Enum):
    """What can be wrong with a packet, in words for users."""

    NETWORK = "destination network unreachable"
    HOST = "destination host unreachable"
    PROTOCOL = "destination protocol unreachable"
    PORT = "destination port unreachable"
    TOO_BIG = "fragmentation needed"
    NETWORK_PROHIBITED = "network prohibited"
    HOST_PROHIBITED = "host prohibited"
    PROHIBITED = "packet filtered"
    HOP_LIMIT = "time to live exceeded"
    REASSEMBLY = "fragment reassembly time exceeded"
    PARAMETER = "wrong header field"
    OPTION = "unknown option"


_V4 = icmpv4.Unreachable
_V6 = icmpv6.Unreachable

NUMBERS_V4: Final[dict[Problem, tuple[int, int]]] = {
    Problem.NETWORK: (IcmpType.DESTINATION_UNREACHABLE, _V4.NETWORK),
    Problem.HOST: (IcmpType.DESTINATION_UNREACHABLE, _V4.HOST),
    Problem.PROTOCOL: (IcmpType.DESTINATION_UNREACHABLE, _V4.PROTOCOL),
    Problem.PORT: (IcmpType.DESTINATION_UNREACHABLE, _V4.PORT),
    Problem.TOO_BIG: (IcmpType.DESTINATION_UNREACHABLE, _V4.FRAGMENTATION_NEEDED),
    Problem.NETWORK_PROHIBITED: (IcmpType.DESTINATION_UNREACHABLE, _V4.NETWORK_PROHIBITED),
    Problem.HOST_PROHIBITED: (IcmpType.DESTINATION_UNREACHABLE, _V4.HOST_PROHIBITED),
    Problem.PROHIBITED: (IcmpType.DESTINATION_UNREACHABLE, _V4.ADMINISTRATIVELY_PROHIBITED),
    Problem.HOP_LIMIT: (IcmpType.TIME_EXCEEDED, icmpv4.TimeExceeded.IN_TRANSIT),
    Problem.REASSEMBLY: (IcmpType.TIME_EXCEEDED, icmpv4.TimeExceeded.REASSEMBLY),
    Problem.PARAMETER: (IcmpType.PARAMETER_PROBLEM, icmpv4.ParameterProblem.POINTER),
}
"""Type and code of each problem that ICMP can tell."""

NUMBERS_V6: Final[dict[Problem, tuple[int, int]]] = {
    Problem.NETWORK: (Icmpv6Type.DESTINATION_UNREACHABLE, _V6.NO_ROUTE),
    Problem.HOST: (Icmpv6Type.DESTINATION_UNREACHABLE, _V6.ADDRESS),
    Problem.PROTOCOL: (Icmpv6Type.PARAMETER_PROBLEM, icmpv6.ParameterProblem.NEXT_HEADER),
    Problem.PORT: (Icmpv6Type.DESTINATION_UNREACHABLE, _V6.PORT),
    Problem.TOO_BIG: (Icmpv6Type.PACKET_TOO_BIG, 0),
    Problem.PROHIBITED: (Icmpv6Type.DESTINATION_UNREACHABLE, _V6.PROHIBITED),
    Problem.HOP_LIMIT: (Icmpv6Type.TIME_EXCEEDED, icmpv6.TimeExceeded.IN_TRANSIT),
    Problem.REASSEMBLY: (Icmpv6Type.TIME_EXCEEDED, icmpv6.TimeExceeded.REASSEMBLY),
    Problem.PARAMETER: (Icmpv6Type.PARAMETER_PROBLEM, icmpv6.ParameterProblem.FIELD),
    Problem.OPTION: (Icmpv6Type.PARAMETER_PROBLEM, icmpv6.ParameterProblem.OPTION),
}
"""Type and code of each problem that ICMPv6 can tell."""

_PROBLEMS_V4: Final = {numbers: problem for problem, numbers in NUMBERS_V4.items()}
_PROBLEMS_V6: Final = {numbers: problem for problem, numbers in NUMBERS_V6.items()}


@dataclass(frozen=True, slots=True)
class Report:
    """An ICMP error about a packet that this host sent.

    Attributes:
        problem: what was wrong, or None if the error is of a kind that is not known here.
        reporter: who says so.
        mtu: the path MTU from now on if that is new, else None.
        numbers: type and code of the error.
    """

    problem: Problem | None
    reporter: IpAddress
    mtu: int | None
    numbers: tuple[int, int]

    def __str__(self) -> str:
        """Return what a user is told: who reports what."""
        kind = "ICMP" if isinstance(self.reporter, Ipv4) else "ICMPv6"
        unknown = f"{kind} type {self.numbers[0]}, code {self.numbers[1]}"
        return f"from {self.reporter}: {self.problem.value if self.problem else unknown}"


ErrorHandler = Callable[["Host", IpPacket, Report], bool]
"""Takes an error about a packet of a transport, whose payload may be cut short to 8 bytes; returns
whether the packet was of one of its conversations."""


class ErrorLimit:
    """The rate limit of a host's ICMP errors, and of its answers to echo requests to groups.

    A virtual schedule (ITU-T I.371's GCRA).
    """

    __slots__ = ("_theoretical_ns",)

    def __init__(self) -> None:
        self._theoretical_ns = 0

    def allows(self, now: int) -> bool:
        """Whether one more message may be sent now (ns); it counts as sent if so."""
        at = max(self._theoretical_ns, now)
        if at - now > (ERROR_BURST - 1) * ERROR_INTERVAL_NS:
            return False
        self._theoretical_ns = at + ERROR_INTERVAL_NS
        return True


def report(
    host: Host,
    interface: Interface,
    packet: IpPacket,
    problem: Problem,
    *,
    group_frame: bool,
    cause: int,
    mtu: int = 0,
    pointer: int = 0,
) -> None:
    """Tell the sender of a packet what is wrong with it, where that is allowed.

    Never about an ICMP error, a later fragment, or, but for two kinds of problems of IPv6, what
    was sent to more than one host; and never to an address that is not one host's (RFC 1122,
    3.2.2; RFC 4443, 2.4 e).

    Args:
        host: the host.
        interface: where the packet came from.
        packet: the packet.
        problem: what is wrong with it.
        group_frame: whether it came in a broadcast or multicast frame.
        cause: the conversation that it belongs to.
        mtu: the MTU that is too small for it.
        pointer: the offset of what is wrong in it.
    """
    to_group = group_frame or packet.dst.is_multicast or _is_broadcast(interface, packet.dst)
    if (
        (to_group and not _tells_groups(packet, problem))
        or _is_later_fragment(packet)
        or not _is_one_host(interface, packet.src)
        or is_error(packet)
        or not host.icmp_errors.allows(host.world.scheduler.now)
    ):
        return
    mine = packet.dst if interface.accepts.get(packet.dst) is Cast.UNICAST else None
    path = host.ip.path(packet.src, mine, interface if packet.src.is_link_local else None)
    if isinstance(path, Path):
        _send(path, packet, problem, mtu, pointer, cause)


def _send(
    path: Path, packet: IpPacket, problem: Problem, mtu: int, pointer: int, cause: int
) -> None:
    quoted = packet.emit()
    if isinstance(packet, Ipv4Packet):
        kind, code = NUMBERS_V4[problem]
        rest = mtu if problem is Problem.TOO_BIG else pointer << 24
        error = Icmp(kind, code, rest, icmpv4.quote(quoted)).emit()
        path.send(IpProtocol.ICMP, error, cause=cause)
        return
    kind, code = NUMBERS_V6[problem]
    rest = mtu if problem is Problem.TOO_BIG else pointer
    assert isinstance(path.src, Ipv6)
    assert isinstance(path.dst, Ipv6)
    message = Icmpv6(kind, code, rest, icmpv6.quote(quoted))
    path.send(IpProtocol.ICMPV6, message.emit(path.src, path.dst), cause=cause)


def heard(
    host: Host,
    packet: IpPacket,
    quoted: IpPacket,
    numbers: tuple[int, int],
    *,
    mtu: int,
    length: int,
) -> Report:
    """Return what an error that came in says, and learn the path MTU from it.

    Args:
        host: the host.
        packet: the packet with the error.
        quoted: the packet that it is about.
        numbers: its type and code.
        mtu: the MTU that it tells, or 0.
        length: bytes that the packet had, of which the error may quote less.
    """
    problems = _PROBLEMS_V4 if isinstance(packet, Ipv4Packet) else _PROBLEMS_V6
    problem = problems.get(numbers)
    learned = None
    if problem is Problem.TOO_BIG:
        learned = host.ip.too_big(quoted.dst, mtu, length)
    return Report(problem, packet.src, learned, numbers)


def is_error(packet: IpPacket) -> bool:
    """Whether a packet is an ICMP error, about which no error may be sent."""
    if isinstance(packet, Ipv4Packet):
        return packet.protocol == IpProtocol.ICMP and packet.payload[0:1] in _ERROR_BYTES
    if packet.protocol != IpProtocol.ICMPV6 or not packet.payload:
        return False
    return packet.payload[0] < _INFORMATIONAL or packet.payload[0] == Icmpv6Type.REDIRECT


def _tells_groups(packet: IpPacket, problem: Problem) -> bool:
    """Whether the problem is told about what was sent to many, too (RFC 4443, 2.4 e.3)."""
    return not isinstance(packet, Ipv4Packet) and problem in (Problem.TOO_BIG, Problem.OPTION)


def _is_later_fragment(packet: IpPacket) -> bool:
    if isinstance(packet, Ipv4Packet):
        return packet.fragment_offset > 0
    fragment = packet.fragment
    return fragment is not None and fragment.offset > 0


def _is_broadcast(interface: Interface, address: IpAddress) -> bool:
    return address == BROADCAST_IPV4 or address in interface.broadcasts


def _is_one_host(interface: Interface, address: IpAddress) -> bool:
    if address.is_loopback:
        return interface.has(address)
    if address.is_multicast or address.is_unspecified:
        return False
    if isinstance(address, Ipv4):
        return address[0] < 224 and address[0] != 0 and not _is_broadcast(interface, address)
    return True


_ERROR_BYTES: Final = tuple(bytes([icmp_type]) for icmp_type in icmpv4.ERROR_TYPES)
_INFORMATIONAL: Final = 128
