"""Hosts of a resolved topology; :mod:`sdnvirt.topology.resolved` has the rest of it."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface

from sdnvirt.addresses import Ipv4, Ipv6, Mac


@dataclass(frozen=True, slots=True)
class Host:
    """A bare-metal host with one NIC, its port 1.

    Attributes:
        address: its first address.
        gateway: the default gateway of IPv4, or None.
        addresses: more addresses, of either version of IP.
        gateway6: the default gateway of IPv6, or None for those that advertise themselves.
        ipv6: whether it speaks IPv6.
    """

    name: str
    mac: Mac
    address: IPv4Interface
    gateway: Ipv4 | None = None
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    gateway6: Ipv6 | None = None
    ipv6: bool = False

    @property
    def ip(self) -> Ipv4:
        """The address without its prefix length."""
        return Ipv4(self.address.ip)
