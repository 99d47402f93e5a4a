"""Actions that say where the packet goes (OpenFlow 1.3.5, 4.5 and 5.12)."""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.actions.rule import ActionRule, Order, admit_any
from sdnvirt.datapath.walk import Walk
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13.constants import OFPP, OFPR
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse

_RESERVED: Final = (OFPP.IN_PORT, OFPP.FLOOD, OFPP.ALL, OFPP.CONTROLLER)


def _admit_output(action: act.Output) -> None:
    if not (0 < action.port <= OFPP.MAX or action.port in _RESERVED):
        raise refuse(OFPBAC.BAD_OUT_PORT, f"no output to port {action.port:#x}")


def _output(walk: Walk, action: act.Output) -> None:
    port, ports = action.port, walk.state.ports
    if port == OFPP.CONTROLLER:
        walk.punt(action.max_len, OFPR.NO_MATCH if walk.in_table_miss() else OFPR.ACTION)
    elif port == OFPP.IN_PORT:
        # A packet-out of the controller's own has no port to go back to.
        walk.emit((walk.in_port,) if walk.in_port in ports else ())
    elif port in (OFPP.FLOOD, OFPP.ALL):
        walk.emit(tuple(n for n, up in ports.items() if up and n != walk.in_port))
    elif port == walk.in_port:
        walk.tell(f"  output to {port} is left out: the packet came from there")
    elif port not in ports:
        walk.tell(f"  output to {port} is left out: no such port")
    else:
        walk.emit((port,))


def _group(_walk: Walk, action: act.Group) -> None:
    raise AssertionError(f"{action} is executed by the pipeline, as groups hold actions")


RULES: Final[dict[type[act.Action], ActionRule]] = {
    act.Output: ActionRule(Order.OUTPUT, _admit_output, _output),
    act.Group: ActionRule(Order.GROUP, admit_any, _group),
}
