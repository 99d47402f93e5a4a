"""The lines that iperf prints, and what they tell of one stream."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from sdnvirt.commands.command import Surroundings
from sdnvirt.units import NS_PER_S

RULE: Final = "-" * 60
HEAD: Final = "[ ID] Interval       Transfer     Bandwidth"
HEAD_UDP: Final = f"{HEAD}        Jitter   Lost/Total Datagrams"

_BYTES: Final = ("Bytes", "KBytes", "MBytes", "GBytes", "TBytes")
_WINDOWS: Final = ("Byte", "KByte", "MByte", "GByte")
_BITS: Final = ("bits/sec", "Kbits/sec", "Mbits/sec", "Gbits/sec", "Tbits/sec")
_SMOOTHING: Final = 16
"""The jitter moves by a sixteenth of each deviation (RFC 1889, 6.3.1)."""


@dataclass(slots=True)
class Datagrams:
    """What a receiver finds out of numbered datagrams.

    Attributes:
        last: the highest number so far.
        lost: numbers that were left out, of which some may come late.
        late: datagrams that came out of order.
        jitter_ns: the interarrival jitter (RFC 1889, 6.3.1).
    """

    last: int = 0
    lost: int = 0
    late: int = 0
    jitter_ns: float = 0.0
    _transit_ns: int | None = field(default=None, repr=False)

    def take(self, number: int, sent_ns: int, now: int) -> None:
        """Take a datagram with its number, from 1, and the time (ns) at which it was sent."""
        if number <= self.last:
            self.late += 1
        else:
            self.lost += number - self.last - 1
            self.last = number
        transit_ns = now - sent_ns
        if self._transit_ns is not None:
            deviation = abs(transit_ns - self._transit_ns)
            self.jitter_ns += (deviation - self.jitter_ns) / _SMOOTHING
        self._transit_ns = transit_ns

    @property
    def missing(self) -> int:
        """How many have not come."""
        return max(self.lost - self.late, 0)


@dataclass(slots=True, eq=False)
class Flow:
    """One stream, as one end sees it.

    Attributes:
        number: what stands in brackets before each of its lines.
        start_ns: when it began.
        size: bytes so far.
        end_ns: when it ended, or None.
        datagrams: what is known of its datagrams at the end that receives them, else None.
        task: what tells of it in intervals, held so that it is not forgotten.
        active: whether data go on to be sent, as far as this end knows.
        told_ns: until when it was told of in intervals, from its beginning.
        lost: whether its connection broke.
    """

    number: int
    start_ns: int
    size: int = 0
    end_ns: int | None = None
    datagrams: Datagrams | None = None
    active: bool = True
    task: asyncio.Task[None] | None = None
    told_ns: int = 0
    lost: bool = False
    _told: tuple[int, int, int, int] = (0, 0, 0, 0)

    def interval(self, now: int) -> tuple[int, str]:
        """Return the bytes since the last such call, and the line that tells of them."""
        size, last, missing, late = self._state()
        before = self._told
        begin_ns, end_ns = self.told_ns, now - self.start_ns
        self.told_ns, self._told = end_ns, (size, last, missing, late)
        figures = ""
        if self.datagrams is not None:
            total = last - before[1]
            figures = loss(self.datagrams.jitter_ns, max(missing - before[2], 0), total)
        return size - before[0], row(self.number, begin_ns, end_ns, size - before[0]) + figures

    def whole(self, end_ns: int) -> str:
        """Return the line that tells of all, until a time (ns)."""
        told = row(self.number, 0, end_ns - self.start_ns, self.size)
        if self.datagrams is None:
            return told
        return told + loss(self.datagrams.jitter_ns, self.datagrams.missing, self.datagrams.last)

    def _state(self) -> tuple[int, int, int, int]:
        one = self.datagrams
        return (self.size, 0, 0, 0) if one is None else (self.size, one.last, one.missing, one.late)


def row(number: int | str, begin_ns: int, end_ns: int, size: int) -> str:
    """Return a line: who, from when to when (ns from the stream's beginning), and how much."""
    name = f"{number:3}" if isinstance(number, int) else number
    time = f"{begin_ns / NS_PER_S:4.4f}-{end_ns / NS_PER_S:4.4f} sec"
    took_ns = end_ns - begin_ns
    rate = size * 8 * NS_PER_S / took_ns if took_ns else 0
    return f"[{name}] {time}  {scaled(size, 1024, _BYTES)}  {scaled(rate, 1000, _BITS)}"


def loss(jitter_ns: float, missing: int, total: int) -> str:
    """Return what is told of datagrams behind the throughput."""
    share = 100 * missing / total if total else 0
    return f"  {jitter_ns / 1e6:5.3f} ms {missing}/{total} ({share:.2g}%)"


def window(size: int) -> str:
    """Return what is told of the room that a connection has, bytes."""
    return f"TCP window size: {scaled(size, 1024, _WINDOWS)} (default)"


def scaled(value: float, step: int, units: tuple[str, ...]) -> str:
    """Return a figure with three digits and its unit."""
    n = 0
    while value >= step and n < len(units) - 1:
        value /= step
        n += 1
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:4.{digits}f} {units[n]}"


class Reporter:
    """Prints the streams of one end, in intervals and as a whole.

    Args:
        at: surroundings.
        head: the heading of the columns.

    Attributes:
        flows: the streams that are open.
        opened: whether there was one.
    """

    def __init__(self, at: Surroundings, head: str) -> None:
        self._at = at
        self._head = head
        self._headed = False
        self._count = 0
        self.flows: list[Flow] = []
        self.opened = asyncio.Event()

    def open(self, local: tuple[str, int], remote: tuple[str, int]) -> Flow:
        """Begin a stream between two ends, and say so."""
        self._count += 1
        flow = Flow(self._count, self._at.now)
        self.flows.append(flow)
        self.opened.set()
        self._at.out.line(
            f"[{flow.number:3}] local {local[0]} port {local[1]} connected with "
            f"{remote[0]} port {remote[1]}"
        )
        return flow

    def intervals(self, flows: list[Flow]) -> None:
        """Tell what streams did since the last time, and their sum."""
        if not flows:
            return
        self._heading()
        total = 0
        begin_ns = flows[0].told_ns
        for flow in flows:
            size, line = flow.interval(self._at.now)
            total += size
            self._at.out.line(line)
        if len(flows) > 1:
            end_ns = self._at.now - flows[0].start_ns
            self._at.out.line(row("SUM", begin_ns, end_ns, total))

    def close(self, flow: Flow) -> None:
        """Tell of a stream as a whole."""
        flow.end_ns = self._at.now
        self.flows.remove(flow)
        self._heading()
        self._at.out.line(flow.whole(flow.end_ns))
        if flow.datagrams is not None and flow.datagrams.late:
            time = f"{0:4.4f}-{(flow.end_ns - flow.start_ns) / NS_PER_S:4.4f} sec"
            late = f"{flow.datagrams.late} datagrams received out-of-order"
            self._at.out.line(f"[{flow.number:3}] {time}  {late}")

    def total(self, flows: list[Flow]) -> None:
        """Tell the sum of streams that have ended, if there were several."""
        if len(flows) > 1:
            begin_ns = min(one.start_ns for one in flows)
            end_ns = max(one.end_ns or 0 for one in flows)
            self._at.out.line(row("SUM", 0, end_ns - begin_ns, sum(one.size for one in flows)))

    def _heading(self) -> None:
        if not self._headed:
            self._headed = True
            self._at.out.line(self._head)
