"""One network interface of a host: its addresses, and ARP on its Ethernet (RFC 826, RFC 894).

Below the interface is a port, above it the IP layer of :mod:`sdnvirt.host.stack`. Everything that
a host sends becomes a frame here, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ANY_IPV4, BROADCAST, Ipv4, Mac
from sdnvirt.devices.device import Port
from sdnvirt.devices.link import DEFAULT_MTU
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.frame import Frame
from sdnvirt.host.neighbours import (
    Abandon,
    Effect,
    Event,
    Incomplete,
    Neighbours,
    Pending,
    Solicit,
    Transmit,
)
from sdnvirt.wire.arp import Arp, ArpOp
from sdnvirt.wire.ethernet import HEADER_LENGTH

if TYPE_CHECKING:
    from sdnvirt.host.dhcp import DhcpService
    from sdnvirt.host.stack import Host
    from sdnvirt.host.udp import UdpSocket

ETHERTYPE_IPV4: Final = b"\x08\x00"
ETHERTYPE_ARP: Final = b"\x08\x06"
"""The registered EtherTypes as they stand in a frame, to be compared without parsing."""

_UNKNOWN_MAC: Final = Mac(bytes(6))

FAILURES: Final = {
    DropReason.NEIGHBOUR_UNRESOLVED: "no ARP answer",
    DropReason.NEIGHBOUR_QUEUE_FULL: "too many packets wait for the ARP answer",
}
"""What a conversation is told of a packet that never left, after the address of the next hop."""


class Interface:
    """A network interface.

    Attributes:
        host: the host it belongs to.
        port: the port below it; its MAC address is the interface's.
        mtu: bytes of the largest IP packet that it sends.
        address: its IPv4 address, or None while it has none.
        broadcast: the broadcast address of its subnet, or None where there is none.
        neighbours: the neighbour cache.
        dhcp: the DHCP client program, or None.
        sockets: UDP sockets bound to this interface, which work before it has an address.
    """

    __slots__ = (
        "_armed_for", "_arp_tail", "_ipv4_tail", "address", "broadcast", "dhcp", "host", "mac",
        "mtu", "neighbours", "port", "sockets",
    )  # fmt: skip

    def __init__(self, host: Host, port: Port, mtu: int = DEFAULT_MTU) -> None:
        self.host = host
        self.port = port
        self.mac = port.mac
        self.mtu = mtu
        self.address: Ipv4 | None = None
        self.dhcp: DhcpService | None = None
        self.broadcast: Ipv4 | None = None
        self.neighbours = Neighbours()
        self.sockets: dict[int, UdpSocket] = {}
        self._ipv4_tail = port.mac + ETHERTYPE_IPV4
        self._arp_tail = port.mac + ETHERTYPE_ARP
        self._armed_for = NEVER

    def assign(self, address: IPv4Interface) -> None:
        """Give the interface an address and forget the neighbours of an earlier one."""
        self.release()
        self.address = Ipv4(address.ip)
        # A point-to-point prefix has no broadcast address (RFC 3021, 2.2).
        if address.network.prefixlen < 31:
            self.broadcast = Ipv4(address.network.broadcast_address)

    def release(self) -> None:
        """Take the address away; packets that wait for a neighbour are given up."""
        self.address = self.broadcast = None
        self._carry_out(self.neighbours.flush())

    def resolve_and_send(
        self, hop: Ipv4, packet: bytes, cause: int, on_failure: Callable[[str], None] | None
    ) -> None:
        """Send an IPv4 packet to a neighbour, as soon as its MAC address is known."""
        now = self.host.world.scheduler.now
        mac = self.neighbours.lookup(hop, now)
        if mac is not None:
            self.transmit(mac, packet, cause)
        else:
            pending = Pending(packet, cause, on_failure)
            self._carry_out(self.neighbours.send(hop, pending, now))

    def transmit(self, mac: Mac, packet: bytes, cause: int) -> None:
        """Send an IPv4 packet to a MAC address."""
        self.port.send(self._frame(mac + self._ipv4_tail + packet, cause))

    def loop_back(self, packet: bytes, cause: int) -> None:
        """Receive a packet of our own, which no port sees (RFC 1122, 3.2.1.3, case g)."""
        frame = self._frame(self.mac + self._ipv4_tail + packet, cause)
        scheduler = self.host.world.scheduler
        scheduler.call_at(scheduler.now, self._looped, frame)

    def is_resolving(self, hop: Ipv4) -> bool:
        """Whether packets wait for the ARP answer of a neighbour."""
        return self.neighbours.state(hop, self.host.world.scheduler.now) is Incomplete

    def receive_arp(self, frame: Frame) -> DropReason | None:
        """Learn from an ARP packet and answer it (RFC 826, "Packet Reception").

        Returns:
            why the frame was of no use to this host, or None if it was.

        Raises:
            WireError: the bytes are not an ARP packet of Ethernet and IPv4.
        """
        arp = Arp.parse(frame.data[HEADER_LENGTH:])
        if arp.op not in (ArpOp.REQUEST, ArpOp.REPLY):
            return DropReason.UNKNOWN_PROTOCOL
        if self.address is None:
            return DropReason.NO_ADDRESS
        # Nobody is reached at a group address, and believing that one is would flood.
        if arp.sender_mac.is_group or arp.sender_ip.is_multicast:
            return DropReason.MALFORMED
        to_me = arp.target_ip == self.address
        learned = False
        # A probe has no sender address yet (RFC 5227, 2.1.1); ours in it is somebody's mistake.
        if arp.sender_ip not in (ANY_IPV4, self.address):
            learned = self._learn(arp, to_me)
        if not to_me:
            announcement = arp.sender_ip == arp.target_ip
            return None if announcement and learned else DropReason.NOT_FOR_ME_L3
        if arp.op == ArpOp.REQUEST:
            answer = Arp(ArpOp.REPLY, self.mac, self.address, arp.sender_mac, arp.sender_ip)
            self._send_arp(arp.sender_mac, answer, frame.provenance.cause)
        return None

    def _learn(self, arp: Arp, to_me: bool) -> bool:
        """Tell the neighbour cache; return whether it knows the sender now."""
        event = Event.OVERHEARD
        if to_me:
            event = Event.ANSWERED if arp.op == ArpOp.REPLY else Event.ASKED
        now = self.host.world.scheduler.now
        self._carry_out(self.neighbours.heard(arp.sender_ip, arp.sender_mac, event, now))
        return self.neighbours.knows(arp.sender_ip, now)

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Transmit(mac, pending):
                    self.transmit(mac, pending.packet, pending.cause)
                case Solicit(address, mac, cause):
                    assert self.address is not None, "only a configured interface asks"
                    request = Arp(ArpOp.REQUEST, self.mac, self.address, _UNKNOWN_MAC, address)
                    self._send_arp(mac or BROADCAST, request, cause)
                case Abandon(address, pending, reason):
                    if pending.on_failure is not None:
                        pending.on_failure(f"{address}: {FAILURES[reason]}")
        due = self.neighbours.next_timeout()
        if due < self._armed_for:
            self._armed_for = due
            self.host.world.scheduler.call_at(due, self._tick)

    def _tick(self, _argument: None) -> None:
        self._armed_for = NEVER
        self._carry_out(self.neighbours.tick(self.host.world.scheduler.now))

    def _send_arp(self, mac: Mac, arp: Arp, cause: int) -> None:
        self.port.send(self._frame(mac + self._arp_tail + arp.emit(), cause))

    def _looped(self, frame: Frame) -> None:
        self.host.receive(self.port, frame)

    def _frame(self, data: bytes, cause: int) -> Frame:
        host = self.host
        return host.world.originate(data, host.name, host.tenant, host.network, cause)

    def __repr__(self) -> str:
        return f"<Interface {self.port.full_name} {self.address}>"
