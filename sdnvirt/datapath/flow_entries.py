"""Flow entries: what changes them, when they expire, and which a request is about.

OpenFlow 1.3.5, 5.5 (removal), 6.4 (flow mods).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

from sdnvirt.datapath.admission import check_instructions, check_match
from sdnvirt.datapath.cache import Added, Change, Gone
from sdnvirt.datapath.consistency import check_consistent
from sdnvirt.datapath.entry import FlowEntry
from sdnvirt.datapath.state import PipelineState
from sdnvirt.datapath.table import TABLE_LIMIT, FlowTable, covers
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.extensions import Enqueue
from sdnvirt.openflow.v13.actions import Group, Output
from sdnvirt.openflow.v13.constants import OFPFC, OFPFF, OFPG, OFPP, OFPRR, OFPTT
from sdnvirt.openflow.v13.error_codes import OFPFMFC, refuse
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.instructions import ApplyActions, Meter, WriteActions
from sdnvirt.units import NS_PER_S

# Plain integers: a bit that is tested by a member of the enumeration takes 20 times as long.
_CHECK_OVERLAP: Final = OFPFF.CHECK_OVERLAP.value
_RESET_COUNTS: Final = OFPFF.RESET_COUNTS.value
_SEND_FLOW_REM: Final = OFPFF.SEND_FLOW_REM.value

_FEW_DEADLINES: Final = 64
"""So many notes of entries that are gone are not worth a sweep."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A flow entry that is gone, and why (one of OFPRR)."""

    entry: FlowEntry
    reason: int


class FlowEntries:
    """The flow entries of a datapath, over all tables.

    Args:
        state: holds the tables.
        settle: lets cached flows report what they have counted.
        change: tells the cache of a change that is about to be made; cached flows report, too.
    """

    def __init__(
        self, state: PipelineState, settle: Callable[[], None], change: Callable[[Change], None]
    ) -> None:
        self._state = state
        self._settle = settle
        self._tell_cache = change
        self._sequence = 0
        self._deadlines: list[tuple[int, int, FlowEntry]] = []

    def modify(self, mod: FlowMod, now: int) -> list[Removal]:
        """Carry out a flow mod; return the entries removed that are to be reported.

        Raises:
            OpenFlowError: the flow mod cannot be carried out; nothing was changed.
        """
        if mod.table_id > OFPTT.MAX and not (
            mod.table_id == OFPTT.ALL and mod.command in (OFPFC.DELETE, OFPFC.DELETE_STRICT)
        ):
            raise refuse(OFPFMFC.BAD_TABLE_ID, f"no table {mod.table_id} to change")
        check_match(mod.match)
        if mod.command in (OFPFC.DELETE, OFPFC.DELETE_STRICT):
            return self._delete(mod)
        check_instructions(mod.table_id, mod.instructions, self._state)
        if mod.command == OFPFC.ADD:
            check_consistent(mod.match, mod.instructions)
            self._add(mod, now)
        else:
            self._change(mod)
        return []

    def learn(self, mod: FlowMod, now: int) -> bool:
        """Add an entry that a packet taught, or refresh it; return whether it is a new one.

        A table that is full learns nothing.
        """
        table = self._state.tables.get(mod.table_id)
        known = None if table is None else table.strict(mod.priority, mod.match)
        if known is not None and known.instructions == mod.instructions:
            known.used_ns = known.renewed_ns = now
            return False
        if known is None and table is not None and len(table) >= TABLE_LIMIT:
            return False
        self._add(mod, now)
        return True

    def _add(self, mod: FlowMod, now: int) -> None:
        table = self._state.tables.get(mod.table_id)
        if table is None:
            table = self._state.tables[mod.table_id] = FlowTable(mod.table_id)
            self._state.tables = dict(sorted(self._state.tables.items()))
        if mod.flags & _CHECK_OVERLAP:
            other = table.overlapping(mod.priority, mod.match)
            if other is not None:
                raise refuse(OFPFMFC.OVERLAP, f"{mod.match} overlaps {other}")
        old = table.strict(mod.priority, mod.match)
        if old is None and len(table) >= TABLE_LIMIT:
            raise refuse(OFPFMFC.TABLE_FULL, f"table {mod.table_id} has {TABLE_LIMIT} entries")
        if old is not None:
            self._tell_cache(Gone(old))
        self._sequence += 1
        entry = FlowEntry(
            mod.table_id,
            mod.priority,
            mod.match,
            mod.instructions,
            cookie=mod.cookie,
            flags=mod.flags,
            idle_timeout_ns=mod.idle_timeout * NS_PER_S,
            hard_timeout_ns=mod.hard_timeout * NS_PER_S,
            created_ns=now,
            sequence=self._sequence,
        )
        if old is not None:
            if not mod.flags & _RESET_COUNTS:
                entry.packets, entry.bytes = old.packets, old.bytes
            table.remove(old)
        table.add(entry)
        self._tell_cache(Added(entry))
        self._watch(entry)

    def _watch(self, entry: FlowEntry) -> None:
        """Note when an entry expires. Entries that are gone stay noted until they are half."""
        deadline = entry.deadline()
        if deadline is None:
            return
        heappush(self._deadlines, (deadline, entry.sequence, entry))
        if len(self._deadlines) > 2 * sum(map(len, self._state.tables.values())) + _FEW_DEADLINES:
            self._refresh_deadlines()

    def _refresh_deadlines(self) -> None:
        """Note the deadlines anew, so that one settling serves all entries with traffic."""
        self._deadlines = [
            (deadline, sequence, entry)
            for _, sequence, entry in self._deadlines
            if entry.live and (deadline := entry.deadline()) is not None
        ]
        heapify(self._deadlines)

    def _change(self, mod: FlowMod) -> None:
        chosen = self._chosen(mod, strict=mod.command == OFPFC.MODIFY_STRICT)
        for entry in chosen:
            check_consistent(entry.match, mod.instructions)
        for entry in chosen:
            self._tell_cache(Gone(entry))
            entry.instructions = mod.instructions
            if mod.flags & _RESET_COUNTS:
                entry.packets = entry.bytes = 0

    def _delete(self, mod: FlowMod) -> list[Removal]:
        chosen = [
            entry
            for entry in self._chosen(mod, strict=mod.command == OFPFC.DELETE_STRICT)
            if _sends_to(entry, mod.out_port, mod.out_group)
        ]
        return self._remove((entry, OFPRR.DELETE) for entry in chosen)

    def _remove(self, chosen: Iterable[tuple[FlowEntry, int]]) -> list[Removal]:
        removals = []
        for entry, reason in chosen:
            self._tell_cache(Gone(entry))
            self._state.tables[entry.table_id].remove(entry)
            if entry.flags & _SEND_FLOW_REM:
                removals.append(Removal(entry, reason))
        return removals

    def _chosen(self, mod: FlowMod, strict: bool) -> list[FlowEntry]:
        """Return the entries that a modify or delete is about."""
        chosen = []
        for table in self._tables(mod.table_id):
            if strict:
                entry = table.strict(mod.priority, mod.match)
                found: Iterable[FlowEntry] = () if entry is None else (entry,)
            else:
                found = (entry for entry in table if covers(mod.match, entry.match))
            chosen += [e for e in found if (e.cookie ^ mod.cookie) & mod.cookie_mask == 0]
        return chosen

    def _tables(self, table_id: int) -> list[FlowTable]:
        if table_id == OFPTT.ALL:
            return list(self._state.tables.values())
        table = self._state.tables.get(table_id)
        return [] if table is None else [table]

    def remove_users_of_groups(self, group_ids: Collection[int]) -> list[Removal]:
        """Remove the entries that send to groups which are gone (6.5)."""
        if not group_ids:
            return []
        users = [entry for entry in self._all() if not _groups_of(entry).isdisjoint(group_ids)]
        return self._remove((entry, OFPRR.GROUP_DELETE) for entry in users)

    def remove_users_of_meters(self, meter_ids: Collection[int]) -> list[Removal]:
        """Remove the entries that use meters which are gone (6.6)."""
        if not meter_ids:
            return []
        users = [entry for entry in self._all() if _meter_of(entry) in meter_ids]
        return self._remove((entry, OFPRR.DELETE) for entry in users)

    def users_of_groups(self) -> Counter[int]:
        """Return how many entries send to each group."""
        return Counter(group_id for entry in self._all() for group_id in _groups_of(entry))

    def users_of_meters(self) -> Counter[int | None]:
        """Return how many entries use each meter, and under None how many use none."""
        return Counter(map(_meter_of, self._all()))

    def _all(self) -> Iterator[FlowEntry]:
        for table in self._state.tables.values():
            yield from table

    def next_expiry(self) -> int | None:
        """Return when :meth:`expire` has something to look at (ns), or None."""
        while self._deadlines and not self._deadlines[0][2].live:
            heappop(self._deadlines)
        return self._deadlines[0][0] if self._deadlines else None

    def expire(self, now: int) -> list[Removal]:
        """Remove the entries whose time is over; return those that are to be reported."""
        self._settle()
        gone: list[tuple[FlowEntry, int]] = []
        while self._deadlines and self._deadlines[0][0] <= now:
            _, sequence, entry = heappop(self._deadlines)
            if not entry.live:
                continue
            deadline = entry.deadline()
            assert deadline is not None
            if deadline > now:  # packets came since it was noted, and for other entries too
                heappush(self._deadlines, (deadline, sequence, entry))
                self._refresh_deadlines()
                continue
            hard = entry.hard_timeout_ns and entry.renewed_ns + entry.hard_timeout_ns <= now
            gone.append((entry, OFPRR.HARD_TIMEOUT if hard else OFPRR.IDLE_TIMEOUT))
        return self._remove(gone) if gone else []

    def selected(self, request: FlowStatsRequest) -> Iterator[FlowEntry]:
        """Yield the entries that a request for statistics is about, counters settled."""
        self._settle()
        for table in self._tables(request.table_id):
            for entry in table:
                if (
                    covers(request.match, entry.match)
                    and (entry.cookie ^ request.cookie) & request.cookie_mask == 0
                    and _sends_to(entry, request.out_port, request.out_group)
                ):
                    yield entry


def _actions_of(entry: FlowEntry) -> Iterator[Action]:
    for instruction in entry.instructions:
        if isinstance(instruction, ApplyActions | WriteActions):
            yield from instruction.actions


def _groups_of(entry: FlowEntry) -> set[int]:
    """Return the groups that an entry sends to."""
    return {action.group_id for action in _actions_of(entry) if isinstance(action, Group)}


def _meter_of(entry: FlowEntry) -> int | None:
    """Return the meter that an entry uses, if it does."""
    return next((i.meter_id for i in entry.instructions if isinstance(i, Meter)), None)


def _sends_to(entry: FlowEntry, port: int, group: int) -> bool:
    """Whether an entry passes the out_port and out_group filters of a delete or request."""
    if port != OFPP.ANY and not any(
        isinstance(action, Output | Enqueue) and action.port == port
        for action in _actions_of(entry)
    ):
        return False
    return group == OFPG.ANY or group in _groups_of(entry)
