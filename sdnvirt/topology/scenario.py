"""What steers a run and what is checked in it: the controller's apps, and the checks."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import combinations
from pathlib import Path as FilePath
from typing import Final

from sdnvirt.addresses import ANY_IPV4, IpAddress, Ipv4, Ipv6
from sdnvirt.errors import MalformedError
from sdnvirt.topology import spec
from sdnvirt.topology.plant import Plant
from sdnvirt.topology.problems import Path, Problems, Words, similar_files
from sdnvirt.topology.registry import Kind, Registry
from sdnvirt.topology.resolved import (
    App,
    Check,
    ConnectivityCheck,
    Controller,
    Expect,
    LeaseCheck,
    PingCheck,
)
from sdnvirt.topology.tenancy import Tenancy

MAX_PAIRS: Final = 2_016
"""Pairs of one connectivity check: those of 64 nodes; each is a conversation that is remembered."""

_MODULE: Final = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def find_controller(
    written: spec.ControllerSpec | None, folder: FilePath, problems: Problems
) -> Controller | None:
    """Return what the section ``controller`` says; files of apps are looked for in three folders.

    Args:
        written: the section.
        folder: the folder of the topology file; its parent and the current one come next.
        problems: takes files that are not found.
    """
    if written is None:
        return None
    named: list[tuple[str, Path]]
    if written.app is not None:
        named = [(written.app, ("controller", "app"))]
    else:
        named = [(app, ("controller", "apps", i)) for i, app in enumerate(written.apps or ())]
    return Controller(
        tuple(_find_app(app, folder, path, problems) for app, path in named),
        written.delay,
        tuple(_argument(name, value) for name, value in written.options.items()),
    )


def _argument(name: str, value: bool | int | str) -> str:
    """Return an option as on the command line of ``ryu-manager``, which is oslo.config's."""
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no{name}"
    return f"--{name}={value}"


def _find_app(name: str, folder: FilePath, path: Path, problems: Problems) -> App:
    if _MODULE.fullmatch(name) and not name.endswith(".py"):
        return App(name, None)
    tried = list(dict.fromkeys(place / name for place in (folder, folder.parent, FilePath.cwd())))
    for file in tried:
        with suppress(OSError):  # a name that the system finds too long is a file not found
            if name.endswith(".py") and file.is_file():
                return App(name, str(file.resolve()))
    places = ", ".join(map(str, tried))
    expected = f"a Python file or a module such as my.app; tried {places}"
    problems.add(path, name, expected, similar_files(name, [file.parent for file in tried], "*.py"))
    return App(name, None)


def build_checks(
    written: list[spec.CheckSpec],
    plant: Plant,
    tenancy: Tenancy,
    registry: Registry,
    problems: Problems,
) -> tuple[Check, ...]:
    """Return the checks of a file; nodes that they name and that cannot take part are problems."""
    addresses = {host.name: host.ip for host in plant.hosts}
    addresses.update({owner.name: owner.vnic.address for owner in tenancy.vms})
    addresses.update({owner.name: owner.vnic.address for owner in tenancy.functions})
    asking = {vm.name for vm in tenancy.vms if vm.dhcp}
    checks: list[Check] = []
    for number, check in enumerate(written):
        path: Path = ("checks", number)
        if check.ping is not None:
            checks.append(_ping(check, check.ping, path, addresses, registry, problems))
        elif check.lease is not None:
            checks.append(_lease(check, check.lease, path, asking, registry, problems))
        elif check.connectivity is not None:
            checks.append(_connectivity(check, check.connectivity, path, plant, tenancy, problems))
    return tuple(checks)


def _ping(
    check: spec.CheckSpec,
    ping: spec.PingSpec,
    path: Path,
    addresses: dict[str, Ipv4],
    registry: Registry,
    problems: Problems,
) -> PingCheck:
    registry.require(ping.source, (Kind.HOST, Kind.VM), (*path, "ping", "from"))
    expect = Expect(check.expect or "reachable")
    if check.via is not None:
        kinds = (Kind.ROUTER, Kind.HYPERVISOR, Kind.SWITCH)
        registry.require(check.via, kinds, (*path, "via"))
    for key in ("max_loss", "via"):
        if expect is Expect.UNREACHABLE and getattr(check, key) is not None:
            found = Words(f"{key} on a ping that must be unreachable")
            problems.add((*path, key), found, f"{key} with expect: reachable", at_key=True)
    return PingCheck(
        where=problems.where(path),
        at_ns=check.at,
        source=ping.source,
        target=ping.target,
        node=ping.target if ping.target in addresses else None,
        address=_address(ping.target, (*path, "ping", "to"), addresses, registry),
        count=ping.count,
        interval_ns=ping.interval,
        size=ping.size,
        timeout_ns=ping.timeout,
        expect=expect,
        max_loss=check.max_loss or 0.0,
        via=check.via,
    )


def _address(target: str, path: Path, addresses: dict[str, Ipv4], registry: Registry) -> IpAddress:
    if target in addresses:
        return addresses[target]
    try:
        return Ipv6(target) if ":" in target else Ipv4(target)
    except MalformedError:
        registry.require(target, (Kind.HOST, Kind.VM, Kind.FUNCTION), path)
    return ANY_IPV4


def _lease(
    check: spec.CheckSpec,
    lease: spec.LeaseSpec,
    path: Path,
    asking: set[str],
    registry: Registry,
    problems: Problems,
) -> LeaseCheck:
    _only_on_pings(check, "lease", path, problems)
    where = (*path, "lease", "vm")
    if registry.require(lease.vm, (Kind.VM,), where) and lease.vm not in asking:
        found = Words(f"the VM {lease.vm!r}, which does not use DHCP")
        problems.add(where, found, "a VM that asks for its address")
    return LeaseCheck(problems.where(path), check.at, lease.vm)


def _connectivity(
    check: spec.CheckSpec,
    written: spec.ConnectivitySpec,
    path: Path,
    plant: Plant,
    tenancy: Tenancy,
    problems: Problems,
) -> ConnectivityCheck:
    _only_on_pings(check, "connectivity", path, problems)
    segments: dict[str, object] = {
        host.name: (plant.domains[host.name], host.address.network) for host in plant.hosts
    }
    segments.update({vm.name: vm.vnic.network for vm in tenancy.vms})
    names = list(segments)
    if written.among is not None:
        names = list(dict.fromkeys(name for part in written.among for name in part))
        for number, part in enumerate(written.among):
            for name in part:
                if name not in segments:
                    where = (*path, "connectivity", "among", number)
                    problems.add(where, name, "the name of a host or VM", segments)
        names = [name for name in names if name in segments]
    pairs = tuple((a, b) for a, b in combinations(names, 2) if segments[a] == segments[b])
    if len(pairs) > MAX_PAIRS:
        found = Words(f"{len(pairs)} pairs of nodes")
        problems.add((*path, "connectivity"), found, f"at most {MAX_PAIRS}; among names some")
    return ConnectivityCheck(problems.where(path), check.at, pairs, written.timeout)


def _only_on_pings(check: spec.CheckSpec, kind: str, path: Path, problems: Problems) -> None:
    for key in ("expect", "max_loss", "via"):
        if getattr(check, key) is not None:
            found = Words(f"{key} on a {kind} check")
            problems.add((*path, key), found, f"{key} on a ping only", at_key=True)
