"""The file form of hosts; :mod:`sdnvirt.topology.spec` has the rest of it."""

from __future__ import annotations

from pydantic import Field

from sdnvirt.topology import fields as f
from sdnvirt.topology import host_fields as h
from sdnvirt.topology.model import Model


class VlanInterfaceSpec(Model):
    """An interface on a VLAN of another one: its frames are tagged."""

    address: h.Interfaces | None = Field(
        None,
        description="Its first address, of IPv4 or IPv6, and prefix length. A range is gone "
        "through in step with the names.",
    )
    addresses: list[h.Interfaces] = Field(
        default_factory=list,
        description="More addresses, of IPv4 or IPv6; each may be a range like ``address``.",
    )
    ipv6: bool = Field(
        False,
        description="Whether it speaks IPv6 and, unless the host forwards, learns from routers. "
        "With an IPv6 address it does so anyway.",
    )
    mtu: f.Mtu | None = Field(
        None,
        description="The largest IP packet that it sends. Default: 1500, and on a VLAN that of the "
        "interface below.",
    )
    advertise: f.Flag = Field(
        False,
        description="Whether it tells the hosts of its link that this is their router, and the "
        "prefixes of its IPv6 addresses (RFC 4861).",
    )


class InterfaceSpec(VlanInterfaceSpec):
    """An interface of a host, on one of its links."""

    mac: f.Macs | None = Field(None, description="Default: unique in the file.")
    vlans: dict[h.VlanKey, VlanInterfaceSpec] = Field(
        default_factory=dict,
        description="Interfaces on VLANs of this one, by VLAN. A bridge at the other end needs a "
        "``trunk`` for them.",
    )


class RouteSpec(Model):
    """A static route of a host."""

    to: h.Destination = Field(description="The destinations.")
    via: h.AnyAddress = Field(
        description="The next hop, a neighbour on one of the host's interfaces."
    )


class HostSpec(InterfaceSpec):
    """A bare-metal host with one link and one interface, whose keys stand here.

    With more, each link has its own below ``interfaces``. A host that forwards is a router.
    """

    gateway: f.Address | None = Field(None, description="Default gateway. Default: none.")
    gateway6: h.Address6 | None = Field(
        None,
        description="Default gateway of IPv6, which a host with one interface speaks then. "
        "Default: those that advertise themselves.",
    )
    interfaces: dict[h.PortKey, InterfaceSpec] = Field(
        default_factory=dict,
        description="The interfaces, each by the node at the other end of its link. A range is "
        "gone through in step with the names.",
    )
    forward: f.Flag = Field(
        False, description="Whether it forwards packets that are for others: is a router."
    )
    routes: list[RouteSpec] = Field(
        default_factory=list, description="Routes beside those to its own subnets and gateways."
    )
    dns: list[h.AnyAddress] = Field(
        default_factory=list, description="DNS servers that it asks, the first one first."
    )
