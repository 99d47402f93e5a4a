"""The addresses of an interface: what they are good for, and for how long (RFC 4862, 5.5.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Interface, IPv6Interface
from typing import Final

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.routes import IpNetwork

IpInterface = IPv4Interface | IPv6Interface
"""An address with the length of its prefix, of either version of IP."""

ADDRESS_LIMIT: Final = 256
"""Addresses of an interface, so that advertised prefixes cannot fill memory (RFC 4862, 5.5.3)."""


class AddressState(Enum):
    """What an address may be used for."""

    TENTATIVE = "nobody knows yet whether it is unique"
    PREFERRED = "for everything"
    DEPRECATED = "for conversations that have begun"
    DUPLICATE = "for nothing: somebody else has it"


class Cast(Enum):
    """For whom a packet to an address that an interface takes is."""

    UNICAST = "this host"
    BROADCAST = "every host of the link"
    MULTICAST = "a group"


class Origin(Enum):
    """How an interface came by an address."""

    CONFIGURED = "it was given"
    LINK_LOCAL = "it was made of the MAC address (RFC 4862, 5.3)"
    ADVERTISED = "it was made of a prefix that a router advertised (RFC 4862, 5.5)"


@dataclass(slots=True, eq=False)
class InterfaceAddress:
    """An address of an interface.

    Attributes:
        address: the address.
        length: bits of its prefix.
        state: what it may be used for now.
        origin: how the interface came by it.
        preferred_ns: until when it is used for new conversations.
        valid_ns: until when it is used at all.
    """

    address: IpAddress
    length: int
    state: AddressState = AddressState.PREFERRED
    origin: Origin = Origin.CONFIGURED
    preferred_ns: int = NEVER
    valid_ns: int = NEVER

    @property
    def usable(self) -> bool:
        """Whether packets may come from it and are taken for it."""
        return self.state in (AddressState.PREFERRED, AddressState.DEPRECATED)

    @property
    def interface(self) -> IpInterface:
        """The address with the length of its prefix."""
        if isinstance(self.address, Ipv4):
            return IPv4Interface((bytes(self.address), self.length))
        return IPv6Interface((bytes(self.address), self.length))

    @property
    def network(self) -> IpNetwork:
        """Its prefix."""
        return self.interface.network


def address_of(interface: IpInterface) -> IpAddress:
    """Return the address of an address with its prefix."""
    return Ipv4(interface.ip) if isinstance(interface, IPv4Interface) else Ipv6(interface.ip)
