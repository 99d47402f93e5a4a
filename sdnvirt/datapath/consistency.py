"""Whether the actions of a flow entry fit its match (OpenFlow 1.3.5, 6.4 and 7.2.5).

A set-field needs the prerequisites of its field, from the match or from an action before it: that
is what the specification asks, and it finds the mistake when it is made and not when a packet is
wrong. Another action is refused only if the match says that it can never apply; where the match
leaves it open, a packet without the header stays as it is.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.actions import RULES
from sdnvirt.datapath.layout import IP_TYPES, MPLS_TYPES, VLAN_TYPES
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.nicira.actions import OutputReg, RegLoad, RegMove
from sdnvirt.openflow.nicira.conntrack import Conntrack
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPVID
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse
from sdnvirt.openflow.v13.instructions import ApplyActions, Instruction, WriteActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.oxm import OxmField
from sdnvirt.wire.ethernet import EtherType

_APPLIES_TO: Final[dict[type[Action], tuple[int, ...]]] = {
    act.PopMpls: MPLS_TYPES,
    act.SetMplsTtl: MPLS_TYPES,
    act.DecMplsTtl: MPLS_TYPES,
    act.PopPbb: (EtherType.PBB,),
    act.SetNwTtl: IP_TYPES,
    act.DecNwTtl: IP_TYPES,
    act.CopyTtlIn: MPLS_TYPES + IP_TYPES,
    act.CopyTtlOut: MPLS_TYPES + IP_TYPES,
}
"""The EtherTypes of the packets that have what an action changes."""


_INDIFFERENT: Final[frozenset[type[Action]]] = frozenset({act.Output, act.Group, act.SetQueue})
"""Actions that neither need nor change a header. Most lists have no others."""


def check_consistent(match: Match, instructions: tuple[Instruction, ...]) -> None:
    """Refuse actions that do not fit the match (OFPBAC_MATCH_INCONSISTENT)."""
    known = _Known(match)
    by_kind = {type(instruction): instruction for instruction in instructions}
    apply = by_kind.get(ApplyActions)
    if isinstance(apply, ApplyActions):
        for action in apply.actions:
            known.check(action)
    write = by_kind.get(WriteActions)
    if isinstance(write, WriteActions):
        for action in sorted(write.actions, key=lambda action: RULES[type(action)].order):
            known.check(action)


class _Known:
    """What is known of a packet by the match that it fits and the actions that it went through."""

    def __init__(self, match: Match) -> None:
        self._values: dict[OxmField, int] = {
            field: value
            for field, value, mask in match.fields
            if mask is None or (field is oxm.VLAN_VID and mask & OFPVID.PRESENT)
        }
        self._below: list[int | None] = []  # what was known of the tags below those pushed

    def check(self, action: Action) -> None:
        """Refuse an action that does not fit, and note what it changes."""
        if type(action) in _INDIFFERENT:
            return
        ethertype = self._values.get(oxm.ETH_TYPE)
        applies_to = _APPLIES_TO.get(type(action))
        if applies_to is not None and ethertype is not None and ethertype not in applies_to:
            raise _inconsistent(action, f"EtherType {ethertype:#06x}")
        match action:
            case act.SetField(field, value):
                self._check_prerequisite(action, field)
                if field is not oxm.VLAN_VID:  # whether there is a tag is as it was
                    self._set(field, value)
            case Conntrack():
                if ethertype not in IP_TYPES:
                    raise _inconsistent(action, "no eth_type of IP")
            case OutputReg(src):
                self._check_prerequisite(action, src.field)
            case RegLoad(dst) | RegMove(_, dst):
                self._check_prerequisite(action, dst.field)
                if isinstance(action, RegMove):
                    self._check_prerequisite(action, action.src.field)
                if dst.field is not oxm.VLAN_VID:
                    self._forget(dst.field)
            case act.PopVlan():
                self._check_tagged(action)
                below = self._below.pop() if self._below else None
                if below is None:
                    self._forget(oxm.VLAN_VID)
                else:
                    self._set(oxm.VLAN_VID, below)
            case act.PushVlan():
                self._below.append(self._values.get(oxm.VLAN_VID))
                self._set(oxm.VLAN_VID, OFPVID.PRESENT)
            case act.PushMpls(ethertype) | act.PushPbb(ethertype):
                self._below.clear()
                self._set(oxm.VLAN_VID, OFPVID.NONE)
                self._set(oxm.ETH_TYPE, ethertype)
            case act.PopMpls(ethertype) if ethertype not in VLAN_TYPES:
                self._set(oxm.ETH_TYPE, ethertype)
            case act.PopMpls() | act.PopPbb():
                self._forget(oxm.VLAN_VID)
                self._forget(oxm.ETH_TYPE)

    def _check_prerequisite(self, action: Action, field: OxmField) -> None:
        if field is oxm.VLAN_VID:
            self._check_tagged(action)
        needed = field.requires
        if needed is None:
            return
        given = self._values.get(needed.field)
        if given is None or given & needed.bits not in needed.values:
            raise _inconsistent(action, f"no {needed.field.name} that it needs")

    def _check_tagged(self, action: Action) -> None:
        vlan = self._values.get(oxm.VLAN_VID)
        if vlan is not None and not vlan & OFPVID.PRESENT:
            raise _inconsistent(action, "no VLAN tag")

    def _set(self, field: OxmField, value: int) -> None:
        self._forget(field)
        self._values[field] = value

    def _forget(self, field: OxmField) -> None:
        """Forget a field, and with it those that need it."""
        self._values.pop(field, None)
        for other in tuple(self._values):
            if other.requires is not None and other.requires.field is field:
                self._forget(other)


def _inconsistent(action: Action, why: str) -> Exception:
    return refuse(OFPBAC.MATCH_INCONSISTENT, f"{action} for packets with {why}")
