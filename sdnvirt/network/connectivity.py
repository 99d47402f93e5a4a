"""Whether nodes reach each other exactly where the network connects them.

The network is taken as it is when the question is asked: links that are up and carry frames both
ways, and nodes that have not crashed. Whoever is connected has to answer, which controllers,
routes and tables may prevent; whoever is not must not. No packet may pass a port again and again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sdnvirt.host.ping import Ping
from sdnvirt.network.graph import ends
from sdnvirt.topology.resolved import ConnectivityCheck
from sdnvirt.wire.pcapng import Direction

if TYPE_CHECKING:
    from sdnvirt.network.network import Network

REQUESTS: Final = 3
"""Echo requests of a pair, one of which has to be answered: a link may lose some."""

INTERVAL_NS: Final = 200_000_000
"""Time between them."""

LOOP: Final = 8
"""Times that a packet may arrive at one port: more than links that duplicate make of it, and far
fewer than a loop does."""


class Connectivity:
    """One connectivity check at work.

    Args:
        network: the network.
        check: what to ask.
        on_done: called when all pairs have been asked.
    """

    def __init__(
        self, network: Network, check: ConnectivityCheck, on_done: Callable[[Connectivity], None]
    ) -> None:
        self._network = network
        self._on_done = on_done
        parts = _parts(network)
        self._expected = {pair: parts[pair[0]] == parts[pair[1]] for pair in check.pairs}
        self._pings: dict[tuple[str, str], Ping] = {}
        self._open = len(check.pairs)
        for a, b in check.pairs:
            address = network.plant.hosts[b].address
            if address is None:  # a VM without its lease: nobody can reach it
                self._open -= 1
                continue
            self._pings[a, b] = network.plant.hosts[a].start_ping(
                address, REQUESTS, interval_ns=INTERVAL_NS, timeout_ns=check.timeout_ns,
                cause=network.next_cause(), on_done=self._one_done,
            )  # fmt: skip
        if not self._open:
            network.world.scheduler.call_at(network.now, self._all_done)

    @property
    def figures(self) -> str:
        """What was found, in words."""
        connected = sum(self._expected.values())
        wrong = len(self.wrong)
        text = f"{connected} of {len(self._expected)} pairs connected"
        return f"{text}, {wrong} otherwise than the network is" if wrong else text

    @property
    def wrong(self) -> list[str]:
        """What is otherwise than the network is, or looks like a loop."""
        found = []
        for (a, b), connected in self._expected.items():
            ping = self._pings.get((a, b))
            answered = ping is not None and ping.result().received > 0
            if connected and not answered:
                found.append(f"{a} does not reach {b}, though links connect them")
            elif answered and not connected:
                found.append(f"{a} reaches {b}, though no links connect them")
            if ping is not None:
                found += self._loops(ping)
        return found

    def _loops(self, ping: Ping) -> list[str]:
        arrivals = Counter(
            (hop.frame.provenance.packet_id, hop.port.full_name)
            for hop in self._network.stories.hops(ping.cause)
            if hop.direction is Direction.INBOUND
        )
        return [
            f"packet {packet_id} came to {port} {count} times: a loop"
            for (packet_id, port), count in arrivals.items()
            if count > LOOP
        ][:1]

    def _one_done(self, _ping: Ping) -> None:
        self._open -= 1
        if not self._open:
            self._all_done(None)

    def _all_done(self, _argument: None) -> None:
        self._on_done(self)


def _parts(network: Network) -> dict[str, int]:
    """Return the number of the connected part that each node is in, now; O(nodes + links)."""
    neighbours: dict[str, list[str]] = {name: [] for name in network.topology.nodes}
    for link in network.plant.links.values():
        if link.up and not network.faults.is_broken(link):
            a, b = ends(link)
            neighbours[a].append(b)
            neighbours[b].append(a)
    parts: dict[str, int] = {}
    for start in neighbours:
        if start in parts:
            continue
        number = len(parts)
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if node not in parts:
                parts[node] = number
                waiting += neighbours[node]
    return parts
