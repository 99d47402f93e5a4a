"""The slow path: a packet's way through the flow tables (OpenFlow 1.3.5, section 5).

:class:`Walk` takes one packet through the tables and writes down the program for all packets like
it. The same walk tells what it does, line by line, when it is given a list to tell it to: that is
``explain``, and there is no second implementation that could disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sdnvirt.datapath.entry import FlowEntry
from sdnvirt.datapath.fields import Fields, packet_fields
from sdnvirt.datapath.flow import Branch, Change, Emit, Flow, Lookup, Punt, Step, Tunnel
from sdnvirt.datapath.rewrite import SETTERS, Rewrite, pop_vlan, push_vlan, set_ttl, ttl_of
from sdnvirt.datapath.table import FlowTable
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPAT, OFPCML, OFPP, OFPR
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    GotoTable,
    Instruction,
    WriteActions,
    WriteMetadata,
)
from sdnvirt.openflow.v13.oxm import OxmField
from sdnvirt.wire.flowkey import KEY_BYTES

ACTION_SET_ORDER: Final[tuple[int, ...]] = (
    OFPAT.POP_VLAN, OFPAT.PUSH_VLAN, OFPAT.DEC_NW_TTL, OFPAT.SET_NW_TTL, OFPAT.SET_FIELD,
    OFPAT.OUTPUT,
)  # fmt: skip
"""The order in which an action set is executed, of the actions supported here (5.10)."""

_EXECUTION_ORDER: Final = (ApplyActions, ClearActions, WriteActions, WriteMetadata, GotoTable)
"""The order in which an entry's instructions are executed (5.9)."""

NO_COOKIE: Final = (1 << 64) - 1
"""Cookie of a packet-in that no flow entry asked for (7.4.1)."""

Narration = list[str]


class Walk:
    """One packet's walk through the pipeline.

    Args:
        tables: the flow tables by number; a table that is absent has no entries.
        ports: port number to whether its link is up, in order of number.
        in_port: where the packet arrived.
        frame: the packet.
        narration: list to tell the walk to, or None.
    """

    def __init__(
        self,
        tables: Mapping[int, FlowTable],
        ports: Mapping[int, bool],
        in_port: int,
        frame: Frame,
        narration: Narration | None = None,
    ) -> None:
        self._tables = tables
        self._ports = ports
        self._in_port = in_port
        # What the flow key does not cover must not decide, or packets with one key could differ.
        self._data = frame.data[:KEY_BYTES]
        self._tunnel_id = frame.tunnel_id
        self._metadata = 0
        self._fields = self._read()
        self._steps: list[Step] = []
        self._lookups: list[Lookup] = []
        self._action_set: dict[tuple[int, OxmField | None], act.Action] = {}
        self._narration = narration
        self._entry: FlowEntry | None = None
        self._stopped = False

    def run(self) -> Flow:
        """Walk from table 0 to the end; return the program found."""
        table_id: int | None = 0
        reason, detail = DropReason.NO_OUTPUT, ""
        while table_id is not None and not self._stopped:
            table = self._tables.get(table_id)
            entry = None if table is None else table.lookup(self._fields)
            if table is not None:
                self._lookups.append((table, entry))
            if entry is None:
                reason, detail = DropReason.TABLE_MISS, f"table {table_id}"
                self._tell(f"table {table_id}: no match: drop")
                return self._flow(reason, detail)
            self._tell(f"table {table_id}: priority {entry.priority}, {entry.match}")
            detail = f"table {table_id}, cookie {entry.cookie:#x}: {entry.match}"
            table_id = self._execute(entry)
        if not self._stopped:
            self._execute_action_set()
        return self._flow(reason, detail)

    def run_actions(self, actions: tuple[act.Action, ...]) -> Flow:
        """Execute a list of actions only, as a packet-out asks; OFPP.TABLE is the pipeline."""
        reason, detail = DropReason.NO_OUTPUT, "packet-out"
        for action in actions:
            if self._stopped:
                break
            if isinstance(action, act.Output) and action.port == OFPP.TABLE:
                flow = self._through_tables()
                reason, detail = flow.reason, flow.detail
            else:
                self._apply(action)
        return self._flow(reason, detail)

    def _through_tables(self) -> Flow:
        """Let a copy of the packet walk through the tables."""
        frame = Frame(self._data, tunnel_id=self._tunnel_id)
        flow = Walk(self._tables, self._ports, self._in_port, frame, self._narration).run()
        if flow.steps:
            self._steps.append(Branch(flow.steps))
        self._lookups += flow.lookups
        return flow

    def _read(self) -> Fields:
        return packet_fields(self._data, self._in_port, self._tunnel_id, self._metadata)

    def _flow(self, reason: DropReason, detail: str) -> Flow:
        steps = tuple(self._steps)
        if not any(isinstance(step, Emit | Punt | Branch) for step in steps):
            self._tell(f"drop: {reason.value}")
            steps = ()
        return Flow(self._in_port, steps, tuple(self._lookups), reason, detail)

    def _tell(self, line: str) -> None:
        if self._narration is not None:
            self._narration.append(line)

    def _execute(self, entry: FlowEntry) -> int | None:
        """Execute an entry's instructions; return the next table, or None at the end."""
        self._entry = entry
        by_kind: dict[type[Instruction], Instruction] = {type(i): i for i in entry.instructions}
        for kind in _EXECUTION_ORDER:
            instruction = by_kind.get(kind)
            if instruction is None:
                continue
            self._tell(f"  {instruction}")
            match instruction:
                case ApplyActions(actions):
                    for action in actions:
                        if not self._stopped:
                            self._apply(action)
                case ClearActions():
                    self._action_set.clear()
                case WriteActions(actions):
                    for action in actions:
                        field = action.field if isinstance(action, act.SetField) else None
                        self._action_set[action.TYPE, field] = action
                case WriteMetadata(metadata, mask):
                    self._metadata = self._metadata & ~mask | metadata & mask
                    self._fields[oxm.METADATA] = self._metadata
                case GotoTable(table_id):
                    return table_id
        return None

    def _execute_action_set(self) -> None:
        if not any(kind == OFPAT.OUTPUT for kind, _ in self._action_set):
            return  # without an output the set drops the packet (5.10)
        for wanted in ACTION_SET_ORDER:
            for (kind, _), action in self._action_set.items():
                if kind == wanted and not self._stopped:
                    self._tell(f"action set: {action}")
                    self._apply(action)

    def _apply(self, action: act.Action) -> None:
        match action:
            case act.Output(port, max_len):
                self._output(port, max_len)
            case act.SetField(field, value) if field is oxm.TUNNEL_ID:
                self._tunnel_id = value
                self._steps.append(Tunnel(value))
                self._fields[oxm.TUNNEL_ID] = value
            case act.SetField(field, value):
                self._change(SETTERS[field], value)
            case act.PushVlan(ethertype):
                self._change(push_vlan, ethertype)
            case act.PopVlan():
                self._change(pop_vlan, 0)
            case act.SetNwTtl(ttl):
                self._change(set_ttl, ttl)
            case act.DecNwTtl():
                self._decrement_ttl()
            case _:
                raise AssertionError(f"{action} was admitted and cannot be executed")

    def _change(self, rewrite: Rewrite, value: int) -> None:
        self._data = rewrite(self._data, value)
        self._fields = self._read()
        self._steps.append(Change(rewrite, value))

    def _decrement_ttl(self) -> None:
        ttl = ttl_of(self._data)
        if ttl is None:
            return
        if ttl <= 1:
            self._tell("  time to live expired: to the controller")
            self._punt(OFPCML.NO_BUFFER, OFPR.INVALID_TTL)
            self._stopped = True
            return
        self._change(set_ttl, ttl - 1)  # the same for every packet of the flow: its key has the TTL

    def _output(self, port: int, max_len: int) -> None:
        if port == OFPP.CONTROLLER:
            miss = self._entry is not None and _is_table_miss(self._entry)
            self._punt(max_len, OFPR.NO_MATCH if miss else OFPR.ACTION)
            return
        if port == OFPP.IN_PORT:
            # A packet-out of the controller's own has no port to go back to.
            ports: tuple[int, ...] = (self._in_port,) if self._in_port in self._ports else ()
        elif port in (OFPP.FLOOD, OFPP.ALL):
            ports = tuple(n for n, up in self._ports.items() if up and n != self._in_port)
        elif port == self._in_port or port not in self._ports:
            self._tell(f"  output to {port} is left out: {self._why_not(port)}")
            return
        else:
            ports = (port,)
        if not ports:
            return
        last = self._steps[-1] if self._steps else None
        if isinstance(last, Emit):
            ports = last.ports + ports
            self._steps.pop()
        self._steps.append(Emit(ports))

    def _why_not(self, port: int) -> str:
        return "the packet came from there" if port == self._in_port else "no such port"

    def _punt(self, max_len: int, reason: int) -> None:
        entry = self._entry
        table_id, cookie = (0, NO_COOKIE) if entry is None else (entry.table_id, entry.cookie)
        self._steps.append(Punt(max_len, reason, table_id, cookie))


def _is_table_miss(entry: FlowEntry) -> bool:
    """Whether this is its table's table-miss entry (5.4)."""
    return entry.priority == 0 and not entry.match.fields
