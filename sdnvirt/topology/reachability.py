"""Who is to reach whom: the segments that connectivity is asked in, and the section ``invariants``.

A host is in a segment for each version of IP that the file gives it an address of: that of its
broadcast domain and the subnet of its first address.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from ipaddress import IPv6Interface
from typing import Final

from sdnvirt.addresses import IpAddress, Ipv6
from sdnvirt.topology import checks_spec as spec
from sdnvirt.topology.checks import Segment
from sdnvirt.topology.host import Host
from sdnvirt.topology.invariants import Invariants, Settling
from sdnvirt.topology.plant import Plant
from sdnvirt.topology.problems import Path, Problems
from sdnvirt.topology.tenancy import Tenancy

MAX_PAIRS: Final = 2_016
"""Pairs that are asked at once: those of 64 nodes; each is a conversation that is remembered, and
together they are a third of all that is."""


def ipv6_interface(host: Host) -> IPv6Interface | None:
    """Return the first IPv6 address that the file gives a host, or None."""
    return next((one for one in host.addresses if isinstance(one, IPv6Interface)), None)


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
        domain = plant.domains[host.name]
        members.setdefault((domain, host.address.network), []).append((host.name, host.ip))
        six = ipv6_interface(host)
        if six is not None:
            members.setdefault((domain, six.network), []).append((host.name, Ipv6(six.ip)))
    for vm in tenancy.vms:
        members.setdefault(vm.vnic.network, []).append((vm.name, vm.vnic.address))
    if among is not None:
        known = {name: None for of in members.values() for name, _ in of}
        wanted = _names(among, known, (*path, "among"), problems)
        members = {key: [one for one in of if one[0] in wanted] for key, of in members.items()}
    return tuple(Segment(tuple(of)) for of in members.values() if len(of) > 1)


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
