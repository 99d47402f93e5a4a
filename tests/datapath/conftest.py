"""A datapath with four ports, driven with as few words as a test needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.flow import Emission
from sdnvirt.datapath.flow_entries import Removal
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPFC
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
from sdnvirt.openflow.v13.instructions import ApplyActions, Instruction
from sdnvirt.openflow.v13.match import Match


class Driver:
    """Flow mods by keywords, packets by bytes, results as ``(port, bytes)``."""

    def __init__(self) -> None:
        self.datapath = Datapath()
        self.now = 0
        for number in (1, 2, 3, 4):
            self.datapath.set_port(number, True)

    def mod(
        self, *instructions: Instruction, match: Match | None = None, **fields: Any
    ) -> list[Removal]:
        """Send a flow mod."""
        mod = FlowMod(match=match or Match(), instructions=instructions, **fields)
        return self.datapath.modify(mod, self.now)

    def apply(self, *actions: Action, **fields: Any) -> list[Removal]:
        """Send a flow mod with one instruction, to apply actions."""
        return self.mod(ApplyActions(actions), **fields)

    def to(self, port: int, **fields: Any) -> list[Removal]:
        """Send a flow mod that sends to a port."""
        return self.apply(Output(port), **fields)

    def modify(self, port: int, strict: bool = False, **fields: Any) -> None:
        """Let the entries meant send to another port."""
        command = OFPFC.MODIFY_STRICT if strict else OFPFC.MODIFY
        assert self.to(port, command=command, **fields) == []

    def delete(self, strict: bool = False, **fields: Any) -> list[Removal]:
        """Delete the entries meant."""
        return self.mod(command=OFPFC.DELETE_STRICT if strict else OFPFC.DELETE, **fields)

    def send(self, data: bytes, port: int = 1, tunnel_id: int = 0) -> list[tuple[Any, bytes]]:
        """Send a frame through, cached path and slow path, which must agree."""
        frame = Frame(data, tunnel=tunnel_id)
        slow = self.datapath.translate(port, frame)
        for flow in (self.datapath.classify(port, frame), self.datapath.classify(port, frame)):
            assert flow == slow
        flow.packets += 1
        flow.bytes += frame.size
        flow.used_ns = self.now
        return self.seen(flow.run(frame, self.now))

    def packet_out(self, *actions: Action, data: bytes, port: int = 1) -> list[tuple[Any, bytes]]:
        """Send a frame by a list of actions."""
        frame = Frame(data)
        return self.seen(
            self.datapath.packet_out(port, frame, actions, self.now).run(frame, self.now)
        )

    @staticmethod
    def seen(emissions: list[Emission]) -> list[tuple[Any, bytes]]:
        return [(target, frame.data) for frame, target in emissions]

    def entries(self, **wanted: Any) -> list[Any]:
        """Return the flow entries with their counters settled."""
        return list(self.datapath.entries(replace(FlowStatsRequest(), **wanted)))

    def counters(self) -> list[tuple[int, int, int]]:
        """Return priority, packets and bytes of every entry."""
        return [(e.priority, e.packets, e.bytes) for e in self.entries()]


@pytest.fixture
def driver() -> Driver:
    return Driver()
