"""Roles of controllers, and which asynchronous messages each gets.

OpenFlow 1.3.5, 7.3.9 (roles) and 7.3.10, whose masks are bits by reason. They belong to a
connection and survive changes of role.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from sdnvirt.openflow.v13.constants import DEFAULT_MISS_SEND_LEN, OFPCR, OFPPR, OFPR, OFPRR
from sdnvirt.openflow.v13.error_codes import OFPRRFC, refuse

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent

_GENERATIONS: Final = 1 << 64


class Asynchronous(Enum):
    """The kinds of messages that a switch sends unasked."""

    PACKET_IN = "packet-in"
    PORT_STATUS = "port status"
    FLOW_REMOVED = "flow removed"


_MASKS: Final[dict[Asynchronous, tuple[str, str]]] = {
    Asynchronous.PACKET_IN: ("packet_in", "packet_in_slave"),
    Asynchronous.PORT_STATUS: ("port_status", "port_status_slave"),
    Asynchronous.FLOW_REMOVED: ("flow_removed", "flow_removed_slave"),
}
"""Which mask is for each kind: of a controller that is equal or master, and of a slave."""


def _bits(*reasons: int) -> int:
    return sum(1 << reason for reason in reasons)


@dataclass(slots=True)
class AsyncMasks:
    """Which reasons are told, while a controller is equal or master, and while it is a slave.

    The values to begin with are those of the specification: everything but invalid TTLs, and to a
    slave only the state of ports.
    """

    packet_in: int = _bits(OFPR.NO_MATCH, OFPR.ACTION)
    packet_in_slave: int = 0
    port_status: int = _bits(*OFPPR)
    port_status_slave: int = _bits(*OFPPR)
    flow_removed: int = _bits(*OFPRR)
    flow_removed_slave: int = 0

    def wants(self, kind: Asynchronous, reason: int, role: int) -> bool:
        """Whether a controller in a role is told of something that happened for a reason."""
        mask: int = getattr(self, _MASKS[kind][role == OFPCR.SLAVE])
        return bool(mask >> reason & 1)


@dataclass(slots=True)
class Standing:
    """What one controller has asked for: the same on all of its connections.

    Attributes:
        role: one of OFPCR.
        masks: which asynchronous messages it gets.
        miss_send_len: bytes of a packet-in for packets that no output action sends (7.3.2).
    """

    role: int = OFPCR.EQUAL
    masks: AsyncMasks = field(default_factory=AsyncMasks)
    miss_send_len: int = DEFAULT_MISS_SEND_LEN

    def forget(self) -> None:
        """Begin anew: nothing was asked for."""
        self.role = OFPCR.EQUAL
        self.masks = AsyncMasks()
        self.miss_send_len = DEFAULT_MISS_SEND_LEN


class Mastership:
    """Who is the master of a switch.

    Attributes:
        generation_id: of the last election that the switch has heard of, or None.
    """

    __slots__ = ("generation_id",)

    def __init__(self) -> None:
        self.generation_id: int | None = None

    def request(self, agents: list[Agent], asking: Agent, role: int, generation_id: int) -> None:
        """Give a controller the role that it asks for; there is one master at most.

        Args:
            agents: the main connections of the switch.
            asking: the connection that asks, a main or an auxiliary one.
            role: one of OFPCR.
            generation_id: 64 bits that count elections, and may wrap.

        Raises:
            OpenFlowError: the generation is older than the last one (OFPRRFC_STALE).
        """
        if role == OFPCR.NOCHANGE:
            return
        if role in (OFPCR.MASTER, OFPCR.SLAVE):
            self._check(generation_id)
            self.generation_id = generation_id
        if role == OFPCR.MASTER:
            for agent in agents:
                if agent.standing.role == OFPCR.MASTER:
                    agent.standing.role = OFPCR.SLAVE
        asking.standing.role = role

    def _check(self, generation_id: int) -> None:
        last = self.generation_id
        # The difference is signed, so that counting may wrap around.
        if last is not None and (generation_id - last) % _GENERATIONS >= _GENERATIONS >> 1:
            raise refuse(OFPRRFC.STALE, f"generation {generation_id} is older than {last}")
