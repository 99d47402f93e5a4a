"""Who hears of an ICMP error, by the protocol of the packet that it is about (RFC 1122, 3.2.2)."""

from __future__ import annotations

from typing import Final

from sdnvirt.host import echo, udp
from sdnvirt.host.icmp import ErrorHandler
from sdnvirt.host.tcp import binding as tcp
from sdnvirt.wire.ipv4 import IpProtocol

ERROR_HANDLERS: Final[dict[int, ErrorHandler]] = {
    IpProtocol.ICMP: echo.request_failed,
    IpProtocol.ICMPV6: echo.request_failed,
    IpProtocol.UDP: udp.datagram_failed,
    IpProtocol.TCP: tcp.segment_failed,
}
"""What a host does with an error, by the protocol of the packet that it quotes."""
