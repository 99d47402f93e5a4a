"""What a host would do with a frame, in words; nothing happens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.drops import DropReason
from sdnvirt.errors import WireError
from sdnvirt.host import ipv4, ipv6
from sdnvirt.host.arp import ETHERTYPE_ARP, ETHERTYPE_IPV4
from sdnvirt.host.nd import ETHERTYPE_IPV6
from sdnvirt.host.routes import Route
from sdnvirt.wire.dot1q import outer_tag, pop_tag
from sdnvirt.wire.ethernet import HEADER_LENGTH
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import Ipv4Packet
from sdnvirt.wire.ipv6 import Ipv6Packet

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

_ETHERTYPE_AT: Final = 12

_REFUSALS: Final[dict[bytes, Callable[[Interface, bytes], DropReason | None]]] = {
    ETHERTYPE_IPV4: ipv4.refusal,
    ETHERTYPE_IPV6: ipv6.refusal,
    ETHERTYPE_ARP: lambda _interface, _data: None,
}
"""Why what a frame carries is not for an interface, by its addresses."""

_PACKETS: Final[dict[bytes, Callable[[bytes], IpPacket]]] = {
    ETHERTYPE_IPV4: Ipv4Packet.parse,
    ETHERTYPE_IPV6: Ipv6Packet.parse,
}


def explain(interface: Interface, data: bytes) -> str:
    """Tell what becomes of a frame at a port's interface, as far as addresses and routes decide."""
    host = interface.host
    reason = _unwanted(interface, data)
    if reason is None and interface.vlans:
        interface, data, reason = _untagged(interface, data)
    ethertype = data[_ETHERTYPE_AT:HEADER_LENGTH]
    if reason is None:
        refusal = _REFUSALS.get(ethertype)
        reason = refusal(interface, data) if refusal else DropReason.UNKNOWN_PROTOCOL
    who = f"{host.name} ({interface.mac}, {interface.address or 'without an address'})"
    if reason is DropReason.NOT_FOR_ME_L3 and host.forwarding is not None:
        way = _way(host, data, _PACKETS[ethertype])
        if isinstance(way, Route):
            return f"{who} forwards the frame at {interface.name}: {way}"
        reason = way
    if reason is None:
        return f"{who} takes the frame at {interface.name}"
    return f"{who} drops the frame at {interface.name}: {reason.value}"


def _unwanted(interface: Interface, data: bytes) -> DropReason | None:
    """Return why an interface does not look into a frame, or None if it does."""
    if not interface.admin_up:
        return DropReason.INTERFACE_DOWN
    if data[:6] != interface.mac and data[:6] not in interface.group_macs:
        return DropReason.NOT_FOR_ME_L2
    return DropReason.MALFORMED if len(data) < HEADER_LENGTH else None


def _untagged(interface: Interface, data: bytes) -> tuple[Interface, bytes, DropReason | None]:
    """Return whom a frame is for, by its VLAN, and the frame without its tag; or why nobody."""
    try:
        tag = outer_tag(data)
    except WireError:
        return interface, data, DropReason.MALFORMED
    if tag is None:
        return interface, data, None
    below = interface.vlans.get(tag.vid)
    if below is None:
        return interface, data, DropReason.VLAN_NOT_ALLOWED
    return below, pop_tag(data), None if below.admin_up else DropReason.INTERFACE_DOWN


def _way(host: Host, data: bytes, parse: Callable[[bytes], IpPacket]) -> Route | DropReason | None:
    """Return where a router sends a packet, or why nowhere; None if it is for the router itself."""
    try:
        packet = parse(data[HEADER_LENGTH:])
    except WireError:
        return DropReason.MALFORMED
    if host.ip.owner(packet.dst) is not None:
        return None
    if packet.hop_limit <= 1:
        return DropReason.TTL_EXPIRED
    return host.ip.routes.lookup(packet.dst) or DropReason.NO_ROUTE
