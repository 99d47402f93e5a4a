"""The slow path: a packet's way through the flow tables (OpenFlow 1.3.5, section 5).

:class:`Walk` takes one packet through the tables and writes down the program for all packets like
it. The same walk tells what it does, line by line, when it is given a list to tell it to: that is
``explain``, and there is no second implementation that could disagree.

What each action does stands in :mod:`sdnvirt.datapath.actions`, in terms of the walk's verbs.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sdnvirt.datapath.basis import Evidence
from sdnvirt.datapath.budget import Budget
from sdnvirt.datapath.entry import FlowEntry
from sdnvirt.datapath.fields import TUNNEL_SHIFTS, Fields, packet_fields
from sdnvirt.datapath.flow import (
    Branch,
    Change,
    Count,
    Deferred,
    Emit,
    Enqueue,
    Flow,
    Lookup,
    Loss,
    Normal,
    Police,
    Punt,
    Step,
    Tunnel,
    Visit,
    sends,
)
from sdnvirt.datapath.meters import Meter
from sdnvirt.datapath.near import near_miss
from sdnvirt.datapath.rewriting.ip import raise_precedence
from sdnvirt.datapath.rewriting.patch import Rewrite
from sdnvirt.datapath.state import PipelineState
from sdnvirt.datapath.tally import Tally
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.oxm import OxmField
from sdnvirt.wire.flowkey import KEY_BYTES, flow_key

NO_COOKIE: Final = (1 << 64) - 1
"""Cookie of a packet-in that no flow entry asked for (7.4.1)."""

Narration = list[str]

ActionSet = dict[tuple[int, OxmField | None], Action]
"""Actions by type; set-field actions by type and field (5.10)."""


class Parting(NamedTuple):
    """A meter on the way that may raise the packet's drop precedence.

    Attributes:
        behind: where in the program the steps behind the meter begin.
        told: where in the narration they do.
        levels: by how many levels it may be raised; not those that leave it as it is.
    """

    behind: int
    told: int
    levels: tuple[int, ...]


class Walk:
    """One packet on its walk, and the program found so far.

    A walk is the same whenever it is taken, save that meters may find differently: what they do
    to the packet on this walk, its verdicts say.

    Args:
        state: tables, groups, meters and ports.
        in_port: where the packet arrived.
        frame: the packet.
        narration: list to tell the walk to, or None.
        fields: the match fields of the packet as it arrived, if they are known already.

    Attributes:
        data: the packet as it is now, as far as the flow key covers it.
        fields: its match fields.
        metadata: the metadata register.
        registers: what actions wrote into Nicira's fields, which are not in the packet.
        action_set: the actions that wait for the end of the walk (5.10).
        queue_id: the queue by which it leaves those ports that have one with this id, or None.
        stopped: whether the packet goes no further.
        exited: whether that is so because no more actions are to be executed, save for the set.
        deep: whether what was decided depends on bytes that the flow key does not cover.
        excuse: a better reason than the usual one, in case that the packet goes nowhere.
        budget: how much work the packet has been, and may be.
        steps: the program found so far.
        verdicts: by how many levels the partings on the way raise the drop precedence, in order;
            those beyond let the packet pass as it is.
        partings: those met so far.
    """

    def __init__(
        self,
        state: PipelineState,
        in_port: int,
        frame: Frame,
        narration: Narration | None = None,
        fields: Fields | None = None,
    ) -> None:
        self.state = state
        self.in_port = in_port
        # What the flow key does not cover must not decide, or packets with one key could differ.
        self.data = frame.data[:KEY_BYTES]
        self._arrived = frame
        self.tunnel = frame.tunnel
        self.metadata = 0
        self.registers: Fields = {}
        self.action_set: ActionSet = {}
        self.queue_id: int | None = None
        self.stopped = False
        self.exited = False
        self.deep = False
        self.excuse: DropReason | None = None
        self.budget = Budget()
        if fields is None:
            fields = packet_fields(self.data, in_port, frame.tunnel, 0)
        self.fields: Fields = fields
        self.steps: list[Step] = []
        self.verdicts: tuple[int, ...] = ()
        self.partings: list[Parting] = []
        self._evidence = Evidence(self.fields)
        self._remade = False
        self._metered = False
        self._lookups: list[Lookup] = []
        self._asked: list[tuple[int, FlowEntry | None]] = []
        self._narration = narration
        self._entry: FlowEntry | None = None

    # what the pipeline does with the walk

    def look_up(self, table_id: int) -> FlowEntry | None:
        """Return the entry of a table that the packet matches, and tell and count it."""
        table = self.state.tables.get(table_id)
        entry = None
        if table is not None:
            entry = table.lookup(self.fields, self._evidence.look_up(self._remade))
            self._visit(((table, entry),))
        self._asked.append((table_id, entry))
        if entry is None:
            self.tell(f"table {table_id}: no match")
        else:
            self.tell(f"table {table_id}: priority {entry.priority}, {entry.match}")
            self._entry = entry
        if table is not None and self._narration is not None:
            nearly = near_miss(table, self.fields, entry)
            if nearly is not None:
                self.tell(f"  ({nearly})")
        return entry

    def finish(self, reason: DropReason, detail: str) -> Flow:
        """Return the program; the reason is for a packet that it sends nowhere."""
        loss = self.loss(reason, detail)
        if loss is not None:
            self.tell(f"drop: {loss.reason.value}")
            while self.steps and isinstance(self.steps[-1], Change | Tunnel):
                del self.steps[-1]  # nobody sees what they make
        return Flow(
            self.in_port,
            () if self.budget.exceeded else tuple(self.steps),
            tuple(self._lookups),
            tuple(self._asked),
            self._evidence.basis(),
            reason if loss is None else loss.reason,
            detail,
            self.deep,
        )

    def loss(self, reason: DropReason, detail: str) -> Loss | None:
        """Return why the packet ends here, or None if the program sends it somewhere.

        Args:
            reason: the usual reason.
            detail: figures for the reason.
        """
        if self.budget.exceeded is not None:
            return Loss(self.budget.exceeded, detail)
        return None if sends(self.steps) else Loss(self.excuse or reason, detail)

    def set_metadata(self, value: int, mask: int) -> None:
        """Set the bits of the metadata register that the mask names."""
        self.metadata = self.metadata & ~mask | value & mask
        self.fields[oxm.METADATA] = self.metadata
        self._evidence.touch(oxm.METADATA)

    @property
    def narration(self) -> Narration | None:
        """Where the walk is told, or None."""
        return self._narration

    @property
    def entry(self) -> FlowEntry | None:
        """The entry whose actions are being executed, or None at the beginning."""
        return self._entry

    @property
    def table_id(self) -> int:
        """The table whose entry the packet is at."""
        return 0 if self._entry is None else self._entry.table_id

    def look_up_as(self, in_port: int, table_id: int) -> FlowEntry | None:
        """Return the entry that the packet would match, had it arrived at a port."""
        if in_port == self.in_port:
            return self.look_up(table_id)
        self._evidence.touch(oxm.IN_PORT)
        self.fields[oxm.IN_PORT] = in_port
        entry = self.look_up(table_id)
        self.fields[oxm.IN_PORT] = self.in_port
        return entry

    def come_back(self, entry: FlowEntry | None) -> None:
        """Go on with the actions of an entry that led to others."""
        self._entry = entry

    # what actions do with it

    def tell(self, line: str) -> None:
        """Add a line to the narration, if there is one."""
        if self._narration is not None:
            self._narration.append(line)

    def rest_on_key(self) -> None:
        """Say that an action looks at more of the packet than its match fields."""
        self._evidence.rest_on_key()

    def set_field(self, field: OxmField, rewrite: Rewrite, value: int) -> None:
        """Change one field of the packet by ``rewrite(bytes, value)``, and no other."""
        self._evidence.touch(field)
        self._change(rewrite, value)

    def change(self, rewrite: Rewrite, value: int) -> None:
        """Change the packet's headers to those of ``rewrite(bytes, value)``."""
        self._remade = True
        self._evidence.remake()
        self._change(rewrite, value)

    def _change(self, rewrite: Rewrite, value: int) -> None:
        self.data = rewrite(self.data, value)
        self.fields = self._read()
        self.steps.append(Change(rewrite, value))

    def look_deeper(self) -> None:
        """Say that an action makes headers of bytes which the flow key may not cover."""
        self.deep = True
        self._evidence.rest_on_key()

    def set_tunnel(self, field: OxmField, value: int) -> None:
        """Set one of the fields of the packet's tunnel metadata."""
        shift = TUNNEL_SHIFTS[field]
        step = Tunnel(~(field.limit << shift), value << shift)
        self.tunnel = self.tunnel & step.kept | step.value
        self.steps.append(step)
        self.fields[field] = value
        self._evidence.touch(field)

    def set_register(self, field: OxmField, value: int) -> None:
        """Set one of Nicira's fields."""
        self.registers[field] = self.fields[field] = value
        self._evidence.touch(field)

    def restore(self, registers: Fields, metadata: int) -> None:
        """Begin with what another walk wrote."""
        self.registers, self.metadata = dict(registers), metadata
        self.fields = self._read()

    def defer(self, step: Deferred) -> None:
        """Leave to each packet what depends on more than its headers."""
        self.steps.append(step)

    def emit(self, ports: tuple[int, ...]) -> None:
        """Send the packet, as it is now, out of ports."""
        for port in ports:
            last = self.steps[-1] if self.steps else None
            if self.queue_id is not None and self.queue_id in self.state.queues.get(port, ()):
                self.steps.append(Enqueue(port, self.queue_id))
            elif isinstance(last, Emit):
                self.steps[-1] = Emit((*last.ports, port))
            else:
                self.steps.append(Emit((port,)))

    def normal(self) -> None:
        """Let the switch's bridge send the packet, as it is now."""
        self.steps.append(Normal(self.queue_id))

    def punt(self, max_len: int | None, reason: int) -> None:
        """Hand the packet, as it is now, to the controller; see :class:`Punt`."""
        entry = self._entry
        table_id, cookie = (0, NO_COOKIE) if entry is None else (entry.table_id, entry.cookie)
        self.steps.append(Punt(max_len, reason, table_id, cookie))

    def branch(self, flow: Flow) -> None:
        """Let another walk's program have a copy of the packet, which goes on unchanged."""
        if flow.steps:
            self.steps.append(Branch(flow.steps))
        self._visit(flow.lookups)
        self._asked += flow.asked
        self.deep |= flow.deep

    def fork(self) -> Walk:
        """Return a walk of a copy of the packet, as it is now."""
        copy = Frame(self.data, tunnel=self.tunnel)
        walk = Walk(self.state, self.in_port, copy, self._narration)
        walk.queue_id = self.queue_id
        walk.budget = self.budget
        walk.restore(self.registers, self.metadata)
        walk._entry = self._entry
        walk._arrived = self._arrived
        walk._evidence = self._evidence  # what either looks at, the decision rests on
        walk._remade = self._remade
        return walk

    def take_after(self, first: Walk, verdicts: tuple[int, ...]) -> None:
        """Before it begins: be the walk of the same packet on which meters find differently."""
        self.verdicts = verdicts
        self.fields = self._read()  # those given may be another walk's, which has changed them
        self._evidence = first._evidence
        if self._narration is not None:
            self._narration = []

    def join(self, other: Walk) -> None:
        """Let what another walk of the packet asked and looked at count for this one."""
        self._asked += other._asked
        self.deep |= other.deep

    def count(self, tally: Tally) -> None:
        """Count the packet, as it is now."""
        self.steps.append(Count(tally))

    def police(self, meter: Meter) -> None:
        """Take the packet through a meter, which does to it what the verdicts say."""
        self.steps.append(Police(meter))
        self._metered |= bool(meter.bands)
        if not meter.levels:
            return
        self._consult(oxm.IP_DSCP)
        raised = {level: raise_precedence(self.data, level) for level in meter.levels}
        levels = tuple(level for level, data in raised.items() if data != self.data)
        if not levels:
            return
        met = len(self.partings)
        self.partings.append(Parting(len(self.steps), len(self._narration or ()), levels))
        level = self.verdicts[met] if met < len(self.verdicts) else 0
        if level:
            self._evidence.touch(oxm.IP_DSCP)
            self.data = raised[level]
            self.fields = self._read()

    def flow_key(self) -> bytes:
        """Return the flow key with which the packet arrived.

        That of the packet as it is now may cover bytes that the first one did not, when a tag
        makes its shape an unusual one; a choice by those would differ within one cached flow.
        """
        self._evidence.rest_on_key()
        arrived = self._arrived
        return arrived.key or flow_key(arrived.data, arrived.tunnel)

    def in_table_miss(self) -> bool:
        """Whether the packet is being handled by a table-miss entry (5.4)."""
        entry = self._entry
        return entry is not None and entry.priority == 0 and not entry.match.fields

    def _visit(self, lookups: tuple[Lookup, ...]) -> None:
        """Let the packet be counted in tables and entries, but behind a meter only if it passes."""
        if not self._metered:
            self._lookups += lookups
            return
        last = self.steps[-1]
        if isinstance(last, Visit):
            self.steps[-1] = Visit((*last.lookups, *lookups))
        else:
            self.steps.append(Visit(lookups))

    def _consult(self, field: OxmField) -> None:
        noted = self._evidence.look_up(self._remade)
        if noted is not None:
            noted[field] = field.limit

    def _read(self) -> Fields:
        fields = packet_fields(self.data, self.in_port, self.tunnel, self.metadata)
        return fields | self.registers
