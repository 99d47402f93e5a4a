"""Nicira's learn action: packets make flow entries (ovs-actions(7), learn)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sdnvirt.datapath.actions.forwarding import port_in_full
from sdnvirt.datapath.fields import MATCHABLE, Fields
from sdnvirt.datapath.flow import Deferred, Emission
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.datapath.walk import Walk
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.nicira.actions import RegLoad, RegLoad2
from sdnvirt.openflow.nicira.constants import NXLEARN
from sdnvirt.openflow.nicira.learn import Learn, Purpose
from sdnvirt.openflow.nicira.subfield import Subfield
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.constants import OFPFF, OFPP, OFPTT
from sdnvirt.openflow.v13.error_codes import OFPBAC, OFPBMC, refuse
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.oxm import OxmField

_LOAD_BITS: Final = 64
"""Bits that fit into a load; what is wider becomes a set-field."""


@dataclass(frozen=True, slots=True)
class Learning(Deferred):
    """Add or refresh an entry, every time that a packet comes.

    Attributes:
        learn: does it, given the time in ns.
        mod: the entry.
    """

    learn: Callable[[FlowMod, int], None]
    mod: FlowMod

    def run(self, frame: Frame, now: int | None) -> tuple[Frame | None, list[Emission]]:
        if now is not None:
            self.learn(self.mod, now)
        return frame, []


def admit_learn(action: Learn) -> None:
    """Refuse what would make entries that cannot be (OFPET_BAD_ACTION)."""
    if action.table_id > OFPTT.MAX:
        raise refuse(OFPBAC.BAD_ARGUMENT, f"no table {action.table_id} to learn in")
    if action.flags not in (0, NXLEARN.SEND_FLOW_REM):
        raise refuse(OFPBAC.BAD_ARGUMENT, f"flags {action.flags:#x} of learn")
    if action.fin_idle_timeout or action.fin_hard_timeout:
        raise refuse(OFPBAC.BAD_ARGUMENT, "no timeouts for the end of a TCP connection")
    matched = {s.dst.field for s in action.specs if s.dst and s.purpose is Purpose.MATCH}
    for spec in action.specs:
        if spec.dst is not None:
            _admit_target(spec.purpose, spec.dst, matched)


def _admit_target(purpose: Purpose, dst: Subfield, matched: set[OxmField]) -> None:
    field = dst.field
    if purpose is Purpose.LOAD:
        if field not in SETTERS and field not in nxm.SETTABLE and field not in _REGISTERS:
            raise refuse(OFPBAC.BAD_SET_ARGUMENT, f"{field.name} cannot be written")
        return
    needed = field.requires
    if field not in MATCHABLE and field not in nxm.MATCHABLE:
        raise refuse(OFPBMC.BAD_FIELD, f"{field.name} is not supported")
    if needed is not None and needed.field not in matched:
        raise refuse(OFPBMC.BAD_PREREQ, f"{field.name} without its {needed.field.name}")
    if not field.maskable and dst.bits != field.bits and field is not oxm.IN_PORT:
        raise refuse(OFPBMC.BAD_MASK, f"{field.name} cannot be masked")


_REGISTERS: Final = (oxm.METADATA, oxm.TUNNEL_ID)


def learn(walk: Walk, action: Learn) -> None:
    """Make an entry of the packet as it is now, and leave it to each packet to add it."""
    try:
        mod = _flow_mod(walk.fields, action)
    except (OpenFlowError, KeyError) as error:
        walk.tell(f"  nothing to learn from the packet: {error}")
        return
    walk.tell(f"  learns: table={mod.table_id}, {mod.match}")
    walk.defer(Learning(walk.state.learn, mod))


def _flow_mod(fields: Fields, action: Learn) -> FlowMod:
    """Return the entry to learn.

    Raises:
        KeyError: the packet lacks a field that it should be made of.
        OpenFlowError: the packet's fields make no match.
    """
    matches: dict[str, tuple[int, int]] = {}
    actions: list[Action] = []
    for spec in action.specs:
        value = spec.src.of(fields[spec.src.field]) if isinstance(spec.src, Subfield) else spec.src
        if spec.dst is None:
            port = port_in_full(value)
            if 0 < port <= OFPP.MAX or port == OFPP.LOCAL:
                actions.append(Output(port))
        elif spec.purpose is Purpose.LOAD:
            actions.append(_load(spec.dst, value))
        else:
            _add_match(matches, spec.dst, value)
    return FlowMod(
        cookie=action.cookie,
        table_id=action.table_id,
        idle_timeout=action.idle_timeout,
        hard_timeout=action.hard_timeout,
        priority=action.priority,
        flags=OFPFF.SEND_FLOW_REM if action.flags & NXLEARN.SEND_FLOW_REM else 0,
        match=Match.of(**{name: _exact(name, *given) for name, given in matches.items()}),
        instructions=(ApplyActions(tuple(actions)),) if actions else (),
    )


def _exact(name: str, value: int, mask: int) -> int | tuple[int, int]:
    """Return a value without its mask, if that leaves out nothing; few fields may have one."""
    return value if mask == nxm.KNOWN_NAMES[name].limit else (value, mask)


def _load(dst: Subfield, value: int) -> Action:
    if dst.bits <= _LOAD_BITS:
        return RegLoad(dst, value)
    return RegLoad2(dst.field, value << dst.offset, dst.mask)


def _add_match(matches: dict[str, tuple[int, int]], dst: Subfield, value: int) -> None:
    """Add bits to a match; bits that were named before count as they were named last."""
    field = dst.field
    before, mask = matches.get(field.name, (0, 0))
    if field is oxm.IN_PORT:
        matches[field.name] = port_in_full(dst.into(before, value)), field.limit
        return
    mask |= dst.mask
    matches[field.name] = dst.into(before, value), mask
