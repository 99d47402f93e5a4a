"""ARP on an interface: resolution (RFC 826) and conflicts of addresses (RFC 5227).

An address may be probed before it is used, and is announced then. One that is used is defended
when somebody else claims it, once in DEFEND_INTERVAL_NS (RFC 5227, 2.4 b).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ANY_IPV4, BROADCAST, IpAddress, Ipv4, Mac
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host.neighbour_states import ARP, Event
from sdnvirt.host.resolver import Resolver
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.arp import Arp, ArpOp
from sdnvirt.wire.ethernet import HEADER_LENGTH

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface

ETHERTYPE_ARP: Final = b"\x08\x06"
ETHERTYPE_IPV4: Final = b"\x08\x00"
"""The registered EtherTypes as they stand in a frame, to be compared without parsing."""

PROBE_COUNT: Final = 3
PROBE_WAIT_NS: Final = NS_PER_S
PROBE_MIN_NS: Final = NS_PER_S
PROBE_MAX_NS: Final = 2 * NS_PER_S
ANNOUNCE_WAIT_NS: Final = 2 * NS_PER_S
ANNOUNCE_COUNT: Final = 2
ANNOUNCE_INTERVAL_NS: Final = 2 * NS_PER_S
DEFEND_INTERVAL_NS: Final = 10 * NS_PER_S
"""How often and when an address is probed, announced and defended (RFC 5227, 1.1)."""

_UNKNOWN_MAC: Final = Mac(bytes(6))


class ArpResolver(Resolver):
    """ARP of one interface.

    Attributes:
        conflicts: ARP packets of others with an address of this interface.
    """

    __slots__ = ("_defended_ns", "_probing", "conflicts")

    ethertype = ETHERTYPE_IPV4
    silence = "no ARP answer"

    def __init__(self, interface: Interface) -> None:
        super().__init__(interface, ARP)
        self.conflicts = 0
        self._defended_ns: int | None = None
        self._probing: dict[IpAddress, _Probing] | None = None

    def receive(self, frame: Frame) -> DropReason | None:
        """Learn from an ARP packet and answer it (RFC 826, "Packet Reception").

        Returns:
            why the frame was of no use to this host, or None if it was.

        Raises:
            WireError: the bytes are not an ARP packet of Ethernet and IPv4.
        """
        arp = Arp.parse(frame.data[HEADER_LENGTH:])
        if arp.op not in (ArpOp.REQUEST, ArpOp.REPLY):
            return DropReason.UNKNOWN_PROTOCOL
        # Nobody is reached at a group address, and believing that one is would flood.
        if arp.sender_mac.is_group or arp.sender_ip.is_multicast:
            return DropReason.MALFORMED
        if self._probing and self._conflicts_with_probe(arp):
            return None
        interface = self.interface
        if interface.address is None:
            return DropReason.NO_ADDRESS
        to_me = interface.has(arp.target_ip)
        learned = False
        if interface.has(arp.sender_ip):
            if arp.sender_mac != interface.mac:
                self._defend(arp.sender_ip, frame.provenance.cause)
        elif arp.sender_ip != ANY_IPV4:  # a probe has no sender address yet (RFC 5227, 2.1.1)
            learned = self._learn(arp, to_me)
        if not to_me:
            announcement = arp.sender_ip == arp.target_ip
            return None if announcement and learned else DropReason.NOT_MY_ARP
        if arp.op == ArpOp.REQUEST:
            answer = Arp(ArpOp.REPLY, interface.mac, arp.target_ip, arp.sender_mac, arp.sender_ip)
            self._send_arp(arp.sender_mac, answer, frame.provenance.cause)
        return None

    def announce(self, address: Ipv4, cause: int = 0) -> None:
        """Tell everybody once that this interface has an address (RFC 5227, 2.3)."""
        packet = Arp(ArpOp.REQUEST, self.interface.mac, address, _UNKNOWN_MAC, address)
        self._send_arp(BROADCAST, packet, cause)

    def announce_twice(self, address: Ipv4) -> None:
        """Tell everybody of a new address, so that old entries are corrected (RFC 5227, 2.3)."""
        scheduler = self.interface.host.world.scheduler
        for number in range(ANNOUNCE_COUNT):
            scheduler.call_at(
                scheduler.now + number * ANNOUNCE_INTERVAL_NS, self._announce, address
            )

    def _announce(self, address: Ipv4) -> None:
        if self.interface.has(address):
            self.announce(address)

    def probe(self, address: Ipv4, on_result: Callable[[Mac | None], None]) -> None:
        """Find out whether somebody has an address already (RFC 5227, 2.1).

        Args:
            address: the address.
            on_result: told who has it, or None if nobody answered the probes.
        """
        if self._probing is None:
            self._probing = {}
        self._probing[address] = _Probing(self, address, on_result)

    def probe_over(self, address: Ipv4) -> None:
        """Stop listening for the answers of a probe."""
        if self._probing is not None:
            self._probing.pop(address, None)

    def send_probe(self, address: Ipv4) -> None:
        """Ask once whether somebody has an address."""
        packet = Arp(ArpOp.REQUEST, self.interface.mac, ANY_IPV4, _UNKNOWN_MAC, address)
        self._send_arp(BROADCAST, packet, 0)

    def _conflicts_with_probe(self, arp: Arp) -> bool:
        """Whether a packet decides a probe: somebody has the address, or wants it, too."""
        assert self._probing is not None
        if arp.sender_mac == self.interface.mac:
            return False
        wanted = arp.target_ip if arp.sender_ip == ANY_IPV4 else arp.sender_ip
        probing = self._probing.get(wanted)
        if probing is None:
            return False
        self.conflicts += 1
        probing.finish(arp.sender_mac)
        return True

    def _defend(self, address: Ipv4, cause: int) -> None:
        self.conflicts += 1
        now = self.now
        if self._defended_ns is None or now - self._defended_ns >= DEFEND_INTERVAL_NS:
            self._defended_ns = now
            self.announce(address, cause)

    def _learn(self, arp: Arp, to_me: bool) -> bool:
        """Tell the neighbour cache; return whether it knows the sender now."""
        event = Event.OVERHEARD
        if to_me:
            event = Event.ANSWERED if arp.op == ArpOp.REPLY else Event.ASKED
        now = self.now
        self.carry_out(self.neighbours.heard(arp.sender_ip, arp.sender_mac, event, now))
        return self.neighbours.knows(arp.sender_ip, now)

    def _solicit(self, address: IpAddress, mac: Mac | None, cause: int) -> None:
        interface = self.interface
        assert isinstance(address, Ipv4)
        source = interface.source_to(address) or interface.host.any_ipv4()
        if not isinstance(source, Ipv4):  # it was taken away; the packet is given up soon
            return
        request = Arp(ArpOp.REQUEST, interface.mac, source, _UNKNOWN_MAC, address)
        self._send_arp(mac or BROADCAST, request, cause)

    def _gone(self, address: IpAddress) -> None:
        """ARP knows no other next hop to use instead."""

    def _send_arp(self, mac: Mac, arp: Arp, cause: int) -> None:
        self.interface.transmit(ETHERTYPE_ARP, mac, arp.emit(), cause)


class _Probing:
    """The probes for one address."""

    __slots__ = ("_address", "_arp", "_on_result", "_over", "_sent")

    def __init__(
        self, arp: ArpResolver, address: Ipv4, on_result: Callable[[Mac | None], None]
    ) -> None:
        self._arp = arp
        self._address = address
        self._on_result = on_result
        self._sent = 0
        self._over = False
        self._in(self._random().randrange(PROBE_WAIT_NS))

    def finish(self, holder: Mac | None) -> None:
        """Tell who has the address, or that nobody has."""
        if self._over:
            return
        self._over = True
        self._arp.probe_over(self._address)
        self._on_result(holder)

    def _in(self, delay_ns: int) -> None:
        scheduler = self._arp.interface.host.world.scheduler
        scheduler.call_at(scheduler.now + delay_ns, self._step)

    def _step(self, _argument: None) -> None:
        if self._over:
            return
        if self._sent == PROBE_COUNT:
            self.finish(None)
            return
        self._arp.send_probe(self._address)
        self._sent += 1
        last = self._sent == PROBE_COUNT
        self._in(ANNOUNCE_WAIT_NS if last else self._random().randint(PROBE_MIN_NS, PROBE_MAX_NS))

    def _random(self) -> Random:
        interface = self._arp.interface
        return interface.host.world.streams.stream(f"arp {interface.full_name}")
