"""What fits into what: MTUs inside and outside of VXLAN over IPv4 (RFC 7348, 4.3 and 5).

An MTU is the largest IP packet in bytes. The outer packet consists of IPv4, UDP and VXLAN headers
and the inner frame with its own Ethernet header, and tags if it has any.
"""

from __future__ import annotations

from sdnvirt.wire import ethernet
from sdnvirt.wire.dot1q import TAG_LENGTH
from sdnvirt.wire.vxlan import IP_OVERHEAD


def outer_packet_size(inner_frame_size: int) -> int:
    """Return the bytes of the outer IP packet around an inner frame of some bytes."""
    return inner_frame_size + IP_OVERHEAD


def inner_mtu(underlay_mtu: int, inner_tags: int = 0) -> int:
    """Return the largest MTU of tenant networks over an underlay, as 1550 over 1600.

    Args:
        underlay_mtu: MTU of every link of the underlay.
        inner_tags: VLAN tags within the tenants' frames.
    """
    return underlay_mtu - IP_OVERHEAD - ethernet.HEADER_LENGTH - inner_tags * TAG_LENGTH


def underlay_mtu(inner_mtu: int, inner_tags: int = 0) -> int:
    """Return the smallest MTU that the underlay's links need for tenant networks of an MTU."""
    return inner_mtu + ethernet.HEADER_LENGTH + inner_tags * TAG_LENGTH + IP_OVERHEAD
