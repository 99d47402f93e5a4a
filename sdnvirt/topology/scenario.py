"""What steers a run and what is checked in it: the controller's apps, and the checks."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path as FilePath
from typing import Final

from sdnvirt.addresses import ANY_IPV4, IpAddress, Ipv4, Ipv6
from sdnvirt.errors import MalformedError
from sdnvirt.topology import checks_spec, spec
from sdnvirt.topology.checks import Check, ConnectivityCheck, Expect, LeaseCheck, PingCheck
from sdnvirt.topology.host import VERSIONS
from sdnvirt.topology.plant import Plant
from sdnvirt.topology.problems import Path, Problems, Words, similar_files
from sdnvirt.topology.reachability import MAX_PAIRS, find_segments
from sdnvirt.topology.registry import Kind, Registry
from sdnvirt.topology.resolved import App, Controller
from sdnvirt.topology.tenancy import Tenancy

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
    written: list[checks_spec.CheckSpec],
    plant: Plant,
    tenancy: Tenancy,
    registry: Registry,
    problems: Problems,
) -> tuple[Check, ...]:
    """Return the checks of a file; nodes that they name and that cannot take part are problems."""
    addresses = _addresses(plant, tenancy)
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


_Addresses = dict[str, dict[int, IpAddress]]
"""The addresses of each node by the version of IP, the first of each."""


def _addresses(plant: Plant, tenancy: Tenancy) -> _Addresses:
    addresses: _Addresses = {}
    for host in plant.hosts:
        own = ((version, host.first(version)) for version in VERSIONS)
        addresses[host.name] = {version: one for version, one in own if one is not None}
    addresses.update({vm.name: {4: vm.vnic.address} for vm in tenancy.vms})
    addresses.update({one.name: {4: one.vnic.address} for one in tenancy.functions})
    return addresses


def _ping(
    check: checks_spec.CheckSpec,
    ping: checks_spec.PingSpec,
    path: Path,
    addresses: _Addresses,
    registry: Registry,
    problems: Problems,
) -> PingCheck:
    registry.require(ping.source, (Kind.HOST, Kind.VM), (*path, "ping", "from"))
    expect = Expect(check.expect or "reachable")
    if check.via is not None:
        kinds = (Kind.ROUTER, Kind.HYPERVISOR, Kind.SWITCH, Kind.HOST)
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
        address=_address(ping, (*path, "ping"), addresses, registry, problems),
        count=ping.count,
        interval_ns=ping.interval,
        size=ping.size,
        timeout_ns=ping.timeout,
        expect=expect,
        max_loss=check.max_loss or 0.0,
        via=check.via,
    )


def _address(
    ping: checks_spec.PingSpec,
    path: Path,
    addresses: _Addresses,
    registry: Registry,
    problems: Problems,
) -> IpAddress:
    """Return the address that a ping is for; without one, that is a problem."""
    target, family = ping.target, ping.family
    if target in addresses:
        known = addresses[target]
        own = known.get(family) if family else known.get(4) or known.get(6)
        if own is None:
            found = Words(f"{target!r}, which has no IPv{family} address")
            problems.add((*path, "to"), found, "a host that the file gives one, in addresses")
        return own or ANY_IPV4
    try:
        address = Ipv6(target) if ":" in target else Ipv4(target)
    except MalformedError:
        registry.require(target, (Kind.HOST, Kind.VM, Kind.FUNCTION), (*path, "to"))
        return ANY_IPV4
    if family is not None:
        found = Words(f"family with the address {target}")
        problems.add((*path, "family"), found, "family with the name of a node", at_key=True)
    return address


def _lease(
    check: checks_spec.CheckSpec,
    lease: checks_spec.LeaseSpec,
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
    check: checks_spec.CheckSpec,
    written: checks_spec.ConnectivitySpec,
    path: Path,
    plant: Plant,
    tenancy: Tenancy,
    problems: Problems,
) -> ConnectivityCheck:
    _only_on_pings(check, "connectivity", path, problems)
    here = (*path, "connectivity")
    segments = find_segments(written.among, here, plant, tenancy, problems)
    pairs = sum(segment.pairs for segment in segments)
    if pairs > MAX_PAIRS:
        found = Words(f"{pairs} pairs of nodes")
        problems.add(here, found, f"at most {MAX_PAIRS}; among names some")
    return ConnectivityCheck(problems.where(path), check.at, segments, written.timeout)


def _only_on_pings(check: checks_spec.CheckSpec, kind: str, path: Path, problems: Problems) -> None:
    for key in ("expect", "max_loss", "via"):
        if getattr(check, key) is not None:
            found = Words(f"{key} on a {kind} check")
            problems.add((*path, key), found, f"{key} on a ping only", at_key=True)
