"""Who is to reach whom: the segments that connectivity is asked in, and the section ``invariants``.

An interface of a host is in a segment for each version of IP that the file gives it an address of:
that of its broadcast domain and the subnet of its first address.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from sdnvirt.addresses import IpAddress
from sdnvirt.host.addressing import address_of
from sdnvirt.topology import checks_spec as spec
from sdnvirt.topology.checks import Segment
from sdnvirt.topology.host import VERSIONS, Host
from sdnvirt.topology.invariants import Invariants, Settling
from sdnvirt.topology.plant import Plant
from sdnvirt.topology.problems import Path, Problems
from sdnvirt.topology.segments import Vertex
from sdnvirt.topology.tenancy import Tenancy

MAX_PAIRS: Final = 2_016
"""Pairs that are asked at once: those of 64 nodes; each is a conversation that is remembered, and
together they are a third of all that is."""


def find_segments(
    among: list[tuple[str, ...]] | None,
    path: Path,
    plant: Plant,
    tenancy: Tenancy,
    problems: Problems,
) -> tuple[Segment, ...]:
    """Return the segments with two members or more, in the order of the file.

    Args:
        among: the names that the file restricts them to, or None; others are problems.
        path: where it does.
        plant: the hosts.
        tenancy: the VMs.
        problems: takes what is wrong.
    """
    members: dict[Hashable, list[tuple[str, IpAddress]]] = {}
    for host in plant.hosts:
        for (domain, network), address in _places(host, plant.domains[host.name]).items():
            members.setdefault((domain, network), []).append((host.name, address))
    for vm in tenancy.vms:
        members.setdefault(vm.vnic.network, []).append((vm.name, vm.vnic.address))
    if among is not None:
        known = {name: None for of in members.values() for name, _ in of}
        wanted = _names(among, known, (*path, "among"), problems)
        members = {key: [one for one in of if one[0] in wanted] for key, of in members.items()}
    return tuple(Segment(tuple(of)) for of in members.values() if len(of) > 1)


def _places(
    host: Host, domains: tuple[Vertex, ...]
) -> dict[tuple[Vertex, IPv4Network | IPv6Network], IpAddress]:
    """Return the segments that a host is in, each with its first address there."""
    places: dict[tuple[Vertex, IPv4Network | IPv6Network], IpAddress] = {}
    for interface, domain in zip(host.interfaces, domains, strict=True):
        for version in VERSIONS:
            own = interface.first(version)
            if own is not None:
                places.setdefault((domain, own.network), address_of(own))
    return places


def _names(
    among: list[tuple[str, ...]], known: Collection[str], path: Path, problems: Problems
) -> set[str]:
    for number, part in enumerate(among):
        for name in part:
            if name not in known:
                problems.add((*path, number), name, "the name of a host or VM", known)
    return {name for part in among for name in part}


def build_invariants(
    written: spec.InvariantsSpec, plant: Plant, tenancy: Tenancy, problems: Problems
) -> Invariants:
    """Return what the section ``invariants`` says; names that are not there are problems."""
    settling = written.connectivity
    if settling is None:
        return Invariants(None, written.loops)
    path = ("invariants", "connectivity")
    segments = find_segments(settling.among, path, plant, tenancy, problems)
    return Invariants(Settling(settling.settle, segments, settling.timeout), written.loops)
