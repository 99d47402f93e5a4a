"""A frame between two stations, and flow entries for it."""

from __future__ import annotations

from typing import Any

from sdnvirt.addresses import Mac
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPCML, OFPP
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions

H1, H2 = (Mac(0x02_00_00_00_00_00 + n) for n in (1, 2))
FRAME = H2 + H1 + b"\x88\xb5" + bytes(186)


def flow(*actions: Any, **fields: Any) -> FlowMod:
    return FlowMod(instructions=(ApplyActions(actions),), **fields)


def miss(max_len: int = OFPCML.NO_BUFFER) -> FlowMod:
    """The table-miss entry that every controller installs."""
    return flow(Output(OFPP.CONTROLLER, max_len), priority=0)


def counts(stations: list[Any]) -> list[int]:
    return [len(s.received) for s in stations]
