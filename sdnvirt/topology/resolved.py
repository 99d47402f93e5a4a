"""The resolved topology: everything expanded, numbered and addressed, and nothing live.

This is what ``network/`` builds from and what controller apps read. Every value is frozen; the same
file and seed always give an equal :class:`Topology`, in the same order. Times are integer
nanoseconds, rates bits per second, sizes bytes.

Port numbers: the ports of a router, switch or host count from 1 in the order of the links. The
virtual switch of a hypervisor has its vNICs at ports 1, 2, ... (VMs in file order, then network
functions) and its tunnels above :data:`TUNNEL_PORT_BASE`; the hypervisor's own NIC on the underlay
is no port of that switch and has the number :data:`UPLINK_PORT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from ipaddress import IPv4Network
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.failmode import FailMode
from sdnvirt.devices.link import LinkParameters
from sdnvirt.devices.vlan import Membership
from sdnvirt.topology.checks import Check
from sdnvirt.topology.events import Event, RunCommand
from sdnvirt.topology.host import Host
from sdnvirt.topology.invariants import Invariants

if TYPE_CHECKING:
    import networkx as nx

MAX_SEED: Final = (1 << 63) - 1
"""The largest seed: it fits a signed integer of 64 bits, which other tools may keep it in."""

TUNNEL_PORT_BASE: Final = 1 << 16
"""The tunnel to the j-th hypervisor of the file (from 1) is port base + j; vNICs stay below."""

UPLINK_PORT: Final = 0
"""Number of a hypervisor's underlay NIC; the ports of its virtual switch count from 1."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a link: a port of a node."""

    node: str
    port: int


@dataclass(frozen=True, slots=True)
class Link:
    """A cable between two nodes.

    Attributes:
        name: ``a--b`` by the node names; parallel links are ``a--b#2``, ``a--b#3``.
        a: the end that the file names first.
        b: the other end.
        params: what it is like from ``a`` to ``b``.
        vlan: configuration of the bridge port at each end that is a bridge; None if none is.
        back: what it is like from ``b`` to ``a``; None for the same.
    """

    name: str
    a: Endpoint
    b: Endpoint
    params: LinkParameters
    vlan: Membership | None = None
    back: LinkParameters | None = None

    def end(self, node: str) -> Endpoint:
        """Return this link's end at a node; KeyError if the link does not touch it."""
        if self.a.node == node:
            return self.a
        if self.b.node == node:
            return self.b
        raise KeyError(node)

    def peer(self, node: str) -> Endpoint:
        """Return the end opposite to a node; KeyError if the link does not touch it."""
        return self.b if self.end(node) is self.a else self.a

    def port_name(self, node: str) -> str:
        """Return the name of the port at a node's end: the peer's, numbered if links are parallel.

        It is as unique on the node as the link is: ``h1``, ``s2#2``.
        """
        _, parallel, number = self.name.partition("#")
        return f"{self.peer(node).node}{parallel}{number}"


@dataclass(frozen=True, slots=True)
class Router:
    """A router of the underlay; it knows a route to every VTEP."""

    name: str


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A port of a virtual switch that leads to the VTEP of another hypervisor."""

    port: int
    remote: str

    @property
    def port_name(self) -> str:
        """The name of the port, ``vx-REMOTE``."""
        return f"vx-{self.remote}"


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """A server with a virtual OpenFlow switch and a VTEP.

    Attributes:
        name: the node's name.
        dpid: datapath id of the virtual switch.
        vtep: underlay address of the tunnel endpoint.
        mac: MAC address of the underlay NIC.
        attach: the router that the NIC is linked to.
        tunnels: one for each other hypervisor, in file order.
    """

    name: str
    dpid: int
    vtep: Ipv4
    mac: Mac
    attach: str
    tunnels: tuple[Tunnel, ...]


class SwitchKind(Enum):
    """What decides where a switch sends a frame."""

    BRIDGE = "bridge"
    OPENFLOW = "openflow"


@dataclass(frozen=True, slots=True)
class Switch:
    """A layer 2 switch.

    Attributes:
        name: the node's name.
        kind: a VLAN-aware learning bridge, or an OpenFlow switch.
        dpid: datapath id of an OpenFlow switch, None for a bridge.
        ageing_ns: after how long an idle learned address is forgotten (bridges).
        ports: number of linked ports.
        vlans: VLAN configuration of ports 1, 2, ... of a bridge; empty for an OpenFlow switch.
        fail_mode: what an OpenFlow switch does without a controller.
    """

    name: str
    kind: SwitchKind
    dpid: int | None
    ageing_ns: int
    ports: int
    vlans: tuple[Membership, ...]
    fail_mode: FailMode = FailMode.SECURE


@dataclass(frozen=True, slots=True)
class Queue:
    """An egress queue of an OpenFlow switch's port (OpenFlow 1.3.5, 7.2.2).

    Attributes:
        switch: the switch, or the hypervisor whose virtual switch it is.
        port: number of the port.
        queue_id: its number on the port, which actions name.
        min_rate_bps: bits a second that it is sure of, 0 for none.
        max_rate_bps: bits a second that it never passes, or None.
    """

    switch: str
    port: int
    queue_id: int
    min_rate_bps: int
    max_rate_bps: int | None


@dataclass(frozen=True, slots=True)
class Dhcp:
    """The DHCP service of a tenant network: the function that serves it, and its lease time."""

    function: str
    lease_ns: int


@dataclass(frozen=True, slots=True)
class Network:
    """A tenant network: one VXLAN segment.

    Attributes:
        name: ``tenant/network``.
        tenant: the tenant that owns it.
        vni: VXLAN network identifier, unique in the file.
        subnet: addresses of the VMs; tenants may use the same ones.
        mtu: MTU of the vNICs, in bytes of IP packet.
        dhcp: the DHCP service, or None: the VMs are configured by hand.
    """

    name: str
    tenant: str
    vni: int
    subnet: IPv4Network
    mtu: int
    dhcp: Dhcp | None


@dataclass(frozen=True, slots=True)
class Vnic:
    """A virtual NIC of a VM or network function, plugged into a hypervisor's virtual switch.

    Attributes:
        owner: name of the VM or function.
        network: name of the tenant network, ``tenant/network``.
        hypervisor: name of the hypervisor.
        port: port of the hypervisor's virtual switch, from 1.
        mac: unique in the network; other networks may use it too.
        address: the one that the platform has assigned, and that DHCP offers.
    """

    owner: str
    network: str
    hypervisor: str
    port: int
    mac: Mac
    address: Ipv4


@dataclass(frozen=True, slots=True)
class Vm:
    """A virtual machine; with ``dhcp`` it starts without an address and asks for its lease."""

    name: str
    vnic: Vnic
    dhcp: bool


class FunctionKind(Enum):
    """What a network function does."""

    DHCP = "dhcp"


@dataclass(frozen=True, slots=True)
class Function:
    """A virtual network function, such as ``acme-web-dhcp``, the DHCP server of acme/web."""

    name: str
    kind: FunctionKind
    vnic: Vnic


@dataclass(frozen=True, slots=True)
class App:
    """A controller app: a Python file (absolute path), or a module by its dotted name."""

    name: str
    file: str | None


@dataclass(frozen=True, slots=True)
class Controller:
    """What steers the switches.

    Attributes:
        apps: Ryu apps, in the order in which they start.
        delay_ns: how long bytes are on their way between switches and embedded apps, one way.
        options: of Ryu, as on its command line, for embedded apps.
    """

    apps: tuple[App, ...]
    delay_ns: int = 0
    options: tuple[str, ...] = ()


Node = Router | Hypervisor | Switch | Host | Vm | Function


@dataclass(frozen=True)
class Topology:
    """A whole virtual data centre as plain values; every tuple is in file order.

    Attributes:
        name: short name, for reports and file names.
        description: one sentence, or "".
        seed: seed of every random stream of a run.
        path: the file as it was named to the loader.
        underlay_subnet: the prefix that all VTEP addresses are in.
        tenants: names of the tenants.
        timeline: by time, then file order.
        invariants: what must hold in every run, whatever is checked.
        duration_ns: a run lasts at least this long.
    """

    name: str
    description: str
    seed: int
    path: str
    underlay_subnet: IPv4Network
    routers: tuple[Router, ...]
    hypervisors: tuple[Hypervisor, ...]
    tenants: tuple[str, ...]
    networks: tuple[Network, ...]
    vms: tuple[Vm, ...]
    functions: tuple[Function, ...]
    switches: tuple[Switch, ...]
    hosts: tuple[Host, ...]
    links: tuple[Link, ...]
    queues: tuple[Queue, ...]
    controller: Controller | None
    timeline: tuple[Event, ...]
    checks: tuple[Check, ...]
    invariants: Invariants
    duration_ns: int

    @cached_property
    def nodes(self) -> Mapping[str, Node]:
        """Every node by name: routers, hypervisors, switches, hosts, VMs, functions."""
        groups: tuple[tuple[Node, ...], ...] = (
            self.routers, self.hypervisors, self.switches, self.hosts, self.vms, self.functions,
        )  # fmt: skip
        return MappingProxyType({node.name: node for group in groups for node in group})

    @cached_property
    def vnics(self) -> tuple[Vnic, ...]:
        """The vNICs of all VMs, then those of all functions."""
        return tuple(owner.vnic for group in (self.vms, self.functions) for owner in group)

    @property
    def last_fault_ns(self) -> int | None:
        """When the timeline breaks, changes or repairs something for the last time, or None."""
        times = [one.at_ns for one in self.timeline if not isinstance(one, RunCommand)]
        return max(times, default=None)

    @cached_property
    def _networks_by_name(self) -> dict[str, Network]:
        return {network.name: network for network in self.networks}

    @cached_property
    def _links_by_name(self) -> dict[str, Link]:
        return index_links(self.links)

    def network(self, name: str) -> Network:
        """Return the tenant network called ``tenant/network``; KeyError if there is none."""
        return self._networks_by_name[name]

    def link(self, name: str) -> Link:
        """Return the link called ``a--b`` or ``b--a``; KeyError if there is none."""
        return self._links_by_name[name]

    def graph(self) -> nx.Graph[str]:
        """Return the nodes that have links, and the links, as a fresh networkx graph.

        VMs and functions are not in it: they are plugged into their hypervisor. Nodes carry
        ``kind`` (``router``, ``hypervisor``, ``switch``, ``host``) and ``node``, the value itself.
        Edges carry ``link``, the :class:`Link`, and ``links``, all parallel ones in file order.
        """
        import networkx as nx  # costs 0.1 s, which `sdnvirt --help` must not pay

        graph: nx.Graph[str] = nx.Graph(name=self.name)
        nodes: tuple[Node, ...] = (
            *self.routers, *self.hypervisors, *self.switches, *self.hosts,
        )  # fmt: skip
        for node in nodes:
            graph.add_node(node.name, kind=type(node).__name__.lower(), node=node)
        for link in self.links:
            a, b = link.a.node, link.b.node
            if graph.has_edge(a, b):
                graph.edges[a, b]["links"] += (link,)
            else:
                graph.add_edge(a, b, link=link, links=(link,))
        return graph

    def underlay(self) -> nx.Graph[str]:
        """Return the part of :meth:`graph` that carries tunnels: routers and hypervisors."""
        graph = self.graph()
        others: tuple[Node, ...] = (*self.switches, *self.hosts)
        graph.remove_nodes_from([node.name for node in others])
        return graph


def index_links(links: tuple[Link, ...] | list[Link]) -> dict[str, Link]:
    """Return the links by name, in both directions: ``a--b`` and ``b--a``."""
    index: dict[str, Link] = {}
    for link in links:
        ends, _, number = link.name.partition("#")
        a, b = ends.split("--")
        index[link.name] = link
        index[f"{b}--{a}#{number}" if number else f"{b}--{a}"] = link
    return index
