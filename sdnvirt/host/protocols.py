"""The protocols that a host's IP layer hands packets to, whichever version of IP carried them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host import groups, icmpv4, icmpv6, udp
from sdnvirt.host.tcp import binding as tcp
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

IpHandler = Callable[["Host", "Interface", IpPacket, Frame], DropReason | None]
"""Takes a whole packet for this host; returns why it was of no use, or None. May raise WireError.

The frame is the one that brought the packet, or the last of its fragments: it tells the cause of
the conversation, and whether it was sent to a group."""

IP_PROTOCOLS: Final[dict[int, IpHandler]] = {
    IpProtocol.ICMP: icmpv4.receive,
    IpProtocol.IGMP: groups.receive_igmp,
    IpProtocol.ICMPV6: icmpv6.receive,
    IpProtocol.UDP: udp.receive,
    IpProtocol.TCP: tcp.receive,
}
"""What a host does with a packet, by its protocol."""
