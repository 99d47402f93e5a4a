"""Outer headers of VXLAN packets, and the source port that stands for the inner flow (RFC 7348, 5).

All packets from one VTEP to another share most of their first 50 bytes, so these are prepared once
and each packet gets what is its own: lengths, header checksum, source port and VNI.

Choices that the RFC leaves open: the UDP checksum is zero; IPv4 forbids fragmentation and has the
identification 0, as is allowed then (RFC 6864, 4.1); DSCP and ECN are zero whatever the inner
packet says, so tenants cannot mark traffic of the underlay (the pipe model of RFC 2983).
"""

from __future__ import annotations

import struct
from typing import Final
from zlib import crc32

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.underlay import inner_flow
from sdnvirt.frame import Frame
from sdnvirt.wire import ipv4, udp, vxlan
from sdnvirt.wire.checksum import update_checksum16
from sdnvirt.wire.ethernet import Ethernet, EtherType
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet

FLOW_CACHE_LIMIT: Final = 65_536
"""Flows whose source port is remembered; at 200 bytes each, about 13 MB for a VTEP that is flooded
with new flows. When it is reached all are forgotten, and computed again as they come."""

SOURCE_PORTS: Final = vxlan.SRC_PORT_MAX - vxlan.SRC_PORT_MIN + 1

_GOLDEN_RATIO: Final = 0x9E3779B1
"""The odd number next to 2^32 divided by the golden ratio."""

_FIXED: Final = 16
"""Ethernet header, version, header length and type of service: what precedes the total length."""

_OUTER: Final = struct.Struct("!16sH6sH8sHHHHII")
_VNI_VALID: Final = 0x08 << 24


class OuterHeaders:
    """The headers of all packets from one tunnel endpoint to another.

    Args:
        src_mac: address of the sending NIC.
        next_hop: address of the router that it is linked to.
        src: underlay address of the sender.
        dst: underlay address of the receiver.
    """

    __slots__ = ("_addresses", "_checksum", "_fixed", "_lifetime")

    def __init__(self, src_mac: Mac, next_hop: Mac, src: Ipv4, dst: Ipv4) -> None:
        empty = Ipv4Packet(src, dst, IpProtocol.UDP, b"", dont_fragment=True).emit()
        frame = Ethernet(next_hop, src_mac, EtherType.IPV4, empty).emit()
        self._fixed = frame[:_FIXED]
        self._lifetime = frame[18:24]  # identification, flags, time to live, protocol
        self._addresses = frame[26:34]
        # The checksum of a header whose total length is zero, to which each length is added.
        self._checksum = update_checksum16(
            int.from_bytes(frame[24:26], "big"), ipv4.HEADER_LENGTH, 0
        )

    def emit(self, vni: int, source_port: int, inner: bytes) -> bytes:
        """Return the whole outer frame of an inner frame.

        Args:
            vni: VXLAN network identifier, 24 bits.
            source_port: outer UDP source port.
            inner: the inner frame, such that the outer packet stays below 65,536 bytes.
        """
        size = len(inner)
        length = size + vxlan.IP_OVERHEAD
        return (
            _OUTER.pack(
                self._fixed, length, self._lifetime,
                update_checksum16(self._checksum, 0, length), self._addresses,
                source_port, vxlan.UDP_PORT, length - ipv4.HEADER_LENGTH, udp.NO_CHECKSUM,
                _VNI_VALID, vni << 8,
            )
            + inner
        )  # fmt: skip


class SourcePorts:
    """The source port of each inner flow: the same for all its packets, spread over 49152 to 65535.

    A port depends on nothing but the flow; what is remembered only saves computing it again.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}

    @property
    def remembered(self) -> int:
        """How many flows' ports are remembered."""
        return len(self._known)

    def port(self, frame: Frame) -> int:
        """Return the source port for a frame; quickly, if the frame carries its flow key."""
        key = frame.key
        if key is None:
            return source_port(frame.data)
        known = self._known
        port = known.get(key)
        if port is None:
            if len(known) >= FLOW_CACHE_LIMIT:
                known.clear()
            port = known[key] = source_port(frame.data)
        return port


def source_port(inner: bytes) -> int:
    """Return the outer source port for the flow of an inner frame."""
    # Flows often differ in few bits, and some 14 bits of a CRC, which is linear, may tell only
    # half of them apart; the high bits of a product depend on all bits below (Knuth, 6.4).
    product = crc32(inner_flow(inner)) * _GOLDEN_RATIO & 0xFFFFFFFF
    return vxlan.SRC_PORT_MIN + (product * SOURCE_PORTS >> 32)
