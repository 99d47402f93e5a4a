"""Egress queues of switches: which port each is on, and whether its rates fit there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from sdnvirt.devices.queues import QUEUES_LIMIT
from sdnvirt.topology import spec
from sdnvirt.topology.inventory import Entry, Inventory
from sdnvirt.topology.plant import Plant
from sdnvirt.topology.problems import Path, Problems, Words
from sdnvirt.topology.resolved import Function, Queue, SwitchKind, Vm
from sdnvirt.topology.tenancy import Tenancy
from sdnvirt.units import format_rate

MAX_QUEUES: Final = 100_000
"""Queues of a topology: five for each of 20,000 nodes; bounds what a few ranges can ask for."""

Ports = dict[str, tuple[int, int | None]]
"""Number and rate (bit/s, or None without a limit) of a switch's ports, by name."""


def build_queues(
    inventory: Inventory, plant: Plant, tenancy: Tenancy, problems: Problems
) -> tuple[Queue, ...]:
    """Return the queues of all switches, then of all hypervisors, in the order of the file."""
    entries: list[Entry[spec.SwitchSpec] | Entry[spec.HypervisorSpec]]
    entries = [entry for entry in inventory.switches if entry.written.kind == "openflow"]
    entries += inventory.hypervisors
    written = [entry for entry in entries if entry.written.queues]
    if not written:
        return ()
    ports = _ports(plant, tenancy)
    queues: list[Queue] = []
    asked = 0
    for entry in written:
        desk = _Desk(entry.name, ports[entry.name], problems)
        for number, queue in enumerate(entry.written.queues):
            path: Path = (*entry.path, "queues", number)
            asked += len(queue.port)
            if asked > MAX_QUEUES:
                problems.add(path, Words(f"more than {MAX_QUEUES} queues"), f"at most {MAX_QUEUES}")
                return ()
            queues += desk.take(queue, path)
    return tuple(queues)


def _ports(plant: Plant, tenancy: Tenancy) -> dict[str, Ports]:
    """Return the ports of each OpenFlow switch and of each hypervisor's virtual switch."""
    ports: dict[str, Ports] = defaultdict(dict)
    switches = {switch.name for switch in plant.switches if switch.kind is SwitchKind.OPENFLOW}
    for link in plant.links:
        for end in (link.a, link.b):
            if end.node in switches:
                ports[end.node][link.port_name(end.node)] = end.port, link.params.rate_bps
    owners: tuple[Vm | Function, ...] = (*tenancy.vms, *tenancy.functions)
    for vnic in (owner.vnic for owner in owners):
        ports[vnic.hypervisor][vnic.owner] = vnic.port, None
    for hypervisor in plant.hypervisors:
        for tunnel in hypervisor.tunnels:
            ports[hypervisor.name][tunnel.port_name] = tunnel.port, None
    return ports


class _Desk:
    """Gives out the queues of one switch, and remembers what its ports have promised.

    Args:
        switch: its name.
        ports: its ports.
        problems: takes what is wrong.
    """

    def __init__(self, switch: str, ports: Ports, problems: Problems) -> None:
        self._switch = switch
        self._ports = ports
        self._problems = problems
        self._taken: dict[str, set[int]] = defaultdict(set)
        self._assured_bps: dict[str, int] = defaultdict(int)

    def take(self, written: spec.QueueSpec, path: Path) -> Iterator[Queue]:
        """Yield the queues that an entry stands for, one on each of its ports."""
        least, most = written.min_rate or 0, written.max_rate
        if most is not None and most < least:
            found = Words(f"{format_rate(most)}, less than the min_rate")
            self._problems.add((*path, "max_rate"), found, f"at least {format_rate(least)}")
        for name in written.port:
            if name not in self._ports:
                expected = f"the name of a port of {self._switch}"
                self._problems.add((*path, "port"), name, expected, self._ports)
            elif self._has_room(name, written.id, path) and self._can_assure(name, least, path):
                yield Queue(self._switch, self._ports[name][0], written.id, least, most)

    def _has_room(self, port: str, queue_id: int, path: Path) -> bool:
        taken = self._taken[port]
        if queue_id in taken:
            expected = f"another id; the port {port} of {self._switch} has this queue already"
            self._problems.add((*path, "id"), queue_id, expected)
            return False
        if len(taken) == QUEUES_LIMIT:
            found = Words(f"more than {QUEUES_LIMIT} queues of the port {port}")
            self._problems.add(path, found, f"at most {QUEUES_LIMIT}")
            return False
        taken.add(queue_id)
        return True

    def _can_assure(self, port: str, min_rate_bps: int, path: Path) -> bool:
        rate = self._ports[port][1]
        self._assured_bps[port] += min_rate_bps
        if rate is None or self._assured_bps[port] <= rate:
            return True
        found = Words(f"{format_rate(self._assured_bps[port])} for the queues of the port {port}")
        expected = f"at most {format_rate(rate)}, the rate of its link"
        self._problems.add((*path, "min_rate"), found, expected)
        return False
