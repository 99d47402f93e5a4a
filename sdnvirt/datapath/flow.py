"""Cached flows: what the pipeline decided for all packets with one key at one port.

The decision is a *program*: steps that change the packet, send it to ports or hand it to the
controller. It is found once, by the pipeline, and then executed for every packet that has the same
key. Entries are not told of each packet: a flow counts, and reports to its entries when somebody
asks (:meth:`Flow.settle`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mypy_extensions import mypyc_attr

from sdnvirt.datapath.basis import Basis
from sdnvirt.datapath.entry import FlowEntry
from sdnvirt.datapath.meters import LiveBand, Meter
from sdnvirt.datapath.rewriting.ip import raise_precedence
from sdnvirt.datapath.rewriting.patch import Rewrite
from sdnvirt.datapath.table import FlowTable
from sdnvirt.datapath.tally import Tally
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.v13.constants import OFPR
from sdnvirt.openflow.v13.meters import DscpRemarkBand


@dataclass(frozen=True, slots=True)
class Change:
    """Change the packet's bytes to ``rewrite(bytes, value)``."""

    rewrite: Rewrite
    value: int


@dataclass(frozen=True, slots=True)
class Tunnel:
    """Give a part of the packet's tunnel metadata another value.

    Attributes:
        kept: the bits that stay.
        value: the others.
    """

    kept: int
    value: int


@dataclass(frozen=True, slots=True)
class Emit:
    """Send the packet, as it is now, out of these ports."""

    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Punt:
    """Hand the packet, as it is now, to the controller.

    Attributes:
        max_len: bytes of it that the message may carry, or OFPCML.NO_BUFFER for all; None, when
            no action asked for it, for as many as each controller's miss_send_len says.
        reason: one of OFPR.
        table_id: the table that decided so.
        cookie: of the entry that decided so.
    """

    max_len: int | None
    reason: int
    table_id: int
    cookie: int

    @property
    def is_miss(self) -> bool:
        """Whether no entry matched, of which only controllers of OpenFlow 1.0 are told."""
        return self.reason == OFPR.NO_MATCH and self.max_len is None


@dataclass(frozen=True, slots=True)
class Enqueue:
    """Send the packet, as it is now, out of a port by one of its queues."""

    port: int
    queue_id: int


@dataclass(frozen=True, slots=True)
class Normal:
    """Let the switch's bridge send the packet, as it is now (OFPP_NORMAL).

    Where it sends depends on what it has learned by then, so that is found out for each packet.

    Attributes:
        queue_id: the queue of those ports that have one with this id, or None.
    """

    queue_id: int | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """Execute these steps on a copy of the packet, which goes on unchanged behind them."""

    steps: tuple[Step, ...]


@mypyc_attr(allow_interpreted_subclasses=True)  # for when this module is compiled
class Deferred(ABC):
    """What depends on more than the packet's headers, and is found out for each packet.

    Attributes:
        sends: whether it may send the packet somewhere.
    """

    __slots__ = ()

    sends: bool = False

    @abstractmethod
    def run(self, frame: Frame, now: int | None) -> tuple[Frame | None, list[Emission]]:
        """Do it; return the packet that goes on, or None, and what was sent on the way.

        Args:
            frame: the packet.
            now: virtual time, ns; None to change nothing and tell what would be sent.
        """


@dataclass(frozen=True, slots=True)
class Count:
    """Count the packet, as it is now, in a group or a bucket of one."""

    tally: Tally


@dataclass(frozen=True, slots=True)
class Police:
    """Take the packet through a meter, which may drop it or raise its drop precedence.

    Attributes:
        meter: the meter.
        raised: by how many levels the precedence was raised, and what is then executed instead of
            the steps behind this one; only those that change what follows.
    """

    meter: Meter
    raised: tuple[tuple[int, tuple[Step, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """Count the packet, as it arrived, in tables that only what passes a meter comes to."""

    lookups: tuple[Lookup, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """The packet ends here.

    Attributes:
        reason: why.
        detail: figures for the reason.
    """

    reason: DropReason
    detail: str


Step = (
    Change | Tunnel | Emit | Enqueue | Normal | Punt | Loss
    | Branch | Count | Police | Visit | Deferred
)  # fmt: skip
Emission = tuple[Frame, int | Enqueue | Normal | Punt | Loss]
"""A frame, and the port that it leaves by, who else takes it over, or why it ends."""

Lookup = tuple[FlowTable, FlowEntry | None]
"""A table, and the entry of it that matched."""


class Flow:
    """The packets with one key at one port, and what becomes of them.

    Attributes:
        out_port: the port, when one port sends the packet and nothing else happens; else None.
        steps: the whole program.
        in_port: number of the port where the packets arrive.
        reason: why they are dropped, when the program sends them nowhere.
        detail: figures for the reason.
        deep: whether the decision depends on bytes that the flow key does not cover.
        lookups: the tables that were asked, in order, each with the entry that matched or None,
            up to the first meter; what is behind it stands in the program.
        asked: the same with the numbers of the tables, also of those that had no entries yet.
        basis: what the decision rests on, and so which packets share it.
        keys: those that lead to it in the cache.
        packets, bytes: what came since the last settling.
        used_ns: when the last packet came.
    """

    __slots__ = (
        "asked", "basis", "bytes", "deep", "detail", "in_port", "keys", "lookups", "out_port",
        "packets", "reason", "steps", "used_ns",
    )  # fmt: skip

    def __init__(
        self,
        in_port: int,
        steps: tuple[Step, ...],
        lookups: tuple[Lookup, ...],
        asked: tuple[tuple[int, FlowEntry | None], ...],
        basis: Basis,
        reason: DropReason,
        detail: str,
        deep: bool,
    ) -> None:
        self.in_port = in_port
        self.steps = steps
        self.lookups = lookups
        self.asked = asked
        self.basis = basis
        self.keys: list[bytes] = []
        self.reason = reason
        self.detail = detail
        self.deep = deep
        self.packets: int = 0
        self.bytes: int = 0
        self.used_ns: int = 0
        self.out_port: int | None = None
        if len(steps) == 1 and isinstance(steps[0], Emit) and len(steps[0].ports) == 1:
            self.out_port = steps[0].ports[0]

    def run(self, frame: Frame, now: int) -> list[Emission]:
        """Execute the program on a packet; an empty list means that it is dropped.

        Args:
            frame: the packet.
            now: virtual time, ns; meters depend on it.
        """
        return _execute(self.steps, frame, now, frame.size)

    def preview(self, frame: Frame) -> list[Emission]:
        """Return what :meth:`run` would if meters let everything pass; nothing is counted."""
        return _execute(self.steps, frame, None, frame.size)

    def previews(self, frame: Frame) -> Iterator[tuple[list[str], list[Emission]]]:
        """Yield what :meth:`run` would return if meters found differently, and which and how."""
        for conditions, steps in _alternatives(self.steps):
            yield conditions, _execute(steps, frame, None, frame.size)

    def settle(self) -> None:
        """Report what was counted to the entries and tables."""
        if not self.packets:
            return
        _count(self.lookups, self.packets, self.bytes, self.used_ns)
        self.packets = self.bytes = 0

    def __eq__(self, other: object) -> bool:
        """Whether both decide the same, whatever they have counted."""
        return isinstance(other, Flow) and self._decision() == other._decision()

    __hash__ = None  # type: ignore[assignment]  # counters change

    def _decision(self) -> tuple[object, ...]:
        return self.in_port, self.steps, self.lookups, self.reason, self.detail


def metered(meter: Meter, band: LiveBand) -> Loss:
    """Return the end of a packet that a meter's band drops."""
    return Loss(DropReason.METERED, f"meter {meter.meter_id}, band of rate {band.spec.rate}")


def sends(steps: Sequence[Step]) -> bool:
    """Whether a program sends or hands over anything, if its meters let the packet pass."""
    return any(
        isinstance(step, Emit | Enqueue | Normal | Punt)
        or (isinstance(step, Deferred) and step.sends)
        or (isinstance(step, Branch) and sends(step.steps))
        for step in steps
    )


def _alternatives(steps: tuple[Step, ...]) -> Iterator[tuple[list[str], tuple[Step, ...]]]:
    """Yield the ways through a program on which meters raise the drop precedence."""
    for number, step in enumerate(steps):
        if isinstance(step, Police):
            for levels, instead in step.raised:
                condition = f"meter {step.meter.meter_id} raises the drop precedence by {levels}"
                before = (*steps[:number], Change(raise_precedence, levels))
                for further, ending in [([], instead), *_alternatives(instead)]:
                    yield [condition, *further], (*before, *ending)


def _count(lookups: tuple[Lookup, ...], packets: int, size: int, used_ns: int) -> None:
    """Count packets of a size in sum, the last of them at a time, in tables and entries."""
    for table, entry in lookups:
        table.looked_up += packets
        if entry is None:
            continue
        table.matched += packets
        entry.packets += packets
        entry.bytes += size
        if entry.used_ns < used_ns:
            entry.used_ns = used_ns


def _execute(steps: tuple[Step, ...], frame: Frame, now: int | None, size: int) -> list[Emission]:
    """Execute steps on a packet that had a size when it arrived; see :meth:`Flow.run`."""
    emissions: list[Emission] = []
    for step in steps:
        if isinstance(step, Emit):
            emissions += [(frame, port) for port in step.ports]
        elif isinstance(step, Change):
            frame = frame.rewritten(step.rewrite(frame.data, step.value))
        elif isinstance(step, Tunnel):
            frame = frame.rewritten(frame.data, frame.tunnel & step.kept | step.value)
        elif isinstance(step, Branch):
            emissions += _execute(step.steps, frame, now, size)
        elif isinstance(step, Punt | Enqueue | Normal | Loss):
            emissions.append((frame, step))
        elif isinstance(step, Deferred):
            left, sent = step.run(frame, now)
            emissions += sent
            if left is None:
                return emissions
            frame = left
        elif now is None:
            continue
        elif isinstance(step, Count):
            step.tally.add(frame.size)
        elif isinstance(step, Visit):
            _count(step.lookups, 1, size, now)
        else:
            band = step.meter.exceeded(frame.size, now)
            if band is None:
                continue
            if not isinstance(band.spec, DscpRemarkBand):
                emissions.append((frame, metered(step.meter, band)))
                return emissions
            levels = band.spec.prec_level
            frame = frame.rewritten(raise_precedence(frame.data, levels))
            for raised, instead in step.raised:
                if raised == levels:
                    return emissions + _execute(instead, frame, now, size)
    return emissions
