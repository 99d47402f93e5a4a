"""What must hold in every run, beside the checks of its file, resolved."""

from __future__ import annotations

from dataclasses import dataclass

from sdnvirt.topology.checks import Segment


@dataclass(frozen=True, slots=True)
class Settling:
    """Some time after the last fault, nodes reach each other where the network connects them.

    Attributes:
        settle_ns: the time that the network has.
        segments: who is asked: the pairs in each, or a sample of them.
        timeout_ns: how long each request waits for its answer.
    """

    settle_ns: int
    segments: tuple[Segment, ...]
    timeout_ns: int


@dataclass(frozen=True, slots=True)
class Invariants:
    """What must hold in every run, and may be switched off; the ledger and isolation may not.

    Attributes:
        connectivity: what is asked after the last fault, or None for nothing.
        loops: whether a packet that runs in a loop fails the run.
    """

    connectivity: Settling | None
    loops: bool
