"""The first step of resolving: which nodes there are, with ranges expanded and names taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Generic, TypeVar

from sdnvirt.topology import spec
from sdnvirt.topology.generators import EMPTY, Shape, generate
from sdnvirt.topology.host_spec import HostSpec
from sdnvirt.topology.names import expand_names
from sdnvirt.topology.problems import Path, Problems
from sdnvirt.topology.registry import Kind, Registry

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry(Generic[S]):
    """One node of a section: the ``index``-th name that the key at ``path`` stands for."""

    name: str
    index: int
    written: S
    path: Path

    def pick(self, values: tuple[T, ...]) -> T:
        """Return the value for this node of a range that is gone through in step with the names."""
        return values[self.index % len(values)]


@dataclass(frozen=True, slots=True)
class Inventory:
    """The nodes of a topology by where the file names them; every list is in file order."""

    underlay: Shape
    fabric: Shape
    routers: list[str]
    fabric_switches: list[str]
    fabric_hosts: list[str]
    hypervisors: list[Entry[spec.HypervisorSpec]]
    switches: list[Entry[spec.SwitchSpec]]
    hosts: list[Entry[HostSpec]]
    vms: list[Entry[spec.VmSpec]]
    dhcp_servers: list[str]


def take_inventory(
    written: spec.TopologySpec, registry: Registry, folder: FilePath, problems: Problems
) -> Inventory:
    """Return all nodes of a file and enter them in the registry; names taken twice are problems.

    Raises:
        TopologyError: a shape cannot be generated, so that there is no telling which names of the
            file are wrong.
    """
    underlay = fabric = EMPTY
    explicit: list[str] = []
    if written.underlay is not None:
        underlay = generate(written.underlay, "r", folder, ("underlay",), problems)
        explicit = [name for names in written.underlay.routers for name in names]
    if written.fabric is not None:
        fabric = generate(written.fabric, "s", folder, ("fabric",), problems)
    problems.raise_if_any()

    def take(names: Iterable[str], kind: Kind, path: Path) -> list[str]:
        return [name for name in names if registry.add(name, kind, path)]

    def section(key: str, entries: Mapping[str, S], kind: Kind) -> list[Entry[S]]:
        return [e for e in _expand(key, entries) if registry.add(e.name, kind, e.path)]

    return Inventory(
        underlay,
        fabric,
        routers=[
            *take(underlay.nodes, Kind.ROUTER, ("underlay",)),
            *take(explicit, Kind.ROUTER, ("underlay", "routers")),
        ],
        hypervisors=section("hypervisors", written.hypervisors, Kind.HYPERVISOR),
        fabric_switches=take(fabric.nodes, Kind.SWITCH, ("fabric",)),
        switches=section("switches", written.switches, Kind.SWITCH),
        fabric_hosts=take(_fabric_hosts(written.fabric, fabric), Kind.HOST, ("fabric", "hosts")),
        hosts=section("hosts", written.hosts, Kind.HOST),
        vms=section("vms", written.vms, Kind.VM),
        dhcp_servers=[
            dhcp_name(tenant, network)
            for tenant, of in written.tenants.items()
            for network, given in of.networks.items()
            if given.dhcp is not None
            and registry.add(
                dhcp_name(tenant, network),
                Kind.FUNCTION,
                ("tenants", tenant, "networks", network, "dhcp"),
            )
        ],
    )


def dhcp_name(tenant: str, network: str) -> str:
    """Return the name of a network's DHCP server."""
    return f"{tenant}-{network}-dhcp"


def _expand(key: str, section: Mapping[str, S]) -> Iterator[Entry[S]]:
    for text, written in section.items():
        path = (key, text)
        for index, name in enumerate(expand_names(text)):
            yield Entry(name, index, written, path)


def _fabric_hosts(fabric: spec.FabricSpec | None, shape: Shape) -> Iterator[str]:
    if fabric is None or fabric.hosts is None:
        return
    for number in range(len(shape.outer) * fabric.hosts.per_edge):
        yield f"{fabric.hosts.prefix}{number + 1}"
