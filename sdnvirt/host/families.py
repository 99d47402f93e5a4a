"""What differs between IPv4 and IPv6 when a host sends: the header, and how packets are cut.

RFC 791, 2.3 and 3.2, for IPv4; RFC 8200, 3 and 4.5, for IPv6.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6
from sdnvirt.host.fragmenting import FRAGMENT_UNIT, cut_packet
from sdnvirt.wire import igmp, ipv4, ipv6
from sdnvirt.wire.ipv4 import Ipv4Packet
from sdnvirt.wire.ipv6 import Ipv6Packet
from sdnvirt.wire.ipv6_extensions import (
    ROUTER_ALERT_MLD,
    Extension,
    ExtensionType,
    Fragment,
    Options,
)

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface

HeaderTemplate = ipv4.HeaderTemplate | ipv6.HeaderTemplate
"""Makes packets as nearly all are: whole, without options, not to be cut by routers."""


@dataclass(slots=True)
class Fields:
    """What goes into the header of a packet; see :meth:`sdnvirt.host.paths.Path.send`.

    Attributes:
        identification: joins the fragments of the packet.
        discover: whether routers are to refuse a packet that is too big and tell its sender.
    """

    src: IpAddress
    dst: IpAddress
    protocol: int
    hop_limit: int
    dscp: int
    ecn: int
    identification: int
    discover: bool
    router_alert: bool


class Family(ABC):
    """A version of IP, as senders see it.

    Attributes:
        ethertype: as it stands in a frame.
        header_length: bytes of a header without anything special.
        max_length: bytes of the largest packet that can be made.
    """

    ethertype: bytes
    header_length: int
    max_length: int

    @abstractmethod
    def emit(self, fields: Fields, payload: bytes) -> bytes:
        """Return a whole packet."""

    @abstractmethod
    def template(self, src: IpAddress, dst: IpAddress) -> HeaderTemplate:
        """Return what makes the usual packets between two addresses."""

    @abstractmethod
    def link_mtu(self, interface: Interface) -> int:
        """Return the bytes of the largest packet that an interface sends."""

    @abstractmethod
    def hop_limit(self, interface: Interface) -> int:
        """Return the hop limit of packets that say nothing else."""

    @abstractmethod
    def unaided_mtu(self, path_mtu: int, link_mtu: int) -> int:
        """Return the MTU to cut packets to if routers may cut them further."""

    @abstractmethod
    def fragments(self, fields: Fields, payload: bytes, mtu: int) -> Iterator[bytes]:
        """Return the fragments of a packet that is larger than the MTU, in order."""


class _Ipv4Family(Family):
    ethertype = b"\x08\x00"
    header_length = ipv4.HEADER_LENGTH
    max_length = ipv4.MAX_LENGTH

    def emit(self, fields: Fields, payload: bytes) -> bytes:
        return self._packet(fields, payload, fields.discover).emit()

    def template(self, src: IpAddress, dst: IpAddress) -> HeaderTemplate:
        assert isinstance(src, Ipv4)
        assert isinstance(dst, Ipv4)
        return ipv4.HeaderTemplate(src, dst)

    def link_mtu(self, interface: Interface) -> int:
        return interface.mtu

    def hop_limit(self, interface: Interface) -> int:
        return ipv4.DEFAULT_TTL

    def unaided_mtu(self, path_mtu: int, link_mtu: int) -> int:
        return link_mtu

    def fragments(self, fields: Fields, payload: bytes, mtu: int) -> Iterator[bytes]:
        # Cut already, the packet may be cut again: finding a smaller path MTU by losing all of its
        # fragments would be dear.
        yield from cut_packet(self._packet(fields, payload, False), mtu)

    @staticmethod
    def _packet(fields: Fields, payload: bytes, dont_fragment: bool) -> Ipv4Packet:
        assert isinstance(fields.src, Ipv4)
        assert isinstance(fields.dst, Ipv4)
        return Ipv4Packet(
            fields.src, fields.dst, fields.protocol, payload, fields.hop_limit, fields.dscp,
            fields.ecn, fields.identification & 0xFFFF, dont_fragment,
            options=igmp.ROUTER_ALERT if fields.router_alert else b"",
        )  # fmt: skip


class _Ipv6Family(Family):
    ethertype = b"\x86\xdd"
    header_length = ipv6.HEADER_LENGTH
    max_length = ipv6.HEADER_LENGTH + ipv6.MAX_PAYLOAD_LENGTH

    def emit(self, fields: Fields, payload: bytes) -> bytes:
        return self._packet(fields, payload).emit()

    def template(self, src: IpAddress, dst: IpAddress) -> HeaderTemplate:
        assert isinstance(src, Ipv6)
        assert isinstance(dst, Ipv6)
        return ipv6.HeaderTemplate(src, dst)

    def link_mtu(self, interface: Interface) -> int:
        nd = interface.nd
        assert nd is not None, "only an interface that speaks IPv6 has IPv6 paths"
        return min(interface.mtu, nd.autoconfiguration.mtu)

    def hop_limit(self, interface: Interface) -> int:
        nd = interface.nd
        assert nd is not None, "only an interface that speaks IPv6 has IPv6 paths"
        return nd.autoconfiguration.hop_limit

    def unaided_mtu(self, path_mtu: int, link_mtu: int) -> int:
        return path_mtu  # only senders fragment (RFC 8200, 5)

    def fragments(self, fields: Fields, payload: bytes, mtu: int) -> Iterator[bytes]:
        room = mtu - ipv6.HEADER_LENGTH - FRAGMENT_UNIT
        room = room // FRAGMENT_UNIT * FRAGMENT_UNIT
        for offset in range(0, len(payload), room):
            more = offset + room < len(payload)
            header = Fragment(offset, more, fields.identification)
            yield self._packet(fields, payload[offset : offset + room], header).emit()

    @staticmethod
    def _packet(fields: Fields, payload: bytes, fragment: Fragment | None = None) -> Ipv6Packet:
        assert isinstance(fields.src, Ipv6)
        assert isinstance(fields.dst, Ipv6)
        extensions: tuple[Extension, ...] = () if fragment is None else (fragment,)
        if fields.router_alert:
            alert = Options.padded(ExtensionType.HOP_BY_HOP, ROUTER_ALERT_MLD)
            extensions = (alert, *extensions)
        return Ipv6Packet(
            fields.src, fields.dst, fields.protocol, payload, fields.hop_limit, fields.dscp,
            fields.ecn, extensions=extensions,
        )  # fmt: skip


FAMILIES: Final[dict[type[IpAddress], Family]] = {Ipv4: _Ipv4Family(), Ipv6: _Ipv6Family()}
"""The versions of IP, by the type of their addresses."""
