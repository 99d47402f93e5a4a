"""Reassembly of fragments as a pure machine (RFC 791, 3.2; RFC 815; RFC 8200, 4.5; RFC 5722).

One machine serves both versions of IP. Fragments that overlap end the packet: nobody who means well
sends them (RFC 5722, and for IPv4 RFC 1858 and RFC 3128); an exact repetition is only a duplicate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from sdnvirt.addresses import IpAddress
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.units import NS_PER_S

TIMEOUT_NS: Final = 60 * NS_PER_S
"""How long the rest of a packet is waited for (RFC 1122, 3.3.2; RFC 8200, 4.5)."""

PACKET_LIMIT: Final = 64
"""Packets in reassembly, of 64 kB at most; the oldest makes way. This bounds memory to 4 MB."""

FRAGMENT_LIMIT: Final = 128
"""Fragments of one packet: the largest one, in pieces for an MTU of 576 bytes, needs 119."""

MAX_PAYLOAD: Final = 0xFFFF
"""A packet that would be longer is an attack ("ping of death")."""

Token = TypeVar("Token")

Key = tuple[IpAddress, IpAddress, int, int]
"""Source, destination, protocol (0 in IPv6) and identification."""


@dataclass(frozen=True, slots=True)
class Part(Generic[Token]):
    """A fragment.

    Attributes:
        offset: place of the payload in the whole one, bytes.
        more: whether this is not the last fragment.
        payload: the bytes.
        token: what the caller wants back with the packet.
    """

    offset: int
    more: bool
    payload: bytes
    token: Token


@dataclass(slots=True)
class _Gathering(Generic[Token]):
    """A packet of which some fragments are there."""

    due_ns: int
    length: int | None = None
    held: int = 0
    parts: dict[int, Part[Token]] = field(default_factory=dict)

    def fits(self, part: Part[Token]) -> bool:
        """Whether a fragment contradicts none that is there."""
        end = part.offset + len(part.payload)
        if not part.payload or (part.more and len(part.payload) % 8):
            return False
        if self.length is not None and (end > self.length or not part.more):
            return False
        others = self.parts.values()
        if not part.more and any(one.offset > part.offset for one in others):
            return False
        return all(
            end <= one.offset or one.offset + len(one.payload) <= part.offset for one in others
        )

    def add(self, part: Part[Token]) -> None:
        self.parts[part.offset] = part
        self.held += len(part.payload)
        if not part.more:
            self.length = part.offset + len(part.payload)

    def tokens(self) -> list[Token]:
        return [part.token for part in self.parts.values()]


@dataclass(frozen=True, slots=True)
class Whole(Generic[Token]):
    """Every fragment is there: the payload, and the tokens in the order of arrival."""

    payload: bytes
    tokens: list[Token]
    first: Token


@dataclass(frozen=True, slots=True)
class Waiting:
    """More fragments are needed."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The fragment was there already."""


@dataclass(frozen=True, slots=True)
class Refused(Generic[Token]):
    """The fragment does not fit; the packet is given up, and these were kept of it."""

    tokens: list[Token]


@dataclass(frozen=True, slots=True)
class Expired(Generic[Token]):
    """A packet was not whole in time, or had to make way.

    Attributes:
        tokens: what was kept of it.
        first: the token of its first fragment if that came, which an error can quote.
        timed_out: whether its time was over, of which the sender is told.
    """

    tokens: list[Token]
    first: Token | None
    timed_out: bool


Outcome = Whole[Token] | Waiting | Duplicate | Refused[Token]


class Reassembler(Generic[Token]):
    """The packets of one host that are not whole yet."""

    __slots__ = ("_gatherings",)

    def __init__(self) -> None:
        # All wait equally long, so the order of insertion is the order of the deadlines.
        self._gatherings: dict[Key, _Gathering[Token]] = {}

    def __len__(self) -> int:
        """Return the number of fragments that are kept."""
        return sum(len(one.parts) for one in self._gatherings.values())

    def add(self, key: Key, part: Part[Token], now: int) -> Outcome[Token]:
        """Take a fragment.

        Args:
            key: what packet it is of.
            part: the fragment.
            now: ns.
        """
        gathering = self._gatherings.get(key)
        if gathering is None:
            gathering = self._gatherings[key] = _Gathering(now + TIMEOUT_NS)
        there = gathering.parts.get(part.offset)
        if there is not None and (there.payload, there.more) == (part.payload, part.more):
            return Duplicate()
        too_long = part.offset + len(part.payload) > MAX_PAYLOAD
        if too_long or len(gathering.parts) >= FRAGMENT_LIMIT or not gathering.fits(part):
            del self._gatherings[key]
            return Refused(gathering.tokens())
        gathering.add(part)
        if gathering.held != gathering.length:
            return Waiting()
        del self._gatherings[key]
        parts = [gathering.parts[offset] for offset in sorted(gathering.parts)]
        payload = b"".join(one.payload for one in parts)
        return Whole(payload, gathering.tokens(), parts[0].token)

    def overflow(self) -> Expired[Token] | None:
        """Give up the oldest packet if there are too many; return what was kept of it."""
        if len(self._gatherings) <= PACKET_LIMIT:
            return None
        return self._give_up(next(iter(self._gatherings)), timed_out=False)

    def clear(self) -> list[Token]:
        """Give up all packets; return what was kept of them."""
        tokens = [token for one in self._gatherings.values() for token in one.tokens()]
        self._gatherings.clear()
        return tokens

    def tick(self, now: int) -> list[Expired[Token]]:
        """Give up the packets whose time is over."""
        expired = []
        while self.next_timeout() <= now:
            expired.append(self._give_up(next(iter(self._gatherings)), timed_out=True))
        return expired

    def next_timeout(self) -> int:
        """Return the time (ns) at which :meth:`tick` has something to do, or NEVER."""
        return next((one.due_ns for one in self._gatherings.values()), NEVER)

    def _give_up(self, key: Key, *, timed_out: bool) -> Expired[Token]:
        gathering = self._gatherings.pop(key)
        first = gathering.parts.get(0)
        return Expired(gathering.tokens(), None if first is None else first.token, timed_out)
