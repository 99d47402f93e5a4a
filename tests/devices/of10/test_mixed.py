"""One switch, spoken to by controllers of different versions; whom misses are for (1.0.0, 3.4)."""

from __future__ import annotations

from typing import Any

from sdnvirt.addresses import Mac
from sdnvirt.drops import DropReason
from sdnvirt.openflow.v10.actions import Output, SetNwTos, SetTpSrc
from sdnvirt.openflow.v10.constants import NO_BUFFER, OFPFC, OFPFF, OFPP, OFPR, OFPST, OFPCFrag
from sdnvirt.openflow.v10.features import SetConfig
from sdnvirt.openflow.v10.flow import FlowMod, FlowRemoved, FlowStatsRequest
from sdnvirt.openflow.v10.match import Match
from sdnvirt.openflow.v10.packets import PacketIn, PacketOut
from sdnvirt.openflow.v10.statistics import StatsRequest
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import flow as flow13
from sdnvirt.openflow.v13 import packets as packets13
from sdnvirt.openflow.v13.constants import OFPMP, OFPRR
from sdnvirt.openflow.v13.constants import OFPP as OFPP13
from sdnvirt.openflow.v13.constants import OFPR as OFPR13
from sdnvirt.openflow.v13.instructions import ApplyActions, GotoTable
from sdnvirt.openflow.v13.multipart import MultipartRequest
from tests.devices.entries import FRAME

H1, H2 = Mac(0x02_00_00_00_00_01), Mac(0x02_00_00_00_00_02)


def test_a_packet_that_no_entry_is_for_goes_to_the_controller(
    old: Any, stations: list[Any], world: Any
) -> None:
    for _ in range(2):
        stations[2].send(FRAME)
    first, second = old.got(PacketIn)
    assert (first.reason, first.in_port, first.total_len) == (OFPR.NO_MATCH, 3, 200)
    assert first.data == second.data == FRAME[:128]
    assert first.buffer_id != second.buffer_id
    old.ask(SetConfig(OFPCFrag.NORMAL, 0xFFFF))
    stations[2].send(FRAME)
    (third,) = old.got(PacketIn)
    assert (third.data, third.buffer_id) == (FRAME, NO_BUFFER)
    assert world.ledger.by_reason() == {}


def test_a_miss_in_the_tables_that_a_packet_out_asks_for_comes_back(old: Any) -> None:
    old.ask(PacketOut(in_port=2, actions=(Output(OFPP.TABLE),), data=FRAME))
    (packet_in,) = old.got(PacketIn)
    assert (packet_in.reason, packet_in.in_port) == (OFPR.NO_MATCH, 2)


def test_what_an_entry_sends_to_the_controller_is_no_miss(old: Any, stations: list[Any]) -> None:
    old.ask(FlowMod(actions=(Output(OFPP.CONTROLLER, 20),)))
    stations[0].send(FRAME)
    (packet_in,) = old.got(PacketIn)
    assert (packet_in.reason, packet_in.data) == (OFPR.ACTION, FRAME[:20])


def test_an_entry_that_sends_nowhere_drops(old: Any, stations: list[Any], world: Any) -> None:
    old.ask(FlowMod())
    stations[0].send(FRAME)
    assert old.got(PacketIn) == []
    assert world.ledger.by_reason() == {DropReason.NO_OUTPUT: 1}


def test_only_controllers_of_openflow_1_0_are_told_of_misses(
    speaks: Any, stations: list[Any], world: Any
) -> None:
    new = speaks(4)
    stations[0].send(FRAME)
    assert world.ledger.by_reason() == {DropReason.TABLE_MISS: 1}
    old, other = speaks(1), speaks(1)
    other.ask(SetConfig(OFPCFrag.NORMAL, 10))
    stations[0].send(FRAME)
    assert [len(old.got(PacketIn)[0].data), len(other.got(PacketIn)[0].data)] == [128, 10]
    assert new.got(packets13.PacketIn) == []


def test_misses_are_dropped_again_when_the_last_such_controller_has_left(
    speaks: Any, switch: Any, stations: list[Any], world: Any
) -> None:
    speaks(4)
    old = speaks(1)
    stations[0].send(FRAME)
    assert len(old.got(PacketIn)) == 1
    switch.agents[1].hang_up()
    stations[0].send(FRAME)
    assert old.got(PacketIn) == []
    assert world.ledger.by_reason() == {DropReason.TABLE_MISS: 1}


def test_a_table_miss_entry_tells_everybody_as_their_version_has_it(
    speaks: Any, stations: list[Any]
) -> None:
    new, old = speaks(4), speaks(1)
    output = act.Output(OFPP13.CONTROLLER)
    new.ask(flow13.FlowMod(priority=0, instructions=(ApplyActions((output,)),)))
    stations[0].send(FRAME)
    (said,) = old.got(PacketIn)
    assert (said.reason, said.in_port, said.data) == (OFPR.NO_MATCH, 1, FRAME)
    (said,) = new.got(packets13.PacketIn)
    assert (said.reason, said.data) == (OFPR13.NO_MATCH, FRAME)


def test_only_the_first_table_is_one_that_openflow_1_0_knows(
    speaks: Any, stations: list[Any], world: Any
) -> None:
    new, old = speaks(4), speaks(1)
    new.ask(flow13.FlowMod(instructions=(GotoTable(1),)))
    stations[0].send(FRAME)
    assert old.got(PacketIn) == []
    assert world.ledger.by_reason() == {DropReason.TABLE_MISS: 1}


def test_entries_of_one_version_are_told_and_deleted_in_the_other(speaks: Any) -> None:
    new, old = speaks(4), speaks(1)
    old.ask(FlowMod(
        match=Match.of(in_port=1), actions=(SetNwTos(64), Output(2)),
        flags=OFPFF.SEND_FLOW_REM,
    ))  # fmt: skip
    (reply,) = new.ask(MultipartRequest(OFPMP.FLOW, (flow13.FlowStatsRequest(),)))
    (entry,) = reply.entries
    assert str(entry.match) == "in_port=1"
    assert entry.instructions[0].actions[-1] == act.Output(2, 0xFFFF)
    new.ask(flow13.FlowMod(command=OFPFC.DELETE))
    assert [len(old.got(FlowRemoved)), len(new.got(flow13.FlowRemoved))] == [1, 1]


def test_an_entry_with_more_tables_is_told_as_far_as_openflow_1_0_can(speaks: Any) -> None:
    new, old = speaks(4), speaks(1)
    instructions = (ApplyActions((act.Output(2),)), GotoTable(5))
    new.ask(flow13.FlowMod(
        instructions=instructions, flags=OFPFF.SEND_FLOW_REM, hard_timeout=1
    ))  # fmt: skip
    (reply,) = old.ask(StatsRequest(OFPST.FLOW, (FlowStatsRequest(),)))
    assert [entry.actions for entry in reply.entries] == [(Output(2),)]
    old.scheduler.run_until(1_000_000_000)
    (removed,) = old.got(FlowRemoved)
    assert removed.reason == OFPRR.HARD_TIMEOUT


def test_what_only_openflow_1_0_could_be_told_is_refused(speaks: Any) -> None:
    """One action of 8 bytes is told in OpenFlow 1.3 as three of 16."""
    old, new = speaks(1), speaks(4)
    assert old.refusal(FlowMod(actions=(SetTpSrc(80),) * 2_000)) == "BAD_ACTION/TOO_MANY"
    fits = FlowMod(actions=(SetTpSrc(80),) * 1_000)
    assert old.ask(fits) == []
    (reply,) = new.ask(MultipartRequest(OFPMP.FLOW, (flow13.FlowStatsRequest(),)))
    assert len(reply.entries[0].instructions[0].actions) == 3_000
    (reply,) = old.ask(StatsRequest(OFPST.FLOW, (FlowStatsRequest(),)))
    assert reply.entries[0].actions == fits.actions
