"""The ping program: echo requests, and what came back (printed as iputils prints it).

It is the same for both versions of IP (RFC 792, RFC 4443, 4.1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Final

from sdnvirt.addresses import IpAddress, Mac
from sdnvirt.host.echo import EchoReply, EchoSocket
from sdnvirt.host.icmp import Report
from sdnvirt.host.paths import Fragmentation, Path
from sdnvirt.host.routes import TooBig
from sdnvirt.units import NS_PER_S, format_time

if TYPE_CHECKING:
    from sdnvirt.host.interface import Interface
    from sdnvirt.host.stack import Host

DEFAULT_COUNT: Final = 3
DEFAULT_INTERVAL_NS: Final = NS_PER_S
DEFAULT_TIMEOUT_NS: Final = NS_PER_S

DEFAULT_SIZE: Final = 56
"""Bytes of echo data, which make 64 of ICMP."""

MAX_COUNT: Final = 0xFFFF
"""Sequence numbers are 16 bits and none is used twice."""

MAX_SIZE: Final = 65_507
"""Bytes of echo data that fit the largest IPv4 packet, after 20 of IPv4 and 8 of ICMP."""

_PATTERN: Final = bytes(range(256))
_NS_PER_MS: Final = 1_000_000
_NS_PER_US: Final = 1_000


@dataclass(frozen=True, slots=True)
class PingResult:
    """What a ping found out.

    Attributes:
        target: the address that was pinged.
        sent: requests made, those that the host refused to send included.
        received: requests answered in time.
        duplicates: answers beyond the first to a request.
        rtts_ns: round trip times in the order of the answers.
        responders: MAC addresses that the answers came from, in order of first appearance.
        errors: what was heard of requests that failed, each text once.
        error_count: how many requests those were.
        duration_ns: from the first request to the end.
    """

    target: IpAddress
    sent: int
    received: int
    duplicates: int
    rtts_ns: tuple[int, ...]
    responders: tuple[Mac, ...]
    errors: tuple[str, ...]
    error_count: int
    duration_ns: int

    @property
    def loss(self) -> float:
        """The share of the requests that stayed without an answer, 0 to 1."""
        return (self.sent - self.received) / self.sent if self.sent else 0.0

    @property
    def min_ns(self) -> int | None:
        """The shortest round trip time, or None without any."""
        return min(self.rtts_ns, default=None)

    @property
    def avg_ns(self) -> int | None:
        """The mean round trip time, or None without any."""
        return sum(self.rtts_ns) // len(self.rtts_ns) if self.rtts_ns else None

    @property
    def max_ns(self) -> int | None:
        """The longest round trip time, or None without any."""
        return max(self.rtts_ns, default=None)

    @property
    def mdev_ns(self) -> int | None:
        """The standard deviation of the round trip time, or None without any."""
        rtts = self.rtts_ns
        if not rtts:
            return None
        total, squares = sum(rtts), sum(rtt * rtt for rtt in rtts)
        return isqrt(squares * len(rtts) - total * total) // len(rtts)

    def __str__(self) -> str:
        counts = [f"{self.sent} packets transmitted", f"{self.received} received"]
        if self.duplicates:
            counts.append(f"+{self.duplicates} duplicates")
        if self.error_count:
            counts.append(f"+{self.error_count} errors")
        counts.append(f"{100 * self.loss:g}% packet loss")
        counts.append(f"time {self.duration_ns // _NS_PER_MS}ms")
        lines = [f"--- {self.target} ping statistics ---", ", ".join(counts)]
        if self.rtts_ns:
            figures = (self.min_ns, self.avg_ns, self.max_ns, self.mdev_ns)
            lines.append(f"rtt min/avg/max/mdev = {'/'.join(map(_milliseconds, figures))} ms")
        return "\n".join(lines)


def _milliseconds(ns: int | None) -> str:
    microseconds = (ns or 0) // _NS_PER_US
    return f"{microseconds // 1000}.{microseconds % 1000:03d}"


class Ping:
    """A running ping.

    A request that was sent waits ``timeout_ns`` for its answer. The ping is done when every
    request was answered, failed or waited in vain.

    Attributes:
        target: the address that is pinged.
        cause: the conversation that its packets belong to.
        done: whether it is over.
    """

    __slots__ = (
        "_answered", "_count", "_duplicates", "_errors", "_fragmentation", "_hop_limit", "_host",
        "_interface", "_interval_ns", "_on_done", "_payload", "_responders", "_rtts_ns",
        "_sent", "_socket", "_started_ns", "_stopped_ns", "_timeout_ns", "_waiting", "cause",
        "done", "target",
    )  # fmt: skip

    def __init__(
        self,
        host: Host,
        target: IpAddress,
        count: int,
        *,
        interval_ns: int,
        size: int,
        timeout_ns: int,
        cause: int,
        interface: Interface | None,
        hop_limit: int | None,
        fragmentation: Fragmentation,
        on_done: Callable[[Ping], None] | None,
    ) -> None:
        """Prepare a ping.

        Args:
            host: the host that sends.
            target: destination address.
            count: number of requests, 1 to MAX_COUNT.
            interval_ns: time between requests, from 0.
            size: bytes of echo data, from 0.
            timeout_ns: how long each request waits for its answer.
            cause: the conversation that the packets belong to.
            interface: the one to leave by, which link-local targets may need, or None.
            hop_limit: routers that requests may cross plus one, or None for the usual number.
            fragmentation: who may fragment a request.
            on_done: called once, when the ping is over.
        """
        assert 1 <= count <= MAX_COUNT, "the number of echo requests"
        self.target = target
        self.cause = cause
        self.done = False
        self._host = host
        self._count = count
        self._interval_ns = interval_ns
        self._timeout_ns = timeout_ns
        self._on_done = on_done
        self._interface = interface
        self._hop_limit = hop_limit
        self._fragmentation = fragmentation
        self._payload = (_PATTERN * (size // len(_PATTERN) + 1))[:size]
        self._sent = 0
        self._started_ns = self._stopped_ns = host.world.scheduler.now
        self._waiting: dict[int, int] = {}
        self._answered: set[int] = set()
        self._rtts_ns: list[int] = []
        self._responders: dict[Mac, None] = {}
        self._errors: Counter[str] = Counter()
        self._duplicates = 0
        self._socket = EchoSocket(host, self._on_reply, self._on_error)

    @property
    def identifier(self) -> int:
        """What tells the answers of this ping from others'."""
        return self._socket.identifier

    def start(self) -> None:
        """Send the first request; the others follow by themselves."""
        self._send(1)

    def result(self) -> PingResult:
        """Return what was found out; until the ping is done, what was so far."""
        end = self._stopped_ns if self.done else self._host.world.scheduler.now
        return PingResult(
            self.target, self._sent, len(self._answered), self._duplicates,
            tuple(self._rtts_ns), tuple(self._responders), tuple(self._errors),
            self._errors.total(), end - self._started_ns,
        )  # fmt: skip

    def _on_reply(self, reply: EchoReply) -> None:
        now = self._host.world.scheduler.now
        sequence = reply.sequence
        sent_ns = self._waiting.pop(sequence, None)
        if sent_ns is not None:
            self._answered.add(sequence)
            self._rtts_ns.append(now - sent_ns)
            self._responders[Mac(reply.mac)] = None
            self._finish_if_over()
        elif sequence in self._answered:
            self._duplicates += 1
            self._responders[Mac(reply.mac)] = None
        else:
            self._errors[f"an answer came after more than {format_time(self._timeout_ns)}"] += 1

    def _on_error(self, sequence: int, target: IpAddress, report: Report) -> None:
        if target == self.target:
            self._failed(sequence, str(report))

    def _failed(self, sequence: int, text: str) -> None:
        """Hear, in words, that a request did not get through."""
        if self._waiting.pop(sequence, None) is not None:
            self._errors[text] += 1
            self._finish_if_over()

    def _send(self, sequence: int) -> None:
        scheduler = self._host.world.scheduler
        self._sent += 1
        self._waiting[sequence] = scheduler.now
        if sequence < self._count:
            scheduler.call_at(scheduler.now + self._interval_ns, self._send, sequence + 1)
        path = self._host.ip.path(self.target, None, self._interface)
        refusal = self._request(path, sequence) if isinstance(path, Path) else path
        if refusal is not None:
            self._failed(sequence, str(refusal))
        else:
            scheduler.call_at(scheduler.now + self._timeout_ns, self._expire, sequence)

    def _request(self, path: Path, sequence: int) -> TooBig | None:
        return self._socket.send(
            path, sequence, self._payload, hop_limit=self._hop_limit,
            fragmentation=self._fragmentation, cause=self.cause,
            on_failure=lambda text: self._failed(sequence, text),
        )  # fmt: skip

    def _expire(self, sequence: int) -> None:
        if self._waiting.pop(sequence, None) is None:
            return
        silent = self._host.ip.resolving(self.target, self._interface)
        if silent is not None:
            # The cache goes on asking for longer than this request waits, but nothing came so far.
            self._errors[silent] += 1
        self._finish_if_over()

    def _finish_if_over(self) -> None:
        if self._waiting or self._sent < self._count or self.done:
            return
        self.done = True
        self._stopped_ns = self._host.world.scheduler.now
        self._socket.close()
        if self._on_done is not None:
            self._on_done(self)

    def __repr__(self) -> str:
        return f"<Ping {self._host.name} > {self.target}>"
