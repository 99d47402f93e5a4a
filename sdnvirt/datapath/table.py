"""Flow tables: tuple-space search over entries (Srinivasan et al., SIGCOMM 1999).

Entries whose matches test the same bits of the same fields form a *subtable*, in which finding
the entries that match is one dictionary look-up. Subtables are visited in order of their highest
priority, and the search ends as soon as none that is left can win. A look-up costs
O(subtables), however many entries there are; adding and removing an entry costs O(subtables).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from typing import Final

from sdnvirt.datapath.entry import FlowEntry, rank
from sdnvirt.datapath.fields import Fields
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.oxm import OxmField

TABLE_LIMIT: Final = 1 << 18
"""Entries of one table: a quarter of a million, about 250 MB, more than hardware tables hold."""

Signature = tuple[tuple[OxmField, int], ...]


def covers(general: Match, particular: Match) -> bool:
    """Whether every packet that ``particular`` matches is matched by ``general`` too.

    This is how non-strict modify and delete select entries (OpenFlow 1.3.5, 6.4).
    """
    fields = {one.field: one for one in particular.fields}
    for field, value, mask in general.fields:
        other = fields.get(field)
        if other is None:
            return False
        wanted = field.limit if mask is None else mask
        given = field.limit if other.mask is None else other.mask
        if given & wanted != wanted or other.value & wanted != value:
            return False
    return True


def overlaps(one: Match, other: Match) -> bool:
    """Whether some packet could match both (OpenFlow 1.3.5, 6.4, CHECK_OVERLAP)."""
    fields = {field: (value, mask) for field, value, mask in one.fields}
    for field, value, mask in other.fields:
        if field not in fields:
            continue
        other_value, other_mask = fields[field]
        both = field.limit if mask is None else mask
        both &= field.limit if other_mask is None else other_mask
        if (value ^ other_value) & both:
            return False
    return True


class _Subtable:
    """The entries whose matches test the same bits."""

    __slots__ = ("entries", "highest", "signature")

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.entries: dict[tuple[int, ...], list[FlowEntry]] = {}
        self.highest = -1

    def find(self, fields: Fields) -> FlowEntry | None:
        values = []
        for field, mask in self.signature:
            value = fields.get(field)
            if value is None:
                return None
            values.append(value & mask)
        found = self.entries.get(tuple(values))
        return found[0] if found else None


class FlowTable:
    """One flow table.

    Attributes:
        number: 0 to 254.
        looked_up: packets that were looked up here, cached ones not counted in yet.
        matched: those that found an entry.
    """

    __slots__ = ("_order", "_strict", "_subtables", "looked_up", "matched", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.looked_up = 0
        self.matched = 0
        self._strict: dict[tuple[int, Match], FlowEntry] = {}
        self._subtables: dict[Signature, _Subtable] = {}
        self._order: list[_Subtable] = []

    def __len__(self) -> int:
        return len(self._strict)

    def __iter__(self) -> Iterator[FlowEntry]:
        """Iterate over the entries in the order in which they were added."""
        return iter(self._strict.values())

    def lookup(
        self, fields: Fields, consulted: dict[OxmField, int] | None = None
    ) -> FlowEntry | None:
        """Return the matching entry of highest priority; of equal ones, the first added.

        Args:
            fields: the packet's match fields.
            consulted: where to note the bits that the answer depends on, or None.
        """
        best: FlowEntry | None = None
        for subtable in self._order:
            if best is not None and best.priority > subtable.highest:
                break
            if consulted is not None:
                for field, mask in subtable.signature:
                    consulted[field] = consulted.get(field, 0) | mask
            found = subtable.find(fields)
            if found is not None and (best is None or rank(found) < rank(best)):
                best = found
        return best

    def strict(self, priority: int, match: Match) -> FlowEntry | None:
        """Return the entry with exactly this priority and match."""
        return self._strict.get((priority, match))

    def overlapping(self, priority: int, match: Match) -> FlowEntry | None:
        """Return an entry of this priority that some packet could match together with ``match``."""
        for entry in self._strict.values():
            if entry.priority == priority and overlaps(entry.match, match):
                return entry
        return None

    def add(self, entry: FlowEntry) -> None:
        """Add an entry; one with the same priority and match must have been removed before."""
        self._strict[entry.priority, entry.match] = entry
        signature, values = _tuple_of(entry.match)
        subtable = self._subtables.get(signature)
        if subtable is None:
            subtable = self._subtables[signature] = _Subtable(signature)
            self._order.append(subtable)
        insort(subtable.entries.setdefault(values, []), entry, key=rank)
        if entry.priority > subtable.highest:
            subtable.highest = entry.priority
            self._order.sort(key=_highest, reverse=True)

    def remove(self, entry: FlowEntry) -> None:
        """Take an entry out."""
        entry.live = False
        del self._strict[entry.priority, entry.match]
        signature, values = _tuple_of(entry.match)
        subtable = self._subtables[signature]
        bucket = subtable.entries[values]
        bucket.remove(entry)
        if not bucket:
            del subtable.entries[values]
        # The highest priority may now be too high, which costs a look-up in vain and no error.
        if not subtable.entries:
            del self._subtables[signature]
            self._order.remove(subtable)


def _highest(subtable: _Subtable) -> int:
    return subtable.highest


def _tuple_of(match: Match) -> tuple[Signature, tuple[int, ...]]:
    """Return which bits a match tests, and what they must be."""
    signature = tuple((f, f.limit if mask is None else mask) for f, _, mask in match.fields)
    return signature, tuple(value for _, value, _ in match.fields)
