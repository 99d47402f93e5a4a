"""Forwarding loops: packets that come back to a port again and again.

Counting the arrivals of a packet is all that most packets cost. Only one that arrives more often
than a way through a network is long is looked into: the ports that it comes to are remembered, and
at a port that it comes back to, its bytes are. The same packet at the same port is one that has
the same bytes but for what devices change on its way (time to live, header checksum, MAC addresses,
VLAN tags). So the copies of a flood for several tunnels, fragments, and the legs of a service chain
between which something was rewritten are different packets; what a link duplicates has a history of
its own (:meth:`sdnvirt.frame.Frame.duplicated`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdnvirt.capture.taps import packet_name
from sdnvirt.devices.device import Port
from sdnvirt.devices.link import ETHERNET_HEADER, VLAN_TAG, VLAN_TPIDS
from sdnvirt.devices.world import World
from sdnvirt.frame import NOBODY, Frame
from sdnvirt.units import format_time
from sdnvirt.wire.ethernet import EtherType

FEW_ARRIVALS: Final = 16
"""Arrivals of a packet that are not looked into: twice those between two machines on different
leaves of a fabric, tunnel included."""

RETURNS: Final = 4
"""Times that a packet may not come back to a port: a service chain that changes nothing in the
packet and alternates between both ends of a link comes back once for two functions. A packet that
circles between up to nine routers with the usual time to live of 64 comes back more often."""

KEPT_LOOPS: Final = 100
"""Looping packets kept in full: the first show where; all are counted."""

SHOWN_PORTS: Final = 8
"""Ports that a message names: the circles of most loops are shorter."""

_NO_MORE: Final = -(1 << 62)
"""Arrivals of a packet that was found looping: it is not looked into any more."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A packet that came back to a port too often.

    Attributes:
        time_ns: when that was seen.
        packet: what it is called.
        ports: full names of the ports that it came back to, in the order of its way.
    """

    time_ns: int
    packet: str
    ports: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.ports[:SHOWN_PORTS])
        more = len(self.ports) - SHOWN_PORTS
        shown += f" and {more} more" if more > 0 else ""
        return (
            f"{self.packet} came back again and again to {shown} (by {format_time(self.time_ns)})"
        )


class LoopWatch:
    """Looks into packets that arrive often.

    Args:
        world: the surroundings.

    Attributes:
        loops: the first KEPT_LOOPS packets that came back too often.
        count: how many did.
    """

    __slots__ = ("_scheduler", "count", "loops")

    def __init__(self, world: World) -> None:
        self._scheduler = world.scheduler
        self.loops: list[Loop] = []
        self.count = 0

    def look_into(self, port: Port, frame: Frame) -> None:
        """Take a frame that arrives at a port, of a packet with more than FEW_ARRIVALS."""
        provenance = frame.provenance
        if provenance is NOBODY:  # not one packet
            return
        if provenance.visits is None:
            provenance.visits = {}
        visits = provenance.visits
        if port not in visits:
            visits[port] = 0
            return
        place = (port, _unchanged(frame.data))
        returns = visits[place] = visits.get(place, 0) + 1
        if returns >= RETURNS:
            self._enter(frame, visits)

    def _enter(self, frame: Frame, visits: dict[object, int]) -> None:
        self.count += 1
        if len(self.loops) < KEPT_LOOPS:
            back = dict.fromkeys(place[0] for place in visits if isinstance(place, tuple))
            ports = tuple(port.full_name for port in back if isinstance(port, Port))
            name = packet_name(frame.provenance)
            self.loops.append(Loop(self._scheduler.now, name, ports))
        frame.provenance.arrivals = _NO_MORE
        frame.provenance.visits = None


def _unchanged(data: bytes) -> bytes:
    """Return the bytes of a frame behind addresses and tags that no router changes on its way."""
    start = ETHERNET_HEADER
    while data[start - 2 : start] in VLAN_TPIDS:
        start += VLAN_TAG
    match int.from_bytes(data[start - 2 : start], "big"):
        case EtherType.IPV4:  # the time to live is byte 8, the header checksum 10 and 11
            header, rest = data[start : start + 8] + data[start + 9 : start + 10], start + 12
        case EtherType.IPV6:  # the hop limit is byte 7
            header, rest = data[start : start + 7], start + 8
        case _:
            header, rest = b"", start
    return data[start - 2 : start] + header + data[rest:]
