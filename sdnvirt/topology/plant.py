"""The physical part of a topology: routers, hypervisors, switches, hosts, and their links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface
from typing import Final

from sdnvirt.addresses import Ipv4
from sdnvirt.devices.link import LinkParameters
from sdnvirt.topology import spec
from sdnvirt.topology.generators import Shape
from sdnvirt.topology.host import Host, Interface
from sdnvirt.topology.hosts import PlacedHost, build_hosts
from sdnvirt.topology.inventory import Entry, Inventory
from sdnvirt.topology.problems import Path, Problems, Words
from sdnvirt.topology.quality import quality
from sdnvirt.topology.registry import Kind, Registry
from sdnvirt.topology.resolved import (
    TUNNEL_PORT_BASE,
    Hypervisor,
    Link,
    Router,
    Switch,
    SwitchKind,
    Tunnel,
)
from sdnvirt.topology.segments import (
    Vertex,
    broadcast_domains,
    check_loops,
    check_standalone,
    check_unique,
)
from sdnvirt.topology.switches import build_switches, check_keys, datapath_ids, switch_kinds
from sdnvirt.topology.wiring import DEFAULT_LINK, UNDERLAY_LINK, Wiring

MAX_HYPERVISORS: Final = 512
"""Hypervisors: each has a tunnel port to each other one, so their number grows with the square."""


@dataclass(frozen=True, slots=True)
class Plant:
    """The physical part, resolved.

    Attributes:
        domains: what names the broadcast domain of each interface of a host, by the host's name.
    """

    underlay_subnet: IPv4Network
    routers: tuple[Router, ...]
    hypervisors: tuple[Hypervisor, ...]
    switches: tuple[Switch, ...]
    hosts: tuple[Host, ...]
    links: tuple[Link, ...]
    domains: Mapping[str, tuple[Vertex, ...]]


def build_plant(
    written: spec.TopologySpec, inventory: Inventory, registry: Registry, problems: Problems
) -> Plant:
    """Return the physical part of a file, with ports, addresses and datapath ids given out."""
    underlay = written.underlay
    routed = quality(UNDERLAY_LINK, underlay.link) if underlay else UNDERLAY_LINK
    vteps = underlay.subnet if underlay else IPv4Network(spec.VTEP_SUBNET)
    kinds = switch_kinds(written, inventory)
    check_keys(written, inventory, problems)
    dpids = datapath_ids(inventory, kinds, problems)
    bridges = [name for name, kind in kinds.items() if kind is SwitchKind.BRIDGE]
    wiring = Wiring(registry, bridges, problems)

    _connect_shape(inventory.underlay, routed, wiring, ("underlay",))
    hypervisors = _attach(inventory.hypervisors, routed, wiring, registry, problems)
    hosts: list[PlacedHost] = []
    if written.fabric is not None:
        cable = quality(DEFAULT_LINK, written.fabric.link)
        _connect_shape(inventory.fabric, cable, wiring, ("fabric",))
        hosts += _fabric_hosts(written.fabric, inventory, cable, registry, wiring, problems)
    for number, link in enumerate(written.links):
        wiring.connect_as_written(number, link, routed)
    hosts += build_hosts(inventory, wiring, registry, problems)
    switches = build_switches(written, inventory, kinds, dpids, wiring)
    check_loops(wiring.links, wiring.paths, wiring.vlans, problems)
    if written.controller is None:
        check_standalone(switches, wiring.links, wiring.paths, problems)
    domains = broadcast_domains((placed.host for placed in hosts), wiring.links, wiring.vlans)
    check_unique(hosts, domains, problems)
    return Plant(
        vteps,
        tuple(map(Router, inventory.routers)),
        _hypervisors(hypervisors, vteps, dpids, registry, problems),
        switches,
        tuple(placed.host for placed in hosts),
        tuple(wiring.links),
        domains,
    )


def _connect_shape(shape: Shape, base: LinkParameters, wiring: Wiring, path: Path) -> None:
    for edge in shape.edges:
        wiring.connect(edge.a, edge.b, quality(base, edge.quality), path)


def _attach(
    entries: list[Entry[spec.HypervisorSpec]],
    params: LinkParameters,
    wiring: Wiring,
    registry: Registry,
    problems: Problems,
) -> list[tuple[str, str]]:
    """Link each hypervisor to its router; return the pairs of their names."""
    if len(entries) > MAX_HYPERVISORS:
        found = Words(f"{len(entries)} hypervisors")
        expected = f"at most {MAX_HYPERVISORS}, because each has a tunnel to each other one"
        problems.add(("hypervisors",), found, expected, at_key=True)
        return []
    if entries and next(registry.names(Kind.ROUTER), None) is None:
        found = Words("hypervisors without an underlay")
        expected = "the section underlay, with routers to attach them to"
        problems.add(("hypervisors",), found, expected, at_key=True)
        return []
    attached: list[tuple[str, str]] = []
    for entry in entries:
        router = entry.pick(entry.written.attach)
        if registry.require(router, (Kind.ROUTER,), (*entry.path, "attach")):
            wiring.connect(entry.name, router, params, entry.path)
            attached.append((entry.name, router))
    return attached


def _hypervisors(
    attached: list[tuple[str, str]],
    subnet: IPv4Network,
    dpids: dict[str, int],
    registry: Registry,
    problems: Problems,
) -> tuple[Hypervisor, ...]:
    if len(attached) > subnet.num_addresses - 2:
        found = Words(f"{len(attached)} hypervisors in {subnet}")
        expected = f"at most {subnet.num_addresses - 2} in a /{subnet.prefixlen}"
        problems.add(("underlay", "subnet"), found, expected)
        return ()
    first = int(subnet.network_address) + 1
    tunnels = [
        Tunnel(TUNNEL_PORT_BASE + number, name) for number, (name, _) in enumerate(attached, 1)
    ]
    return tuple(
        Hypervisor(
            name,
            dpids[name],
            Ipv4(first + index),
            registry.mac(Kind.HYPERVISOR),
            router,
            (*tunnels[:index], *tunnels[index + 1 :]),
        )
        for index, (name, router) in enumerate(attached)
    )


def _fabric_hosts(
    fabric: spec.FabricSpec,
    inventory: Inventory,
    params: LinkParameters,
    registry: Registry,
    wiring: Wiring,
    problems: Problems,
) -> list[PlacedHost]:
    names = inventory.fabric_hosts
    if fabric.hosts is None or not names:
        return []
    path: Path = ("fabric", "hosts")
    subnet, per_edge = fabric.hosts.subnet, fabric.hosts.per_edge
    if len(names) > subnet.num_addresses - 2:
        found = Words(f"{len(names)} hosts in {subnet}")
        problems.add((*path, "subnet"), found, f"at most {subnet.num_addresses - 2}")
        return []
    hosts: list[PlacedHost] = []
    for index, name in enumerate(names):
        first = int(subnet.network_address) + 1
        address = IPv4Interface((first + index, subnet.prefixlen))
        more = _ipv6_addresses(fabric.hosts, index)
        interface = Interface(1, registry.mac(Kind.HOST), (address, *more), ipv6=bool(more))
        hosts.append(PlacedHost(Host(name, (interface,)), (path,)))
        wiring.connect(name, inventory.fabric.outer[index // per_edge], params, path)
    return hosts


def _ipv6_addresses(hosts: spec.FabricHostsSpec, index: int) -> tuple[IPv6Interface, ...]:
    """Return the IPv6 addresses of a fabric's host: one, or none."""
    subnet = hosts.subnet6
    if subnet is None:
        return ()
    return (IPv6Interface((int(subnet.network_address) + 1 + index, subnet.prefixlen)),)
