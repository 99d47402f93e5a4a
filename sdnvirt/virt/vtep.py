"""A VXLAN tunnel endpoint: a hypervisor's way onto the IP underlay (RFC 7348).

Each remote endpoint is a port of the hypervisor's virtual switch, whose egress is a
:class:`Tunnel`. The switch says by a frame's tunnel id which network it is in, or by a port that
leads to one network only; who is behind which endpoint is the controller's knowledge, so nothing
is learned here and no multicast is used.

Inner frames with VLAN tags pass, for which section 6.1 asks to be configured: the virtual switch
decides about tags. The ICMP errors of section 4.3 are not sent; what is too big is dropped with
the sizes in the report.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sdnvirt.addresses import VNI_MAX, Ipv4, Mac
from sdnvirt.devices.device import Device, Port, Unplugged
from sdnvirt.devices.underlay import ETHERTYPE, FRAGMENT_BITS, IP_START, IPV4, ipv4_fault
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import TUNNEL_DST_SHIFT, Frame
from sdnvirt.virt.encapsulation import OuterHeaders, SourcePorts
from sdnvirt.virt.mtu import outer_packet_size
from sdnvirt.virt.tunnel import FlowTunnel, KeyedTunnel, Tunnel, TunnelPort
from sdnvirt.wire import ethernet, ipv4, udp, vxlan
from sdnvirt.wire.checksum import internet_checksum, pseudo_header_sum
from sdnvirt.wire.ipv4 import IpProtocol

NIC: Final = 0
"""Number of the port to the underlay."""

_VXLAN_PORT: Final = vxlan.UDP_PORT.to_bytes(2, "big")
_NO_CHECKSUM: Final = udp.NO_CHECKSUM.to_bytes(2, "big")
_VNI_VALID: Final = 0x08
_VNI_BYTES: Final = 3
_TO_INNER: Final = udp.HEADER_LENGTH + vxlan.HEADER_LENGTH
"""Bytes from the UDP header to the inner frame."""


@dataclass(slots=True)
class Traffic:
    """What an endpoint has carried of one network, in inner frames and their bytes."""

    tx_frames: int = 0
    tx_bytes: int = 0
    rx_frames: int = 0
    rx_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a frame goes no further, and the figures that belong to it."""

    reason: DropReason
    detail: str = ""

    def __str__(self) -> str:
        return self.reason.value + (f" ({self.detail})" if self.detail else "")


class Vtep(Device):
    """The tunnel endpoint of one hypervisor, with one NIC on the underlay.

    Args:
        name: unique in the network.
        world: the surroundings.
        address: underlay address.
        mac: address of the NIC.
        next_hop: address of the router's port that the NIC is linked to.
        mtu: MTU of the underlay, bytes, 68 to 65,535.
        networks: VNIs of the networks that the hypervisor takes part in.

    Attributes:
        nic: the port to the underlay.
        next_hop: the MAC address that all packets are sent to.
        networks: the VNIs that are accepted from the underlay; may be changed at any time.
    """

    def __init__(
        self,
        name: str,
        world: World,
        address: Ipv4,
        mac: Mac,
        next_hop: Mac,
        mtu: int,
        networks: Iterable[int] = (),
    ) -> None:
        super().__init__(name, world)
        assert ipv4.MIN_MTU <= mtu <= ipv4.MAX_LENGTH, f"MTU {mtu}"
        self.address = address
        self.mtu = mtu
        self.networks = set(networks)
        self.nic = self.add_port(NIC, "nic", mac)
        self.source_ports = SourcePorts()
        self.next_hop = next_hop
        self._tunnels: dict[bytes, Tunnel] = {}
        self._keyed: dict[bytes, KeyedTunnel] = {}
        self._flow_based: FlowTunnel | None = None
        self._traffic: dict[int, Traffic] = {}

    def tunnel_to(self, remote: Ipv4, switch_port: Port) -> Tunnel:
        """Make a port of the virtual switch the tunnel to a remote endpoint.

        Args:
            remote: the other endpoint's underlay address; accepted as a source from now on.
            switch_port: a port without a link; it sends into the tunnel and is up from now on.
        """
        tunnel = self._tunnels[remote] = Tunnel(self, remote, switch_port)
        switch_port.attach(tunnel, up=True)
        return tunnel

    def keyed_tunnel_to(self, remote: Ipv4, key: int, switch_port: Port) -> KeyedTunnel:
        """Make a port of the virtual switch the tunnel of one network to a remote endpoint.

        What comes from there in this network arrives at this port, whatever other tunnel there is
        and whether or not the network is one of :attr:`networks`.

        Args:
            remote: the other endpoint's underlay address.
            key: the network's VNI, 1 to 16,777,215; at most one such tunnel leads to an endpoint.
            switch_port: a port without a link; it sends into the tunnel and is up from now on.
        """
        assert 0 < key <= VNI_MAX, f"VNI {key}"
        assert not self.has_keyed_tunnel(remote, key), f"{self.name}: two tunnels to {remote}"
        tunnel = KeyedTunnel(self, remote, switch_port, key)
        self._keyed[remote + key.to_bytes(_VNI_BYTES, "big")] = tunnel
        switch_port.attach(tunnel, up=True)
        return tunnel

    def flow_tunnel(self, switch_port: Port) -> FlowTunnel:
        """Make a port of the virtual switch the tunnel to all endpoints; there is one at most.

        What arrives and is of no other tunnel arrives here, from whomever and in whatever network
        it is: flow entries decide about that.

        Args:
            switch_port: a port without a link; it sends into the tunnel and is up from now on.
        """
        assert self._flow_based is None, f"{self.name} has a flow-based tunnel already"
        tunnel = self._flow_based = FlowTunnel(self, switch_port)
        switch_port.attach(tunnel, up=True)
        return tunnel

    @property
    def has_flow_tunnel(self) -> bool:
        """Whether there is a tunnel to all endpoints."""
        return self._flow_based is not None

    def headers_to(self, remote: Ipv4) -> OuterHeaders:
        """Return the outer headers of packets to an endpoint."""
        return OuterHeaders(self.nic.mac, self.next_hop, self.address, remote)

    def has_keyed_tunnel(self, remote: Ipv4, key: int) -> bool:
        """Return whether a network has a tunnel of its own to a remote endpoint."""
        return remote + key.to_bytes(_VNI_BYTES, "big") in self._keyed

    def close(self, tunnel: KeyedTunnel | FlowTunnel) -> None:
        """Take away a tunnel of one network or of all endpoints; its port has no link any more."""
        if isinstance(tunnel, FlowTunnel):
            self._flow_based = None
        else:
            del self._keyed[tunnel.remote + tunnel.key.to_bytes(_VNI_BYTES, "big")]
        port = tunnel.switch_port
        port.attach(Unplugged(port, port.full_name), up=False)

    def traffic(self) -> dict[int, Traffic]:
        """Return what was carried of each network, by VNI in ascending order."""
        return dict(sorted(self._traffic.items()))

    def traffic_of(self, vni: int) -> Traffic:
        """Return the counters of one network."""
        traffic = self._traffic.get(vni)
        if traffic is None:
            traffic = self._traffic[vni] = Traffic()
        return traffic

    def send(self, frame: Frame, vni: int, headers: OuterHeaders) -> None:
        """Encapsulate a frame for a network, and send it to the endpoint that the headers name."""
        refusal = self.refusal(frame, vni)
        if refusal is not None:
            self.drop(frame, refusal.reason, refusal.detail)
            return
        inner = frame.data
        traffic = self.traffic_of(vni)
        traffic.tx_frames += 1
        traffic.tx_bytes += len(inner)
        outer = headers.emit(vni, self.source_ports.port(frame), inner)
        self.nic.send(frame.rewritten(outer, 0))

    def refusal(self, frame: Frame, vni: int) -> Refusal | None:
        """Return why a frame cannot be sent into a tunnel of a network, or None if it can."""
        if not 0 < vni <= VNI_MAX:
            return Refusal(DropReason.NO_TUNNEL_ID, f"tunnel id {vni}")
        size = len(frame.data)
        needed = outer_packet_size(size)
        if needed > self.mtu:
            detail = f"a frame of {size} B becomes a packet of {needed} B, the MTU is {self.mtu}"
            return Refusal(DropReason.ENCAP_TOO_BIG, detail)
        return None

    def receive(self, port: Port, frame: Frame) -> None:
        """Take the inner frame out and hand it to the virtual switch, at the tunnel's port."""
        opened = self._open(frame.data)
        if isinstance(opened, Refusal):
            self.drop(frame, opened.reason, opened.detail)
            return
        tunnel, vni, inner = opened
        traffic = self.traffic_of(vni)
        traffic.rx_frames += 1
        traffic.rx_bytes += len(inner)
        addresses = int.from_bytes(frame.data[26:34], "big")
        tunnel.switch_port.receive(frame.rewritten(inner, addresses << TUNNEL_DST_SHIFT | vni))

    def explain(self, port: Port, frame: Frame) -> list[str]:
        """Tell whose tunnel and which network the packet belongs to, changing nothing."""
        opened = self._open(frame.data)
        if isinstance(opened, Refusal):
            return [f"{self.name} drops the frame: {opened}"]
        tunnel, vni, inner = opened
        return [
            f"{self.name} takes {len(inner)} B of VNI {vni} out of the packet from "
            f"{Ipv4(frame.data[26:30])} and hands them to {tunnel.switch_port.full_name}"
        ]

    def _open(self, data: bytes) -> tuple[TunnelPort, int, bytes] | Refusal:
        """Return the tunnel, the VNI and the inner frame of a packet, or why it is refused."""
        if data[:6] != self.nic.mac:
            return Refusal(DropReason.NOT_FOR_ME_L2)
        if data[ETHERTYPE] != IPV4:
            return Refusal(DropReason.NOT_VXLAN, "not IPv4")
        fault = ipv4_fault(data)
        if fault is not None:
            return Refusal(fault, "IPv4 header")
        if data[30:34] != self.address:
            return Refusal(DropReason.NOT_FOR_ME_L3, str(Ipv4(data[30:34])))
        if (data[20] << 8 | data[21]) & FRAGMENT_BITS:  # RFC 7348, 4.3 allows to discard them
            return Refusal(DropReason.FRAGMENT)
        header = (data[IP_START] & 0x0F) * 4
        end = IP_START + (data[16] << 8 | data[17])
        return self._open_udp(data, IP_START + header, end)

    def _open_udp(
        self, data: bytes, start: int, end: int
    ) -> tuple[TunnelPort, int, bytes] | Refusal:
        """Go on with what lies between two offsets, the payload of an IPv4 packet."""
        if data[23] != IpProtocol.UDP or data[start + 2 : start + 4] != _VXLAN_PORT:
            return Refusal(DropReason.NOT_VXLAN)
        length = data[start + 4] << 8 | data[start + 5] if end - start >= _TO_INNER else 0
        if not _TO_INNER + ethernet.HEADER_LENGTH <= length <= end - start:
            return Refusal(DropReason.MALFORMED, "UDP length")
        end = start + length
        if data[start + 6 : start + 8] != _NO_CHECKSUM:
            pseudo_header = pseudo_header_sum(data[26:30], data[30:34], IpProtocol.UDP, length)
            if internet_checksum(data[start:end], pseudo_header):
                return Refusal(DropReason.BAD_CHECKSUM, "UDP")
        if not data[start + 8] & _VNI_VALID:
            return Refusal(DropReason.VXLAN_FLAGS, f"flags 0x{data[start + 8]:02x}")
        vni = data[start + 12] << 16 | data[start + 13] << 8 | data[start + 14]
        tunnel: TunnelPort | None = None
        if self._keyed:
            tunnel = self._keyed.get(data[26:30] + data[start + 12 : start + 15])
        if tunnel is None:
            if vni in self.networks:
                tunnel = self._tunnels.get(data[26:30])
            elif self._flow_based is None:
                return Refusal(DropReason.UNKNOWN_VNI, f"VNI {vni}")
            tunnel = tunnel or self._flow_based
        if tunnel is None:
            return Refusal(DropReason.UNKNOWN_VTEP, str(Ipv4(data[26:30])))
        return tunnel, vni, data[start + _TO_INNER : end]
