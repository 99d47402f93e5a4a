"""A hypervisor: the owner of a virtual switch, a tunnel endpoint, and the machines on them."""

from __future__ import annotations

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.virt.tunnel import FlowTunnel, KeyedTunnel, Tunnel, TunnelPort
from sdnvirt.virt.vtep import Vtep


class Hypervisor:
    """A server that holds virtual machines; itself no device, as its parts are.

    Args:
        name: the node's name.
        switch: the virtual switch.
        vtep: the tunnel endpoint.

    Attributes:
        vnics: the links from the switch to virtual machines and functions, by switch port.
        tunnels: the tunnels to other hypervisors, by switch port.
    """

    def __init__(self, name: str, switch: Device, vtep: Vtep) -> None:
        self.name = name
        self.switch = switch
        self.vtep = vtep
        self.vnics: dict[int, Link] = {}
        self.tunnels: dict[int, TunnelPort] = {}

    def plug(self, vnic: Port, number: int, mac: Mac, mtu: int) -> Link:
        """Connect a vNIC to a new port of the virtual switch, which is named after its owner.

        The link between them is memory: it has neither rate nor delay.

        Args:
            vnic: the port of a virtual machine or function.
            number: the switch's port.
            mac: address of the switch's port.
            mtu: MTU of the tenant network.
        """
        owner = vnic.device.name
        switch_port = self.switch.add_port(number, owner, mac)
        link = self.vnics[number] = Link(
            self.switch.world, f"{owner}--{self.switch.name}", vnic, switch_port,
            LinkParameters(mtu=mtu),
        )  # fmt: skip
        return link

    def add_tunnel(self, number: int, name: str, mac: Mac, remote: Ipv4) -> Tunnel:
        """Give the virtual switch a port that is the tunnel to another hypervisor.

        Args:
            number: the switch's port.
            name: name of the port, by custom that of the other hypervisor.
            mac: address of the switch's port.
            remote: underlay address of the other hypervisor's endpoint.
        """
        switch_port = self.switch.add_port(number, name, mac)
        tunnel = self.vtep.tunnel_to(remote, switch_port)
        self.tunnels[number] = tunnel
        return tunnel

    def add_keyed_tunnel(
        self, number: int, name: str, mac: Mac, remote: Ipv4, key: int
    ) -> KeyedTunnel:
        """Give the virtual switch a port that is the tunnel of one network; at any time.

        Args:
            number: the switch's port.
            name: name of the port.
            mac: address of the switch's port.
            remote: underlay address of the other hypervisor's endpoint.
            key: the network's VNI; see :meth:`Vtep.keyed_tunnel_to`.
        """
        switch_port = self.switch.add_port(number, name, mac)
        tunnel = self.vtep.keyed_tunnel_to(remote, key, switch_port)
        self.tunnels[number] = tunnel
        return tunnel

    def add_flow_tunnel(self, number: int, name: str, mac: Mac) -> FlowTunnel:
        """Give the virtual switch the port that is the tunnel to all hypervisors; at any time.

        Args:
            number: the switch's port.
            name: name of the port.
            mac: address of the switch's port.
        """
        tunnel = self.vtep.flow_tunnel(self.switch.add_port(number, name, mac))
        self.tunnels[number] = tunnel
        return tunnel

    def remove_tunnel(self, tunnel: KeyedTunnel | FlowTunnel) -> None:
        """Take the port of a tunnel that was added so away from the virtual switch."""
        self.vtep.close(tunnel)
        number = tunnel.switch_port.number
        del self.tunnels[number]
        self.switch.remove_port(number)

    def __repr__(self) -> str:
        return f"<Hypervisor {self.name}>"
