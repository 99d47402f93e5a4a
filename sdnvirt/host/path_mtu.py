"""The path MTUs that a host has learned (RFC 1191, 6.3; RFC 8201, 5.2 and 5.3): a pure machine.

What is known ages, so that a path that got wider is found out; only what is smaller than the MTU
of the first link is remembered.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.addresses import IpAddress, Ipv4
from sdnvirt.units import NS_PER_S
from sdnvirt.wire import ipv4, ipv6

TABLE_LIMIT: Final = 1024
"""Destinations; the oldest makes way, so hostile errors cost memory of some 100 kB at most."""

AGE_NS: Final = 600 * NS_PER_S
"""How long a path MTU is believed (RFC 1191, 6.3; RFC 8201, 5.3)."""

PLATEAUS: Final = (65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68)
"""MTUs of common links, tried in turn below a router that does not tell its own (RFC 1191, 7)."""


class PathMtus:
    """The path MTUs of one host.

    Attributes:
        known: by destination, each with the time (ns) until which it is believed; only to be read.
    """

    __slots__ = ("known",)

    def __init__(self) -> None:
        self.known: dict[IpAddress, tuple[int, int]] = {}

    def __len__(self) -> int:
        return len(self.known)

    def get(self, dst: IpAddress, link_mtu: int, now: int) -> int:
        """Return the MTU of the path to a destination: at most that of the first link."""
        found = self.known.get(dst)
        if found is None:
            return link_mtu
        mtu, until_ns = found
        if now >= until_ns:
            del self.known[dst]
            return link_mtu
        return min(mtu, link_mtu)

    def left_ns(self, dst: IpAddress, now: int) -> int:
        """Return for how long what was learned of a destination is believed, 0 if nothing was."""
        found = self.known.get(dst)
        return 0 if found is None else max(found[1] - now, 0)

    def learn(self, dst: IpAddress, mtu: int, length: int, link_mtu: int, now: int) -> int | None:
        """Believe an error that says that a packet was too big.

        Args:
            dst: where the packet went.
            mtu: what the error says, 0 if nothing.
            length: bytes of the packet that was too big.
            link_mtu: MTU of the first link.
            now: ns.

        Returns:
            the path MTU from now on, or None if the error says nothing new. It is never raised
            (RFC 8201, 4), and never below what every link of IPv6 carries, or the 68 bytes of
            IPv4.
        """
        before = self.get(dst, link_mtu, now)
        if isinstance(dst, Ipv4):
            if mtu == 0:  # a router from before RFC 1191
                mtu = next(plateau for plateau in PLATEAUS if plateau < max(length, 69))
            mtu = max(mtu, ipv4.MIN_MTU)
        else:
            mtu = max(mtu, ipv6.MIN_MTU)
        if mtu >= before:
            return None
        self.known.pop(dst, None)
        if len(self.known) >= TABLE_LIMIT:
            del self.known[next(iter(self.known))]
        self.known[dst] = (mtu, now + AGE_NS)
        return mtu
