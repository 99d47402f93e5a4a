"""A frame in one line, as tcpdump would say it in short."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sdnvirt.errors import WireError
from sdnvirt.wire import dot1q, igmp, mld, nd, vxlan
from sdnvirt.wire.arp import Arp
from sdnvirt.wire.dhcpv4 import CLIENT_PORT, SERVER_PORT, Dhcpv4
from sdnvirt.wire.ethernet import Ethernet, EtherType
from sdnvirt.wire.icmp import Icmp
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.ipv6 import Ipv6Packet
from sdnvirt.wire.tcp import Tcp
from sdnvirt.wire.udp import Udp
from sdnvirt.wire.vxlan import Vxlan

MAX_LAYERS: Final = 8
"""Tags and tunnels that are looked into; more than these in one frame are an attack."""

_DHCP: Final = (CLIENT_PORT, SERVER_PORT)


def describe(data: bytes) -> str:
    """Return what a frame is, layer by layer; of malformed bytes, as far as they make sense."""
    return _frame(data, MAX_LAYERS)


def _frame(data: bytes, layers: int) -> str:
    if not layers:
        return f"{len(data)} B more"
    try:
        tag = dot1q.outer_tag(data)
        if tag is not None:
            return f"vlan {tag.vid}, {_frame(dot1q.pop_tag(data), layers - 1)}"
        return _payload(Ethernet.parse(data), layers)
    except WireError as error:
        return f"malformed, {len(data)} B: {error}"


def _payload(frame: Ethernet, layers: int) -> str:
    if frame.ethertype == EtherType.ARP:
        return str(Arp.parse(frame.payload))
    if frame.ethertype == EtherType.IPV4:
        return _ip(Ipv4Packet.parse(frame.payload), layers)
    if frame.ethertype == EtherType.IPV6:
        return _ip(Ipv6Packet.parse(frame.payload), layers)
    return f"{frame.src} > {frame.dst}, ethertype {frame.ethertype:#06x}"


def _ip(packet: IpPacket, layers: int) -> str:
    ends = f"{packet.src} > {packet.dst}"
    if packet.is_fragment:
        return f"{ends}: fragment"
    if packet.protocol == IpProtocol.ICMP:
        return f"{ends}: {Icmp.parse(packet.payload)}"
    if packet.protocol == IpProtocol.IGMP:
        return f"{ends}: {igmp.parse(packet.payload)}"
    if isinstance(packet, Ipv6Packet) and packet.protocol == IpProtocol.ICMPV6:
        return f"{ends}: {_icmpv6(Icmpv6.parse(packet.payload, packet.src, packet.dst))}"
    if packet.protocol == IpProtocol.TCP:
        segment = Tcp.parse(packet.payload, packet.src, packet.dst)
        ends = f"{packet.src}.{segment.src_port} > {packet.dst}.{segment.dst_port}"
        return f"{ends}: TCP {segment.summary()}"
    if packet.protocol != IpProtocol.UDP:
        return f"{ends}: IP protocol {packet.protocol}"
    datagram = Udp.parse(packet.payload, packet.src, packet.dst)
    ends = f"{packet.src}.{datagram.src_port} > {packet.dst}.{datagram.dst_port}"
    if datagram.dst_port == vxlan.UDP_PORT:
        inner = Vxlan.parse(datagram.payload)
        return f"{ends}: VXLAN, vni {inner.vni}: {_frame(inner.payload, layers - 1)}"
    if datagram.dst_port in _DHCP:
        return f"{ends}: {Dhcpv4.parse(datagram.payload)}"
    return f"{ends}: UDP, length {len(datagram.payload)}"


def _icmpv6(message: Icmpv6) -> str:
    """Return what a message says; those of the link in their own words."""
    read = _OF_THE_LINK.get(message.type)
    return str(message) if read is None else f"ICMP6 {read(message)}"


_OF_THE_LINK: Final[dict[int, Callable[[Icmpv6], object]]] = {
    Icmpv6Type.ROUTER_SOLICITATION: nd.RouterSolicitation.of,
    Icmpv6Type.ROUTER_ADVERTISEMENT: nd.RouterAdvertisement.of,
    Icmpv6Type.NEIGHBOUR_SOLICITATION: nd.NeighbourSolicitation.of,
    Icmpv6Type.NEIGHBOUR_ADVERTISEMENT: nd.NeighbourAdvertisement.of,
    Icmpv6Type.REDIRECT: nd.Redirect.of,
    Icmpv6Type.LISTENER_QUERY: mld.Query.of,
    Icmpv6Type.LISTENER_REPORT: mld.Listener.of,
    Icmpv6Type.LISTENER_DONE: mld.Listener.of,
    Icmpv6Type.LISTENER_REPORT_V2: mld.Report.of,
}
"""What reads the messages of neighbour and listener discovery."""
