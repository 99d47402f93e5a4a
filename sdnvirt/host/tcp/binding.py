"""Where TCP meets the host's IP layer: segments that come and go, and errors about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host.addressing import Cast
from sdnvirt.host.icmp import Problem, Report
from sdnvirt.host.paths import OnFailure, Path
from sdnvirt.host.routes import TooBig
from sdnvirt.host.tcp.loss import Loss
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol
from sdnvirt.wire.tcp import HEADER_LENGTH, Tcp

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

NOT_MARKABLE: Final = 0
MARKABLE: Final = 2
MARKED: Final = 3
"""Not-ECT, ECT(0) and CE, as they stand in the IP header (RFC 3168, section 5)."""

ECN_MASK: Final = 3

_PROTOCOL: Final = int(IpProtocol.TCP)  # plain integers are packed faster

_QUOTED: Final = 8
"""Bytes of a segment that every ICMP error quotes: the ports and the sequence number."""

LOSSES: Final[dict[Problem, Loss]] = {
    Problem.NETWORK: Loss.NETWORK_UNREACHABLE,
    Problem.HOST: Loss.HOST_UNREACHABLE,
    Problem.PROTOCOL: Loss.REFUSED,
    Problem.PORT: Loss.REFUSED,
    Problem.NETWORK_PROHIBITED: Loss.NETWORK_UNREACHABLE,
    Problem.HOST_PROHIBITED: Loss.HOST_UNREACHABLE,
    Problem.PROHIBITED: Loss.HOST_UNREACHABLE,
    Problem.HOP_LIMIT: Loss.HOST_UNREACHABLE,
}
"""What an ICMP error means to a connection; the others mean nothing."""


def receive(host: Host, interface: Interface, packet: IpPacket, frame: Frame) -> DropReason | None:
    """Take a TCP segment; return why it was of no use, or None if it was.

    Raises:
        WireError: the bytes are not a TCP segment.
    """
    src, dst = packet.src, packet.dst
    # Whatever is sent to a group or everybody is no connection's (RFC 9293, MUST-57).
    if interface.accepts.get(dst) is not Cast.UNICAST:
        return DropReason.NOT_FOR_ME_L3
    segment = Tcp.parse(packet.payload, src, dst)
    return host.tcp.arrived(segment, src, dst, packet.ecn == MARKED, frame.provenance.cause)


def send(
    path: Path,
    segment: Tcp,
    markable: bool,
    cause: int,
    on_failure: OnFailure | None = None,
    hop_limit: int | None = None,
    dscp: int = 0,
) -> TooBig | None:
    """Send a segment by a path.

    Args:
        path: the way to the peer.
        segment: the segment.
        markable: whether routers may mark the packet instead of dropping it.
        cause: the conversation that it belongs to.
        on_failure: told in words if the next hop does not answer.
        hop_limit: routers that it may cross plus one, or None for the usual number.
        dscp: differentiated services code point, 6 bits.
    """
    data = segment.emit_between(path.template.addresses)
    hops = path.hop_limit if hop_limit is None else hop_limit
    traffic_class = dscp << 2 | (MARKABLE if markable else NOT_MARKABLE)
    return path.send_whole(_PROTOCOL, data, hops, traffic_class, cause, on_failure)


def room(path: Path) -> int:
    """Return how many bytes of data a segment by a path may have, without options."""
    return path.max_payload - HEADER_LENGTH


def segment_failed(host: Host, quoted: IpPacket, report: Report) -> bool:
    """Tell the connection whose segment an ICMP error is about; return whether there is one."""
    payload = quoted.payload
    if len(payload) < _QUOTED:
        return False
    ports = int.from_bytes(payload[:2], "big"), int.from_bytes(payload[2:4], "big")
    connection = host.tcp.connections.get((quoted.src, ports[0], quoted.dst, ports[1]))
    if connection is None:
        return False
    seq = int.from_bytes(payload[4:8], "big")
    if report.problem is Problem.TOO_BIG:
        return connection.too_big(seq)
    loss = None if report.problem is None else LOSSES.get(report.problem)
    return loss is not None and connection.unreachable(seq, loss)
