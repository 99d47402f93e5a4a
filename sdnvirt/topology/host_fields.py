"""The types of values in a topology file that only hosts have: of their interfaces and routes."""

from __future__ import annotations

import re
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from typing import Annotated, Any, Final

from sdnvirt.addresses import VLAN_MAX, IpAddress, Ipv4, Ipv6
from sdnvirt.topology.fields import RANGE_PATTERN, Leaf, as_text, each, expand_ports

_STRING: Final = {"type": "string"}
_VLAN: Final = re.compile(r"[1-9][0-9]{0,3}")


def _interface(text: str) -> IPv4Interface:
    interface = IPv4Interface(text)
    number, network = int(interface), interface.network
    first, last = int(network.network_address), int(network.broadcast_address)
    if "/" not in text or (network.prefixlen < 31 and number in (first, last)):
        raise ValueError(text)
    if number == 0 or number >> 28 == 14:  # unspecified, or multicast
        raise ValueError(text)
    return interface


def _any_interface(text: str) -> IPv4Interface | IPv6Interface:
    if ":" not in text:
        return _interface(text)
    interface = IPv6Interface(text)
    address = interface.ip
    if "/" not in text or address.is_unspecified or address.is_multicast or address.is_loopback:
        raise ValueError(text)
    if address.is_link_local or address.scope_id is not None:  # each host has one of its own
        raise ValueError(text)
    return interface


def _vlan(value: Any) -> int:
    text = str(value) if type(value) is int else as_text(value)  # a file's keys are text
    if not _VLAN.fullmatch(text) or int(text) > VLAN_MAX:
        raise ValueError(value)
    return int(text)


def _port(value: Any) -> str:
    expand_ports(value)
    return as_text(value)


def _address(value: Any) -> IpAddress:
    return Ipv6(value) if ":" in as_text(value) else Ipv4(value)


def _destination(value: Any) -> IPv4Network | IPv6Network:
    network = IPv6Network(value) if ":" in as_text(value) else IPv4Network(value)
    if "/" not in value or network.is_multicast:
        raise ValueError(value)
    return network


Interfaces = Annotated[tuple[IPv4Interface | IPv6Interface, ...], Leaf(
    each(_any_interface), "an address of a host and its prefix length, such as 10.0.0.1/24 or "
    "2001:db8::1/64 or, for several hosts, 2001:db8::[1-4]/64",
    "IPv4 or IPv6 address/prefix or range", _STRING,
)]  # fmt: skip
Address6 = Annotated[Ipv6, Leaf(
    lambda value: Ipv6(as_text(value)), "an IPv6 address such as 2001:db8::1", "IPv6 address",
    _STRING,
)]  # fmt: skip
VlanKey = Annotated[int, Leaf(
    _vlan, f"a VLAN, an integer from 1 to {VLAN_MAX}", "VLAN",
    {"type": "string", "pattern": "^[1-9][0-9]{0,3}$"},
)]  # fmt: skip
PortKey = Annotated[str, Leaf(
    _port, "the name of an interface, which is that of the node at the other end of its link, or, "
    "for several hosts, s[1-4]; the second link to the same node is s1#2",
    "port name or range",
    {"type": "string", "pattern": RANGE_PATTERN.removesuffix("$") + "(#[0-9]+)?$"},
)]  # fmt: skip
AnyAddress = Annotated[IpAddress, Leaf(
    _address, "an IP address such as 10.0.0.1 or 2001:db8::1", "IPv4 or IPv6 address",
    _STRING,
)]  # fmt: skip
Destination = Annotated[IPv4Network | IPv6Network, Leaf(
    _destination, "a network with no host bits, such as 10.1.0.0/16 or 2001:db8:1::/64",
    "IPv4 or IPv6 network", _STRING,
)]  # fmt: skip
