"""Links: the numbering of ports, names of links, and VLANs of bridge ports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sdnvirt.devices.link import LinkParameters
from sdnvirt.devices.vlan import Access, Membership, Trunk
from sdnvirt.topology import spec
from sdnvirt.topology.names import MAX_NODES
from sdnvirt.topology.problems import Path, Problems, Words
from sdnvirt.topology.quality import quality
from sdnvirt.topology.registry import Kind, Registry
from sdnvirt.topology.resolved import UPLINK_PORT, Endpoint, Link

DEFAULT_LINK = LinkParameters(delay_ns=1_000)
UNDERLAY_LINK = LinkParameters(delay_ns=1_000, mtu=1600)
"""1600 is what operators often set for VXLAN: 1500 inside, 50 of headers, and room."""

MAX_LINKS = 10 * MAX_NODES
"""Links of a topology, generated ones included; bounds what a few ranges can ask for."""


class Wiring:
    """The links made so far, and where in the file each comes from."""

    def __init__(self, registry: Registry, bridges: Iterable[str], problems: Problems) -> None:
        self._registry = registry
        self._problems = problems
        self._ports: Counter[str] = Counter()
        self._pairs: Counter[str] = Counter()
        self.links: list[Link] = []
        self.paths: list[Path] = []
        self.vlans: dict[str, list[Membership]] = {bridge: [] for bridge in bridges}

    def ports(self, node: str) -> int:
        """Return how many ports of a node are linked."""
        return self._ports[node]

    def connect(
        self,
        a: str,
        b: str,
        params: LinkParameters,
        path: Path,
        vlan: Membership | None = None,
        back: LinkParameters | None = None,
    ) -> None:
        """Link the next port of one node to the next port of another.

        Bridges get the VLAN configuration, which is an access port of VLAN 1 if none is given.
        """
        if a in self.vlans or b in self.vlans:
            vlan = vlan or Access()
        ends = tuple(self._plug(node, vlan) for node in (a, b))
        name = f"{a}--{b}"
        self._pairs[name] += 1
        if self._pairs[name] + self._pairs[f"{b}--{a}"] > 1:
            name = f"{name}#{self._pairs[name] + self._pairs[f'{b}--{a}']}"
        self.links.append(Link(name, ends[0], ends[1], params, vlan, back))
        self.paths.append(path)

    def _plug(self, node: str, vlan: Membership | None) -> Endpoint:
        if self._registry.kind(node) is Kind.HYPERVISOR:
            return Endpoint(node, UPLINK_PORT)
        self._ports[node] += 1
        if node in self.vlans and vlan is not None:
            self.vlans[node].append(vlan)
        return Endpoint(node, self._ports[node])

    def connect_as_written(
        self, number: int, written: spec.LinkSpec, underlay: LinkParameters
    ) -> None:
        """Make the links that one entry of ``links`` stands for; mistakes in it are problems.

        Args:
            number: its index in the list.
            written: the entry.
            underlay: parameters of a link between routers, where the entry gives none.
        """
        path: Path = ("links", number)
        left, right = written.between
        count = max(len(left), len(right))
        if len(self.links) + count > MAX_LINKS:
            self._problems.add(path, Words(f"more than {MAX_LINKS} links"), f"at most {MAX_LINKS}")
            return
        vlan = self._vlan(written, path)
        for index in range(count):
            a, b = left[index % len(left)], right[index % len(right)]
            if self._may_link(a, b, path):
                self._check_vlan(written, a, b, path)
                routed = self._registry.kind(a) is Kind.ROUTER
                base = underlay if routed else DEFAULT_LINK
                params = quality(base, written)
                back = None if written.back is None else quality(params, written.back)
                self.connect(a, b, params, path, vlan, back)

    def _may_link(self, a: str, b: str, path: Path) -> bool:
        kinds = (Kind.SWITCH, Kind.HOST, Kind.ROUTER)
        ends = list(enumerate((a, b)))
        known = [self._registry.require(n, kinds, (*path, "between", i)) for i, n in ends]
        if not all(known):
            return False
        if a == b:
            found = Words(f"a link from {a} to itself")
            self._problems.add((*path, "between"), found, "two nodes")
            return False
        routers = [name for _, name in ends if self._registry.kind(name) is Kind.ROUTER]
        if len(routers) == 1:
            found = Words(f"a link of {a} and {b}")
            expected = "routers linked with routers only: the underlay carries only tunnels"
            self._problems.add((*path, "between"), found, expected)
            return False
        return True

    def _check_vlan(self, written: spec.LinkSpec, a: str, b: str, path: Path) -> None:
        given = [key for key in ("vlan", "trunk", "native") if getattr(written, key) is not None]
        if given and a not in self.vlans and b not in self.vlans:
            found = Words(f"{given[0]} on a link of {a} and {b}")
            expected = "VLAN keys only where an end is a switch of kind bridge"
            self._problems.add((*path, given[0]), found, expected, at_key=True)

    def _vlan(self, written: spec.LinkSpec, path: Path) -> Membership | None:
        if written.trunk is None:
            if written.native is not None:
                found = Words("native without trunk")
                self._problems.add((*path, "native"), found, "native on a trunk only", at_key=True)
            return None if written.vlan is None else Access(written.vlan)
        if written.vlan is not None:
            found = Words("vlan and trunk")
            self._problems.add((*path, "vlan"), found, "one of vlan and trunk", at_key=True)
        if isinstance(written.trunk, str):
            return Trunk(None, written.native)
        allowed = set(written.trunk) | ({written.native} if written.native else set())
        return Trunk(frozenset(allowed), written.native)
