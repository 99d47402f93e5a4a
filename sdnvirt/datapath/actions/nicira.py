"""Nicira's actions (ovs-actions(7)): parts of fields, ports from registers, learning.

None may stand in an action set, which holds one action of a type and has no place for them.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.actions import forwarding, packet
from sdnvirt.datapath.actions.learning import admit_learn, learn
from sdnvirt.datapath.actions.rule import ActionRule, Order, admit_any
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.datapath.walk import Walk
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira import actions as nx
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.conntrack import Conntrack, ConntrackClear, Nat
from sdnvirt.openflow.nicira.constants import (
    IN_PORT,
    LOCAL,
    NO_TABLE,
    NXCT,
    NXNAT,
    RESERVED,
    SAME_TABLE,
)
from sdnvirt.openflow.nicira.learn import Learn
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPPC, OFPTT
from sdnvirt.openflow.v13.error_codes import OFPBAC, OFPBIC, refuse
from sdnvirt.openflow.v13.oxm import OxmField

WRITABLE: Final = frozenset({*SETTERS, *packet.IN_THE_PIPELINE, oxm.METADATA})
"""Fields of which parts can be set."""

_MARKS: Final = (nxm.CT_MARK, nxm.CT_LABEL)
_NAT_TYPES: Final = int(NXNAT.SRC | NXNAT.DST)
_ALL_NAT: Final = sum(NXNAT)
_ALL_CT: Final = sum(NXCT)


# load, move, set


def _admit_target(field: OxmField) -> None:
    if field not in WRITABLE:
        raise refuse(OFPBAC.BAD_SET_ARGUMENT, f"{field.name} cannot be written")


def _admit_load(action: nx.RegLoad) -> None:
    _admit_target(action.dst.field)


def _admit_load2(action: nx.RegLoad2) -> None:
    _admit_target(action.field)


def _admit_move(action: nx.RegMove) -> None:
    _admit_target(action.dst.field)


def _load(walk: Walk, action: nx.RegLoad) -> None:
    _write(walk, action.dst, action.value)


def _load2(walk: Walk, action: nx.RegLoad2) -> None:
    field, mask = action.field, action.mask
    before = walk.fields.get(field)
    if before is None:
        walk.tell(f"  the packet has no {field.name}")
    else:
        _set(walk, field, action.value if mask is None else before & ~mask | action.value)


def _move(walk: Walk, action: nx.RegMove) -> None:
    value = walk.fields.get(action.src.field)
    if value is None:
        walk.tell(f"  the packet has no {action.src.field.name}")
    else:
        _write(walk, action.dst, action.src.of(value))


def _write(walk: Walk, dst: Subfield, bits: int) -> None:
    before = walk.fields.get(dst.field)
    if before is None:
        walk.tell(f"  the packet has no {dst.field.name}")
    else:
        _set(walk, dst.field, dst.into(before, bits))


def _set(walk: Walk, field: OxmField, value: int) -> None:
    if field is oxm.METADATA:
        walk.set_metadata(value, field.limit)
    else:
        packet.RULES[act.SetField].execute(walk, act.SetField(field, value))


def _set_tunnel(walk: Walk, action: nx.SetTunnel | nx.SetTunnel64) -> None:
    walk.set_tunnel(oxm.TUNNEL_ID, action.tunnel_id)


# where the packet goes


def _output_reg(walk: Walk, action: nx.OutputReg) -> None:
    value = walk.fields.get(action.src.field)
    if value is None:
        walk.tell(f"  the packet has no {action.src.field.name}")
        return
    port = forwarding.port_in_full(action.src.of(value))
    output = act.Output(port, action.max_len)
    rule = forwarding.RULES[act.Output]
    try:
        rule.admit(output)
    except OpenFlowError:
        walk.tell(f"  output to {port:#x} is left out: no such port")
        return
    rule.execute(walk, output)


def _admit_controller(action: nx.Controller) -> None:
    if action.controller_id:
        raise refuse(OFPBAC.BAD_ARGUMENT, f"no controller has the id {action.controller_id}")


def _controller(walk: Walk, action: nx.Controller) -> None:
    if walk.in_table_miss() and walk.state.forbids(walk.in_port, OFPPC.NO_PACKET_IN):
        walk.tell("  to the controller is left out: the port's configuration forbids it")
        return
    walk.punt(action.max_len, action.reason)


def _admit_resubmit(action: nx.Resubmit | nx.ResubmitTable) -> None:
    if action.in_port >= RESERVED and action.in_port not in (IN_PORT, LOCAL):
        raise refuse(OFPBAC.BAD_OUT_PORT, f"no packet arrives at port {action.in_port:#x}")
    if isinstance(action, nx.ResubmitTable) and action.table_id not in _TABLES:
        raise refuse(OFPBIC.BAD_TABLE_ID, f"no table {action.table_id}")


_TABLES: Final = frozenset({*range(OFPTT.MAX + 1), SAME_TABLE})


def _exit(walk: Walk, _action: nx.Exit) -> None:
    walk.stopped = walk.exited = True


def _note(_walk: Walk, _action: nx.Note) -> None:
    """Do nothing, which is all that a note asks for."""


# connections


def _admit_conntrack(action: Conntrack) -> None:
    commits = action.flags & NXCT.COMMIT
    if action.flags & ~_ALL_CT or (action.flags & NXCT.FORCE and not commits):
        raise refuse(OFPBAC.BAD_ARGUMENT, f"flags {action.flags:#x} of ct")
    if action.alg:
        raise refuse(OFPBAC.BAD_ARGUMENT, f"no application's connections are expected: {action}")
    if action.table_id != NO_TABLE and action.table_id > OFPTT.MAX:
        raise refuse(OFPBIC.BAD_TABLE_ID, f"no table {action.table_id}")
    translations = [one for one in action.actions if isinstance(one, Nat)]
    if len(translations) > 1:
        raise refuse(OFPBAC.TOO_MANY, f"two translations in {action}")
    for one in action.actions:
        if isinstance(one, Nat):
            _admit_nat(one, bool(commits))
            continue
        field = one.dst.field if isinstance(one, nx.RegLoad) else one.field
        if field not in _MARKS or not commits:
            raise refuse(OFPBAC.BAD_SET_ARGUMENT, f"{one} sets nothing of a connection")


def _admit_nat(nat: Nat, commits: bool) -> None:
    both = nat.flags & _NAT_TYPES == _NAT_TYPES
    if nat.flags & ~_ALL_NAT or both or (nat.flags & _NAT_TYPES and not commits):
        raise refuse(OFPBAC.BAD_ARGUMENT, f"{nat} cannot be done")
    ranges = (nat.ipv4, nat.ipv6, nat.ports)
    if not nat.flags & _NAT_TYPES and any(one is not None for one in ranges):
        raise refuse(OFPBAC.BAD_ARGUMENT, "a range, and nothing to translate into it")


def _clear(walk: Walk, _action: ConntrackClear) -> None:
    for field in nxm.CONNTRACK:
        walk.set_register(field, 0)


def _elsewhere(_walk: Walk, action: Action) -> None:
    raise AssertionError(f"{action} is executed by the pipeline, as it leads to other actions")


RULES: Final[dict[type[Action], ActionRule]] = {
    nx.RegLoad: ActionRule(Order.SET, _admit_load, _load),
    nx.RegLoad2: ActionRule(Order.SET, _admit_load2, _load2),
    nx.RegMove: ActionRule(Order.SET, _admit_move, _move),
    nx.SetTunnel: ActionRule(Order.SET, admit_any, _set_tunnel),
    nx.SetTunnel64: ActionRule(Order.SET, admit_any, _set_tunnel),
    nx.OutputReg: ActionRule(Order.OUTPUT, admit_any, _output_reg),
    nx.OutputReg2: ActionRule(Order.OUTPUT, admit_any, _output_reg),
    nx.Controller: ActionRule(Order.OUTPUT, _admit_controller, _controller),
    nx.Resubmit: ActionRule(Order.OUTPUT, _admit_resubmit, _elsewhere),
    nx.ResubmitTable: ActionRule(Order.OUTPUT, _admit_resubmit, _elsewhere),
    nx.Exit: ActionRule(Order.OUTPUT, admit_any, _exit),
    nx.Note: ActionRule(Order.OUTPUT, admit_any, _note),
    Learn: ActionRule(Order.OUTPUT, admit_learn, learn),
    Conntrack: ActionRule(Order.OUTPUT, _admit_conntrack, _elsewhere),
    ConntrackClear: ActionRule(Order.SET, admit_any, _clear),
}
