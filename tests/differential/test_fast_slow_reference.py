"""Three ways to the same decision: cached, walked, and written down as naively as possible.

Whatever flow mods, link changes, expiries and packets come in whatever order, the cached path and
the walk through the tables must do what the reference does. With ``--nightly`` the campaign is a
long one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.flow import Emission, Loss
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPFC, OFPM, OFPMC, OFPMF, OFPP
from sdnvirt.openflow.v13.error_codes import OFPET, OFPFMFC
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable, Meter
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.meters import DscpRemarkBand, MeterMod
from tests.differential.reference import Entry, OverlapError, Reference
from tests.differential.universe import (
    ACTION_LISTS,
    CHANGES,
    COLOURED,
    COLOURS,
    IN_PORTS,
    METER_MODS,
    METERS,
    OUT_LISTS,
    PACKETS,
    PORTS,
    TUNNELS,
    fitting,
    flow_mods,
)

S = 1_000_000_000
NIGHTLY = settings.get_current_profile_name() == "nightly"


def seen(emissions: list[Emission]) -> list[Any]:
    """What is sent, or lost at a meter; of what goes nowhere else, the reference says nothing."""
    return [
        (sent.data, sent.tunnel, target)
        for sent, target in emissions
        if not isinstance(target, Loss) or target.reason is DropReason.METERED
    ]


class FastSlowReference(RuleBasedStateMachine):
    """Drives a datapath and the reference with the same events."""

    def __init__(self) -> None:
        super().__init__()
        self.datapath = Datapath()
        self.reference = Reference()
        self.now = 0
        for number in PORTS:
            self.datapath.set_port(number, True)
            self.reference.ports[number] = True
        remarking = (DscpRemarkBand(1, 1, 1),)
        self.change_meter(MeterMod(OFPMC.ADD, OFPMF.PKTPS | OFPMF.BURST, 1, remarking))

    @rule(mod=flow_mods(st.just(OFPFC.ADD)))
    def add(self, mod: FlowMod) -> None:
        self.modify(self.known(mod))

    @rule(mod=flow_mods(CHANGES))
    def change(self, mod: FlowMod) -> None:
        self.modify(self.known(mod))

    def known(self, mod: FlowMod) -> FlowMod:
        """The flow mod without meters that are not there."""
        kept = (
            one
            for one in mod.instructions
            if not isinstance(one, Meter) or one.meter_id in self.reference.meters
        )
        return replace(mod, instructions=tuple(kept))

    @rule(mod=METER_MODS)
    def change_meter(self, mod: MeterMod) -> None:
        if mod.meter_id in self.reference.meters:
            mod = replace(mod, command=OFPMC.MODIFY)
        self.reference.modify_meter(mod, self.now)
        assert self.datapath.modify_meter(mod, self.now) == []

    @rule(table_id=st.integers(0, 1), meter_id=METERS, actions=ACTION_LISTS)
    def police(self, table_id: int, meter_id: int, actions: tuple[Action, ...]) -> None:
        """Let everything in a table go through a meter to the next."""
        apply = ApplyActions(fitting(Match(), actions))
        instructions = Meter(meter_id), apply, GotoTable(table_id + 1)
        self.add(FlowMod(table_id=table_id, priority=3, instructions=instructions))

    @rule(table_id=st.integers(1, 2), match=COLOURS, port=IN_PORTS)
    def part(self, table_id: int, match: Match, port: int) -> None:
        """Let a table look at the drop precedence."""
        to = (ApplyActions((Output(port),)),)
        self.add(FlowMod(table_id=table_id, priority=4, match=match, instructions=to))

    @rule(meter_id=st.sampled_from((*range(1, 6), OFPM.ALL)))
    def delete_meter(self, meter_id: int) -> None:
        mod = MeterMod(OFPMC.DELETE, 0, meter_id)
        expected = self.reference.modify_meter(mod, self.now)
        self.check_removals(self.datapath.modify_meter(mod, self.now), expected)

    def modify(self, mod: FlowMod) -> None:
        try:
            expected = self.reference.modify(mod, self.now)
        except OverlapError:
            with pytest.raises(OpenFlowError) as caught:
                self.datapath.modify(mod, self.now)
            assert caught.value.error_type == OFPET.FLOW_MOD_FAILED
            assert caught.value.code == OFPFMFC.OVERLAP
            return
        except OpenFlowError as refused:
            with pytest.raises(OpenFlowError, match=re.escape(str(refused))):
                self.datapath.modify(mod, self.now)
            return
        self.check_removals(self.datapath.modify(mod, self.now), expected)

    @rule(number=IN_PORTS, up=st.booleans())
    def link(self, number: int, up: bool) -> None:
        self.datapath.set_port(number, up)
        self.reference.ports[number] = up

    @rule(step=st.sampled_from((1, S // 2, S, S, 2 * S)))
    def pass_time(self, step: int) -> None:
        end = self.now + step
        while (due := self.datapath.next_expiry()) is not None and due <= end:
            assert due > self.now or self.now == 0
            self.now = due
            self.check_removals(self.datapath.expire(due), self.reference.expire(due))
        self.now = end
        assert self.reference.expire(end) == []
        self.check_counters()

    @rule(data=PACKETS, in_port=IN_PORTS, tunnel=TUNNELS)
    def packet(self, data: bytes, in_port: int, tunnel: int) -> None:
        self.arrive(data, in_port, tunnel)

    @rule(data=COLOURED, in_port=IN_PORTS)
    def coloured(self, data: bytes, in_port: int) -> None:
        self.arrive(data, in_port, 0)

    def arrive(self, data: bytes, in_port: int, tunnel: int) -> None:
        walked = self.datapath.translate(in_port, Frame(data, tunnel=tunnel))
        for _ in range(2):
            expected = self.reference.receive(in_port, data, tunnel, self.now)
            frame = Frame(data, tunnel=tunnel)
            flow = self.datapath.classify(in_port, frame)
            assert flow == walked
            assert seen(flow.run(frame, self.now)) == expected
            flow.packets += 1
            flow.bytes += len(data)
            flow.used_ns = self.now

    @rule(data=PACKETS, in_port=st.sampled_from((*PORTS, OFPP.CONTROLLER)), actions=OUT_LISTS)
    def packet_out(self, data: bytes, in_port: int, actions: tuple[Action, ...]) -> None:
        expected = self.reference.packet_out(in_port, data, actions, self.now)
        frame = Frame(data)
        flow = self.datapath.packet_out(in_port, frame, actions, self.now)
        assert seen(flow.run(frame, self.now)) == expected

    @precondition(lambda self: self.reference.entries)
    @rule()
    def check_counters(self) -> None:
        ours = [
            (e.table_id, e.sequence, e.priority, e.match, e.cookie, e.instructions,
             e.created_ns, e.used_ns, e.packets, e.bytes)
            for e in self.datapath.entries(FlowStatsRequest())
        ]  # fmt: skip
        theirs = [
            (e.mod.table_id, e.order, e.mod.priority, e.mod.match, e.mod.cookie, e.instructions,
             e.created, e.used, e.packets, e.bytes)
            for e in sorted(self.reference.entries, key=lambda e: (e.mod.table_id, e.order))
        ]  # fmt: skip
        assert ours == theirs
        tables = self.datapath.tables.values()
        assert {t.number: [t.looked_up, t.matched] for t in tables} == self.reference.tables

    @invariant()
    def tables_are_in_order(self) -> None:
        assert list(self.datapath.tables) == sorted(self.datapath.tables)

    def check_removals(self, ours: list[Any], theirs: list[tuple[Entry, int]]) -> None:
        assert sorted((r.entry.sequence, r.reason, r.entry.packets) for r in ours) == sorted(
            (entry.order, reason, entry.packets) for entry, reason in theirs
        )
        assert not any(removal.entry.live for removal in ours)

    def teardown(self) -> None:
        self.check_counters()


TestFastSlowReference = FastSlowReference.TestCase
TestFastSlowReference.settings = settings(
    max_examples=2000 if NIGHTLY else 40,
    stateful_step_count=100 if NIGHTLY else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
