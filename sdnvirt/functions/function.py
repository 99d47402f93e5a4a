"""What a network function is: a host, placed on a hypervisor, that runs a service (ETSI NFV's VNF).

It is plugged into a tenant network like a VM and answers real packets; nothing else in the
emulator treats it in another way. DHCP is the first; DNS, NAT, routers, firewalls and load
balancers are meant to follow as further subclasses.
"""

from __future__ import annotations

from abc import abstractmethod

from sdnvirt.host.stack import Host


class NetworkFunction(Host):
    """A host that runs one service."""

    __slots__ = ()

    def restart(self) -> None:
        """Serve again after a crash; what the service keeps on disk is there."""
        super().restart()
        self.start()

    @abstractmethod
    def start(self) -> None:
        """Configure the interfaces and begin to serve; all ports exist."""
