"""From a resolved host to the stack of a live one."""

from __future__ import annotations

from ipaddress import IPv6Interface

from sdnvirt.host.advertiser import Advertised, Advertiser
from sdnvirt.host.interface import Interface
from sdnvirt.host.stack import Host
from sdnvirt.topology import host as spec


def configure(live: Host, host: spec.Host) -> None:
    """Give a host, with all its ports linked, its interfaces, addresses and routes."""
    live.dns_servers = host.dns
    if host.forward:
        live.enable_forwarding()
    for interface in host.interfaces:
        port = live.interfaces[interface.port]
        made = port if interface.vlan is None else live.add_vlan(interface.vlan, port)
        _configure(made, interface)
    for route in host.routes:
        live.ip.add_route(route.to, route.via)


def _configure(live: Interface, interface: spec.Interface) -> None:
    host = live.host
    live.mtu = interface.mtu
    for address in interface.addresses:
        host.add_address(address, live)
    if interface.ipv6:
        live.enable_ipv6(autoconfigure=host.forwarding is None)
    if interface.advertise:
        prefixes = [one.network for one in interface.addresses if isinstance(one, IPv6Interface)]
        Advertiser(host, Advertised.of(*prefixes), live)
