"""Duplicate address detection (RFC 4862, 5.4): is an address of this interface anybody else's?"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import ANY_IPV6, IpAddress, Ipv6
from sdnvirt.host.addressing import AddressState, InterfaceAddress
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.nd import NeighbourSolicitation

if TYPE_CHECKING:
    from sdnvirt.host.nd import NdResolver

TRANSMITS: Final = 1
"""Solicitations for an address before it is used (RFC 4862, 5.1)."""

RETRANSMIT_NS: Final = NS_PER_S
"""Time between them, and after the last (RFC 4861, 10)."""

MAX_DELAY_NS: Final = NS_PER_S
"""The longest time before the first, so that not all hosts speak at once (RFC 4862, 5.4.2)."""


@dataclass(slots=True, eq=False)
class _Attempt:
    """The attempt to find out whether an address is unique."""

    address: InterfaceAddress
    left: int = TRANSMITS


class DuplicateDetection:
    """The addresses of one interface that are tentative."""

    __slots__ = ("_nd", "_pending", "_random")

    def __init__(self, nd: NdResolver, random: Random) -> None:
        self._nd = nd
        self._random = random
        self._pending: dict[IpAddress, _Attempt] = {}

    def start(self, address: InterfaceAddress) -> None:
        """Find out whether a tentative address is unique; it becomes preferred if so."""
        scheduler = self._nd.interface.host.world.scheduler
        attempt = self._pending[address.address] = _Attempt(address)
        delay = self._random.randrange(MAX_DELAY_NS)
        scheduler.call_at(scheduler.now + delay, self._step, attempt)

    def stop(self) -> None:
        """Pursue no address any longer; those that were tentative stay so."""
        self._pending.clear()

    def is_tentative(self, address: Ipv6) -> bool:
        """Whether nobody knows yet if an address is unique."""
        return address in self._pending

    def conflict(self, address: Ipv6) -> None:
        """Hear that somebody else has an address, or wants it, too (RFC 4862, 5.4.3 to 5.4.5)."""
        self._pending.pop(address).address.state = AddressState.DUPLICATE

    def _step(self, attempt: _Attempt) -> None:
        # An address that was taken away or is a duplicate is not pursued.
        address = attempt.address
        interface = self._nd.interface
        if self._pending.get(address.address) is not attempt:
            return
        if interface.addresses.get(address.address) is not address:
            del self._pending[address.address]
            return
        target = address.address
        assert isinstance(target, Ipv6)
        if attempt.left == 0:
            del self._pending[target]
            address.state = AddressState.PREFERRED
            interface.refresh()
            return
        attempt.left -= 1
        message = NeighbourSolicitation(target).message()
        self._nd.emit(message, target.solicited_node, None, ANY_IPV6)
        scheduler = interface.host.world.scheduler
        scheduler.call_at(scheduler.now + RETRANSMIT_NS, self._step, attempt)
