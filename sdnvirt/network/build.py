"""From a resolved topology to live devices and links.

One function for each kind of node, called in the topology's order; no device looks for another.
O(nodes + links).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from typing import Final, TypeVar

from sdnvirt.addresses import Mac
from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link
from sdnvirt.devices.router import FabricRouter
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.engine.scheduler import relaxed_collector
from sdnvirt.functions.dhcp import DhcpFunction
from sdnvirt.functions.dhcp_server import DhcpConfig
from sdnvirt.functions.function import NetworkFunction
from sdnvirt.host.stack import Host
from sdnvirt.network.hosts import configure
from sdnvirt.network.routing import Attachment, next_hop
from sdnvirt.topology import resolved as spec
from sdnvirt.topology.resolved import Topology
from sdnvirt.units import NS_PER_S
from sdnvirt.virt.hypervisor import Hypervisor
from sdnvirt.virt.isolation import IsolationMonitor
from sdnvirt.virt.vm import Vm
from sdnvirt.virt.vtep import Vtep

_D = TypeVar("_D", bound=Device)

_SWITCH_MACS: Final = 0x06 << 40
"""Ports of switches and routers have addresses 06:..., apart from those of a topology's hosts."""


@dataclass
class Plant:
    """The live parts of a network, by name and in the topology's order.

    Attributes:
        devices: every device; a hypervisor's virtual switch has the hypervisor's name.
        switches, routers, hosts, functions, hypervisors: the same by kind; VMs and functions are
            hosts too.
        links: every link, those of vNICs included.
        peers: the port at the other end of each port's link.
        attachments: where the tunnel endpoints are on the fabric.
        monitor: watches the isolation of tenant networks.
    """

    world: World
    monitor: IsolationMonitor
    devices: dict[str, Device] = field(default_factory=dict)
    switches: dict[str, OpenFlowSwitch] = field(default_factory=dict)
    routers: dict[str, FabricRouter] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    functions: dict[str, NetworkFunction] = field(default_factory=dict)
    hypervisors: dict[str, Hypervisor] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    peers: dict[Port, Port] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)

    def add_link(self, link: Link) -> None:
        """Enter a link."""
        self.links[link.name] = link
        a, b = link.ends
        self.peers[a], self.peers[b] = b, a

    def ports(self) -> list[Port]:
        """Return every port of every device."""
        return [port for device in self.devices.values() for port in device.ports.values()]


def build(topology: Topology) -> Plant:
    """Build a topology; nothing runs yet."""
    with relaxed_collector():
        return _Builder(topology).build()


class _Builder:
    def __init__(self, topology: Topology) -> None:
        world = World(topology.seed)
        self._topology = topology
        self._plant = Plant(world, IsolationMonitor(world))
        self._world = world
        self._macs = _SWITCH_MACS
        self._vteps = {one.name: one.vtep for one in topology.hypervisors}
        self._vnis: dict[str, set[int]] = {name: set() for name in self._vteps}
        self._members: dict[str, list[spec.Vnic]] = {}
        for vnic in topology.vnics:
            self._vnis[vnic.hypervisor].add(topology.network(vnic.network).vni)
            self._members.setdefault(vnic.network, []).append(vnic)

    def build(self) -> Plant:
        topology = self._topology
        for router in topology.routers:
            self._add(self._plant.routers, FabricRouter(router.name, self._world))
        for switch in topology.switches:
            self._add_switch(switch)
        for host in topology.hosts:
            self._add(self._plant.hosts, Host(host.name, self._world))
        for hypervisor in topology.hypervisors:
            switch_device = OpenFlowSwitch(hypervisor.name, self._world, hypervisor.dpid)
            self._add(self._plant.switches, switch_device)
        uplinks = self._add_links()
        for hypervisor in topology.hypervisors:
            self._add_hypervisor(hypervisor, uplinks[hypervisor.name])
        for vm in topology.vms:
            self._add_vm(vm)
        for function in topology.functions:
            self._add_function(function)
        for queue in topology.queues:  # after the links, whose rates they share
            self._add_queue(queue)
        return self._plant

    def _mac(self) -> Mac:
        self._macs += 1
        return Mac(self._macs)

    def _add(self, kind: dict[str, _D], device: _D) -> _D:
        kind[device.name] = device
        self._plant.devices[device.name] = device
        return device

    def _add_switch(self, switch: spec.Switch) -> None:
        if switch.kind is spec.SwitchKind.OPENFLOW:
            assert switch.dpid is not None
            device = OpenFlowSwitch(switch.name, self._world, switch.dpid, switch.fail_mode)
            self._add(self._plant.switches, device)
        else:
            self._plant.devices[switch.name] = Bridge(switch.name, self._world, switch.ageing_ns)

    def _add_links(self) -> dict[str, tuple[Port, spec.Link]]:
        """Lay all cables but those to hypervisors; return the routers' ports for these."""
        macs = {
            (host.name, one.port): one.mac
            for host in self._topology.hosts
            for one in host.interfaces
        }
        hypervisors = {hypervisor.name for hypervisor in self._topology.hypervisors}
        uplinks = {}
        for link in self._topology.links:
            ends = []
            for here in (link.a, link.b):
                if here.node in hypervisors:
                    continue
                device = self._plant.devices[here.node]
                mac = macs.get((here.node, here.port)) or self._mac()
                ends.append(device.add_port(here.port, link.port_name(here.node), mac))
                if isinstance(device, Bridge) and link.vlan is not None:
                    device.configure(here.port, link.vlan)
            if len(ends) == 2:
                self._add_link(link, ends[0], ends[1])
            else:
                uplinks[next(e.node for e in (link.a, link.b) if e.node in hypervisors)] = (
                    ends[0],
                    link,
                )
        for host in self._topology.hosts:
            if self._plant.hosts[host.name].ports:
                configure(self._plant.hosts[host.name], host)
        return uplinks

    def _add_link(self, link: spec.Link, a: Port, b: Port) -> None:
        self._plant.add_link(Link(self._world, link.name, a, b, link.params, link.back))

    def _add_hypervisor(self, hypervisor: spec.Hypervisor, uplink: tuple[Port, spec.Link]) -> None:
        router_port, link = uplink
        vtep = Vtep(
            f"{hypervisor.name}.vtep", self._world, hypervisor.vtep, hypervisor.mac,
            router_port.mac, link.params.mtu, self._vnis[hypervisor.name],
        )  # fmt: skip
        self._plant.devices[vtep.name] = vtep
        self._add_link(link, router_port, vtep.nic)
        self._plant.attachments.append(
            Attachment(hypervisor.vtep, router_port.device.name, next_hop(router_port, vtep.nic))
        )
        switch = self._plant.switches[hypervisor.name]
        live = self._plant.hypervisors[hypervisor.name] = Hypervisor(hypervisor.name, switch, vtep)
        for tunnel in hypervisor.tunnels:
            remote = self._vteps[tunnel.remote]
            live.add_tunnel(tunnel.port, tunnel.port_name, self._mac(), remote)

    def _add_vm(self, vm: spec.Vm) -> None:
        vnic = vm.vnic
        mtu = self._topology.network(vnic.network).mtu
        host = Vm(vm.name, self._world, vnic.network, vnic.mac, mtu)
        self._plug(vnic, host)
        if not vm.dhcp:
            subnet = self._topology.network(vnic.network).subnet
            host.configure(IPv4Interface((bytes(vnic.address), subnet.prefixlen)))

    def _add_function(self, function: spec.Function) -> None:
        vnic = function.vnic
        network = self._topology.network(vnic.network)
        assert network.dhcp is not None, "DHCP is the only kind of function so far"
        config = DhcpConfig(
            server=vnic.address,
            subnet=network.subnet,
            lease_s=network.dhcp.lease_ns // NS_PER_S,
            mtu=network.mtu,
            reservations={one.mac: one.address for one in self._members[network.name]},
        )
        host = DhcpFunction(function.name, self._world, config, network.tenant, network.name)
        host.add_port(1, "eth0", vnic.mac)
        host.interface.mtu = network.mtu
        self._plug(vnic, host)
        self._plant.functions[function.name] = host

    def _plug(self, vnic: spec.Vnic, host: Host) -> None:
        """Put a VM or function on its hypervisor, and watch what is delivered to it."""
        self._add(self._plant.hosts, host)
        port = host.interface.port
        mtu = self._topology.network(vnic.network).mtu
        link = self._plant.hypervisors[vnic.hypervisor].plug(port, vnic.port, self._mac(), mtu)
        self._plant.add_link(link)
        self._plant.monitor.watch(port, vnic.network)

    def _add_queue(self, queue: spec.Queue) -> None:
        switch = self._plant.switches[queue.switch]
        switch.add_queue(queue.port, queue.queue_id, queue.min_rate_bps, queue.max_rate_bps)
