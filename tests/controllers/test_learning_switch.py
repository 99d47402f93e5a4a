"""The learning switch."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPP
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.packets import PacketOut

A, B, C = (bytes.fromhex(f"0200000000{n:02x}") for n in (1, 2, 3))
BROADCAST = b"\xff" * 6
LLDP = bytes.fromhex("0180c200000e")


def frame(dst: bytes, src: bytes) -> bytes:
    return dst + src + b"\x08\x00" + bytes(46)


@pytest.fixture
def network(run: Any) -> Any:
    return run("learning_switch")


@pytest.fixture
def switch(network: Any) -> Any:
    return network.switch(1)


@pytest.fixture
def tell(network: Any, switch: Any) -> Any:
    """Tell the app of a frame and return the ports that it sends it to."""

    def packet_in(port: int, data: bytes, buffer_id: int = 0xFFFFFFFF) -> list[int]:
        switch.packet_in(port, data, buffer_id)
        network.run()
        out = switch.messages(PacketOut)[-1]
        assert out.buffer_id == buffer_id
        assert out.in_port == port
        assert out.data == (data if buffer_id == 0xFFFFFFFF else b"")
        return [action.port for action in out.actions if isinstance(action, Output)]

    return packet_in


def test_unknown_destinations_and_broadcasts_are_flooded_without_an_entry(
    switch: Any, tell: Any
) -> None:
    before = len(switch.messages(FlowMod))
    assert tell(1, frame(B, A)) == [OFPP.FLOOD]
    assert tell(2, frame(BROADCAST, B)) == [OFPP.FLOOD]
    assert len(switch.messages(FlowMod)) == before


def test_a_known_destination_gets_an_entry_that_times_out(
    switch: Any, tell: Any, program: Any
) -> None:
    tell(1, frame(B, A))
    assert tell(2, frame(A, B)) == [1]
    assert switch.messages(FlowMod)[-1].idle_timeout == 60
    assert program(switch).ports(2, frame(A, B)) == [1]


def test_a_buffered_frame_is_released_and_not_sent_back(tell: Any) -> None:
    assert tell(1, frame(B, A), buffer_id=7) == [OFPP.FLOOD]


def test_hosts_on_one_port_do_not_get_frames_twice(
    network: Any, switch: Any, tell: Any, program: Any
) -> None:
    tell(1, frame(C, A))
    sent = len(switch.messages(PacketOut))
    switch.packet_in(1, frame(A, B))
    network.run()
    assert len(switch.messages(PacketOut)) == sent
    assert program(switch).send(1, frame(A, B)) == []
    assert tell(1, frame(A, C), buffer_id=9) == []  # takes it out of the buffer


def test_a_host_that_moved_is_found_at_its_new_port(switch: Any, tell: Any, program: Any) -> None:
    tell(1, frame(B, A))
    tell(2, frame(A, B))
    assert tell(3, frame(B, A)) == [2]
    datapath = program(switch)
    assert datapath.ports(2, frame(A, B)) != [1]
    assert tell(2, frame(A, B)) == [3]


def test_what_was_behind_a_dead_link_is_forgotten(
    network: Any, switch: Any, tell: Any, program: Any
) -> None:
    tell(1, frame(B, A))
    tell(2, frame(A, B))
    switch.port_status(1, up=False)
    network.run()
    (to_controller,) = program(switch).ports(2, frame(A, B))
    assert to_controller.max_len == 0xFFFF
    assert tell(2, frame(A, B)) == [OFPP.FLOOD]


def test_link_local_protocols_are_dropped_in_the_switch(switch: Any, program: Any) -> None:
    assert program(switch).send(1, frame(LLDP, A)) == []


def test_frames_from_group_addresses_are_dropped_in_the_switch(switch: Any, program: Any) -> None:
    assert program(switch).send(1, frame(A, BROADCAST)) == []
