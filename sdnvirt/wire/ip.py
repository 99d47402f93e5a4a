"""What the two versions of IP have in common, so that one text serves both.

The packets of both versions have ``src``, ``dst``, ``protocol``, ``payload``, ``hop_limit``,
``dscp``, ``ecn``, ``length``, ``is_fragment`` and ``emit()``.
"""

from __future__ import annotations

from sdnvirt.wire.ipv4 import Ipv4Packet
from sdnvirt.wire.ipv6 import Ipv6Packet

IpPacket = Ipv4Packet | Ipv6Packet
"""A packet of either version of IP."""
