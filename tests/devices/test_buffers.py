"""Packets that the switch keeps for its controllers, and what is done with them later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdnvirt.devices.buffers import BUFFERS
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import NO_BUFFER, OFPCML, OFPFC, OFPP
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from tests.devices.controller import Controller
from tests.devices.entries import FRAME, counts, flow, miss


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
