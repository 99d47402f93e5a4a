"""Hosts: which link is which interface, and whether addresses, VLANs and routes fit there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Interface, IPv6Network, ip_address
from typing import Final

from sdnvirt.addresses import IpAddress, Ipv6
from sdnvirt.devices.link import DEFAULT_MTU
from sdnvirt.devices.vlan import Membership, Trunk
from sdnvirt.host.addressing import ADDRESS_LIMIT
from sdnvirt.host.routes import ROUTE_LIMIT
from sdnvirt.topology.fields import expand_ports
from sdnvirt.topology.host import Host, Interface, Route
from sdnvirt.topology.host_spec import HostSpec, InterfaceSpec, VlanInterfaceSpec
from sdnvirt.topology.inventory import Entry, Inventory
from sdnvirt.topology.names import MAX_NODES
from sdnvirt.topology.problems import Path, Problems, Words
from sdnvirt.topology.registry import Kind, Registry
from sdnvirt.topology.wiring import Wiring

MAX_ADDRESSES: Final = ADDRESS_LIMIT // 2
"""Addresses of an interface: the other half is for those that routers advertise."""

MAX_ROUTES: Final = ROUTE_LIMIT // 2
"""Routes of a host, for the same reason."""

MAX_PARTS: Final = 20 * MAX_NODES
"""Interfaces, addresses and routes of all hosts; bounds what a few ranges can ask for."""

_EVERYTHING: Final = IPv4Network("0.0.0.0/0")
_EVERYTHING6: Final = IPv6Network("::/0")


@dataclass(frozen=True, slots=True)
class PlacedHost:
    """A host, and where the file has each of its interfaces."""

    host: Host
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Plug:
    """The end of a link at a host.

    Attributes:
        port: number of the port.
        name: name of the port.
        link: name of the link.
        path: where the file has the link.
        index: which of the link's two ends it is, 0 or 1.
        vlan: configuration of the bridge at the other end; None if there is none.
    """

    port: int
    name: str
    link: str
    path: Path
    index: int
    vlan: Membership | None


def build_hosts(
    inventory: Inventory, wiring: Wiring, registry: Registry, problems: Problems
) -> list[PlacedHost]:
    """Return the hosts of the section ``hosts``, when all links are laid."""
    asked = sum(_parts(entry.written) for entry in inventory.hosts)
    if asked > MAX_PARTS:
        found = Words(f"{asked} interfaces, addresses and routes")
        problems.add(("hosts",), found, f"at most {MAX_PARTS} of all hosts", at_key=True)
        return []
    plugs = _plugs(wiring, registry)
    for name in inventory.fabric_hosts:
        _check_only(name, plugs.get(name, []), problems)
    built = [
        _Builder(entry, plugs.get(entry.name, []), registry, problems).build()
        for entry in inventory.hosts
    ]
    return [placed for placed in built if placed is not None]


def _plugs(wiring: Wiring, registry: Registry) -> dict[str, list[_Plug]]:
    """Return the ends of links at each host, in the order of its ports."""
    plugs: dict[str, list[_Plug]] = {}
    for link, path in zip(wiring.links, wiring.paths, strict=True):
        for index, end in enumerate((link.a, link.b)):
            if registry.kind(end.node) is Kind.HOST:
                name = link.port_name(end.node)
                plug = _Plug(end.port, name, link.name, path, index, link.vlan)
                plugs.setdefault(end.node, []).append(plug)
    return plugs


def _check_only(name: str, plugs: list[_Plug], problems: Problems) -> None:
    """Note every link but the first of a host with one interface."""
    for plug in plugs[1:]:
        found = Words(f"a second link of the host {name!r}")
        expected = "one link of each host that has no interfaces"
        problems.add((*plug.path, "between", plug.index), found, expected)


class _Builder:
    """Makes one host."""

    def __init__(
        self, entry: Entry[HostSpec], plugs: list[_Plug], registry: Registry, problems: Problems
    ) -> None:
        self._entry = entry
        self._plugs = plugs
        self._registry = registry
        self._problems = problems

    def build(self) -> PlacedHost | None:
        """Return the host, or None: it has no address."""
        entry, written = self._entry, self._entry.written
        if written.interfaces:
            placed = list(self._named(written.interfaces))
        else:
            _check_only(entry.name, self._plugs, self._problems)
            plug = self._plugs[0] if self._plugs else None
            placed = list(self._interfaces(written, plug, entry.path))
        interfaces = tuple(interface for interface, _ in placed)
        if not any(one.addresses for one in interfaces):
            if not _has_address(written):
                found = Words(f"no address of the host {entry.name!r}")
                self._problems.add(entry.path, found, "address or interfaces", at_key=True)
            return None
        host = Host(
            entry.name, interfaces, tuple(self._routes(interfaces)), written.forward,
            tuple(written.dns),
        )  # fmt: skip
        return PlacedHost(host, tuple(path for _, path in placed))

    def _named(self, written: Mapping[str, InterfaceSpec]) -> Iterator[tuple[Interface, Path]]:
        """Yield the interfaces that are told apart by name."""
        entry = self._entry
        for key in InterfaceSpec.model_fields:
            if key in entry.written.model_fields_set:
                found = Words(f"{key} beside interfaces")
                self._problems.add((*entry.path, key), found, "it in interfaces", at_key=True)
        keys: dict[str, str] = {}
        names = [plug.name for plug in self._plugs]
        for key in written:
            name = entry.pick(expand_ports(key))
            path = (*entry.path, "interfaces", key)
            if name not in names:
                expected = f"the name of a node that {entry.name} is linked to"
                self._problems.add(path, name, expected, names, at_key=True)
            elif name in keys:
                expected = f"it once; {keys[name]} is it already"
                self._problems.add(path, Words(f"the interface {name}"), expected, at_key=True)
            keys.setdefault(name, key)
        for plug in self._plugs:
            if plug.name in keys:
                path = (*entry.path, "interfaces", keys[plug.name])
                yield from self._interfaces(written[keys[plug.name]], plug, path)
            else:
                found = Words(f"the link {plug.link}")
                expected = f"{plug.name} among the interfaces of {entry.name}"
                self._problems.add((*plug.path, "between", plug.index), found, expected)

    def _interfaces(
        self, written: InterfaceSpec, plug: _Plug | None, path: Path
    ) -> Iterator[tuple[Interface, Path]]:
        """Yield the interface on a link, and those on its VLANs."""
        entry, port = self._entry, 1 if plug is None else plug.port
        mac = entry.pick(written.mac) if written.mac else self._registry.mac(Kind.HOST)
        own = Interface(port, mac, mtu=written.mtu or DEFAULT_MTU)
        self._check_tags(written, plug, path)
        for below, vlan, where in (
            (written, None, path),
            *((one, vlan, (*path, "vlans", str(vlan))) for vlan, one in written.vlans.items()),
        ):
            addresses = [] if below.address is None else [entry.pick(below.address)]
            addresses += [entry.pick(one) for one in below.addresses]
            six = any(isinstance(one, IPv6Interface) for one in addresses)
            if len(addresses) > MAX_ADDRESSES:
                found = Words(f"{len(addresses)} addresses of an interface")
                self._problems.add((*where, "addresses"), found, f"at most {MAX_ADDRESSES}")
            self._check_advertising(below, six, where)
            # The gateway of a host with one interface is beyond that.
            asked = entry.written.gateway6 is not None and below is entry.written
            yield (
                Interface(
                    port, mac, tuple(addresses), below.ipv6 or six or asked, vlan,
                    below.mtu or own.mtu, below.advertise,
                ),
                where,
            )  # fmt: skip

    def _check_tags(self, written: InterfaceSpec, plug: _Plug | None, path: Path) -> None:
        """Note VLANs that a bridge at the other end does not take tagged, and the other way."""
        if plug is None or plug.vlan is None:
            return
        membership = plug.vlan
        if not isinstance(membership, Trunk):
            if written.vlans:
                found = Words(f"VLANs over an {membership}")
                expected = f"trunk on the link {plug.link}"
                self._problems.add((*path, "vlans"), found, expected, at_key=True)
            return
        if not written.vlans:
            found = Words(f"a trunk to the host {self._entry.name!r}")
            expected = "vlan, or vlans on its interface: others take untagged frames only"
            self._problems.add((*plug.path, "trunk"), found, expected, at_key=True)
        elif membership.native is None and (written.address or written.addresses or written.ipv6):
            found = Words(f"an interface without a VLAN on the trunk {plug.link}")
            self._problems.add(path, found, "native on that link, or vlans only", at_key=True)
        for vlan in written.vlans:
            if vlan == membership.native or not membership.carries(vlan):
                expected = f"a VLAN that is tagged on the link {plug.link}"
                self._problems.add((*path, "vlans", str(vlan)), vlan, expected, at_key=True)

    def _check_advertising(self, written: VlanInterfaceSpec, six: bool, path: Path) -> None:
        if not written.advertise:
            return
        if not self._entry.written.forward:
            found = Words("advertise on a host that does not forward")
            self._problems.add((*path, "advertise"), found, "forward: true, too", at_key=True)
        if not six:
            found = Words("advertise without an IPv6 address")
            expected = "an IPv6 address on the interface, whose prefix is advertised"
            self._problems.add((*path, "advertise"), found, expected, at_key=True)

    def _routes(self, interfaces: tuple[Interface, ...]) -> Iterator[Route]:
        written, path = self._entry.written, self._entry.path
        gateways: tuple[tuple[str, IPv4Network | IPv6Network, IpAddress | None], ...] = (
            ("gateway", _EVERYTHING, written.gateway),
            ("gateway6", _EVERYTHING6, written.gateway6),
        )
        for key, everything, gateway in gateways:
            if gateway is not None:
                if written.interfaces:
                    self._check_neighbour(gateway, interfaces, (*path, key))
                yield Route(everything, gateway)
        if len(written.routes) > MAX_ROUTES:
            found = Words(f"{len(written.routes)} routes of a host")
            self._problems.add((*path, "routes"), found, f"at most {MAX_ROUTES}")
            return
        for number, route in enumerate(written.routes):
            where = (*path, "routes", number, "via")
            if isinstance(route.via, Ipv6) != isinstance(route.to, IPv6Network):
                expected = f"an address of the version of IP that {route.to} is of"
                self._problems.add(where, str(route.via), expected)
            else:
                self._check_neighbour(route.via, interfaces, where)
                yield Route(route.to, route.via)

    def _check_neighbour(
        self, address: IpAddress, interfaces: tuple[Interface, ...], path: Path
    ) -> None:
        """Note a next hop that is on no link of the host, or on which one does not show."""
        if address.is_link_local and sum(one.ipv6 for one in interfaces) == 1:
            return
        hop = ip_address(bytes(address))
        own = [address for one in interfaces for address in one.addresses]
        if any(hop in one.network and hop != one.ip for one in own):
            return
        networks = [one.network for one in own if one.version == hop.version]
        among = ", ".join(dict.fromkeys(map(str, networks))) or "a subnet that the host has not"
        self._problems.add(path, str(address), f"the address of a neighbour, in {among}")


def _specs(written: HostSpec) -> list[VlanInterfaceSpec]:
    """Return all that a host says of interfaces."""
    interfaces: list[InterfaceSpec] = [written, *written.interfaces.values()]
    below = [one for interface in interfaces for one in interface.vlans.values()]
    return [*interfaces, *below]


def _has_address(written: HostSpec) -> bool:
    """Whether a host is given an address on any of its interfaces."""
    return any(one.address or one.addresses for one in _specs(written))


def _parts(written: HostSpec) -> int:
    """Return how many interfaces, addresses and routes a host is given."""
    return len(written.routes) + sum(1 + len(one.addresses) for one in _specs(written))
