"""Actions that say where the packet goes (OpenFlow 1.3.5, 4.5 and 5.12)."""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.actions.rule import ActionRule, Order, admit_any
from sdnvirt.datapath.walk import Walk
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v10.constants import OFPPC as OFPPC10
from sdnvirt.openflow.v10.translate.ports import port_to_v13
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13.constants import OFPP, OFPPC, OFPR
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse

_NO_OUTPUT: Final = OFPPC.PORT_DOWN | OFPPC.NO_FWD
_NO_FLOOD: Final = _NO_OUTPUT | OFPPC10.NO_FLOOD

_RESERVED: Final = (
    OFPP.IN_PORT, OFPP.FLOOD, OFPP.ALL, OFPP.CONTROLLER, OFPP.NORMAL, OFPP.LOCAL,
)  # fmt: skip


_SIXTEEN_BITS: Final = 0xFFFF


def port_in_full(port: int) -> int:
    """Return the number of a port that may be one of 16 bits, as Nicira's fields have them."""
    return port_to_v13(port) if port <= _SIXTEEN_BITS else port


def _admit_output(action: act.Output) -> None:
    if not (0 < action.port <= OFPP.MAX or action.port in _RESERVED):
        raise refuse(OFPBAC.BAD_OUT_PORT, f"no output to port {action.port:#x}")


def _output(walk: Walk, action: act.Output) -> None:
    port, ports = action.port, walk.state.ports
    if port == OFPP.CONTROLLER:
        missed = walk.in_table_miss()
        if missed and walk.state.forbids(walk.in_port, OFPPC.NO_PACKET_IN):
            # Only table misses are kept quiet (7.2.1): spanning trees need their own entry's.
            walk.tell("  to the controller is left out: the port's configuration forbids it")
            return
        walk.punt(action.max_len, OFPR.NO_MATCH if missed else OFPR.ACTION)
    elif port == OFPP.NORMAL:
        walk.normal()
    elif port == OFPP.IN_PORT:
        # A packet-out of the controller's own has no port to go back to.
        allowed = walk.in_port in ports and not walk.state.forbids(walk.in_port, _NO_OUTPUT)
        walk.emit((walk.in_port,) if allowed else ())
    elif port in (OFPP.FLOOD, OFPP.ALL):
        # Only NO_FLOOD makes a difference between the two, as no port is blocked by a spanning
        # tree (7.2.1; OpenFlow 1.0.0, 5.2.1). Both mean all standard ports, LOCAL among them (4.5).
        kept_out = _NO_FLOOD if port == OFPP.FLOOD else _NO_OUTPUT
        walk.emit(
            tuple(
                n
                for n in sorted(ports)
                if ports[n] and n != walk.in_port and not walk.state.forbids(n, kept_out)
            )
        )
    elif port == walk.in_port:
        walk.tell(f"  output to {port} is left out: the packet came from there")
    elif port not in ports:
        walk.tell(f"  output to {port} is left out: no such port")
    elif walk.state.forbids(port, _NO_OUTPUT):
        walk.tell(f"  output to {port} is left out: the port's configuration forbids it")
    else:
        walk.emit((port,))


def _set_queue(walk: Walk, action: act.SetQueue) -> None:
    walk.queue_id = action.queue_id


def _group(_walk: Walk, action: act.Group) -> None:
    raise AssertionError(f"{action} is executed by the pipeline, as groups hold actions")


RULES: Final[dict[type[Action], ActionRule]] = {
    act.Output: ActionRule(Order.OUTPUT, _admit_output, _output),
    act.Group: ActionRule(Order.GROUP, admit_any, _group),
    act.SetQueue: ActionRule(Order.QUEUE, admit_any, _set_queue),
}
