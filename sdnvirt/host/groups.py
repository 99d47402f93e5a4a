"""Runs group membership for an interface: IGMP for IPv4, MLD for IPv6, in and out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ALL_ROUTERS, ANY_IPV4, ANY_IPV6, IpAddress, Ipv4, Ipv6
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.frame import Frame
from sdnvirt.host.families import FAMILIES
from sdnvirt.host.membership import Changed, Current, Effect, Membership
from sdnvirt.host.paths import LinkPath
from sdnvirt.wire import igmp, mld
from sdnvirt.wire.group_records import GroupRecord, RecordType
from sdnvirt.wire.icmpv6 import Icmpv6, Icmpv6Type
from sdnvirt.wire.igmp import IgmpType
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.ipv6 import Ipv6Packet
from sdnvirt.wire.ipv6_extensions import ROUTER_ALERT_MLD, Options

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

ALL_ROUTERS_IPV4: Final = Ipv4("224.0.0.2")
ALL_IGMPV3_ROUTERS: Final = Ipv4("224.0.0.22")
"""Where departures of version 2 and reports of version 3 go (RFC 2236, 3; RFC 3376, 4.2.14)."""


class GroupService(ABC):
    """Tells routers what an interface listens to, in one version of IP.

    Attributes:
        machine: what is listened to, and what is to be told of it.
    """

    __slots__ = ("_armed_for", "_interface", "machine")

    def __init__(self, interface: Interface, name: str) -> None:
        stream = interface.host.world.streams.stream(f"{name} {interface.full_name}")
        self._interface = interface
        self._armed_for = NEVER
        self.machine = Membership(stream)

    def join(self, group: IpAddress) -> None:
        """Listen to a group, and tell so."""
        self._carry_out(self.machine.join(group, self._now))

    def leave(self, group: IpAddress) -> None:
        """Listen to a group no longer, and tell so."""
        self._carry_out(self.machine.leave(group, self._now))

    def stop(self) -> None:
        """Say nothing from now on; groups may be joined and left all the same."""
        self.machine.stop()

    def start(self) -> None:
        """Tell routers anew what is listened to."""
        self._carry_out(self.machine.start(self._now))

    @property
    def _now(self) -> int:
        return self._interface.host.world.scheduler.now

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Changed(group, joined, True):
                    self._tell_old(group, joined)
                case Current(groups, True):
                    for group in groups:
                        self._tell_old(group, True)
                case Changed(group, joined, False):
                    kind = RecordType.TO_EXCLUDE if joined else RecordType.TO_INCLUDE
                    self._tell((GroupRecord(kind, group),))
                case Current(groups, False):
                    self._tell(tuple(GroupRecord(RecordType.IS_EXCLUDE, one) for one in groups))
        due = self.machine.next_timeout()
        if due < self._armed_for:
            self._armed_for = due
            self._interface.host.world.scheduler.call_at(due, self._tick)

    def _tick(self, _argument: None) -> None:
        self._armed_for = NEVER
        self._carry_out(self.machine.tick(self._now))

    @abstractmethod
    def _tell(self, records: tuple[GroupRecord, ...]) -> None:
        """Send a report of the newest version."""

    @abstractmethod
    def _tell_old(self, group: IpAddress, joined: bool) -> None:
        """Send a report, or a departure, of the version before."""


class IgmpService(GroupService):
    """IGMP on an interface."""

    __slots__ = ()

    def __init__(self, interface: Interface) -> None:
        super().__init__(interface, "igmp")

    def receive(self, packet: Ipv4Packet) -> DropReason | None:
        """Take a message; return why it was of no use, or None if it was."""
        message = igmp.parse(packet.payload)
        if isinstance(message, igmp.Query):
            old = message.version < 3
            self.machine.queried(message.group, message.max_response_ms, old, self._now)
            self._carry_out([])
            return None
        if isinstance(message, igmp.Membership) and message.type != IgmpType.LEAVE:
            self.machine.overheard(message.group)
            return None
        return DropReason.NOT_FOR_ME_L3  # reports of version 3 are for routers

    def _tell(self, records: tuple[GroupRecord, ...]) -> None:
        self._send(ALL_IGMPV3_ROUTERS, igmp.Report(records))

    def _tell_old(self, group: IpAddress, joined: bool) -> None:
        assert isinstance(group, Ipv4)
        kind = IgmpType.REPORT_V2 if joined else IgmpType.LEAVE
        self._send(group if joined else ALL_ROUTERS_IPV4, igmp.Membership(kind, group))

    def _send(self, dst: Ipv4, message: igmp.Igmp) -> None:
        interface = self._interface
        source = interface.address or ANY_IPV4  # nobody has to have an address (RFC 3376, 4.2.13)
        path = LinkPath(interface.host.ip, FAMILIES[Ipv4], interface, source, dst)
        path.send(IpProtocol.IGMP, message.emit(), hop_limit=1, router_alert=True)


class MldService(GroupService):
    """MLD on an interface."""

    __slots__ = ()

    def __init__(self, interface: Interface) -> None:
        super().__init__(interface, "mld")

    def receive(self, message: Icmpv6, packet: Ipv6Packet) -> DropReason | None:
        """Take a message; return why it was of no use, or None if it was."""
        if (
            packet.hop_limit != 1
            or not (packet.src.is_link_local or packet.src.is_unspecified)
            or not _alerts_routers(packet)
        ):
            return DropReason.MALFORMED  # (RFC 3810, 5.1.14 and 6.2)
        if message.type == Icmpv6Type.LISTENER_QUERY:
            query = mld.Query.of(message)
            old = query.version < 2
            self.machine.queried(query.group, query.max_response_ms, old, self._now)
            self._carry_out([])
            return None
        if message.type == Icmpv6Type.LISTENER_REPORT:
            self.machine.overheard(mld.Listener.of(message).group)
            return None
        return DropReason.NOT_FOR_ME_L3  # the others are for routers

    def _tell(self, records: tuple[GroupRecord, ...]) -> None:
        self._send(mld.ALL_MLDV2_ROUTERS, mld.Report(records).message())

    def _tell_old(self, group: IpAddress, joined: bool) -> None:
        assert isinstance(group, Ipv6)
        message = mld.Listener(group, done=not joined).message()
        self._send(group if joined else ALL_ROUTERS, message)

    def _send(self, dst: Ipv6, message: Icmpv6) -> None:
        interface = self._interface
        # Until the link-local address is known to be unique (RFC 3590, 4).
        source = interface.link_local or ANY_IPV6
        path = LinkPath(interface.host.ip, FAMILIES[Ipv6], interface, source, dst)
        data = message.emit(source, dst)
        path.send(IpProtocol.ICMPV6, data, hop_limit=1, router_alert=True)


def _alerts_routers(packet: Ipv6Packet) -> bool:
    first = packet.extensions[0] if packet.extensions else None
    return isinstance(first, Options) and ROUTER_ALERT_MLD in first.options


def receive_igmp(
    _host: Host, interface: Interface, packet: IpPacket, _frame: Frame
) -> DropReason | None:
    """Take an IGMP message; return why it was of no use, or None if it was.

    Raises:
        WireError: the bytes are not an IGMP message.
    """
    if not isinstance(packet, Ipv4Packet):
        return DropReason.UNKNOWN_PROTOCOL
    if interface.igmp is None:
        igmp.parse(packet.payload)
        return DropReason.NOT_FOR_ME_L3
    return interface.igmp.receive(packet)
