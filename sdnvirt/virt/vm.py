"""A virtual machine: a host of a tenant, with one vNIC in one tenant network."""

from __future__ import annotations

from typing import Final

from sdnvirt.addresses import Mac
from sdnvirt.devices.world import World
from sdnvirt.host.stack import Host

VNIC: Final = 1
"""Number of the vNIC, the machine's only port."""


class Vm(Host):
    """A tenant's machine.

    Args:
        name: unique in the network.
        world: the surroundings.
        network: its tenant network, as ``tenant/network``; every frame it sends is marked so.
        mac: address of the vNIC.
        mtu: MTU of the tenant network, bytes.

    Attributes:
        vnic: its port.
    """

    def __init__(self, name: str, world: World, network: str, mac: Mac, mtu: int) -> None:
        super().__init__(name, world, network.partition("/")[0], network)
        self.vnic = self.add_port(VNIC, "eth0", mac)
        self.interface.mtu = mtu
