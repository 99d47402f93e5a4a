"""How often a connection answers segments that nobody honest need have sent (RFC 5961, section 7).

The count is the connection's own. One for the whole host would let an attacker find out by his
own connections whether he has hit another's window.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.units import NS_PER_S

LIMIT: Final = 10
PERIOD_NS: Final = 5 * NS_PER_S
"""Ten in five seconds, the example of RFC 5961, section 7."""


class ChallengeLimit:
    """Counts the answers of one connection."""

    __slots__ = ("_count", "_since_ns")

    def __init__(self) -> None:
        self._count = 0
        self._since_ns = 0

    def allows(self, now: int) -> bool:
        """Whether one more may be sent now (ns); it counts as sent if so."""
        if now - self._since_ns >= PERIOD_NS:
            self._since_ns = now
            self._count = 0
        self._count += 1
        return self._count <= LIMIT
