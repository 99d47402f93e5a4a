"""Set-field, and tags that are pushed and popped (OpenFlow 1.3.5, 5.12 and 7.2.5)."""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.actions.rule import ActionRule, Order, admit_any
from sdnvirt.datapath.fields import TUNNEL_SHIFTS
from sdnvirt.datapath.layout import MPLS_TYPES, VLAN_TYPES
from sdnvirt.datapath.rewriting.ethernet import pop_vlan, push_vlan
from sdnvirt.datapath.rewriting.mpls import payload_type, pop_mpls, push_mpls
from sdnvirt.datapath.rewriting.pbb import pop_pbb, push_pbb
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.datapath.walk import Walk
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse
from sdnvirt.wire.ethernet import EtherType

RELABELLING: Final = frozenset({oxm.ETH_TYPE, oxm.IP_PROTO, oxm.ICMPV6_TYPE, oxm.MPLS_BOS})
"""Fields that say what follows; setting one makes other headers of the bytes that are there."""


IN_THE_PIPELINE: Final = frozenset({oxm.TUNNEL_ID, *nxm.SETTABLE})
"""Fields that can be set although they are in no header."""


def _admit_set_field(action: act.SetField) -> None:
    if action.field not in SETTERS and action.field not in IN_THE_PIPELINE:
        raise refuse(OFPBAC.BAD_SET_TYPE, f"set-field of {action.field.name} is unsupported")


def _set_field(walk: Walk, action: act.SetField) -> None:
    if action.field in TUNNEL_SHIFTS:
        walk.set_tunnel(action.field, action.value)
    elif action.field in nxm.SETTABLE:
        walk.set_register(action.field, action.value)
    elif action.field in RELABELLING:
        walk.look_deeper()
        walk.change(SETTERS[action.field], action.value)
    else:
        walk.set_field(action.field, SETTERS[action.field], action.value)


def _admit_push_vlan(action: act.PushVlan) -> None:
    if action.ethertype not in VLAN_TYPES:
        raise refuse(OFPBAC.BAD_ARGUMENT, f"{action.ethertype:#06x} begins no VLAN tag")


def _push_vlan(walk: Walk, action: act.PushVlan) -> None:
    walk.change(push_vlan, action.ethertype)


def _pop_vlan(walk: Walk, _action: act.PopVlan) -> None:
    walk.change(pop_vlan, 0)


def _admit_push_mpls(action: act.PushMpls) -> None:
    if action.ethertype not in MPLS_TYPES:
        raise refuse(OFPBAC.BAD_ARGUMENT, f"{action.ethertype:#06x} begins no MPLS label")


def _push_mpls(walk: Walk, action: act.PushMpls) -> None:
    walk.change(push_mpls, action.ethertype)


def _pop_mpls(walk: Walk, action: act.PopMpls) -> None:
    if action.ethertype != payload_type(walk.data):
        walk.look_deeper()
    walk.change(pop_mpls, action.ethertype)


def _admit_push_pbb(action: act.PushPbb) -> None:
    if action.ethertype != EtherType.PBB:
        raise refuse(OFPBAC.BAD_ARGUMENT, f"{action.ethertype:#06x} begins no backbone tag")


def _push_pbb(walk: Walk, _action: act.PushPbb) -> None:
    walk.change(push_pbb, 0)


def _pop_pbb(walk: Walk, _action: act.PopPbb) -> None:
    walk.change(pop_pbb, 0)


RULES: Final[dict[type[Action], ActionRule]] = {
    act.SetField: ActionRule(Order.SET, _admit_set_field, _set_field),
    act.PushVlan: ActionRule(Order.PUSH_VLAN, _admit_push_vlan, _push_vlan),
    act.PopVlan: ActionRule(Order.POP, admit_any, _pop_vlan),
    act.PushMpls: ActionRule(Order.PUSH_MPLS, _admit_push_mpls, _push_mpls),
    act.PopMpls: ActionRule(Order.POP, admit_any, _pop_mpls),
    act.PushPbb: ActionRule(Order.PUSH_PBB, _admit_push_pbb, _push_pbb),
    act.PopPbb: ActionRule(Order.POP, admit_any, _pop_pbb),
}
