"""The virtual part of a topology: tenant networks, and the vNICs of VMs and network functions.

The platform knows every VM's address from the start, as OpenStack Neutron does with its fixed IPs;
a DHCP server hands out exactly that one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.topology import spec
from sdnvirt.topology.inventory import Entry, Inventory, dhcp_name
from sdnvirt.topology.problems import Path, Problems, Words
from sdnvirt.topology.registry import Kind, Registry
from sdnvirt.topology.resolved import Dhcp, Function, FunctionKind, Network, Vm, Vnic

RESERVED: Final = 9
"""Addresses .1 to .9 are for gateways and functions; default VM addresses begin after them."""

SMALL_PREFIX: Final = 28
"""In subnets longer than this, which have 6 hosts, only .1 and .2 are reserved."""


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The virtual part, resolved."""

    networks: tuple[Network, ...]
    vms: tuple[Vm, ...]
    functions: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class _Vm:
    """A VM whose network and hypervisor exist."""

    entry: Entry[spec.VmSpec]
    hypervisor: str


class _Pool:
    """The addresses of one tenant network: who has which IP and MAC address."""

    def __init__(self, written: spec.NetworkSpec, problems: Problems) -> None:
        self.written = written
        self._problems = problems
        self._owners: dict[bytes, str] = {}
        self._full = False
        self._first = int(written.subnet.network_address)
        self._last = int(written.subnet.broadcast_address) - 1
        self._next = 1 + (RESERVED if written.subnet.prefixlen <= SMALL_PREFIX else 2)

    def take(self, address: Ipv4, owner: str, path: Path) -> None:
        """Give an address that the file names to its owner."""
        if not self._first < int(address) <= self._last:
            expected = f"an address of a host in {self.written.subnet}"
            self._problems.add(path, str(address), expected)
            return
        self._own(address, owner, path)

    def take_mac(self, mac: Mac, owner: str, path: Path) -> None:
        """Note whose a MAC address is."""
        self._own(mac, owner, path)

    def _own(self, address: Ipv4 | Mac, owner: str, path: Path) -> None:
        if address in self._owners:
            expected = f"another address; {self._owners[address]} has this one in the same network"
            self._problems.add(path, str(address), expected)
        self._owners.setdefault(address, owner)

    def first_free(self, owner: str, path: Path, start: int | None = None) -> Ipv4:
        """Give the first free address from the ``start``-th on, or after the reserved ones."""
        number = self._first + (self._next if start is None else start)
        while (address := Ipv4(number)) in self._owners:
            number += 1
        if number > self._last:
            if not self._full:
                found = Words(f"no free address for {owner} in {self.written.subnet}")
                self._problems.add(path, found, "a subnet with room for every VM", at_key=True)
            self._full = True
            return address
        if start is None:
            self._next = number - self._first
        self._owners[address] = owner
        return address


def build_tenancy(
    written: spec.TopologySpec, inventory: Inventory, registry: Registry, problems: Problems
) -> Tenancy:
    """Return the virtual part of a file, with addresses and virtual switch ports given out."""
    networks = _networks(written, problems)
    pools = {
        f"{tenant}/{name}": _Pool(network, problems)
        for tenant, of in written.tenants.items()
        for name, network in of.networks.items()
    }
    placed = _place(inventory, pools, registry, problems)
    for vm in placed:
        _take_given(vm.entry, pools[vm.entry.written.network])
    ports: Counter[str] = Counter()
    servers = _place_servers(networks, pools, registry, problems)
    vms = tuple(_vm(vm, pools, ports, registry, problems) for vm in placed)
    functions = tuple(
        Function(
            name,
            FunctionKind.DHCP,
            _vnic(name, network.name, hypervisor, registry.mac(Kind.FUNCTION), address, ports),
        )
        for name, network, hypervisor, address in servers
    )
    return Tenancy(networks, vms, functions)


def _networks(written: spec.TopologySpec, problems: Problems) -> tuple[Network, ...]:
    networks: list[Network] = []
    by_vni: dict[int, str] = {}
    for tenant, of in written.tenants.items():
        for key, given in of.networks.items():
            name = f"{tenant}/{key}"
            owner = by_vni.setdefault(given.vni, name)
            if owner != name:
                path = ("tenants", tenant, "networks", key, "vni")
                problems.add(path, given.vni, f"another VNI; {owner} has this one")
            dhcp = None if given.dhcp is None else Dhcp(dhcp_name(tenant, key), given.dhcp.lease)
            networks.append(Network(name, tenant, given.vni, given.subnet, given.mtu, dhcp))
    return tuple(networks)


def _place(
    inventory: Inventory, pools: dict[str, _Pool], registry: Registry, problems: Problems
) -> list[_Vm]:
    """Return the VMs whose network and hypervisor exist; the others are problems."""
    placed: list[_Vm] = []
    for entry in inventory.vms:
        hypervisor = entry.pick(entry.written.hypervisor)
        known = registry.require(hypervisor, (Kind.HYPERVISOR,), (*entry.path, "hypervisor"))
        if entry.written.network not in pools:
            path = (*entry.path, "network")
            problems.add(path, entry.written.network, "the name of a tenant network", pools)
        elif known:
            placed.append(_Vm(entry, hypervisor))
    return placed


def _take_given(entry: Entry[spec.VmSpec], pool: _Pool) -> None:
    if entry.written.address:
        address = entry.pick(entry.written.address)
        pool.take(address, entry.name, (*entry.path, "address"))
    if entry.written.mac:
        pool.take_mac(entry.pick(entry.written.mac), entry.name, (*entry.path, "mac"))


def _place_servers(
    networks: tuple[Network, ...],
    pools: dict[str, _Pool],
    registry: Registry,
    problems: Problems,
) -> list[tuple[str, Network, str, Ipv4]]:
    """Return name, network, hypervisor and address of each DHCP server."""
    servers: list[tuple[str, Network, str, Ipv4]] = []
    for network in networks:
        pool = pools[network.name]
        given = pool.written.dhcp
        if network.dhcp is None or given is None:
            continue
        name = network.dhcp.function
        path: Path = ("tenants", network.tenant, "networks", network.name.split("/")[1], "dhcp")
        hypervisor = given.hypervisor or next(registry.names(Kind.HYPERVISOR), None)
        if hypervisor is None:
            problems.add(path, Words("DHCP without a hypervisor"), "a hypervisor to run it on")
            continue
        if given.hypervisor is not None and not registry.require(
            hypervisor, (Kind.HYPERVISOR,), (*path, "hypervisor")
        ):
            continue
        if given.address is not None:
            pool.take(given.address, name, (*path, "address"))
        address = given.address or pool.first_free(name, path, start=2)
        servers.append((name, network, hypervisor, address))
    return servers


def _vm(
    vm: _Vm, pools: dict[str, _Pool], ports: Counter[str], registry: Registry, problems: Problems
) -> Vm:
    entry, written = vm.entry, vm.entry.written
    pool = pools[written.network]
    served = pool.written.dhcp is not None
    if written.dhcp and not served:
        found = Words(f"dhcp on {written.network}, which has no DHCP server")
        problems.add((*entry.path, "dhcp"), found, "dhcp: true on the network too", at_key=True)
    mac = entry.pick(written.mac) if written.mac else registry.mac(Kind.VM)
    address = (
        entry.pick(written.address) if written.address else pool.first_free(entry.name, entry.path)
    )
    vnic = _vnic(entry.name, written.network, vm.hypervisor, mac, address, ports)
    return Vm(entry.name, vnic, served if written.dhcp is None else written.dhcp)


def _vnic(
    owner: str, network: str, hypervisor: str, mac: Mac, address: Ipv4, ports: Counter[str]
) -> Vnic:
    ports[hypervisor] += 1
    return Vnic(owner, network, hypervisor, ports[hypervisor], mac, address)
