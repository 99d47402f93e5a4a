"""What must hold in every network, whatever happens to it and whatever is asked of it.

At all times: every frame is accounted for, tenants are kept apart, and no packet runs in a loop.
When it has settled after a fault: nodes reach each other where the network connects them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.errors import InvariantError
from sdnvirt.network.arguments import time_ns
from sdnvirt.network.connectivity import Connectivity, Reached, sample_size
from sdnvirt.topology.invariants import Settling
from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from sdnvirt.network.network import Network

LIMIT_NS: Final = 3600 * NS_PER_S
"""Virtual time that asking for connectivity takes at most: thousands of times what it does take."""


class Invariants:
    """The invariants of one network.

    Attributes:
        asks_at_ns: when it is asked who reaches whom after the timeline's last fault, or None:
            there are no faults, the topology says not to ask, or nobody wanted it.
        reached: what was found then, or None so far.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self.asks_at_ns: int | None = None
        self.reached: Reached | None = None

    def broken(self) -> list[str]:
        """Return which of those are broken that hold at all times, a sentence for each."""
        network = self._network
        ledger, monitor = network.world.ledger, network.plant.monitor
        loops = network.trace.loops
        told = []
        imbalance = ledger.imbalance()
        if imbalance:
            told.append(
                f"the ledger is out of balance by {imbalance}: {ledger.sent} sent + "
                f"{ledger.copied} copied, but {ledger.delivered} delivered + {ledger.dropped} "
                f"dropped + {ledger.in_flight()} in flight"
            )
        if monitor.count:
            told.append(
                f"isolation is broken: {monitor.count} of {monitor.deliveries} frames reached a "
                f"tenant's machine from outside its network; first, {monitor.violations[0]}"
            )
        if loops.count and network.topology.invariants.loops:
            what = "packet" if loops.count == 1 else "packets"
            told.append(f"{loops.count} {what} ran in a loop; first, {loops.loops[0]}")
        return told

    def check(self, settle: int | str | None = None) -> Reached | None:
        """Let the network settle, ask who reaches whom, and say whether all invariants hold.

        For after a fault: it takes virtual time, and what the timeline does then happens.

        Args:
            settle: how long the network has to recover from now on (ns, or text such as
                ``"5s"``); by default what the topology says.

        Returns:
            who reaches whom, or None if the topology says that connectivity is not to be asked.

        Raises:
            InvariantError: an invariant is broken; the message tells each.
            UserError: it is no time, or as of :meth:`Network.run_until`.
        """
        network = self._network
        settling = network.topology.invariants.connectivity
        reached = None
        if settling is not None:
            network.run_for(settling.settle_ns if settle is None else time_ns(settle))
            reached = self._ask_now(settling)
        broken = self.broken() + list(reached.wrong if reached else ())
        if broken:
            raise InvariantError(broken)
        return reached

    def ask_after_faults(self) -> None:
        """Ask who reaches whom when the network has settled after the timeline's last fault."""
        topology = self._network.topology
        last, settling = topology.last_fault_ns, topology.invariants.connectivity
        if last is not None and settling is not None:
            self.asks_at_ns = last + settling.settle_ns
            self._network.world.scheduler.call_at(self.asks_at_ns, self._begin, settling)

    @property
    def pending(self) -> bool:
        """Whether that is still to be found out."""
        return self.asks_at_ns is not None and self.reached is None

    def _begin(self, settling: Settling) -> None:
        self._ask(settling, self._found)

    def _found(self, reached: Reached) -> None:
        self.reached = reached
        self._network.wake()

    def _ask_now(self, settling: Settling) -> Reached:
        network = self._network
        found: list[Reached] = []

        def done(reached: Reached) -> None:
            found.append(reached)
            network.wake()

        self._ask(settling, done)
        network.run_while(lambda: not found, LIMIT_NS)
        return found[0]

    def _ask(self, settling: Settling, on_done: Callable[[Reached], None]) -> None:
        limit = sample_size(settling.segments)
        Connectivity(self._network, settling.segments, limit, settling.timeout_ns, on_done)
