"""Actions that change the packet: set-field, VLAN tags, time to live."""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.actions.rule import ActionRule, Order, admit_any
from sdnvirt.datapath.rewrite import SETTERS, pop_vlan, push_vlan, set_ttl, ttl_of
from sdnvirt.datapath.walk import Walk
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPCML, OFPR
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse
from sdnvirt.wire.ethernet import EtherType

_VLAN_TYPES: Final = (EtherType.VLAN, EtherType.QINQ)


def _admit_set_field(action: act.SetField) -> None:
    if action.field not in SETTERS and action.field is not oxm.TUNNEL_ID:
        raise refuse(OFPBAC.BAD_SET_TYPE, f"set-field of {action.field.name} is unsupported")


def _set_field(walk: Walk, action: act.SetField) -> None:
    if action.field is oxm.TUNNEL_ID:
        walk.set_tunnel(action.value)
    else:
        walk.change(SETTERS[action.field], action.value)


def _admit_push_vlan(action: act.PushVlan) -> None:
    if action.ethertype not in _VLAN_TYPES:
        raise refuse(OFPBAC.BAD_ARGUMENT, f"{action.ethertype:#06x} begins no VLAN tag")


def _push_vlan(walk: Walk, action: act.PushVlan) -> None:
    walk.change(push_vlan, action.ethertype)


def _pop_vlan(walk: Walk, _action: act.PopVlan) -> None:
    walk.change(pop_vlan, 0)


def _set_ttl(walk: Walk, action: act.SetNwTtl) -> None:
    walk.change(set_ttl, action.ttl)


def _decrement_ttl(walk: Walk, _action: act.DecNwTtl) -> None:
    ttl = ttl_of(walk.data)
    if ttl is None:
        return
    if ttl <= 1:
        walk.tell("  time to live expired: to the controller")
        walk.punt(OFPCML.NO_BUFFER, OFPR.INVALID_TTL)
        walk.stopped = True
        return
    walk.change(set_ttl, ttl - 1)  # the same for every packet of the flow: its key has the TTL


RULES: Final[dict[type[act.Action], ActionRule]] = {
    act.SetField: ActionRule(Order.SET, _admit_set_field, _set_field),
    act.PushVlan: ActionRule(Order.PUSH_VLAN, _admit_push_vlan, _push_vlan),
    act.PopVlan: ActionRule(Order.POP, admit_any, _pop_vlan),
    act.SetNwTtl: ActionRule(Order.SET, admit_any, _set_ttl),
    act.DecNwTtl: ActionRule(Order.DECREMENT_TTL, admit_any, _decrement_ttl),
}
