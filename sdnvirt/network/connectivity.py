"""Whether nodes reach each other exactly where the network connects them.

The network is taken as it is when the question is asked: links that are up and carry frames both
ways, and nodes that have not crashed. Whoever is connected has to answer, which controllers,
routes and tables may prevent; whoever is not must not. Checks ask so, and the invariants after the
last fault (:mod:`sdnvirt.network.invariants`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Final, NamedTuple

from sdnvirt.addresses import IpAddress, Ipv6
from sdnvirt.host.ping import Ping
from sdnvirt.network.diagnosis import why_unanswered
from sdnvirt.network.graph import ends
from sdnvirt.topology.checks import Segment
from sdnvirt.topology.reachability import MAX_PAIRS

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host
    from sdnvirt.network.network import Network

TRIES: Final = {True: 10, False: 3}
"""Echo requests of a pair, by whether links connect it. Of ten, one has to be answered: where every
other request or its answer gets lost on bad links, one pair in a thousand is misjudged. That nobody
answers, three show."""

RETRY_NS: Final = 200_000_000
"""Time from a request that was not answered to the next."""

PACE_NS: Final = 1_000_000
"""Time between the first requests of two pairs: together they are less than 1 Mbit/s in each
direction, which even slow links carry beside other traffic."""

MAX_FLOODED: Final = 100_000
"""Frames that a sample costs, a few seconds of work: for each pair, everybody in its segment hears
the question for an address."""

MIN_SAMPLE: Final = 64
"""Pairs that a sample has at least, however large the segments are."""


class Question(NamedTuple):
    """Whether a node reaches another one.

    Attributes:
        source: who asks.
        node: whom.
        address: at which address.
    """

    source: str
    node: str
    address: IpAddress

    @property
    def version(self) -> str:
        """What the version of IP is called."""
        return "IPv6" if isinstance(self.address, Ipv6) else "IPv4"


@dataclass(frozen=True, slots=True)
class Reached:
    """What was found.

    Attributes:
        asked: pairs that were asked, by each version of IP.
        of: pairs that there are, more than those asked where these are a sample.
        connected: pairs asked that links connect.
        figures: this in words.
        wrong: what is otherwise than the network is, a sentence for each pair.
    """

    asked: int
    of: int
    connected: int
    figures: str
    wrong: tuple[str, ...]


class Connectivity:
    """Who reaches whom, asked from now on.

    Args:
        network: the network.
        segments: who is asked: all pairs in each.
        limit: pairs above which a sample is asked instead, of this size.
        timeout_ns: how long each request waits for its answer.
        on_done: called when all pairs have been asked.
    """

    def __init__(
        self,
        network: Network,
        segments: Sequence[Segment],
        limit: int,
        timeout_ns: int,
        on_done: Callable[[Reached], None],
    ) -> None:
        self._network = network
        self._timeout_ns = timeout_ns
        self._on_done = on_done
        self._of = sum(segment.pairs for segment in segments)
        chosen: Sequence[int] = range(self._of)
        if self._of > limit:
            stream = network.world.streams.stream("connectivity")
            chosen = sorted(stream.sample(chosen, limit))
        self._questions = tuple(questions(segments, chosen))
        self._connected = _connected(network, self._questions)
        self._several = len({question.version for question in self._questions}) > 1
        self._wrong: dict[Question, str] = {}
        self._open = len(self._questions)
        scheduler = network.world.scheduler
        for number, question in enumerate(self._questions):
            scheduler.call_at(network.now + number * PACE_NS, self._begin, question)
        if not self._open:
            scheduler.call_at(network.now, self._finish)

    def _begin(self, question: Question) -> None:
        tries = TRIES[self._connected[question]]
        self._ask((question, self._network.next_cause(), tries))

    def _ask(self, job: tuple[Question, int, int]) -> None:
        question, cause, tries = job
        self._network.plant.hosts[question.source].start_ping(
            question.address, 1, timeout_ns=self._timeout_ns, cause=cause,
            on_done=lambda ping: self._hear(question, ping, tries - 1),
        )  # fmt: skip

    def _hear(self, question: Question, ping: Ping, tries: int) -> None:
        """Take the end of a request: ask again, or judge."""
        answered = ping.result().received > 0
        if not answered and tries:
            scheduler = self._network.world.scheduler
            scheduler.call_at(scheduler.now + RETRY_NS, self._ask, (question, ping.cause, tries))
            return
        connected = self._connected[question]
        node = question.node + (f" by {question.version}" if self._several else "")
        if connected and not answered:
            why = why_unanswered(self._network, question, ping)
            self._wrong[question] = (
                f"{question.source} does not reach {node}, though links connect them: {why}"
            )
        elif answered and not connected:
            way = ", ".join(dict.fromkeys(self._network.stories.nodes(ping.cause)))
            self._wrong[question] = (
                f"{question.source} reaches {node}, though no links connect them: by way of {way}"
            )
        self._open -= 1
        if not self._open:
            self._finish(None)

    def _finish(self, _argument: None) -> None:
        self._on_done(self._found())

    def _found(self) -> Reached:
        asked = Counter(question.version for question in self._questions)
        connected = Counter(one.version for one in self._questions if self._connected[one])
        texts = [
            f"{connected[version]:,} of {count:,}"
            + ("" if number else " pairs connected")
            + (f" by {version}" if self._several else "")
            for number, (version, count) in enumerate(asked.items())
        ]
        if asked.total() < self._of:
            texts.append(f"a sample of {self._of:,}")
        wrong = tuple(self._wrong[one] for one in self._questions if one in self._wrong)
        if wrong:
            texts.append(f"{len(wrong):,} otherwise than the network is")
        figures = ", ".join(texts) or "no pairs to ask"
        return Reached(asked.total(), self._of, connected.total(), figures, wrong)


def sample_size(segments: Sequence[Segment]) -> int:
    """Return how many pairs are asked at most where nobody asked for more."""
    largest = max((len(segment.members) for segment in segments), default=1)
    return max(MIN_SAMPLE, min(MAX_PAIRS, MAX_FLOODED // largest))


def questions(segments: Sequence[Segment], chosen: Sequence[int]) -> Iterator[Question]:
    """Yield pairs by their numbers, which ascend, counted through all segments.

    Within a segment, the pairs of the k-th member with those before it follow each other.
    """
    remaining = iter(segments)
    segment = next(remaining, None)
    first = 0
    for number in chosen:
        while segment is not None and number >= first + segment.pairs:
            first += segment.pairs
            segment = next(remaining, None)
        assert segment is not None, "a number of a pair"
        k = (1 + isqrt(1 + 8 * (number - first))) // 2
        source, _ = segment.members[number - first - k * (k - 1) // 2]
        node, address = segment.members[k]
        yield Question(source, node, address)


def _connected(network: Network, asked: Sequence[Question]) -> dict[Question, bool]:
    """Return whether links connect those who ask with those who are asked, now.

    That is the interface by which one sends with the one that has the address: a host keeps its
    links apart, whether it forwards or not. O(nodes + links + questions).
    """
    parts = _parts(network)
    hosts = network.plant.hosts
    connected = {}
    for question in asked:
        source, node = hosts[question.source], hosts[question.node]
        route = source.ip.routes.lookup(question.address)
        out = None if route is None else route.interface
        own = node.ip.owner(question.address)
        connected[question] = parts[_place(source, out)] == parts[_place(node, own)]
    return connected


def _place(host: Host, interface: Interface | None) -> str:
    """Return what stands for an interface in :func:`_parts`, by default for the first."""
    if interface is not None:
        return interface.port.full_name
    return next((port.full_name for port in host.ports.values()), host.name)


def _parts(network: Network) -> dict[str, int]:
    """Return the number of the connected part that each node is in, and each port of a host."""
    hosts = network.plant.hosts
    neighbours: dict[str, list[str]] = {name: [] for name in network.topology.nodes}
    for host in hosts.values():
        neighbours.update({port.full_name: [] for port in host.ports.values()})
    for link in network.plant.links.values():
        if link.up and not network.faults.is_broken(link):
            a, b = (
                port.full_name if node in hosts else node
                for port, node in zip(link.ends, ends(link), strict=True)
            )
            neighbours[a].append(b)
            neighbours[b].append(a)
    parts: dict[str, int] = {}
    for number, start in enumerate(neighbours):
        waiting = [] if start in parts else [start]
        while waiting:
            place = waiting.pop()
            if place not in parts:
                parts[place] = number
                waiting += neighbours[place]
    return parts
