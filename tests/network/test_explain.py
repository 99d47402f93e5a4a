"""What a router tells that it would do with a frame."""

from __future__ import annotations

from typing import Any

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Dot1Q, Ether

from sdnvirt.network.network import Network

STICK = """
    name: stick
    hosts:
      h1: {address: 10.0.1.1/24}
      r1:
        forward: true
        interfaces:
          h1: {address: 10.0.1.254/24}
          b1: {vlans: {5: {address: 10.5.0.254/24}}}
        routes: [{to: 10.9.0.0/16, via: 10.5.0.9}]
    switches: {b1: {kind: bridge}}
    links:
      - {between: [h1, r1]}
      - {between: [r1, b1], trunk: [5]}
"""

pytestmark = pytest.mark.topology(text=STICK)


def told(network: Network, port: str, frame: Any) -> str:
    (line,) = network["r1"].explain(port, frame)
    return line


@pytest.mark.parametrize(
    ("dst", "ttl", "expected"),
    [
        ("10.9.0.1", 64, "10.0.1.254) forwards the frame at h1: 10.9.0.0/16 via 10.5.0.9 dev b1.5"),
        ("10.5.0.9", 64, "10.0.1.254) forwards the frame at h1: 10.5.0.0/24 dev b1.5"),
        ("10.5.0.9", 1, "10.0.1.254) drops the frame at h1: the time to live ran out"),
        ("10.8.0.1", 64, "10.0.1.254) drops the frame at h1: no route to the destination"),
        ("10.5.0.254", 64, "10.0.1.254) takes the frame at h1"),
        ("10.0.1.254", 64, "10.0.1.254) takes the frame at h1"),
    ],
)
def test_a_router_tells_where_it_sends_a_frame(
    network: Network, dst: str, ttl: int, expected: str
) -> None:
    mac = network["r1"].port("h1").mac
    frame = Ether(dst=str(mac), src="02:00:00:00:00:01") / IP(src="10.0.1.1", dst=dst, ttl=ttl)
    assert told(network, "h1", frame) == f"r1 ({mac}, {expected}"


def test_a_router_tells_what_becomes_of_tagged_frames(network: Network) -> None:
    mac = str(network["r1"].port("b1").mac)
    packet = IP(src="10.5.0.9", dst="10.0.1.1")
    tagged = Ether(dst=mac) / Dot1Q(vlan=5) / packet
    route = "forwards the frame at b1.5: 10.0.1.0/24 dev h1"
    assert told(network, "b1", tagged) == f"r1 ({mac}, 10.5.0.254) {route}"
    assert told(network, "b1", Ether(dst=mac) / Dot1Q(vlan=6) / packet).endswith(
        "drops the frame at b1: the VLAN is not allowed on the port it arrived at"
    )
    assert told(network, "b1", bytes(tagged)[:16]).endswith("the bytes break the protocol's rules")
    assert "drops the frame at b1" in told(network, "b1", Ether(dst=mac) / packet)
