"""The names of a topology, and what is given out once each: datapath ids and MAC addresses."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final

from sdnvirt.addresses import Mac
from sdnvirt.topology.names import MAX_NODES
from sdnvirt.topology.problems import Path, Problems, Words


class Kind(Enum):
    """What a node is; the value is the word for it in messages."""

    ROUTER = "router"
    HYPERVISOR = "hypervisor"
    SWITCH = "switch"
    HOST = "host"
    VM = "VM"
    FUNCTION = "network function"


MAC_BASE: Final = {
    Kind.HOST: 0x0A_00_00_00_00_00,
    Kind.VM: 0x0A_01_00_00_00_00,
    Kind.HYPERVISOR: 0x0A_02_00_00_00_00,
    Kind.FUNCTION: 0x0A_03_00_00_00_00,
}
"""Where default MAC addresses start: locally administered ones (IEEE 802, 8.4) that begin with 0a,
because people who write addresses by hand begin with 02."""


class Registry:
    """Every node's name and kind, in file order."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._kinds: dict[str, Kind] = {}
        self._paths: dict[str, Path] = {}
        self._macs = dict(MAC_BASE)
        self._full = False

    def add(self, name: str, kind: Kind, path: Path) -> bool:
        """Take a name for a node; a name that is taken or one node too many is a problem."""
        if name in self._kinds:
            other = self._problems.where(self._paths[name])
            found = Words(f"the {kind.value} {name!r}")
            taken = f"another name; {other} has a {self._kinds[name].value} of this name"
            self._problems.add(path, found, taken, at_key=True)
            return False
        if len(self._kinds) == MAX_NODES:
            if not self._full:
                found = Words(f"more than {MAX_NODES} nodes")
                self._problems.add(path, found, f"at most {MAX_NODES} in all", at_key=True)
            self._full = True
            return False
        self._kinds[name] = kind
        self._paths[name] = path
        return True

    def kind(self, name: str) -> Kind | None:
        """Return what a node is, or None if there is none of this name."""
        return self._kinds.get(name)

    def names(self, *kinds: Kind) -> Iterator[str]:
        """Yield the names of the nodes of some kinds, or of all, in file order."""
        return (name for name, kind in self._kinds.items() if not kinds or kind in kinds)

    def require(self, name: str, kinds: tuple[Kind, ...], path: Path) -> bool:
        """Return whether a node is of one of some kinds; if not, that is a problem."""
        kind = self._kinds.get(name)
        if kind in kinds:
            return True
        expected = f"the name of a {' or '.join(kind.value for kind in kinds)}"
        if kind is None:
            self._problems.add(path, name, expected, self.names(*kinds))
        else:
            self._problems.add(path, Words(f"the {kind.value} {name!r}"), expected)
        return False

    def mac(self, kind: Kind) -> Mac:
        """Return the next default MAC address for a node of a kind."""
        self._macs[kind] += 1
        return Mac(self._macs[kind])


class DatapathIds:
    """Datapath ids of OpenFlow switches and hypervisors: the given ones, then the free ones."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._owners: dict[int, str] = {}
        self._next = 1

    def reserve(self, dpid: int, owner: str, path: Path) -> None:
        """Take a datapath id that the file gives; a second owner is a problem."""
        if dpid in self._owners:
            expected = f"another datapath id; {self._owners[dpid]} has this one"
            self._problems.add(path, dpid, expected)
        self._owners.setdefault(dpid, owner)

    def assign(self, owner: str) -> int:
        """Return the lowest datapath id that is free."""
        while self._next in self._owners:
            self._next += 1
        self._owners[self._next] = owner
        return self._next
