"""The flow cache: first by the exact key, then by the bits that decisions rest on.

A packet whose key is known costs one dictionary look-up. One whose key is new is looked up among
the decisions already made, by the bits each rests on: one look-up for every distinct set of bits,
however many flows and entries there are. Only what is in neither walks through the tables.

When tables change, just the decisions that the change could alter are forgotten. Nothing is done
at the change itself, since changes come in bursts: the cache is hidden, so that every packet is
asked for again, and the first that is makes :meth:`FlowCache.reveal` show what still holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sdnvirt.datapath.basis import Signature, Values, values_of
from sdnvirt.datapath.entry import FlowEntry, rank
from sdnvirt.datapath.fields import Fields
from sdnvirt.datapath.flow import Flow
from sdnvirt.openflow.action import Action

CACHE_LIMIT: Final = 1 << 16
"""Keys that one switch caches, about 30 MB; past it the cache starts afresh, so that a scan over
random addresses costs look-ups and not memory."""

CHANGES_LIMIT: Final = 32
"""Changes of the tables that are held against each cached decision. To test one takes about a
microsecond and to decide anew some thirty, so past this many it is cheaper to forget all."""


OUTPUTS_LIMIT: Final = 1 << 10
"""Lists of outputs of packet-outs that are kept; controllers use a few for each port."""


@dataclass(frozen=True, slots=True)
class Added:
    """An entry came."""

    entry: FlowEntry

    def alters(self, flow: Flow) -> bool:
        """Whether a decision could now be another."""
        entry = self.entry
        return any(
            number == entry.table_id and (found is None or rank(entry) < rank(found))
            for number, found in flow.asked
        ) and flow.basis.may_meet(entry.match)


@dataclass(frozen=True, slots=True)
class Gone:
    """An entry went, or does something else now."""

    entry: FlowEntry

    def alters(self, flow: Flow) -> bool:
        """Whether a decision could now be another."""
        return any(found is self.entry for _, found in flow.asked)


Change = Added | Gone


class FlowCache:
    """The cached decisions of one datapath.

    Attributes:
        of_port: for each port that was added, the flows by key; None, the key of a frame that has
            not been classified yet, is never in it.
        of_outputs: what becomes of packet-outs that are only sent to ports, by the port where they
            count as received and their actions. It rests on the ports alone, whose changes clear
            the cache.
    """

    __slots__ = ("_aside", "_by_bits", "_changes", "_flows", "_keys", "of_outputs", "of_port")

    def __init__(self) -> None:
        self.of_port: dict[int, dict[bytes | None, Flow]] = {}
        self.of_outputs: dict[tuple[int, tuple[Action, ...]], Flow] = {}
        self._by_bits: dict[int, dict[Signature, dict[Values, Flow]]] = {}
        self._flows: list[Flow] = []
        self._keys = 0
        self._changes: list[Change] = []
        self._aside: dict[int, dict[bytes | None, Flow]] | None = None

    def __len__(self) -> int:
        """How many decisions there are."""
        return len(self._flows)

    @property
    def keys(self) -> int:
        """How many keys lead to decisions."""
        return self._keys

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._flows)

    def add_port(self, in_port: int) -> None:
        """Make room for the flows of a port."""
        self.of_port.setdefault(in_port, {})

    def find(self, in_port: int, fields: Fields) -> Flow | None:
        """Return the decision that a packet with these fields shares, or None."""
        for signature, flows in self._by_bits.get(in_port, {}).items():
            flow = flows.get(values_of(fields, signature))
            if flow is not None:
                return flow
        return None

    def add(self, key: bytes, flow: Flow) -> None:
        """Let packets with a key share a decision, a new one or one that was found."""
        if self._keys >= CACHE_LIMIT:
            self.clear()
        if not flow.keys:
            self._flows.append(flow)
            signature = flow.basis.consulted
            if signature is not None:
                of_port = self._by_bits.setdefault(flow.in_port, {})
                values = values_of(flow.basis.fields, signature)
                of_port.setdefault(signature, {})[values] = flow
        self.of_port[flow.in_port][key] = flow
        flow.keys.append(key)
        self._keys += 1

    def add_outputs(self, in_port: int, actions: tuple[Action, ...], flow: Flow) -> None:
        """Keep what becomes of packet-outs that are only sent to ports."""
        if len(self.of_outputs) >= OUTPUTS_LIMIT:
            self.of_outputs.clear()
        self.of_outputs[in_port, actions] = flow

    def change(self, change: Change) -> None:
        """Hide every decision until it is known whether the change alters it."""
        if not self._flows:
            return
        if self._aside is None:
            self.settle()  # what is hidden counts nothing, so this is for all changes to come
            self._aside = dict(self.of_port)
            self._empty()
        self._changes.append(change)
        if len(self._changes) > CHANGES_LIMIT:
            self.clear()

    def reveal(self) -> None:
        """Forget what changes alter, and show the rest again; does nothing without changes."""
        if self._aside is None:
            return
        self.of_port.update(self._aside)
        self._aside = None
        changes, self._changes = self._changes, []
        kept = []
        for flow in self._flows:
            if any(change.alters(flow) for change in changes):
                self._forget(flow)
            else:
                kept.append(flow)
        self._flows = kept

    def _forget(self, flow: Flow) -> None:
        flow.settle()
        by_key = self.of_port[flow.in_port]
        for key in flow.keys:
            del by_key[key]
        self._keys -= len(flow.keys)
        flow.keys.clear()
        signature = flow.basis.consulted
        if signature is not None:
            of_port = self._by_bits[flow.in_port]
            flows = of_port[signature]
            del flows[values_of(flow.basis.fields, signature)]
            if not flows:
                del of_port[signature]

    def settle(self) -> None:
        """Let every decision report what it has counted to its entries."""
        for flow in self._flows:
            flow.settle()

    def clear(self) -> None:
        """Settle and forget every decision."""
        self.of_outputs.clear()
        if not self._flows:
            return
        self.settle()
        for flow in self._flows:
            flow.keys.clear()
        self._flows = []
        self._by_bits.clear()
        self._changes.clear()
        self._aside = None
        self._keys = 0
        self._empty()

    def _empty(self) -> None:
        for in_port in self.of_port:
            self.of_port[in_port] = {}
