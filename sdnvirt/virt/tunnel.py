"""Tunnels: ports of a virtual switch that lead to other tunnel endpoints.

What a port knows of its packets' way, and what comes with each packet, is the port's kind, as in
Open vSwitch (ovs-vswitchd.conf.db(5), tunnel options):

================  =========================  ==========================================
kind              remote endpoint            VNI
================  =========================  ==========================================
Tunnel            the port's (remote_ip)     the packet's tunnel id (key = flow)
KeyedTunnel       the port's (remote_ip)     the port's (key = a number)
================  =========================  ==========================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sdnvirt.addresses import Ipv4
from sdnvirt.devices.device import Port
from sdnvirt.frame import Frame
from sdnvirt.virt.encapsulation import OuterHeaders, source_port
from sdnvirt.wire import vxlan

if TYPE_CHECKING:
    from sdnvirt.virt.vtep import Vtep


class Tunnel:
    """The egress of a virtual switch's port that stands for one remote endpoint.

    Attributes:
        remote: underlay address of the other end.
        switch_port: the port of the virtual switch.
    """

    __slots__ = ("_headers", "_vtep", "remote", "switch_port")

    def __init__(self, vtep: Vtep, remote: Ipv4, switch_port: Port) -> None:
        self.remote = remote
        self.switch_port = switch_port
        self._vtep = vtep
        self._headers = OuterHeaders(vtep.nic.mac, vtep.next_hop, vtep.address, remote)

    def vni(self, frame: Frame) -> int:
        """Return the network that a frame goes to: what its tunnel id says, checked by nobody."""
        return frame.tunnel_id

    def carry(self, frame: Frame) -> None:
        """Encapsulate a frame for its network, and send it."""
        self._vtep.send(frame, self.vni(frame), self._headers)

    def explain(self, frame: Frame) -> list[str]:
        """Tell what becomes of a frame that is sent here, changing nothing."""
        vtep, vni = self._vtep, self.vni(frame)
        refusal = vtep.refusal(frame, vni)
        if refusal is not None:
            return [f"{vtep.name} drops the frame: {refusal}"]
        port = source_port(frame.data)
        return [
            f"{vtep.name} puts it into VNI {vni} and sends it "
            f"from {vtep.address}:{port} to {self.remote}:{vxlan.UDP_PORT}"
        ]


class KeyedTunnel(Tunnel):
    """A tunnel of one network, which takes every frame into it whatever its tunnel id says.

    Attributes:
        key: the network's VNI.
    """

    __slots__ = ("key",)

    def __init__(self, vtep: Vtep, remote: Ipv4, switch_port: Port, key: int) -> None:
        super().__init__(vtep, remote, switch_port)
        self.key = key

    def vni(self, frame: Frame) -> int:
        """Return the port's network."""
        return self.key
