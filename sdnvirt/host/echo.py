"""Echo requests of a host, and who hears of their answers (RFC 792; RFC 4443, 4).

An :class:`EchoSocket` is what Linux calls a ping socket: it has an identifier of its own, by which
replies and errors find it. The same for both versions of IP.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from sdnvirt.addresses import IpAddress, Ipv6
from sdnvirt.host.icmp import Report
from sdnvirt.host.paths import Fragmentation, OnFailure, Path
from sdnvirt.host.routes import TooBig
from sdnvirt.wire.icmp import Icmp, IcmpType
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet

if TYPE_CHECKING:
    from sdnvirt.host.stack import Host

HEADER_LENGTH: Final = 8
"""Bytes of a request before its data."""

IDENTIFIER_MAX: Final = 0xFFFF


class EchoReply(NamedTuple):
    """An answer.

    Attributes:
        sequence: number of the request.
        src: whose answer it is.
        hop_limit: what was left of it when it came.
        length: bytes of data.
        mac: MAC address that it came from.
    """

    sequence: int
    src: IpAddress
    hop_limit: int
    length: int
    mac: bytes


class EchoSocket:
    """Sends echo requests and hears of their answers, until it is closed.

    Attributes:
        identifier: tells its answers from others', 1 to 65535.
        on_reply: called with each answer.
        on_error: called with the sequence number of a request, its destination, and the ICMP
            error about it.
    """

    __slots__ = ("_host", "identifier", "on_error", "on_reply")

    def __init__(
        self,
        host: Host,
        on_reply: Callable[[EchoReply], None],
        on_error: Callable[[int, IpAddress, Report], None],
    ) -> None:
        self._host = host
        self.on_reply = on_reply
        self.on_error = on_error
        self.identifier = host.take_echo_identifier(self)

    def send(
        self,
        path: Path,
        sequence: int,
        data: bytes,
        *,
        hop_limit: int | None = None,
        fragmentation: Fragmentation = Fragmentation.NOBODY,
        cause: int = 0,
        on_failure: OnFailure | None = None,
    ) -> TooBig | None:
        """Send a request by a path; see :meth:`~sdnvirt.host.paths.Path.send`.

        Args:
            path: the way to the target.
            sequence: its number, 16 bits.
            data: what is to come back.
            hop_limit: routers that it may cross plus one, or None for the usual number.
            fragmentation: who may fragment it.
            cause: the conversation that it belongs to.
            on_failure: told in words if the next hop does not answer.
        """
        src, dst = path.src, path.dst
        if isinstance(src, Ipv6) and isinstance(dst, Ipv6):
            protocol = IpProtocol.ICMPV6
            request = Icmpv6.echo_request(self.identifier, sequence, data).emit(src, dst)
        else:
            protocol = IpProtocol.ICMP
            request = Icmp.echo_request(self.identifier, sequence, data).emit()
        return path.send(
            protocol, request, hop_limit=hop_limit, fragmentation=fragmentation, cause=cause,
            on_failure=on_failure,
        )  # fmt: skip

    def close(self) -> None:
        """Hear of nothing any more."""
        self._host.pings.pop(self.identifier, None)


def reply_arrived(host: Host, reply: Icmp | Icmpv6, packet: IpPacket, mac: bytes) -> bool:
    """Hand a reply to the socket that it is for; return whether there is one."""
    socket = host.pings.get(reply.identifier)
    if socket is None:
        return False
    hop_limit = packet.ttl if isinstance(packet, Ipv4Packet) else packet.hop_limit
    socket.on_reply(EchoReply(reply.sequence, packet.src, hop_limit, len(reply.payload), mac))
    return True


def request_failed(host: Host, quoted: IpPacket, report: Report) -> bool:
    """Tell the socket whose request an ICMP error is about; return whether there is one."""
    payload = quoted.payload
    is_v4 = isinstance(quoted, Ipv4Packet)
    if len(payload) < HEADER_LENGTH or payload[0] != (
        IcmpType.ECHO_REQUEST if is_v4 else Icmpv6Type.ECHO_REQUEST
    ):
        return False
    socket = host.pings.get(int.from_bytes(payload[4:6], "big"))
    if socket is None:
        return False
    socket.on_error(int.from_bytes(payload[6:8], "big"), quoted.dst, report)
    return True
