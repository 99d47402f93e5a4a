"""One network interface of a host: its addresses, and how packets become frames.

Below the interface is a port, above it the IP layer of :mod:`sdnvirt.host.ip`. Everything that a
host sends becomes a frame here, and nowhere else. An interface may stand on a VLAN of another one,
whose port it shares (IEEE 802.1Q).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import (
    ALL_NODES,
    ALL_ROUTERS,
    BROADCAST,
    BROADCAST_IPV4,
    IpAddress,
    Ipv4,
    Ipv6,
    Mac,
)
from sdnvirt.devices.device import Port
from sdnvirt.devices.link import DEFAULT_MTU
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host.addressing import ADDRESS_LIMIT, Cast, InterfaceAddress, Origin
from sdnvirt.host.arp import ArpResolver
from sdnvirt.host.groups import GroupService, IgmpService, MldService
from sdnvirt.host.membership import ALL_HOSTS, GROUP_LIMIT
from sdnvirt.host.nd import NdResolver
from sdnvirt.host.neighbours import Neighbours
from sdnvirt.host.resolver import Resolver
from sdnvirt.host.routes import Route
from sdnvirt.host.selection import select_source

if TYPE_CHECKING:
    from sdnvirt.host.dhcp import DhcpService
    from sdnvirt.host.stack import Host
    from sdnvirt.host.udp import SocketKey, UdpSocket

POINT_TO_POINT: Final = 31
"""From this length on an IPv4 prefix has no broadcast address (RFC 3021, 2.2)."""


class Interface:
    """A network interface.

    Attributes:
        host: the host it belongs to.
        name: its name on the host: that of its port, or with a VLAN as ``eth0.5``.
        port: the port below it; its MAC address is the interface's.
        admin_up: whether it is set up (ifAdminStatus of RFC 2863).
        vlan: the VLAN of the port that it stands on, or None for untagged frames.
        vlans: the interfaces that stand on VLANs of this one.
        mac: its MAC address.
        mtu: bytes of the largest IP packet that it sends.
        addresses: its addresses, in the order in which it got them.
        accepts: the destinations of packets that it takes, as bytes of a frame, and for whom
            such packets are.
        group_macs: the group MAC addresses of frames that it takes, each with the number of
            those who need it.
        broadcasts: the broadcast addresses of its subnets.
        address: its first IPv4 address, or None while it has none.
        arp: resolves the addresses of its IPv4 neighbours.
        groups: the groups that it listens to, each with the number of those who want that.
        igmp: tells routers of IPv4 groups, or None before the first.
        mld: tells routers of IPv6 groups, or None while the interface does not speak IPv6.
        nd: neighbour discovery, or None while the interface does not speak IPv6.
        dhcp: the DHCP client program, or None.
        sockets: UDP sockets bound to this interface, which work before it has an address.
    """

    __slots__ = (
        "_tag", "accepts", "address", "addresses", "admin_up", "arp", "broadcasts", "dhcp",
        "group_macs", "groups", "host", "igmp", "mac", "mld", "mtu", "name", "nd", "port",
        "sockets", "vlan", "vlans",
    )  # fmt: skip

    def __init__(
        self, host: Host, port: Port, mtu: int = DEFAULT_MTU, vlan: int | None = None
    ) -> None:
        self.host = host
        self.port = port
        self.vlan = vlan
        self.vlans: dict[int, Interface] = {}
        self.name = port.name if vlan is None else f"{port.name}.{vlan}"
        self.mac = port.mac
        self.admin_up = True
        self.mtu = mtu
        self.addresses: dict[IpAddress, InterfaceAddress] = {}
        self.accepts: dict[bytes, Cast] = {}
        self.group_macs: dict[bytes, int] = {BROADCAST: 1}
        self.broadcasts: tuple[Ipv4, ...] = ()
        self.address: Ipv4 | None = None
        self.arp = ArpResolver(self)
        self.nd: NdResolver | None = None
        self.groups: dict[IpAddress, int] = {}
        self.igmp: IgmpService | None = None
        self.mld: MldService | None = None
        self.dhcp: DhcpService | None = None
        self.sockets: dict[SocketKey, UdpSocket] = {}
        tag = b"" if vlan is None else b"\x81\x00" + vlan.to_bytes(2, "big")
        self._tag = port.mac + tag

    @property
    def full_name(self) -> str:
        """The name that is unique in the network, as ``h1:s1``."""
        return f"{self.host.name}:{self.name}"

    @property
    def broadcast(self) -> Ipv4 | None:
        """The broadcast address of its first IPv4 subnet, or None where there is none."""
        return self.broadcasts[0] if self.broadcasts else None

    @property
    def neighbours(self) -> Neighbours:
        """The neighbour cache of IPv4."""
        return self.arp.neighbours

    def has(self, address: IpAddress) -> bool:
        """Whether packets to an address are for this interface alone."""
        return self.accepts.get(address) is Cast.UNICAST

    def enable_ipv6(self, *, autoconfigure: bool = True) -> NdResolver:
        """Speak IPv6 from now on, with a link-local address (RFC 4862, 5.3).

        Args:
            autoconfigure: whether to ask for routers and believe what they tell.

        Returns:
            neighbour discovery of the interface, as it was if the interface spoke IPv6 already.
        """
        if self.nd is not None:
            return self.nd
        self.nd = nd = NdResolver(self, autoconfigures=autoconfigure)
        self.mld = MldService(self)
        if not self.admin_up:
            self.mld.stop()
        self.join(ALL_NODES)
        if self.host.forwarding is not None:
            self.join(ALL_ROUTERS)
        if self.admin_up:
            nd.start()
        self.host.ipv6_enabled()
        return nd

    def set_up(self, up: bool) -> None:
        """Set the interface up or down by administration, as Linux does.

        Down, it has no carrier, which the far end of its cable sees. Routes by it are gone, as are
        its neighbours and its addresses of IPv6; those of IPv4 stay the host's. Up again, it has
        the routes to the prefixes of its addresses, and a new link-local address; others of IPv6
        are given or advertised anew. VLANs on it follow.

        Args:
            up: whether it is to be used; an interface on a VLAN goes up only above one that is.
        """
        if up == self.admin_up:
            return
        if not up:
            for vlan in self.vlans.values():
                vlan.set_up(False)
            self.stop()
            self._flush_ipv6()
            self.host.ip.routes.remove(lambda route: route.interface is self)
        self.admin_up = up
        self._set_carrier(up)
        if up:
            for one in self.addresses.values():
                self.host.ip.routes.add(Route.to(one.network, None, self))
            self.start()
            for vlan in self.vlans.values():
                vlan.set_up(True)
        self.host.ip.forget_paths()

    def set_mtu(self, mtu: int) -> None:
        """Send IP packets of so many bytes at most, 68 to 65535; with IPv6, from 1280.

        Interfaces on VLANs send no larger ones.
        """
        self.mtu = mtu
        for vlan in self.vlans.values():
            vlan.mtu = min(vlan.mtu, mtu)
        self.host.ip.forget_paths()

    def stop(self) -> None:
        """Lose what is known of the link, and speak no more of it."""
        for service in (self.igmp, self.mld):
            if service is not None:
                service.stop()
        self.arp.flush()
        if self.nd is not None:
            self.nd.stop()

    def start(self) -> None:
        """Begin anew on the link: tell routers of groups, and what IPv6 does at its start."""
        for service in (self.igmp, self.mld):
            if service is not None:
                service.start()
        if self.nd is not None:
            self.nd.start()

    def _flush_ipv6(self) -> None:
        if self.nd is not None:
            for one in list(self.addresses.values()):
                if isinstance(one.address, Ipv6):
                    self.nd.remove(one)

    def _set_carrier(self, up: bool) -> None:
        self.port.set_shut(not up)

    def resolver(self, hop: IpAddress) -> Resolver:
        """Return what finds the MAC address of a neighbour."""
        if isinstance(hop, Ipv4):
            return self.arp
        assert self.nd is not None, "only an interface that speaks IPv6 has IPv6 routes"
        return self.nd

    def assign(self, address: InterfaceAddress) -> bool:
        """Give the interface one more address; return whether there was room for it."""
        if len(self.addresses) >= ADDRESS_LIMIT and address.address not in self.addresses:
            return False
        self.addresses[address.address] = address
        self.refresh()
        return True

    @property
    def link_local(self) -> Ipv6 | None:
        """Its link-local IPv6 address, or None while it has none that it may use."""
        for one in self.addresses.values():
            if isinstance(one.address, Ipv6) and one.address.is_link_local and one.usable:
                return one.address
        return None

    def join(self, group: IpAddress) -> bool:
        """Take packets to a group, and tell routers so; return whether there was room.

        Each call is undone by one of :meth:`leave`.
        """
        if group in self.groups:
            self.groups[group] += 1
            return True
        if len(self.groups) >= GROUP_LIMIT:
            return False
        if isinstance(group, Ipv4) and self.igmp is None:
            self.igmp = IgmpService(self)
            if not self.admin_up:
                self.igmp.stop()
            self.join(ALL_HOSTS)  # by which queries come
        self.groups[group] = 1
        mac = group.group_mac
        self.group_macs[mac] = self.group_macs.get(mac, 0) + 1
        self.refresh()
        self._group_service(group).join(group)
        return True

    def leave(self, group: IpAddress) -> None:
        """Take packets to a group no longer, unless others still want them."""
        self.groups[group] -= 1
        if self.groups[group]:
            return
        del self.groups[group]
        mac = group.group_mac
        self.group_macs[mac] -= 1
        if not self.group_macs[mac]:
            del self.group_macs[mac]
        self.refresh()
        self._group_service(group).leave(group)

    def _group_service(self, group: IpAddress) -> GroupService:
        service = self.igmp if isinstance(group, Ipv4) else self.mld
        assert service is not None, "the interface speaks that version of IP"
        return service

    def withdraw(self, address: IpAddress) -> None:
        """Take an address away."""
        if self.addresses.pop(address, None) is not None:
            self.refresh()

    def release(self, family: type[IpAddress]) -> None:
        """Take all configured addresses of a version of IP away, and forget the neighbours."""
        for one in list(self.addresses.values()):
            if type(one.address) is not family or one.origin is not Origin.CONFIGURED:
                continue
            if self.nd is not None and family is Ipv6:
                self.nd.remove(one)
            else:
                self.withdraw(one.address)
        if family is Ipv4:
            self.arp.flush()
        elif self.nd is not None:
            self.nd.flush()

    def refresh(self) -> None:
        """Bring up to date what follows from the addresses and their states."""
        accepts: dict[bytes, Cast] = {}
        broadcasts: list[Ipv4] = []
        for one in self.addresses.values():
            if not one.usable:
                continue
            accepts[one.address] = Cast.UNICAST
            if isinstance(one.address, Ipv4) and one.length < POINT_TO_POINT:
                broadcasts.append(Ipv4(int(one.address) | (1 << 32 - one.length) - 1))
        self.address = next((one for one in accepts if isinstance(one, Ipv4)), None)
        self.broadcasts = tuple(dict.fromkeys(broadcasts))
        if self.address is not None:
            for broadcast in (BROADCAST_IPV4, *self.broadcasts):
                accepts.setdefault(broadcast, Cast.BROADCAST)
        for group in self.groups:
            accepts[group] = Cast.MULTICAST
        self.accepts = accepts
        self.host.ip.forget_paths()

    def source_to(self, dst: IpAddress) -> IpAddress | None:
        """Return the address of this interface that packets to a destination come from."""
        chosen = select_source(dst, self.addresses.values())
        return None if chosen is None else chosen.address

    def transmit(self, ethertype: bytes, mac: Mac, packet: bytes, cause: int) -> None:
        """Send a packet to a MAC address."""
        host = self.host
        data = mac + self._tag + ethertype + packet
        self.port.send(host.world.originate(data, host.name, host.tenant, host.network, cause))

    def pass_on(self, ethertype: bytes, mac: Mac, packet: bytes, frame: Frame) -> None:
        """Send a packet that came in a frame on to a MAC address."""
        self.port.send(frame.rewritten(mac + self._tag + ethertype + packet))

    def forwarded_waiting(self) -> int:
        """Return how many packets of others wait for the MAC address of a neighbour."""
        caches = [self.neighbours] if self.nd is None else [self.neighbours, self.nd.neighbours]
        return sum(one.frame is not None for cache in caches for one in cache.waiting())

    def loop_back(self, ethertype: bytes, packet: bytes, cause: int) -> None:
        """Receive a packet of our own, which no port sees (RFC 1122, 3.2.1.3, case g)."""
        host = self.host
        data = self.mac + self.mac + ethertype + packet
        frame = host.world.originate(data, host.name, host.tenant, host.network, cause)
        host.world.scheduler.call_at(host.world.scheduler.now, self._looped, frame)

    def _looped(self, frame: Frame) -> None:
        self.host.take(self, frame)

    def __repr__(self) -> str:
        return f"<Interface {self.full_name} {self.address}>"


class VlanInterface(Interface):
    """An interface on a VLAN of another one, whose port it shares (IEEE 802.1Q).

    Args:
        parent: the interface below.
        vlan: the VLAN, 1 to 4094.
    """

    __slots__ = ("parent",)

    def __init__(self, parent: Interface, vlan: int) -> None:
        super().__init__(parent.host, parent.port, parent.mtu, vlan)
        self.parent = parent
        # Which groups' frames are taken is known before the tag is looked at.
        self.group_macs = parent.group_macs

    def transmit(self, ethertype: bytes, mac: Mac, packet: bytes, cause: int) -> None:
        """Send a packet to a MAC address, unless the interface is down."""
        if self.admin_up:
            super().transmit(ethertype, mac, packet, cause)
            return
        host = self.host
        data = mac + self._tag + ethertype + packet
        frame = host.world.originate(data, host.name, host.tenant, host.network, cause)
        host.drop(frame, DropReason.INTERFACE_DOWN, self.name)

    def _set_carrier(self, up: bool) -> None:
        """Leave the carrier to the interface below."""
        assert not up or self.parent.admin_up, f"{self.parent.full_name} is down"
