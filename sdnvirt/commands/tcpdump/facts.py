"""What filters and lines need to know of a frame: each layer as far as it can be read."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from sdnvirt.addresses import IpAddress, Mac
from sdnvirt.errors import WireError
from sdnvirt.wire.arp import Arp
from sdnvirt.wire.dot1q import outer_tag, pop_tag
from sdnvirt.wire.ethernet import HEADER_LENGTH, EtherType
from sdnvirt.wire.ip import IpPacket
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.ipv6 import Ipv6Packet

_PORTS = (IpProtocol.TCP, IpProtocol.UDP, IpProtocol.SCTP)
_PORTS_LENGTH = 4


@dataclass(slots=True)
class Facts:
    """A frame, taken apart.

    Attributes:
        length: bytes of the frame.
        src_mac, dst_mac: its addresses.
        vlan: the VLAN of its outer tag, or None.
        ethertype: behind the tags.
        payload: what follows the EtherType.
        arp: the ARP packet, or None.
        ip: the IP packet, or None.
        ports: source and destination port of TCP, UDP or SCTP, or None.
    """

    length: int
    src_mac: Mac
    dst_mac: Mac
    vlan: int | None
    ethertype: int
    payload: bytes
    arp: Arp | None = None
    ip: IpPacket | None = None
    ports: tuple[int, int] | None = None

    @classmethod
    def of(cls, data: bytes) -> Facts | None:
        """Return what a frame is, or None if it is too short for one."""
        if len(data) < HEADER_LENGTH:
            return None
        bare, vlan = data, None
        while (tag := outer_tag(bare)) is not None:
            vlan = tag.vid if vlan is None else vlan
            bare = pop_tag(bare)
        ethertype = int.from_bytes(bare[12:14], "big")
        payload = bare[HEADER_LENGTH:]
        one = cls(len(data), Mac(data[6:12]), Mac(data[:6]), vlan, ethertype, payload)
        with suppress(WireError):  # as far as it makes sense
            one._look_deeper()
        return one

    def _look_deeper(self) -> None:
        if self.ethertype == EtherType.ARP:
            self.arp = Arp.parse(self.payload)
        elif self.ethertype == EtherType.IPV4:
            self.ip = Ipv4Packet.parse(self.payload)
        elif self.ethertype == EtherType.IPV6:
            self.ip = Ipv6Packet.parse(self.payload)
        packet = self.ip
        if packet is None or packet.protocol not in _PORTS or is_later_fragment(packet):
            return
        if len(packet.payload) >= _PORTS_LENGTH:
            first, second = packet.payload[:2], packet.payload[2:4]
            self.ports = (int.from_bytes(first, "big"), int.from_bytes(second, "big"))

    @property
    def addresses(self) -> tuple[IpAddress, IpAddress] | None:
        """Source and destination by IP, or sender and target of ARP."""
        if self.ip is not None:
            return self.ip.src, self.ip.dst
        return None if self.arp is None else (self.arp.sender_ip, self.arp.target_ip)


def is_later_fragment(packet: IpPacket) -> bool:
    """Whether a packet is a fragment that does not begin the payload."""
    if isinstance(packet, Ipv4Packet):
        return packet.fragment_offset > 0
    return packet.fragment is not None and packet.fragment.offset > 0
