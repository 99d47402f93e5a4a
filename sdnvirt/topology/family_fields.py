"""The types of values in a topology file that are about the versions of IP."""

from __future__ import annotations

from ipaddress import IPv6Network
from typing import Annotated, Any, Final

from sdnvirt.topology.fields import Leaf

MIN_PREFIX6: Final = 16
"""The shortest prefix of an IPv6 subnet: registries have shorter ones, networks have not."""

MAX_PREFIX6: Final = 112
"""The longest: room for the hosts of the largest fabric."""


def _subnet6(value: Any) -> IPv6Network:
    if not isinstance(value, str) or "/" not in value:
        raise ValueError(value)
    network = IPv6Network(value)
    if not MIN_PREFIX6 <= network.prefixlen <= MAX_PREFIX6:
        raise ValueError(value)
    if network.is_multicast or network.is_link_local or network.network_address.is_unspecified:
        raise ValueError(value)
    return network


def _family(value: Any) -> int:
    if type(value) is not int or value not in (4, 6):
        raise ValueError(value)
    return value


Subnet6 = Annotated[IPv6Network, Leaf(
    _subnet6, f"an IPv6 network from /{MIN_PREFIX6} to /{MAX_PREFIX6} with no host bits, "
    "such as 2001:db8::/64", "IPv6 network", {"type": "string"},
)]  # fmt: skip
Family = Annotated[int, Leaf(_family, "4 or 6", "4 or 6", {"type": "integer", "enum": [4, 6]})]
