"""Hosts of a resolved topology; :mod:`sdnvirt.topology.resolved` has the rest of it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from typing import Final

from sdnvirt.addresses import IpAddress, Mac
from sdnvirt.devices.link import DEFAULT_MTU
from sdnvirt.host.addressing import address_of

VERSIONS: Final = (4, 6)
"""The versions of IP."""


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface of a host.

    Attributes:
        port: number of the host's port.
        mac: its MAC address, which is that of the port.
        addresses: its addresses of either version of IP.
        ipv6: whether it speaks IPv6.
        vlan: the VLAN of the port that it stands on, or None for untagged frames.
        mtu: bytes of the largest IP packet that it sends.
        advertise: whether it advertises the host as the router of its IPv6 prefixes.
    """

    port: int
    mac: Mac
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    ipv6: bool = False
    vlan: int | None = None
    mtu: int = DEFAULT_MTU
    advertise: bool = False

    def first(self, version: int) -> IPv4Interface | IPv6Interface | None:
        """Return its first address of a version of IP, 4 or 6, or None."""
        return next((one for one in self.addresses if one.version == version), None)


@dataclass(frozen=True, slots=True)
class Route:
    """A route to a prefix by a next hop, both of one version of IP."""

    to: IPv4Network | IPv6Network
    via: IpAddress


@dataclass(frozen=True, slots=True)
class Host:
    """A bare-metal host, which has an address at least.

    Attributes:
        name: the node's name.
        interfaces: by their ports, each before those on its VLANs.
        routes: those by gateways first; the way to a next hop is that of its subnet.
        forward: whether it forwards packets of others.
        dns: the DNS servers that it asks.
    """

    name: str
    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...] = ()
    forward: bool = False
    dns: tuple[IpAddress, ...] = ()

    @property
    def mac(self) -> Mac:
        """The MAC address of its first interface."""
        return self.interfaces[0].mac

    @property
    def address(self) -> IPv4Interface | IPv6Interface:
        """Its first address."""
        return next(address for one in self.interfaces for address in one.addresses)

    @property
    def ip(self) -> IpAddress:
        """Its first address without the prefix length."""
        return address_of(self.address)

    def first(self, version: int) -> IpAddress | None:
        """Return its first address of a version of IP, 4 or 6, or None."""
        found = (one.first(version) for one in self.interfaces)
        return next((address_of(one) for one in found if one is not None), None)
