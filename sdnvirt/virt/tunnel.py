"""Tunnels: ports of a virtual switch that lead to other tunnel endpoints.

What a port knows of its packets' way, and what comes with each packet, is the port's kind, as in
Open vSwitch (ovs-vswitchd.conf.db(5), tunnel options):

================  ================================  =====================================
kind              remote endpoint                   VNI
================  ================================  =====================================
Tunnel            the port's (remote_ip)            the packet's tunnel id (key = flow)
KeyedTunnel       the port's (remote_ip)            the port's (key = a number)
FlowTunnel        the packet's tun_ipv4_dst         the packet's tunnel id (key = flow)
                  (remote_ip = flow)
================  ================================  =====================================

What arrives has the VNI and both addresses of its outer packet in its metadata, at every kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import Ipv4
from sdnvirt.devices.device import Port
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.virt.encapsulation import OuterHeaders, source_port
from sdnvirt.wire import vxlan

if TYPE_CHECKING:
    from sdnvirt.virt.vtep import Vtep

REMOTES_LIMIT: Final = 4096
"""Endpoints whose headers a flow-based tunnel remembers, 0.3 kB each: more than hypervisors that
one network has. When it is reached all are forgotten, and made again as they are needed."""


class TunnelPort(ABC):
    """The egress of a virtual switch's port that leads into tunnels.

    Attributes:
        switch_port: the port of the virtual switch.
    """

    __slots__ = ("_vtep", "switch_port")

    def __init__(self, vtep: Vtep, switch_port: Port) -> None:
        self.switch_port = switch_port
        self._vtep = vtep

    @abstractmethod
    def remote_of(self, frame: Frame) -> Ipv4 | None:
        """Return the endpoint that a frame goes to, or None if nobody says."""

    def vni(self, frame: Frame) -> int:
        """Return the network that a frame goes to: what its tunnel id says, checked by nobody."""
        return frame.tunnel_id

    @abstractmethod
    def carry(self, frame: Frame) -> None:
        """Encapsulate a frame for its network, and send it."""

    def explain(self, frame: Frame) -> list[str]:
        """Tell what becomes of a frame that is sent here, changing nothing."""
        vtep, vni, remote = self._vtep, self.vni(frame), self.remote_of(frame)
        if remote is None:
            return [f"{vtep.name} drops the frame: {DropReason.NO_TUNNEL_DESTINATION.value}"]
        refusal = vtep.refusal(frame, vni)
        if refusal is not None:
            return [f"{vtep.name} drops the frame: {refusal}"]
        port = source_port(frame.data)
        return [
            f"{vtep.name} puts it into VNI {vni} and sends it "
            f"from {vtep.address}:{port} to {remote}:{vxlan.UDP_PORT}"
        ]


class Tunnel(TunnelPort):
    """A port that stands for one remote endpoint.

    Attributes:
        remote: underlay address of the other end.
    """

    __slots__ = ("_headers", "remote")

    def __init__(self, vtep: Vtep, remote: Ipv4, switch_port: Port) -> None:
        super().__init__(vtep, switch_port)
        self.remote = remote
        self._headers = vtep.headers_to(remote)

    def remote_of(self, frame: Frame) -> Ipv4:
        """Return the other end."""
        return self.remote

    def carry(self, frame: Frame) -> None:
        """Encapsulate a frame for its network, and send it."""
        self._vtep.send(frame, self.vni(frame), self._headers)


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


class FlowTunnel(TunnelPort):
    """A port that leads to any endpoint: flow entries say to which, by tun_ipv4_dst.

    The outer source is the endpoint's own address, whatever tun_ipv4_src says, as with Open
    vSwitch's ``local_ip``.
    """

    __slots__ = ("_headers",)

    def __init__(self, vtep: Vtep, switch_port: Port) -> None:
        super().__init__(vtep, switch_port)
        self._headers: dict[int, OuterHeaders] = {}

    def remote_of(self, frame: Frame) -> Ipv4 | None:
        """Return the endpoint that the frame's metadata names."""
        return Ipv4(frame.tunnel_dst) if frame.tunnel_dst else None

    def carry(self, frame: Frame) -> None:
        """Encapsulate a frame for its network and endpoint, and send it."""
        headers = self._headers.get(frame.tunnel_dst)
        if headers is None:
            remote = self.remote_of(frame)
            if remote is None:
                self._vtep.drop(frame, DropReason.NO_TUNNEL_DESTINATION)
                return
            if len(self._headers) >= REMOTES_LIMIT:
                self._headers.clear()
            headers = self._headers[frame.tunnel_dst] = self._vtep.headers_to(remote)
        self._vtep.send(frame, frame.tunnel_id, headers)
