"""Actions of OpenFlow 1.0 that 1.3 lacks (:mod:`sdnvirt.openflow.extensions`; 1.0.0, 3.3).

What they do depends on the packet: each is one rewrite that looks for itself, and a packet without
the header in question stays as it is.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.actions import forwarding
from sdnvirt.datapath.actions.rule import ActionRule, Order, admit_any
from sdnvirt.datapath.layout import ABSENT, layout
from sdnvirt.datapath.rewriting.ethernet import pop_vlan, push_vlan
from sdnvirt.datapath.rewriting.patch import Rewrite
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.datapath.walk import Walk
from sdnvirt.openflow import extensions as ext
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.extensions import Settable
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPP
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse
from sdnvirt.openflow.v13.oxm import OxmField
from sdnvirt.wire.ethernet import EtherType


def _tagging(field: OxmField) -> Rewrite:
    """Return what sets a field of the outermost tag, and gives a packet without one a tag."""

    def rewrite(data: bytes, value: int) -> bytes:
        if layout(data).vlan == ABSENT:
            data = push_vlan(data, EtherType.VLAN)
        return SETTERS[field](data, value)

    return rewrite


def _any_of(fields: tuple[OxmField, ...]) -> Rewrite:
    """Return what sets the one of some fields that a packet has; no packet has two of them."""

    def rewrite(data: bytes, value: int) -> bytes:
        for field in fields:
            data = SETTERS[field](data, value)
        return data

    return rewrite


_SET_VID: Final = _tagging(oxm.VLAN_VID)
_SET_PCP: Final = _tagging(oxm.VLAN_PCP)
_SET: Final[dict[Settable, Rewrite]] = {what: _any_of(what.fields) for what in Settable}


def _set_vlan_vid(walk: Walk, action: ext.SetVlanVid) -> None:
    walk.change(_SET_VID, action.vlan_vid)


def _set_vlan_pcp(walk: Walk, action: ext.SetVlanPcp) -> None:
    walk.change(_SET_PCP, action.vlan_pcp)


def _strip_vlan(walk: Walk, _action: ext.StripVlan) -> None:
    walk.change(pop_vlan, 0)


def _set_if_present(walk: Walk, action: ext.SetIfPresent) -> None:
    walk.change(_SET[action.what], action.value)


def _admit_enqueue(action: ext.Enqueue) -> None:
    if not (0 < action.port <= OFPP.MAX or action.port == OFPP.IN_PORT):
        raise refuse(OFPBAC.BAD_OUT_PORT, f"port {action.port:#x} cannot have queues")


def _enqueue(walk: Walk, action: ext.Enqueue) -> None:
    before, walk.queue_id = walk.queue_id, action.queue_id
    forwarding.RULES[act.Output].execute(walk, act.Output(action.port))
    walk.queue_id = before


RULES: Final[dict[type[Action], ActionRule]] = {
    ext.SetVlanVid: ActionRule(Order.SET, admit_any, _set_vlan_vid),
    ext.SetVlanPcp: ActionRule(Order.SET, admit_any, _set_vlan_pcp),
    ext.StripVlan: ActionRule(Order.POP, admit_any, _strip_vlan),
    ext.SetIfPresent: ActionRule(Order.SET, admit_any, _set_if_present),
    ext.Enqueue: ActionRule(Order.OUTPUT, _admit_enqueue, _enqueue),
}
