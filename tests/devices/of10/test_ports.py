"""A port's configuration under OpenFlow 1.0, and what 1.3 sees of it (1.0.0, 5.2.1 and 5.3.3)."""

from __future__ import annotations

from typing import Any

import pytest

from sdnvirt.addresses import Mac
from sdnvirt.openflow.v10.actions import Output
from sdnvirt.openflow.v10.constants import OFPP, OFPPC, OFPPR, OFPPS
from sdnvirt.openflow.v10.flow import FlowMod
from sdnvirt.openflow.v10.packets import PacketIn
from sdnvirt.openflow.v10.ports import PortMod, PortStatus
from sdnvirt.openflow.v13 import ports as ports13
from sdnvirt.openflow.v13.constants import OFPMP
from sdnvirt.openflow.v13.constants import OFPPC as OFPPC13
from sdnvirt.openflow.v13.multipart import MultipartRequest

BRIDGES = Mac(0x0180C2000000)
H1 = Mac(0x02_00_00_00_00_01)
FRAME = b"\xff" * 6 + H1 + b"\x88\xb5" + bytes(46)
BPDU = BRIDGES + H1 + b"\0\x26\x42\x42\x03" + bytes(43)
"""A frame of 802.3 with the length 38, LLC, and a configuration BPDU of which nobody asks."""


def port_mod(number: int, config: int, mask: int | None = None) -> PortMod:
    return PortMod(number, Mac(0x06 << 40 | number), config, config if mask is None else mask)


def through(stations: list[Any], data: bytes) -> list[int]:
    """Send a frame from the first station; return how many each has received of it."""
    before = [len(s.received) for s in stations]
    stations[0].send(data)
    return [len(s.received) - n for s, n in zip(stations, before, strict=True)]


@pytest.fixture
def flooding(old: Any) -> Any:
    old.ask(FlowMod(actions=(Output(OFPP.FLOOD),)))
    return old


def test_a_port_can_be_left_out_of_floods_but_not_of_all(
    flooding: Any, stations: list[Any]
) -> None:
    assert flooding.ask(port_mod(2, OFPPC.NO_FLOOD)) == []
    assert through(stations, FRAME) == [0, 0, 1]
    flooding.ask(FlowMod(actions=(Output(OFPP.ALL),)))
    assert through(stations, FRAME) == [0, 1, 1]


@pytest.mark.parametrize(("config", "ordinary", "spanning"), [
    (0, 1, 1),
    (OFPPC.NO_RECV, 0, 1),
    (OFPPC.NO_RECV_STP, 1, 0),
    (OFPPC.NO_RECV | OFPPC.NO_RECV_STP, 0, 0),
    (OFPPC.PORT_DOWN, 0, 0),
])  # fmt: skip
def test_spanning_tree_frames_are_let_in_by_a_bit_of_their_own(
    flooding: Any, stations: list[Any], config: int, ordinary: int, spanning: int
) -> None:
    flooding.ask(port_mod(1, config))
    assert through(stations, FRAME) == [0, ordinary, ordinary]
    assert through(stations, BPDU) == [0, spanning, spanning]


def test_no_recv_of_openflow_1_3_is_about_all_frames(
    flooding: Any, stations: list[Any], speaks: Any
) -> None:
    new = speaks(4)
    mod = ports13.PortMod(1, Mac(0x06 << 40 | 1), OFPPC13.NO_RECV, OFPPC13.NO_RECV)
    assert new.ask(mod) == []
    assert through(stations, FRAME) == through(stations, BPDU) == [0, 0, 0]
    new.ask(ports13.PortMod(1, Mac(0x06 << 40 | 1), 0, OFPPC13.NO_RECV))
    assert through(stations, FRAME) == through(stations, BPDU) == [0, 1, 1]


def test_each_version_is_told_of_the_bits_that_it_has(old: Any, speaks: Any) -> None:
    new = speaks(4)
    old.ask(port_mod(1, OFPPC.NO_FLOOD | OFPPC.NO_FWD))
    (status,) = old.got(PortStatus)
    assert status.reason == OFPPR.MODIFY
    assert status.desc.config == OFPPC.NO_FLOOD | OFPPC.NO_FWD | OFPPC.NO_STP
    (status,) = new.got(ports13.PortStatus)
    assert status.desc.config == OFPPC13.NO_FWD
    (reply,) = new.ask(MultipartRequest(OFPMP.PORT_DESC))
    assert [port.config for port in reply.entries] == [OFPPC13.NO_FWD, 0, 0, 0]


def test_no_port_takes_part_in_a_spanning_tree(old: Any) -> None:
    assert old.ask(port_mod(1, OFPPC.NO_STP)) == []
    assert old.refusal(port_mod(1, 0, OFPPC.NO_STP)) == "BAD_REQUEST/EPERM"


def test_misses_at_a_port_can_be_kept_from_the_controller(old: Any, stations: list[Any]) -> None:
    old.ask(port_mod(1, OFPPC.NO_PACKET_IN))
    stations[0].send(FRAME)
    stations[1].send(FRAME)
    assert [message.in_port for message in old.got(PacketIn)] == [2]


@pytest.mark.parametrize(("mod", "error"), [
    (PortMod(9, Mac(9), 0, 0), "PORT_MOD_FAILED/BAD_PORT"),
    (PortMod(1, Mac(9), 0, 0), "PORT_MOD_FAILED/BAD_HW_ADDR"),
    (port_mod(1, 1 << 7), "BAD_REQUEST/EPERM"),
    (PortMod(1, Mac(0x06 << 40 | 1), advertise=1), "BAD_REQUEST/EPERM"),
])  # fmt: skip
def test_a_port_mod_that_is_refused(old: Any, mod: PortMod, error: str) -> None:
    assert old.refusal(mod) == error


def test_links_and_ports_that_come_and_go_are_told(old: Any, switch: Any, stations: Any) -> None:
    switch.add_port(9, "p9", Mac(9))
    switch.add_port(70_000, "p70000", Mac(70_000))
    (added,) = old.got(PortStatus)
    assert (added.reason, added.desc.port_no, added.desc.name) == (OFPPR.ADD, 9, "p9")
    assert added.desc.state == OFPPS.LINK_DOWN
    port = switch.ports[1]
    port.attach(port.egress, up=False)
    (changed,) = old.got(PortStatus)
    assert (changed.reason, changed.desc.port_no) == (OFPPR.MODIFY, 1)
    assert changed.desc.state == OFPPS.LINK_DOWN
