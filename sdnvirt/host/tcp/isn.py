"""Initial sequence numbers (RFC 6528), and SYN cookies (RFC 4987, 3.6).

A cookie is an initial number from which the listener can tell, when it comes back in an ACK, that
it has sent it not long ago and what segment size the peer asked for. So a SYN costs no memory
while too many of them wait for their third packet. Such connections have no windows above 64 KiB,
no selective acknowledgements and no timestamps: there is no place to remember that they were
offered.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from sdnvirt.addresses import IpAddress
from sdnvirt.host.tcp.sequence import MASK
from sdnvirt.units import NS_PER_S

TICK_NS: Final = 4000
"""The clock of initial numbers ticks every 4 us (RFC 9293, 3.4.1)."""

COOKIE_PERIOD_NS: Final = 64 * NS_PER_S
"""A cookie is good for the period in which it was made, and the next."""

COOKIE_MSS: Final = (216, 536, 940, 1220, 1340, 1440, 1460, 8960)
"""Segment sizes that fit in three bits: IP's minima, Ethernet with tunnels or without, jumbo."""

_HASH_BITS: Final = 24
_HASH_MASK: Final = (1 << _HASH_BITS) - 1
_PERIODS: Final = 32

Ends = tuple[IpAddress, int, IpAddress, int]
"""The addresses and ports of a connection: local address and port, then the remote ones."""


class SequenceNumbers:
    """Chooses the initial numbers of one host's connections, by a secret from the host's stream."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Take a secret of 16 to 64 bytes."""
        self._secret = secret

    def initial(self, ends: Ends, now: int) -> int:
        """Return the number to begin a connection with: M + F(ends, secret) (RFC 6528, 3)."""
        return (now // TICK_NS + self._hash(b"isn", ends)) & MASK

    def clock_offset(self, ends: Ends) -> int:
        """Return what is added to the clock of a connection's timestamps (RFC 7323, 5.4)."""
        return self._hash(b"clock", ends)

    def cookie(self, ends: Ends, irs: int, mss: int, now: int) -> int:
        """Return an initial number that says when it was made, and about the peer's MSS."""
        period = now // COOKIE_PERIOD_NS % _PERIODS
        size = max(n for n, known in enumerate(COOKIE_MSS) if known <= mss or n == 0)
        return period << 27 | size << _HASH_BITS | self._mac(ends, irs, period << 3 | size)

    def read_cookie(self, ends: Ends, irs: int, cookie: int, now: int) -> int | None:
        """Return the MSS that a cookie holds, or None if it is none of ours or too old."""
        period = cookie >> 27
        if (now // COOKIE_PERIOD_NS - period) % _PERIODS > 1:
            return None
        if self._mac(ends, irs, cookie >> _HASH_BITS) != cookie & _HASH_MASK:
            return None
        return COOKIE_MSS[cookie >> _HASH_BITS & 7]

    def _mac(self, ends: Ends, irs: int, head: int) -> int:
        purpose = b"cookie" + irs.to_bytes(4, "big") + bytes([head])
        return self._hash(purpose, ends) & _HASH_MASK

    def _hash(self, purpose: bytes, ends: Ends) -> int:
        local, local_port, remote, remote_port = ends
        ports = local_port << 16 | remote_port
        digest = blake2b(
            b"".join((purpose, local, remote, ports.to_bytes(4, "big"))),
            digest_size=4, key=self._secret,
        )  # fmt: skip
        return int.from_bytes(digest.digest(), "big")
