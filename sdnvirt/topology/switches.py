"""The layer 2 switches of a topology: what kind each is, and what only that kind has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sdnvirt.devices.failmode import FailMode
from sdnvirt.devices.fdb import AGEING_NS
from sdnvirt.topology import spec
from sdnvirt.topology.inventory import Entry, Inventory
from sdnvirt.topology.problems import Path, Problems, Words
from sdnvirt.topology.registry import DatapathIds
from sdnvirt.topology.resolved import Switch, SwitchKind
from sdnvirt.topology.wiring import Wiring

_KEYS: Final[Mapping[str, Mapping[str, str]]] = {
    "bridge": {"ageing": "an ageing time"},
    "openflow": {"dpid": "a datapath id", "fail_mode": "a fail mode", "queues": "queues"},
}
"""The keys that only switches of one kind have, and what messages call them."""

_CALLED: Final = {"bridge": "a bridge", "openflow": "an OpenFlow switch"}


def switch_kinds(written: spec.TopologySpec, inventory: Inventory) -> dict[str, SwitchKind]:
    """Return the kind of each switch by name, the generated ones first."""
    kinds: dict[str, SwitchKind] = {}
    if written.fabric is not None:
        kinds.update(dict.fromkeys(inventory.fabric_switches, SwitchKind(written.fabric.kind)))
    kinds.update({entry.name: SwitchKind(entry.written.kind) for entry in inventory.switches})
    return kinds


def check_keys(written: spec.TopologySpec, inventory: Inventory, problems: Problems) -> None:
    """Note every key that means nothing for the kind of switch that it is given for."""
    if written.fabric is not None:
        _check_keys(written.fabric, ("fabric",), problems)
    for entry in inventory.switches:
        _check_keys(entry.written, entry.path, problems)


def _check_keys(written: spec.FabricSpec | spec.SwitchSpec, path: Path, problems: Problems) -> None:
    for kind, keys in _KEYS.items():
        for key, called in keys.items():
            if kind != written.kind and getattr(written, key, None) not in (None, []):
                found = Words(f"{called} of {_CALLED[written.kind]}")
                expected = f"{key} on a switch of kind {kind} only"
                problems.add((*path, key), found, expected, at_key=True)


def datapath_ids(
    inventory: Inventory, kinds: Mapping[str, SwitchKind], problems: Problems
) -> dict[str, int]:
    """Return the datapath id of each OpenFlow switch, then of each hypervisor."""
    ids = DatapathIds(problems)
    given: dict[str, int] = {}
    entries: list[Entry[spec.SwitchSpec] | Entry[spec.HypervisorSpec]]
    entries = [e for e in inventory.switches if kinds[e.name] is SwitchKind.OPENFLOW]
    entries += inventory.hypervisors
    for entry in entries:
        if entry.written.dpid is not None:
            ids.reserve(entry.written.dpid, entry.name, (*entry.path, "dpid"))
            given[entry.name] = entry.written.dpid
    names = [name for name, kind in kinds.items() if kind is SwitchKind.OPENFLOW]
    names += [entry.name for entry in inventory.hypervisors]
    return {name: given[name] if name in given else ids.assign(name) for name in names}


def build_switches(
    written: spec.TopologySpec,
    inventory: Inventory,
    kinds: Mapping[str, SwitchKind],
    dpids: Mapping[str, int],
    wiring: Wiring,
) -> tuple[Switch, ...]:
    """Return the switches, with all their links laid, in the order of their kinds."""
    entries = {entry.name: entry.written for entry in inventory.switches}
    switches: list[Switch] = []
    for name, kind in kinds.items():
        origin = entries.get(name) or written.fabric
        assert origin is not None, "a switch is generated or has an entry"
        ageing_ns = origin.ageing if isinstance(origin, spec.SwitchSpec) else None
        switches.append(
            Switch(
                name,
                kind,
                dpids.get(name),
                ageing_ns or AGEING_NS,
                wiring.ports(name),
                tuple(wiring.vlans.get(name, ())),
                FailMode(origin.fail_mode or FailMode.SECURE),
            )
        )
    return tuple(switches)
