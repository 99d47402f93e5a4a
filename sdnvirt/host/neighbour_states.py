"""The states of a neighbour, what can happen to it, and what comes of that (RFC 4861, 7.3.2).

They are those of IPv6's neighbour discovery, and say what RFC 826 leaves open: how long an answer
is believed, and how a neighbour that has gone is noticed. ARP and neighbour discovery differ in
their transitions only: of ARP, DELAY is left out, and a request to this host is believed like a
reply, as RFC 826 does, which saves half of the packets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sdnvirt.addresses import IpAddress, Mac
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.units import NS_PER_S

REQUEST_LIMIT: Final = 3
"""Requests without an answer before a neighbour counts as gone (RFC 4861, 10)."""

REQUEST_INTERVAL_NS: Final = NS_PER_S
"""Time between requests; at most one a second (RFC 1122, 2.3.2.1)."""

DELAY_NS: Final = 5 * NS_PER_S
"""Time in which a neighbour may show by itself that it is there (RFC 4861, 10)."""

REACHABLE_NS: Final = 30 * NS_PER_S
"""How long an answer is believed without asking again (RFC 4861, 10)."""

STALE_NS: Final = 60 * NS_PER_S
"""How long an address that nobody uses is kept after that."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A packet that needs the MAC address of its next hop.

    Attributes:
        packet: the IP packet.
        cause: the conversation it belongs to.
        on_failure: told in words if the next hop does not answer, or None.
        frame: the frame that brought it if it is somebody else's and only forwarded, else None.
        then: called in place of sending a packet, by who wants to know the address only, or None.
    """

    packet: bytes
    cause: int
    on_failure: Callable[[str], None] | None = None
    frame: Frame | None = None
    then: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Transmit:
    """Effect: send the packet to this MAC address."""

    mac: Mac
    pending: Pending


@dataclass(frozen=True, slots=True)
class Solicit:
    """Effect: ask for the MAC address, or ask ``mac`` whether it holds, on behalf of ``cause``."""

    address: IpAddress
    mac: Mac | None
    cause: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Effect: the packet cannot be sent; ``address`` is the next hop that it waited for."""

    address: IpAddress
    pending: Pending
    reason: DropReason


@dataclass(frozen=True, slots=True)
class Gone:
    """Effect: a neighbour that was known does not answer any longer; routers may be replaced."""

    address: IpAddress


Effect = Transmit | Solicit | Abandon | Gone


@dataclass(slots=True)
class Incomplete:
    """Nothing is known yet; packets wait for the answer."""

    waiting: list[Pending]
    cause: int
    asked: int
    due_ns: int


@dataclass(slots=True)
class Reachable:
    """The neighbour answered or asked less than REACHABLE_NS ago."""

    mac: Mac
    until_ns: int


@dataclass(slots=True)
class Stale:
    """The address was right once; it is used, and the first use asks again."""

    mac: Mac
    until_ns: int


@dataclass(slots=True)
class Delay:
    """The address is used, and the neighbour is given time to show that it still holds."""

    mac: Mac
    cause: int
    until_ns: int


@dataclass(slots=True)
class Probe:
    """The address is used while the neighbour is asked whether it still holds."""

    mac: Mac
    cause: int
    asked: int
    due_ns: int


class Absent:
    """There is no entry."""


Known = Reachable | Stale | Delay | Probe
Entry = Incomplete | Known


class Event(Enum):
    """What can happen to a neighbour."""

    USED = "a packet is to be sent to it"
    ANSWERED = "its answer to this host came"
    ASKED = "it asked this host"
    OVERHEARD = "it told somebody else, or everybody"
    MOVED = "it told another MAC address than was known"
    DOUBTED = "another MAC address was told that is not to replace the known one"
    CONFIRMED = "a conversation by way of it made progress"
    AGED = "its time in the state has passed"
    UNANSWERED = "REQUEST_LIMIT requests were not answered"


Transitions = dict[tuple[type, Event], type]
"""(state, event) to the next state; what is not there leaves the entry as it is."""

ARP: Final[Transitions] = {
    (Absent, Event.USED): Incomplete,
    (Absent, Event.ANSWERED): Stale,
    (Absent, Event.ASKED): Reachable,
    (Incomplete, Event.ANSWERED): Reachable,
    (Incomplete, Event.ASKED): Reachable,
    (Incomplete, Event.OVERHEARD): Stale,
    (Incomplete, Event.UNANSWERED): Absent,
    (Reachable, Event.ANSWERED): Reachable,
    (Reachable, Event.ASKED): Reachable,
    (Reachable, Event.MOVED): Stale,
    (Reachable, Event.CONFIRMED): Reachable,
    (Reachable, Event.AGED): Stale,
    (Stale, Event.USED): Probe,
    (Stale, Event.ANSWERED): Reachable,
    (Stale, Event.ASKED): Reachable,
    (Stale, Event.MOVED): Stale,
    (Stale, Event.CONFIRMED): Reachable,
    (Stale, Event.AGED): Absent,
    (Probe, Event.ANSWERED): Reachable,
    (Probe, Event.ASKED): Reachable,
    (Probe, Event.MOVED): Stale,
    (Probe, Event.CONFIRMED): Reachable,
    (Probe, Event.UNANSWERED): Absent,
}
"""The transitions of address resolution for IPv4."""

ND: Final[Transitions] = {
    (Absent, Event.USED): Incomplete,
    (Absent, Event.ASKED): Stale,
    (Incomplete, Event.ANSWERED): Reachable,
    (Incomplete, Event.ASKED): Stale,
    (Incomplete, Event.OVERHEARD): Stale,
    (Incomplete, Event.UNANSWERED): Absent,
    (Reachable, Event.ANSWERED): Reachable,
    (Reachable, Event.MOVED): Stale,
    (Reachable, Event.DOUBTED): Stale,
    (Reachable, Event.CONFIRMED): Reachable,
    (Reachable, Event.AGED): Stale,
    (Stale, Event.USED): Delay,
    (Stale, Event.ANSWERED): Reachable,
    (Stale, Event.MOVED): Stale,
    (Stale, Event.CONFIRMED): Reachable,
    (Stale, Event.AGED): Absent,
    (Delay, Event.ANSWERED): Reachable,
    (Delay, Event.MOVED): Stale,
    (Delay, Event.CONFIRMED): Reachable,
    (Delay, Event.AGED): Probe,
    (Probe, Event.ANSWERED): Reachable,
    (Probe, Event.MOVED): Stale,
    (Probe, Event.CONFIRMED): Reachable,
    (Probe, Event.UNANSWERED): Absent,
}
"""The transitions of neighbour discovery for IPv6 (RFC 4861, appendix C)."""
