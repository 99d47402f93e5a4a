"""Ways from an address of a host to a destination: what transports send by.

A path is what the destination cache of RFC 4861 (5.1) and the route cache of RFC 1122 (3.3.1.3)
hold: source, interface and next hop, found out once for many packets. It is asked for with
:meth:`sdnvirt.host.ip.IpLayer.path`, which gives the same one again while addresses and routes
are what they were; after that the old one is *stale*, and its owner asks anew.

A transport computes its checksum for the path's addresses and calls :meth:`Path.send`, which is
the same for both versions of IP.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from sdnvirt.addresses import BROADCAST, IpAddress, Mac
from sdnvirt.host.families import Family, Fields
from sdnvirt.host.routes import TooBig

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.ip import IpLayer

OnFailure = Callable[[str], None]
"""Told in words that a packet never left the host because its next hop does not answer."""


class Fragmentation(Enum):
    """Who may fragment a packet that does not fit a link of its path."""

    NOBODY = "it is refused, or an error comes back (Linux's IP_PMTUDISC_DO)"
    SENDER = "the sender, to the path MTU that it has learned (IP_PMTUDISC_WANT)"
    ANYBODY = "routers, too, where the version of IP lets them (IP_PMTUDISC_DONT)"


class Path(ABC):
    """The way from an address of this host to a destination.

    Attributes:
        src: the address that packets come from.
        dst: where they go.
        interface: by which they leave.
        next_hop: the neighbour that they are handed to; ``dst`` itself if it is one.
        hop_limit: what packets are given that say nothing else.
        template: makes the usual packets.
        stale: whether addresses or routes changed, so that the path is to be asked for again.
    """

    __slots__ = (
        "_family", "_ip", "dst", "hop_limit", "interface", "next_hop", "src", "stale", "template",
    )  # fmt: skip

    def __init__(
        self,
        ip: IpLayer,
        family: Family,
        interface: Interface,
        src: IpAddress,
        dst: IpAddress,
        next_hop: IpAddress,
    ) -> None:
        self._ip = ip
        self._family = family
        self.interface = interface
        self.src = src
        self.dst = dst
        self.next_hop = next_hop
        self.hop_limit = family.hop_limit(interface)
        self.stale = False
        self.template = family.template(src, dst)

    @property
    def mtu(self) -> int:
        """Bytes of the largest packet, IP header included, that is known to get through."""
        ip = self._ip
        link_mtu = self._family.link_mtu(self.interface)
        if not ip.path_mtus.known:
            return link_mtu
        return ip.path_mtus.get(self.dst, link_mtu, ip.host.world.scheduler.now)

    @property
    def max_payload(self) -> int:
        """Bytes of the largest payload that gets through in one packet, as TCP's MSS needs it."""
        return self.mtu - self._family.header_length

    def send(
        self,
        protocol: int,
        payload: bytes,
        *,
        hop_limit: int | None = None,
        dscp: int = 0,
        ecn: int = 0,
        fragmentation: Fragmentation = Fragmentation.NOBODY,
        cause: int = 0,
        on_failure: OnFailure | None = None,
        router_alert: bool = False,
    ) -> TooBig | None:
        """Send a payload in one packet, or in fragments of one.

        Args:
            protocol: what the payload is, 8 bits.
            payload: the bytes behind the IP header.
            hop_limit: routers that it may cross plus one, 1 to 255; by default the path's.
            dscp: differentiated services code point, 6 bits.
            ecn: explicit congestion notification, 2 bits (RFC 3168).
            fragmentation: who may fragment it.
            cause: the conversation that the packet belongs to.
            on_failure: told in words if the next hop does not answer.
            router_alert: whether routers on the way are to look at it (RFC 2113, RFC 2711).

        Returns:
            why the packet was refused, or None if it was not.
        """
        hops = self.hop_limit if hop_limit is None else hop_limit
        if fragmentation is Fragmentation.NOBODY and not router_alert:
            return self.send_whole(protocol, payload, hops, dscp << 2 | ecn, cause, on_failure)
        family = self._family
        length = family.header_length + len(payload)
        mtu = self.mtu
        if length > mtu:
            if fragmentation is Fragmentation.NOBODY or length > family.max_length:
                return TooBig(length, min(mtu, family.max_length))
            if fragmentation is Fragmentation.ANYBODY:
                mtu = family.unaided_mtu(mtu, self.interface.mtu)
        fields = Fields(
            self.src, self.dst, protocol, hops, dscp, ecn, self._ip.next_identification(),
            fragmentation is not Fragmentation.ANYBODY, router_alert,
        )  # fmt: skip
        if length <= mtu:
            self._transmit(family.emit(fields, payload), cause, on_failure)
        else:
            for fragment in family.fragments(fields, payload, mtu):
                self._transmit(fragment, cause, on_failure)
        return None

    def send_whole(
        self,
        protocol: int,
        payload: bytes,
        hop_limit: int,
        traffic_class: int,
        cause: int,
        on_failure: OnFailure | None,
    ) -> TooBig | None:
        """Send a payload in one packet that nobody may fragment, as :meth:`send` does by default.

        Args:
            protocol: what the payload is, 8 bits.
            payload: the bytes behind the IP header.
            hop_limit: routers that it may cross plus one, 1 to 255.
            traffic_class: DSCP and ECN, 8 bits.
            cause: the conversation that the packet belongs to.
            on_failure: told in words if the next hop does not answer, or None.

        Returns:
            why the packet was refused, or None if it was not.
        """
        family, ip = self._family, self._ip
        length = family.header_length + len(payload)
        mtu = self.mtu if ip.path_mtus.known else family.link_mtu(self.interface)
        if length > mtu:
            return TooBig(length, min(mtu, family.max_length))
        identification = ip.next_identification()
        packet = self.template.packet(protocol, payload, hop_limit, traffic_class, identification)
        self._transmit(packet, cause, on_failure)
        return None

    def confirm(self) -> None:  # noqa: B027 - most paths have nobody to hear it
        """Hear from a transport that what it sent arrived (RFC 4861, 7.3.1)."""

    @abstractmethod
    def _transmit(self, packet: bytes, cause: int, on_failure: OnFailure | None) -> None:
        """Hand a packet to the interface."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.src} > {self.dst} by {self.interface.name}>"


class NeighbourPath(Path):
    """A path over a neighbour, whose MAC address is to be resolved."""

    __slots__ = ("_resolver",)

    def __init__(
        self,
        ip: IpLayer,
        family: Family,
        interface: Interface,
        src: IpAddress,
        dst: IpAddress,
        next_hop: IpAddress,
    ) -> None:
        super().__init__(ip, family, interface, src, dst, next_hop)
        self._resolver = interface.resolver(next_hop)

    def _transmit(self, packet: bytes, cause: int, on_failure: OnFailure | None) -> None:
        self._resolver.send(self.next_hop, packet, cause, on_failure)

    def confirm(self) -> None:
        """Tell the neighbour cache that what was sent arrived (RFC 4861, 7.3.1)."""
        self._resolver.confirm(self.next_hop)


class LocalPath(Path):
    """A path to an address of this host, which no cable sees (RFC 1122, 3.2.1.3, case g)."""

    __slots__ = ()

    @property
    def mtu(self) -> int:
        """Bytes of the largest packet that the loopback interface takes and a header can tell."""
        return min(self.interface.mtu, self._family.max_length)

    def _transmit(self, packet: bytes, cause: int, _on_failure: OnFailure | None) -> None:
        self.interface.transmit(self._family.ethertype, self.interface.mac, packet, cause)


class LinkPath(Path):
    """A path to a MAC address that is known without asking: of a group, of all, or of a client."""

    __slots__ = ("_mac",)

    def __init__(
        self,
        ip: IpLayer,
        family: Family,
        interface: Interface,
        src: IpAddress,
        dst: IpAddress,
        mac: Mac | None = None,
    ) -> None:
        super().__init__(ip, family, interface, src, dst, dst)
        self._mac = mac or (dst.group_mac if dst.is_multicast else BROADCAST)
        if dst.is_multicast:
            self.hop_limit = 1  # until the sender says more (RFC 1112, 6.1)

    def _transmit(self, packet: bytes, cause: int, _on_failure: OnFailure | None) -> None:
        self.interface.transmit(self._family.ethertype, self._mac, packet, cause)


class GroupPath(LinkPath):
    """A path to a group, which this host may be in, too (RFC 1112, 6.1).

    Programs send by it; what hosts tell each other about the link does not come back.
    """

    __slots__ = ()

    def _transmit(self, packet: bytes, cause: int, on_failure: OnFailure | None) -> None:
        super()._transmit(packet, cause, on_failure)
        if self.dst in self.interface.groups:
            self.interface.loop_back(self._family.ethertype, packet, cause)
