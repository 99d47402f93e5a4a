"""The file form of hosts; :mod:`sdnvirt.topology.spec` has the rest of it."""

from __future__ import annotations

from pydantic import Field

from sdnvirt.topology import fields as f
from sdnvirt.topology.model import Model


class HostSpec(Model):
    """A bare-metal host with one interface."""

    address: f.Interfaces = Field(
        description="Address and prefix length. A range is gone through in step with the names."
    )
    gateway: f.Address | None = Field(None, description="Default gateway. Default: none.")
    addresses: list[f.MoreInterfaces] = Field(
        default_factory=list,
        description="More addresses, of IPv4 or IPv6; each may be a range like ``address``.",
    )
    gateway6: f.Address6 | None = Field(
        None, description="Default gateway of IPv6. Default: those that advertise themselves."
    )
    ipv6: bool = Field(
        False,
        description="Whether the host speaks IPv6 and learns from routers. With an IPv6 address "
        "or gateway it does so anyway.",
    )
    mac: f.Macs | None = Field(None, description="Default: unique in the file.")
