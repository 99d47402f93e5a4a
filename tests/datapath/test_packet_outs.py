"""Packet-outs that are only sent to ports are decided once, and anew when the ports change."""

from __future__ import annotations

from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sdnvirt.datapath.cache import OUTPUTS_LIMIT
from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.pipeline import only_outputs, process_actions
from sdnvirt.datapath.walk import Walk
from sdnvirt.frame import Frame
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13.actions import Output, PopVlan, SetQueue
from sdnvirt.openflow.v13.constants import OFPP, OFPPC

FRAME = Frame(bytes.fromhex("020000000002 020000000001 88b5") + bytes(46))
PORTS = (1, 2, 3)

outputs = st.builds(
    Output,
    st.sampled_from(
        [*PORTS, 9, OFPP.FLOOD, OFPP.ALL, OFPP.IN_PORT, OFPP.CONTROLLER, OFPP.NORMAL, OFPP.TABLE]
    ),
    st.sampled_from([0, 128, 0xFFFF]),
)
actions = st.lists(
    st.one_of(outputs, outputs, st.just(PopVlan()), st.just(SetQueue(1))), max_size=3
)
steps = st.one_of(
    st.tuples(st.just("set_port"), st.sampled_from(PORTS), st.booleans()),
    st.tuples(
        st.just("configure_port"),
        st.sampled_from(PORTS),
        st.sampled_from([0, OFPPC.NO_FWD, OFPPC.PORT_DOWN, OFPPC.NO_PACKET_IN]),
    ),
    st.tuples(st.just("packet_out"), st.sampled_from([*PORTS, OFPP.CONTROLLER]), actions),
)


def made() -> Datapath:
    datapath = Datapath()
    for port in PORTS:
        datapath.set_port(port, True)
    return datapath


@given(st.lists(steps, max_size=30))
@settings(max_examples=200)
def test_what_is_remembered_is_what_would_be_decided(history: list[Any]) -> None:
    datapath = made()
    asked: list[tuple[int, Any]] = []
    for verb, port, argument in history:
        if verb == "packet_out":
            asked.append((port, tuple(argument)))
        else:
            getattr(datapath, verb)(port, argument)
        for in_port, listed in asked:
            try:
                flow = datapath.packet_out(in_port, FRAME, listed, 0)
            except OpenFlowError:
                continue
            begin = partial(Walk, datapath.state, in_port, FRAME)
            assert flow == process_actions(begin, listed)


def test_the_same_list_is_decided_once_and_others_every_time() -> None:
    datapath = made()
    for listed, same in (
        ((Output(2),), True),
        ((Output(OFPP.TABLE),), False),
        ((PopVlan(),), False),
    ):
        assert only_outputs(listed) is same
        one, other = (datapath.packet_out(1, FRAME, listed, 0) for _ in range(2))
        assert (one is other) is same


def test_a_port_that_goes_is_no_longer_flooded() -> None:
    datapath = made()
    flood = (Output(OFPP.FLOOD),)
    assert [target for _, target in datapath.packet_out(1, FRAME, flood, 0).run(FRAME, 0)] == [2, 3]
    datapath.remove_port(3)
    assert [target for _, target in datapath.packet_out(1, FRAME, flood, 0).run(FRAME, 0)] == [2]


def test_what_is_remembered_is_bounded() -> None:
    datapath = made()
    for number in range(3 * OUTPUTS_LIMIT):
        datapath.packet_out(1, FRAME, (Output(2, number),), 0)
    assert len(datapath._cache.of_outputs) <= OUTPUTS_LIMIT
