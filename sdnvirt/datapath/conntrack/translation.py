"""What the addresses and ports of a new connection may be translated to (ovs-actions(7), nat)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from zlib import crc32

from sdnvirt.datapath.conntrack.packets import Endpoints
from sdnvirt.openflow.nicira.conntrack import Nat, Range
from sdnvirt.openflow.nicira.constants import NXNAT

CANDIDATES_LIMIT: Final = 1 << 16
"""Addresses and ports tried for one connection's translation: all ports of one address."""

_FIRST_FREE_PORT: Final = 1024
"""Source ports from here on are free for translation, as in Open vSwitch."""

_LAST_PORT: Final = 0xFFFF


def candidates(endpoints: Endpoints, nat: Nat) -> Iterator[Endpoints]:
    """Yield what a connection may be translated to, in the order in which it is tried.

    Where in the ranges it begins depends on the connection alone, so that runs are repeatable;
    of a persistent translation, on the client's address.
    """
    if not nat.flags & (NXNAT.SRC | NXNAT.DST):
        yield endpoints
        return
    source = bool(nat.flags & NXNAT.SRC)
    addresses = (nat.ipv4 if endpoints.version == 4 else nat.ipv6) or _itself(
        endpoints.src if source else endpoints.dst
    )
    spread = crc32(repr(endpoints.src if nat.flags & NXNAT.PERSISTENT else endpoints).encode())
    tried = 0
    for address in _around(addresses, spread):
        for port in _ports(endpoints, nat, source, spread):
            if tried >= CANDIDATES_LIMIT:
                return
            tried += 1
            if source:
                yield endpoints._replace(src=address, src_port=port)
            else:
                yield endpoints._replace(dst=address, dst_port=port)


def _itself(number: int) -> Range:
    return Range(number, number)


def _around(numbers: Range, spread: int) -> Iterator[int]:
    """Yield the numbers of a range, from one in its midst on and around."""
    size = numbers.last - numbers.first + 1
    return (numbers.first + (spread + i) % size for i in range(min(size, CANDIDATES_LIMIT)))


def _ports(endpoints: Endpoints, nat: Nat, source: bool, spread: int) -> Iterator[int]:
    own = endpoints.src_port if source else endpoints.dst_port
    if not endpoints.has_ports:
        yield own
    elif nat.ports is not None:
        yield from _around(nat.ports, spread)
    else:
        yield own
        if source:
            yield from _around(Range(_FIRST_FREE_PORT, _LAST_PORT), spread)
