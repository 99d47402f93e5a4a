"""The agent: what a switch says to its controller and does for it.

The controller here is the other end of the same channel, behind a connection without delay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.addresses import Mac
from sdnvirt.devices.buffers import BUFFERS
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import NOBODY
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import EchoReply, EchoRequest, Error, Hello
from sdnvirt.openflow.v13 import codec
from sdnvirt.openflow.v13.actions import (
    DecNwTtl,
    ExperimenterAction,
    Group,
    Output,
    SetField,
    SetQueue,
)
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import (
    NO_BUFFER,
    OFPCML,
    OFPFC,
    OFPFF,
    OFPMP,
    OFPP,
    OFPPR,
    OFPPS,
    OFPR,
    OFPRR,
    OFPTT,
    OFPCFrag,
)
from sdnvirt.openflow.v13.error_codes import error_name
from sdnvirt.openflow.v13.experimenter import Experimenter, ExperimenterMultipart
from sdnvirt.openflow.v13.features import (
    FeaturesReply,
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    SetConfig,
)
from sdnvirt.openflow.v13.flow import FlowMod, FlowRemoved, FlowStatsRequest
from sdnvirt.openflow.v13.groups import GroupMod
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ExperimenterInstruction,
    GotoTable,
    WriteMetadata,
)
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.meters import MeterMod
from sdnvirt.openflow.v13.multipart import MultipartRequest
from sdnvirt.openflow.v13.oxm import ETH_DST, IPV4_DST
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from sdnvirt.openflow.v13.ports import PortMod, PortStatsRequest, PortStatus
from sdnvirt.openflow.v13.queues import QueueGetConfigRequest, QueueStatsRequest
from sdnvirt.openflow.v13.roles import SetAsync

S = 1_000_000_000
NO_COOKIE = (1 << 64) - 1
H1, H2, H3 = (Mac(0x02_00_00_00_00_00 + n) for n in (1, 2, 3))
FRAME = H2 + H1 + b"\x88\xb5" + bytes(186)
TTL_1 = H2 + H1 + b"\x08\0\x45\0\0\x14" + bytes(4) + b"\x01\x63\0\0" + bytes(8)
Attach = Callable[..., Any]
Controller = Any  # of conftest, which cannot be imported


def flow(*actions: Any, **fields: Any) -> FlowMod:
    return FlowMod(instructions=(ApplyActions(actions),), **fields)


def miss(max_len: int = OFPCML.NO_BUFFER) -> FlowMod:
    """The table-miss entry that every controller installs."""
    return flow(Output(OFPP.CONTROLLER, max_len), priority=0)


def counts(stations: list[Any]) -> list[int]:
    return [len(s.received) for s in stations]


# the handshake (6.3.1, 7.3.1, 7.3.2)


def test_the_switch_says_hello_and_answers_who_it_is(controller: Controller) -> None:
    assert controller.dpid == 0x2A
    (hello,) = controller.raw
    assert codec.decode(hello)[1] == Hello((1, 4))
    (features,) = controller.ask(FeaturesRequest())
    assert isinstance(features, FeaturesReply)
    assert (features.datapath_id, features.n_buffers, features.auxiliary_id) == (0x2A, BUFFERS, 0)


def test_there_are_as_many_tables_as_the_switch_says(controller: Controller) -> None:
    (features,) = controller.ask(FeaturesRequest())
    last = features.n_tables - 1
    assert controller.ask(flow(Output(1), table_id=last)) == []
    refused = controller.refusal(FlowMod(table_id=features.n_tables))
    assert refused == "FLOW_MOD_FAILED/BAD_TABLE_ID"


def test_nothing_is_sent_before_the_handshake(
    world: World, switch: OpenFlowSwitch, stations: list[Any], connecting: Attach
) -> None:
    switch.modify_flow(miss())
    stations[0].nic.send(world.originate(FRAME, "h1"))
    controller = connecting(world)
    agent = switch.connect(controller)
    assert not agent.ready  # the controller's HELLO comes behind the frame
    world.scheduler.run_until(0)
    assert agent.ready
    assert controller.got(PacketIn) == []
    assert world.ledger.by_reason() == {DropReason.PACKET_IN_LOST: 1}


def test_the_configuration_can_be_set_and_read(controller: Controller) -> None:
    assert controller.ask(GetConfigRequest()) == [GetConfigReply(0, 128)]
    assert controller.ask(SetConfig(0, 77)) == []
    assert controller.ask(GetConfigRequest()) == [GetConfigReply(0, 77)]


def test_a_way_to_treat_fragments_that_is_not_there_is_refused(controller: Controller) -> None:
    answer = controller.refusal(SetConfig(OFPCFrag.REASM, 77))
    assert answer == "SWITCH_CONFIG_FAILED/BAD_FLAGS"
    assert controller.ask(GetConfigRequest()) == [GetConfigReply(0, 128)]


# ports (7.2.1, 7.4.3)


def test_the_ports_are_described(world: World, controller: Controller) -> None:
    (reply,) = controller.ask(MultipartRequest(OFPMP.PORT_DESC))
    assert [(p.port_no, p.name, p.hw_addr, p.state) for p in reply.entries] == [
        *((n, f"h{n}", Mac(0x06 << 40 | n), OFPPS.LIVE) for n in (1, 2, 3)),
        (OFPP.LOCAL, "s1", Mac(0x0E << 40 | 42), OFPPS.LINK_DOWN),
    ]


def test_a_link_that_goes_down_or_comes_up_is_told(
    world: World, switch: OpenFlowSwitch, controller: Controller
) -> None:
    port = switch.add_port(9, "p9", Mac(9))
    end = OpenFlowSwitch("s2", world, 2).add_port(1, "p1", Mac(1))
    link = Link(world, "s1--s2", port, end, LinkParameters())
    link.set_up(False)
    controller.rest()
    told = [(s.reason, s.desc.port_no, s.desc.state) for s in controller.got(PortStatus)]
    assert told == [
        (OFPPR.ADD, 9, OFPPS.LINK_DOWN),
        (OFPPR.MODIFY, 9, OFPPS.LIVE),
        (OFPPR.MODIFY, 9, OFPPS.LINK_DOWN),
    ]


# packet-in (7.4.1)


def test_a_miss_is_told_with_the_whole_packet(
    world: World, controller: Controller, stations: list[Any]
) -> None:
    controller.send(replace(miss(), cookie=5))
    stations[0].send(FRAME)
    assert controller.got(PacketIn) == [
        PacketIn(NO_BUFFER, 200, OFPR.NO_MATCH, 0, 5, Match.of(in_port=1), FRAME)
    ]
    assert (world.ledger.delivered, world.ledger.dropped) == (1, 0)


def test_an_action_of_a_later_table_is_told_as_such(
    controller: Controller, stations: list[Any]
) -> None:
    controller.send(FlowMod(instructions=(GotoTable(2),)))
    controller.send(flow(Output(OFPP.CONTROLLER, 64), table_id=2, cookie=6, priority=1))
    stations[1].send(FRAME)
    assert controller.got(PacketIn) == [
        PacketIn(0, 200, OFPR.ACTION, 2, 6, Match.of(in_port=2), FRAME[:64])
    ]


def test_an_expired_packet_is_told_with_the_reason_invalid_ttl(
    controller: Controller, stations: list[Any]
) -> None:
    everything = (1 << OFPR.INVALID_TTL, 0, 0, 0, 0, 0)
    controller.send(SetAsync(*everything))  # it is not told by default (6.3.6)
    controller.send(flow(DecNwTtl(), Output(2)))
    stations[0].send(TTL_1)
    (told,) = controller.got(PacketIn)
    assert (told.reason, told.data, counts(stations)) == (OFPR.INVALID_TTL, TTL_1, [0, 0, 0])


def test_the_tunnel_is_told(world: World, switch: OpenFlowSwitch, controller: Controller) -> None:
    controller.send(miss())
    frame = world.originate(FRAME, "vtep").rewritten(FRAME, 5000)
    switch.ports[1].receive(frame)
    controller.rest()
    (told,) = controller.got(PacketIn)
    assert told.match == Match.of(in_port=1, tunnel_id=5000)


@pytest.mark.parametrize(
    ("max_len", "shown"),
    [(0, 0), (1, 1), (199, 199), (200, None), (1500, None), (OFPCML.MAX, None)],
)
def test_a_packet_is_buffered_unless_all_of_it_is_shown(
    controller: Controller, stations: list[Any], max_len: int, shown: int | None
) -> None:
    controller.send(miss(max_len))
    stations[0].send(FRAME)
    (told,) = controller.got(PacketIn)
    assert told.data == FRAME[:shown]
    assert (told.buffer_id == NO_BUFFER) == (shown is None)
    assert told.total_len == 200


@pytest.mark.parametrize("max_len", [OFPCML.NO_BUFFER, OFPCML.MAX])
def test_a_packet_too_large_for_a_message_is_buffered_and_shown_in_part(
    controller: Controller, stations: list[Any], max_len: int
) -> None:
    data = FRAME[:14] + bytes(65495 - 14)
    to_controller = (Output(OFPP.CONTROLLER, max_len),)
    controller.send(PacketOut(in_port=1, actions=to_controller, data=data))
    (told,) = controller.got(PacketIn)
    assert told.total_len == len(data)
    assert 60000 < len(told.data) < len(data)
    assert data.startswith(told.data)
    controller.send(PacketOut(told.buffer_id, actions=(Output(OFPP.IN_PORT),)))
    assert sum(counts(stations)) == 0  # larger than the link's MTU, which is the link's to drop


def test_two_controllers_are_told_of_one_packet_that_ends_once(
    world: World,
    switch: OpenFlowSwitch,
    controller: Controller,
    stations: list[Any],
    connecting: Attach,
) -> None:
    second = connecting(world)
    switch.connect(second)
    second.rest()
    switch.modify_flow(miss(10))
    stations[0].send(FRAME)
    assert controller.got(PacketIn) == second.got(PacketIn) != []
    assert world.ledger.delivered == 1


# buffers (6.1.2)


def test_the_ring_of_buffers_keeps_the_last_ones(
    controller: Controller, stations: list[Any]
) -> None:
    controller.send(miss(20))
    for number in range(BUFFERS + 2):
        stations[0].send(FRAME[:-2] + number.to_bytes(2, "big"))
    ids = [told.buffer_id for told in controller.got(PacketIn)]
    assert len(set(ids)) == BUFFERS + 2
    out = PacketOut(ids[1], actions=(Output(2),))
    assert controller.refusal(out) == "BAD_REQUEST/BUFFER_UNKNOWN"
    controller.send(PacketOut(ids[2], actions=(Output(2),)))
    controller.send(PacketOut(ids[-1], actions=(Output(2),)))
    assert [data[-2:] for data in stations[1].received] == [b"\0\x02", b"\x01\x01"]


def test_a_buffer_is_used_once(controller: Controller, stations: list[Any]) -> None:
    controller.send(miss(20))
    sent = stations[0].send(FRAME)
    out = PacketOut(0, in_port=OFPP.CONTROLLER, actions=(Output(OFPP.FLOOD),))
    controller.send(out)
    assert counts(stations) == [0, 1, 1]  # the port of arrival is the buffer's, not the message's
    assert stations[1].frames[0].provenance is sent.provenance
    assert controller.refusal(out) == "BAD_REQUEST/BUFFER_UNKNOWN"


def test_a_flow_mod_sends_the_buffered_packet_through_its_entry(
    controller: Controller, stations: list[Any]
) -> None:
    controller.send(miss(20))
    stations[0].send(FRAME)
    assert controller.ask(flow(Output(3), match=Match.of(in_port=1), buffer_id=0)) == []
    assert counts(stations) == [0, 0, 1]
    stations[0].send(FRAME)
    assert counts(stations) == [0, 0, 2]


def test_a_flow_mod_with_an_unknown_buffer_takes_effect_and_is_told(
    controller: Controller, stations: list[Any]
) -> None:
    mod = flow(Output(3), buffer_id=77)
    assert controller.refusal(mod) == "BAD_REQUEST/BUFFER_UNKNOWN"
    stations[0].send(FRAME)
    assert counts(stations) == [0, 0, 1]


@pytest.mark.parametrize("command", [OFPFC.DELETE, OFPFC.DELETE_STRICT])
def test_the_buffer_of_a_delete_means_nothing(
    controller: Controller, stations: list[Any], command: int
) -> None:
    controller.send(miss(20))
    stations[0].send(FRAME)
    delete = FlowMod(command=command, buffer_id=0, match=Match.of(in_port=9))
    assert controller.ask(delete) == []
    assert controller.ask(replace(delete, buffer_id=77)) == []
    controller.send(PacketOut(0, actions=(Output(2),)))
    assert counts(stations) == [0, 1, 0]


# packet-out (7.3.7)


def test_a_packet_out_leaves_by_the_port_named(
    world: World, controller: Controller, stations: list[Any]
) -> None:
    controller.send(PacketOut(actions=(Output(2),), data=FRAME))
    assert stations[1].received == [FRAME]
    assert stations[1].frames[0].provenance is NOBODY
    assert world.ledger.sent == 1


@pytest.mark.parametrize(
    ("in_port", "port", "expected"),
    [
        (OFPP.CONTROLLER, OFPP.FLOOD, [1, 1, 1]),
        (1, OFPP.FLOOD, [0, 1, 1]),
        (1, OFPP.ALL, [0, 1, 1]),
        (1, OFPP.IN_PORT, [1, 0, 0]),
        (OFPP.CONTROLLER, OFPP.IN_PORT, [0, 0, 0]),
        (1, 1, [0, 0, 0]),
        (1, 99, [0, 0, 0]),
    ],
)
def test_a_packet_out_counts_as_received_on_its_in_port(
    controller: Controller, stations: list[Any], in_port: int, port: int, expected: list[int]
) -> None:
    assert controller.ask(PacketOut(in_port=in_port, actions=(Output(port),), data=FRAME)) == []
    assert counts(stations) == expected


def test_a_packet_out_goes_through_the_tables_and_may_come_back(
    controller: Controller, stations: list[Any]
) -> None:
    controller.send(flow(Output(3), match=Match.of(in_port=2)))
    controller.send(miss())
    table = (Output(OFPP.TABLE),)
    controller.send(PacketOut(in_port=2, actions=table, data=FRAME))
    controller.send(PacketOut(in_port=1, actions=table, data=FRAME))
    assert counts(stations) == [0, 0, 1]
    (told,) = controller.got(PacketIn)
    assert (told.reason, told.match) == (OFPR.NO_MATCH, Match.of(in_port=1))


def test_what_a_packet_out_hands_back_belongs_to_no_entry(controller: Controller) -> None:
    controller.send(PacketOut(actions=(Output(OFPP.CONTROLLER),), data=FRAME))
    (told,) = controller.got(PacketIn)
    assert (told.reason, told.cookie) == (OFPR.ACTION, NO_COOKIE)
    assert told.match == Match.of(in_port=OFPP.CONTROLLER)


def test_a_packet_that_comes_back_is_still_the_same(
    controller: Controller, stations: list[Any]
) -> None:
    controller.send(miss())
    sent = stations[0].send(FRAME)
    controller.send(PacketOut(in_port=1, actions=(Output(2),), data=FRAME))
    assert stations[1].frames[0].provenance is sent.provenance


def test_a_packet_out_without_actions_drops(world: World, controller: Controller) -> None:
    assert controller.ask(PacketOut(data=FRAME)) == []
    assert world.ledger.by_reason() == {DropReason.NO_OUTPUT: 1}


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (PacketOut(actions=(Output(2),)), "BAD_REQUEST/BAD_PACKET"),
        (PacketOut(in_port=9, actions=(Output(2),), data=FRAME), "BAD_REQUEST/BAD_PORT"),
        (PacketOut(in_port=OFPP.ANY, actions=(Output(2),), data=FRAME), "BAD_REQUEST/BAD_PORT"),
        (PacketOut(55, actions=(Output(2),)), "BAD_REQUEST/BUFFER_UNKNOWN"),
        (PacketOut(actions=(Group(2),), data=FRAME), "BAD_ACTION/BAD_OUT_GROUP"),
        (PacketOut(actions=(Output(OFPP.ANY),), data=FRAME), "BAD_ACTION/BAD_OUT_PORT"),
        (PacketOut(actions=(SetQueue(1),), data=FRAME), "BAD_ACTION/BAD_QUEUE"),
    ],
)
def test_a_packet_out_that_cannot_be_done_is_refused_and_counts_as_nothing(
    world: World, controller: Controller, message: PacketOut, answer: str
) -> None:
    assert controller.refusal(message) == answer
    assert (world.ledger.sent, world.ledger.dropped) == (0, 0)


# requests that are refused (7.4.4)


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        (flow(Output(1), table_id=OFPTT.ALL), "FLOW_MOD_FAILED/BAD_TABLE_ID"),
        (FlowMod(instructions=(GotoTable(0),)), "BAD_INSTRUCTION/BAD_TABLE_ID"),
        (flow(Group(1)), "BAD_ACTION/BAD_OUT_GROUP"),
        (GroupMod(1, 0, 1), "GROUP_MOD_FAILED/UNKNOWN_GROUP"),
        (MeterMod(1, 1, 1), "METER_MOD_FAILED/UNKNOWN_METER"),
        (PortMod(9, Mac(1)), "PORT_MOD_FAILED/BAD_PORT"),
        (Experimenter(5, 1), "BAD_REQUEST/BAD_EXPERIMENTER"),
        (
            MultipartRequest(OFPMP.EXPERIMENTER, (ExperimenterMultipart(5, 1),)),
            "BAD_REQUEST/BAD_EXPERIMENTER",
        ),
        (flow(ExperimenterAction(5)), "BAD_ACTION/BAD_EXPERIMENTER"),
        (
            FlowMod(instructions=(ExperimenterInstruction(5),)),
            "BAD_INSTRUCTION/BAD_EXPERIMENTER",
        ),
        (flow(Output(OFPP.ANY)), "BAD_ACTION/BAD_OUT_PORT"),
        (QueueGetConfigRequest(9), "QUEUE_OP_FAILED/BAD_PORT"),
        (MultipartRequest(OFPMP.QUEUE, (QueueStatsRequest(9),)), "QUEUE_OP_FAILED/BAD_PORT"),
        (MultipartRequest(OFPMP.QUEUE, (QueueStatsRequest(1, 1),)), "QUEUE_OP_FAILED/BAD_QUEUE"),
        (MultipartRequest(OFPMP.PORT_STATS, (PortStatsRequest(9),)), "BAD_REQUEST/BAD_PORT"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_done_is_answered_with_its_error(
    switch: OpenFlowSwitch, controller: Controller, message: Message, answer: str
) -> None:
    assert controller.refusal(message) == answer
    assert switch.agents[0].errors == 1
    assert switch.agents[0].last_error


def test_an_overlapping_entry_is_refused_with_the_beginning_of_its_message(
    controller: Controller,
) -> None:
    controller.send(flow(Output(1)))
    mod = flow(Output(1), flags=OFPFF.CHECK_OVERLAP, match=Match.of(in_port=1))
    (error,) = controller.ask(mod)
    assert error_name(error.error_type, error.code) == "FLOW_MOD_FAILED/OVERLAP"
    assert len(error.data) == 64


def test_a_malformed_message_is_refused_and_counted(
    switch: OpenFlowSwitch, controller: Controller
) -> None:
    controller.write(bytes.fromhex("0463000800000007"))
    controller.rest()
    (_, xid, error) = controller.received[-1]
    assert (xid, error_name(error.error_type, error.code)) == (7, "BAD_REQUEST/BAD_TYPE")
    assert switch.agents[0].errors == 1


def test_an_error_from_the_controller_is_noted_and_not_answered(
    switch: OpenFlowSwitch, controller: Controller
) -> None:
    assert controller.ask(Error(1, 2, b"why")) == []
    assert "type 1, code 2" in switch.agents[0].last_error


def test_a_barrier_is_answered_after_everything_before_it(
    controller: Controller, stations: list[Any]
) -> None:
    stream = [miss(), FlowMod(table_id=OFPTT.ALL), BarrierRequest(), EchoRequest(b"x")]
    controller.write(b"".join(codec.encode(m, n) for n, m in enumerate(stream, 100)))
    controller.rest()
    answers = [(xid, type(message)) for _, xid, message in controller.received]
    assert answers == [(101, Error), (102, BarrierReply)]
    assert codec.encode(EchoReply(b"x"), 103) in controller.raw[-1]
    stations[0].send(FRAME)
    assert len(controller.got(PacketIn)) == 1


# statistics (7.3.5)


def test_answers_come_in_the_order_of_what_is_answered(
    world: World, switch: OpenFlowSwitch, controller: Controller
) -> None:
    unknown = bytes.fromhex("0463000800000003")
    controller.write(
        codec.encode(BarrierRequest(), 1) + codec.encode(EchoRequest(), 2) + unknown
        + codec.encode(BarrierRequest(), 4) + bytes.fromhex("0414000700000005")
    )  # fmt: skip
    controller.rest()
    answers = b"".join(controller.raw)
    found = []
    while answers:
        size = int.from_bytes(answers[2:4], "big")
        found.append((answers[1], int.from_bytes(answers[4:8], "big")))
        answers = answers[size:]
    assert found[-6:-1] == [
        (BarrierReply.TYPE, 1), (EchoReply.TYPE, 2), (Error.TYPE, 3), (BarrierReply.TYPE, 4),
        (Error.TYPE, 0),
    ]  # fmt: skip


def test_the_switch_describes_itself(controller: Controller) -> None:
    (desc,) = controller.multipart(OFPMP.DESC)
    assert (desc.dp_desc, desc.serial_num) == ("s1", "000000000000002a")


def test_flow_statistics_tell_all_of_an_entry(
    world: World, controller: Controller, stations: list[Any]
) -> None:
    world.scheduler.run_until(S)
    mod = FlowMod(
        cookie=9, idle_timeout=100, hard_timeout=200, priority=3, flags=OFPFF.SEND_FLOW_REM,
        match=Match.of(in_port=1),
        instructions=(ApplyActions((SetField(ETH_DST, 1), Output(2))), WriteMetadata(1, 3)),
    )  # fmt: skip
    controller.send(mod)
    stations[0].send(FRAME)
    world.scheduler.run_until(3 * S + 5)
    (stats,) = controller.multipart(OFPMP.FLOW, FlowStatsRequest())
    assert (stats.match, stats.instructions) == (mod.match, mod.instructions)
    assert (stats.duration_sec, stats.duration_nsec) == (2, 5)
    assert (stats.packet_count, stats.byte_count) == (1, 200)
    assert (stats.cookie, stats.priority, stats.flags, stats.table_id) == (9, 3, 1, 0)
    assert (stats.idle_timeout, stats.hard_timeout) == (100, 200)


@pytest.mark.parametrize(
    ("flags", "packets", "size"),
    [(OFPFF.NO_PKT_COUNTS, NO_COOKIE, 200), (OFPFF.NO_BYT_COUNTS, 1, NO_COOKIE)],
)
def test_a_counter_that_is_not_wanted_is_told_as_all_ones(
    controller: Controller, stations: list[Any], flags: int, packets: int, size: int
) -> None:
    controller.send(flow(Output(2), flags=flags | OFPFF.SEND_FLOW_REM))
    stations[0].send(FRAME)
    (stats,) = controller.multipart(OFPMP.FLOW, FlowStatsRequest())
    assert (stats.packet_count, stats.byte_count) == (packets, size)
    controller.send(FlowMod(command=OFPFC.DELETE))
    (removed,) = controller.got(FlowRemoved)
    assert (removed.packet_count, removed.byte_count) == (packets, size)


def test_flow_statistics_over_64_kib_come_in_several_messages(controller: Controller) -> None:
    for number in range(900):
        controller.channel.send(flow(Output(2), match=Match.of(tunnel_id=number)))
    controller.write(controller.channel.outgoing())
    replies = controller.ask(MultipartRequest(OFPMP.FLOW, (FlowStatsRequest(),)))
    assert len(replies) == 2
    tunnels = [one.match.fields[0].value for reply in replies for one in reply.entries]
    assert tunnels == list(range(900))


def test_the_other_statistics(world: World, controller: Controller, stations: list[Any]) -> None:
    controller.send(flow(Output(2), match=Match.of(in_port=1)))
    controller.send(flow(Output(2), match=Match.of(in_port=2), table_id=3))
    stations[0].send(FRAME)
    stations[2].send(FRAME)
    (sums,) = controller.multipart(OFPMP.AGGREGATE, FlowStatsRequest())
    assert (sums.packet_count, sums.byte_count, sums.flow_count) == (1, 200, 2)
    tables = controller.multipart(OFPMP.TABLE)
    assert [table.table_id for table in tables] == list(range(255))
    used = [(t.table_id, t.active_count, t.lookup_count, t.matched_count) for t in tables]
    assert [row for row in used if row[1]] == [(0, 1, 2, 1), (3, 1, 0, 0)]
    ports = controller.multipart(OFPMP.PORT_STATS, PortStatsRequest())
    assert [(p.port_no, p.rx_packets, p.tx_packets) for p in ports] == [
        (1, 1, 0), (2, 0, 1), (3, 1, 0), (OFPP.LOCAL, 0, 0),
    ]  # fmt: skip
    (port,) = controller.multipart(OFPMP.PORT_STATS, PortStatsRequest(2))
    assert (port.port_no, port.tx_bytes) == (2, 200)


# flow removed (7.4.2)


def test_an_expired_entry_is_told_at_its_time(
    world: World, controller: Controller, stations: list[Any]
) -> None:
    flags = OFPFF.SEND_FLOW_REM
    controller.send(flow(Output(2), hard_timeout=2, cookie=5, priority=7, flags=flags, table_id=0))
    stations[0].send(FRAME)
    world.scheduler.run_until(5 * S)
    ((time, _, told),) = [one for one in controller.received if isinstance(one[2], FlowRemoved)]
    assert time == 2 * S
    assert told == FlowRemoved(5, 7, OFPRR.HARD_TIMEOUT, 0, 2, 0, 0, 2, 1, 200, Match())


def test_a_deleted_entry_is_told_when_it_wanted_to(controller: Controller) -> None:
    controller.send(flow(Output(2), priority=1, flags=OFPFF.SEND_FLOW_REM))
    controller.send(flow(Output(2), priority=2))
    controller.send(FlowMod(command=OFPFC.DELETE))
    assert [(m.priority, m.reason) for m in controller.got(FlowRemoved)] == [(1, OFPRR.DELETE)]


# the connection (6.3.5, 6.4)


def test_the_switch_connects_again_when_the_connection_ends(
    world: World, switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(flow(Output(2), match=Match.of(in_port=1)))
    controller.send(miss())
    controller.hang_up()
    assert len(controller.sides) == 2
    stations[0].send(FRAME)
    stations[2].send(FRAME)
    assert counts(stations) == [0, 1, 0]
    assert len(controller.got(PacketIn)) == 1
    assert controller.ask(BarrierRequest()) == [BarrierReply()]


def test_while_the_connection_is_down_the_entries_go_on(
    world: World, switch: OpenFlowSwitch, controller: Controller, stations: list[Any]
) -> None:
    controller.send(flow(Output(2), match=Match.of(in_port=1)))
    controller.send(miss())
    switch.agents[0].hang_up()
    stations[0].send(FRAME)
    stations[2].send(FRAME)
    assert counts(stations) == [0, 1, 0]
    assert world.ledger.by_reason() == {DropReason.PACKET_IN_LOST: 1}
    assert not controller.sides[-1].open


def test_half_a_message_does_not_survive_its_connection(controller: Controller) -> None:
    controller.write(codec.encode(miss(), 1)[:20])
    controller.hang_up()
    assert controller.ask(BarrierRequest()) == [BarrierReply()]


def test_a_controller_of_another_version_is_told_and_left(
    world: World, switch: OpenFlowSwitch, stations: list[Any], connecting: Attach
) -> None:
    controller = connecting(world)
    switch.connect(controller)
    controller.deliver(bytes.fromhex("0200000800000001"))  # OpenFlow 1.1
    assert [side.open for side in controller.sides] == [False, True]
    world.scheduler.run_until(0)
    assert switch.agents[0].ready


@pytest.fixture
def watched(world: World, switch: OpenFlowSwitch, connecting: Attach) -> Controller:
    controller = connecting(world)
    switch.connect(controller, echo_idle_ns=5 * S)
    controller.rest()
    return controller


def test_a_silent_controller_is_asked_and_then_left(
    world: World, watched: Controller, stations: list[Any]
) -> None:
    watched.mute = True
    world.scheduler.run_until(10 * S - 1)
    assert len(watched.sides) == 1
    world.scheduler.run_until(15 * S)
    assert len(watched.sides) == 2


def test_a_controller_that_answers_echo_requests_is_kept(
    world: World, watched: Controller, stations: list[Any]
) -> None:
    world.scheduler.run_until(100 * S)
    assert len(watched.sides) == 1
    asked = [data for data in watched.raw if isinstance(codec.decode(data)[1], EchoRequest)]
    assert 9 <= len(asked) <= 20


def test_each_connection_is_watched_by_one_timer(
    world: World, switch: OpenFlowSwitch, watched: Controller, stations: list[Any]
) -> None:
    for _ in range(20):
        watched.hang_up()
    watched.raw.clear()
    world.scheduler.run_until(50 * S)
    asked = [data for data in watched.raw if isinstance(codec.decode(data)[1], EchoRequest)]
    assert len(asked) <= 10
    switch.agents[0].hang_up()
    world.scheduler.run_until(100 * S)
    assert list(world.scheduler.pending()) == []


# bytes that a broken controller sends


MESSAGES: tuple[Message, ...] = (
    FlowMod(
        match=Match.of(eth_type=0x0800, ipv4_dst=(0x0A000000, 0xFF000000), ip_proto=6, tcp_dst=80),
        instructions=(ApplyActions((SetField(IPV4_DST, 1), Output(3))), GotoTable(1)),
    ),
    PacketOut(in_port=1, actions=(Output(2), SetField(IPV4_DST, 1), Output(3)), data=FRAME[:60]),
    MultipartRequest(OFPMP.FLOW, (FlowStatsRequest(match=Match.of(in_port=1)),)),
    SetConfig(0, 128),
)


def still_works(world: World, switch: OpenFlowSwitch, controller: Controller) -> bool:
    """Whether the switch forwards, and keeps its books."""
    before = switch.ports[2].tx_packets
    switch.ports[1].receive(world.originate(H3 + H1 + b"\x88\xb6" + bytes(46), "test"))
    controller.rest()
    return switch.ports[2].tx_packets == before + 1 and world.ledger.imbalance() == 0


def is_whole(data: bytes) -> bool:
    """Whether a message that was cut still says something, as a packet-out of fewer bytes."""
    try:
        codec.decode(data)
    except OpenFlowError:
        return False
    return True


SURVIVES = flow(Output(2), priority=0xFFFF, match=Match.of(eth_type=0x88B6))


def switch_and_controller(connecting: Attach) -> tuple[World, OpenFlowSwitch, Controller]:
    world = World()
    switch = OpenFlowSwitch("s1", world, 1)
    for number in (1, 2, 3):
        switch.add_port(number, f"p{number}", Mac(number))
    controller = connecting(world)
    switch.connect(controller)
    controller.rest()
    switch.modify_flow(SURVIVES)
    return world, switch, controller


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_cut_short_is_answered_and_breaks_nothing(
    message: Message, connecting: Attach
) -> None:
    world, switch, controller = switch_and_controller(connecting)
    whole = codec.encode(message, 7)
    for end in range(8, len(whole)):
        cut = whole[:2] + end.to_bytes(2, "big") + whole[4:end]
        controller.forget()
        controller.write(cut)
        controller.rest()
        if not is_whole(cut):
            assert [type(answer) for _, _, answer in controller.received] == [Error], end
        assert still_works(world, switch, controller)
        assert controller.ask(BarrierRequest()) == [BarrierReply()]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_stream_that_breaks_off_breaks_nothing(message: Message, connecting: Attach) -> None:
    whole = codec.encode(message, 7)
    for end in range(1, len(whole), 3):
        world, switch, controller = switch_and_controller(connecting)
        controller.write(whole[:end])
        controller.write(codec.encode(BarrierRequest(), 8) * 20)
        assert still_works(world, switch, controller)
        controller.closed("gone")
        controller.rest()
        assert controller.ask(BarrierRequest()) == [BarrierReply()]


@settings(max_examples=150, deadline=None)
@given(message=st.sampled_from(MESSAGES), data=st.data())
def test_no_mutation_of_a_message_breaks_the_switch(
    connecting: Attach, message: Message, data: st.DataObject
) -> None:
    world, switch, controller = switch_and_controller(connecting)
    raw = bytearray(codec.encode(message, 7))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    deletes = raw[1] == 14 and raw[25] in (OFPFC.DELETE, OFPFC.MODIFY)
    controller.write(bytes(raw))
    controller.rest()
    assert deletes or still_works(world, switch, controller)
    assert world.ledger.imbalance() == 0
