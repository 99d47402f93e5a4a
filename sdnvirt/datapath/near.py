"""The flow entry that nearly matched, for explanations."""

from __future__ import annotations

from sdnvirt.datapath.entry import FlowEntry, rank
from sdnvirt.datapath.fields import Fields
from sdnvirt.datapath.table import FlowTable
from sdnvirt.openflow.v13.match import OxmMatch


def near_miss(table: FlowTable, fields: Fields, found: FlowEntry | None) -> str | None:
    """Tell which entry would have been the one, were it not for a single field, and which field.

    Args:
        table: the table that was asked.
        fields: what the packet has.
        found: the entry that matched, or None. Only entries that would have won over it count.

    Returns:
        the entry of highest priority and the field that differs, in words, or None without any;
        O(entries).
    """
    best: tuple[tuple[int, int], FlowEntry, OxmMatch] | None = None
    for entry in table:
        place = rank(entry)
        if (found is not None and place >= rank(found)) or (best is not None and place >= best[0]):
            continue
        differing = [one for one in entry.match.fields if not _fits(one, fields)]
        if len(differing) == 1:
            best = place, entry, differing[0]
    if best is None:
        return None
    _, entry, one = best
    has = fields.get(one.field)
    given = "the packet has none" if has is None else f"the packet has {one.field.text(has)}"
    return f"priority {entry.priority}, {entry.match} nearly matched: {one.field.name}, {given}"


def _fits(one: OxmMatch, fields: Fields) -> bool:
    value = fields.get(one.field)
    if value is None:
        return False
    return value == one.value if one.mask is None else value & one.mask == one.value
