"""Runs a neighbour cache for an interface: what ARP and neighbour discovery have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from sdnvirt.addresses import IpAddress, Mac
from sdnvirt.drops import DropReason
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.frame import Frame
from sdnvirt.host.neighbour_states import (
    Abandon,
    Effect,
    Gone,
    Incomplete,
    Pending,
    Solicit,
    Transitions,
    Transmit,
)
from sdnvirt.host.neighbours import Neighbours

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.paths import OnFailure


class Resolver(ABC):
    """Finds the MAC addresses of an interface's neighbours, in one version of IP.

    Attributes:
        interface: the interface.
        neighbours: the cache.
        ethertype: of the packets that wait for addresses.
        silence: what a conversation is told, after the address of the next hop, of a packet that
            never left because that does not answer.
    """

    __slots__ = ("_armed_for", "_scheduler", "interface", "neighbours")

    ethertype: bytes
    silence: str

    def __init__(self, interface: Interface, transitions: Transitions) -> None:
        self.interface = interface
        self.neighbours = Neighbours(transitions)
        self._scheduler = interface.host.world.scheduler
        self._armed_for = NEVER

    @property
    def now(self) -> int:
        """The present (ns)."""
        return self._scheduler.now

    def send(self, hop: IpAddress, packet: bytes, cause: int, on_failure: OnFailure | None) -> None:
        """Send a packet to a neighbour, as soon as its MAC address is known."""
        now = self._scheduler.now
        mac = self.neighbours.lookup(hop, now)
        if mac is not None:
            self.interface.transmit(self.ethertype, mac, packet, cause)
        else:
            self.carry_out(self.neighbours.send(hop, Pending(packet, cause, on_failure), now))

    def forward(self, hop: IpAddress, packet: bytes, frame: Frame, on_failure: OnFailure) -> None:
        """Send somebody else's packet on to a neighbour, as soon as its MAC address is known."""
        pending = Pending(packet, frame.provenance.cause, on_failure, frame)
        self.carry_out(self.neighbours.send(hop, pending, self.now))

    def resolve(self, hop: IpAddress, then: Callable[[], None], cause: int = 0) -> None:
        """Call back when the MAC address of a neighbour is known, or was given up."""
        wanted = Pending(b"", cause, then=then)
        self.carry_out(self.neighbours.send(hop, wanted, self.now))

    def is_resolving(self, hop: IpAddress) -> bool:
        """Whether packets wait for the answer of a neighbour."""
        return self.neighbours.state(hop, self.now) is Incomplete

    def confirm(self, hop: IpAddress) -> None:
        """Hear from a transport that what was sent by way of a neighbour arrived."""
        self.carry_out(self.neighbours.confirm(hop, self.now))

    def flush(self) -> None:
        """Forget all neighbours; packets that wait for one are given up."""
        self.carry_out(self.neighbours.flush())

    def carry_out(self, effects: list[Effect]) -> None:
        """Do what the cache says, and wake it up when it has more to say."""
        for effect in effects:
            match effect:
                case Transmit(_, Pending(then=then)) | Abandon(_, Pending(then=then), _) if (
                    then is not None
                ):
                    then()
                case Transmit(mac, Pending(packet, cause, _, None)):
                    self.interface.transmit(self.ethertype, mac, packet, cause)
                case Transmit(mac, Pending(packet, _, _, Frame() as frame)):
                    self.interface.pass_on(self.ethertype, mac, packet, frame)
                case Solicit(address, mac, cause):
                    self._solicit(address, mac, cause)
                case Abandon(address, pending, reason):
                    if pending.frame is not None:
                        self.interface.host.settle(pending.frame, reason)
                    # For want of room a packet is lost as it may be on any link: nobody is told.
                    unanswered = reason is DropReason.NEIGHBOUR_UNRESOLVED
                    if unanswered and pending.on_failure is not None:
                        pending.on_failure(f"{address}: {self.silence}")
                case Gone(address):
                    self._gone(address)
        due = self.neighbours.next_timeout()
        if due < self._armed_for:
            self._armed_for = due
            self._scheduler.call_at(due, self._tick)

    def _tick(self, _argument: None) -> None:
        self._armed_for = NEVER
        self.carry_out(self.neighbours.tick(self.now))

    @abstractmethod
    def _solicit(self, address: IpAddress, mac: Mac | None, cause: int) -> None:
        """Ask all neighbours for an address, or one whether it still has it."""

    @abstractmethod
    def _gone(self, address: IpAddress) -> None:
        """A neighbour that was known does not answer any longer."""
