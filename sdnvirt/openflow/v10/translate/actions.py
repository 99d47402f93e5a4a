"""Actions: each of OpenFlow 1.0 is one that the datapath executes, and back.

Those that OpenFlow 1.3 lacks are in :mod:`sdnvirt.openflow.extensions`. A vendor action has the
same bytes in both versions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.openflow import extensions as ext
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.extensions import Settable
from sdnvirt.openflow.v10 import actions as v10
from sdnvirt.openflow.v10.translate.ports import port_to_v10, port_to_v13
from sdnvirt.openflow.v13 import actions as v13
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.constants import OFPAT

_DSCP_SHIFT: Final = 2


def actions_to_v13(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Return the actions that the datapath executes for those of OpenFlow 1.0, one for one.

    Raises:
        OpenFlowError: a vendor action that is known breaks its vendor's rules.
    """
    return tuple(map(_to_v13, actions))


def _to_v13(action: Action) -> Action:
    match action:
        case v10.Output(port, max_len):
            return v13.Output(port_to_v13(port), max_len)
        case v10.SetVlanVid(vlan_vid):
            return ext.SetVlanVid(vlan_vid)
        case v10.SetVlanPcp(vlan_pcp):
            return ext.SetVlanPcp(vlan_pcp)
        case v10.StripVlan():
            return ext.StripVlan()
        case v10.SetDlSrc(dl_addr):
            return v13.SetField(oxm.ETH_SRC, int.from_bytes(dl_addr, "big"))
        case v10.SetDlDst(dl_addr):
            return v13.SetField(oxm.ETH_DST, int.from_bytes(dl_addr, "big"))
        case v10.SetNwSrc(nw_addr):
            return ext.SetIfPresent(Settable.NW_SRC, int(nw_addr))
        case v10.SetNwDst(nw_addr):
            return ext.SetIfPresent(Settable.NW_DST, int(nw_addr))
        case v10.SetNwTos(tos):
            return ext.SetIfPresent(Settable.NW_TOS, tos >> _DSCP_SHIFT)
        case v10.SetTpSrc(tp):
            return ext.SetIfPresent(Settable.TP_SRC, tp)
        case v10.SetTpDst(tp):
            return ext.SetIfPresent(Settable.TP_DST, tp)
        case v10.Enqueue(port, queue_id):
            return ext.Enqueue(port_to_v13(port), queue_id)
        case v10.VendorAction():
            (same,) = _same_bytes_to_v13(action)
            return same
        case _:
            raise AssertionError(f"{action} is no action of OpenFlow 1.0")


def _same_bytes_to_v13(action: v10.VendorAction) -> tuple[Action, ...]:
    wire = action.pack()
    return unpack_actions(wire, 0, len(wire))


def actions_to_v10(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Return the actions that OpenFlow 1.0 has for those of the datapath; others are left out."""
    return tuple(said for said in map(_to_v10, actions) if said is not None)


def _to_v10(action: Action) -> Action | None:
    match action:
        case v13.Output(port, max_len):
            return v10.Output(port_to_v10(port), max_len)
        case ext.SetVlanVid(vlan_vid):
            return v10.SetVlanVid(vlan_vid)
        case ext.SetVlanPcp(vlan_pcp):
            return v10.SetVlanPcp(vlan_pcp)
        case ext.StripVlan() | v13.PopVlan():
            return v10.StripVlan()
        case ext.SetIfPresent(what, value):
            return _set_to_v10(what, value)
        case v13.SetField(field, value):
            return _set_field_to_v10(field, value)
        case ext.Enqueue(port, queue_id):
            return v10.Enqueue(port_to_v10(port), queue_id)
        case _ if action.TYPE == OFPAT.EXPERIMENTER:
            wire = action.pack()
            return v10.VendorAction.unpack(wire, 0, len(wire))
        case _:
            return None


def _set_to_v10(what: Settable, value: int) -> Action:
    match what:
        case Settable.NW_SRC:
            return v10.SetNwSrc(Ipv4(value))
        case Settable.NW_DST:
            return v10.SetNwDst(Ipv4(value))
        case Settable.NW_TOS:
            return v10.SetNwTos(value << _DSCP_SHIFT)
        case Settable.TP_SRC:
            return v10.SetTpSrc(value)
        case Settable.TP_DST:
            return v10.SetTpDst(value)


def _set_field_to_v10(field: oxm.OxmField, value: int) -> Action | None:
    if field is oxm.ETH_SRC:
        return v10.SetDlSrc(Mac(value))
    if field is oxm.ETH_DST:
        return v10.SetDlDst(Mac(value))
    if field is oxm.VLAN_VID:
        return v10.SetVlanVid(value & 0xFFF)
    if field is oxm.VLAN_PCP:
        return v10.SetVlanPcp(value)
    what = next((what for what in Settable if field in what.fields), None)
    return None if what is None else _set_to_v10(what, value)
