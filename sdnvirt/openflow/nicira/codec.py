"""Which class an action of Nicira's is."""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.nicira.action import HEADER, NiciraAction
from sdnvirt.openflow.nicira.actions import (
    Controller,
    Exit,
    Note,
    OutputReg,
    OutputReg2,
    RegLoad,
    RegLoad2,
    RegMove,
    Resubmit,
    ResubmitTable,
    SetTunnel,
    SetTunnel64,
)
from sdnvirt.openflow.nicira.conntrack import Conntrack, ConntrackClear
from sdnvirt.openflow.nicira.learn import Learn
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse

NICIRA_ACTIONS: Final[dict[int, type[NiciraAction]]] = {
    action.SUBTYPE: action
    for action in (
        Resubmit, SetTunnel, RegMove, RegLoad, Note, SetTunnel64, ResubmitTable, OutputReg, Learn,
        Exit, Controller, OutputReg2, RegLoad2, Conntrack, ConntrackClear,
    )
}  # fmt: skip
"""The class of each subtype; address translation stands within connection tracking only."""


def nicira_class(data: bytes, start: int, end: int) -> type[NiciraAction]:
    """Return the class of the action that is ``data[start:end]``.

    Raises:
        OpenFlowError: there is none (OFPET_BAD_ACTION).
    """
    if end - start < HEADER.size:
        raise refuse(OFPBAC.BAD_LEN, "an action of Nicira's without a subtype")
    _, _, _, subtype = HEADER.unpack_from(data, start)
    known = NICIRA_ACTIONS.get(subtype)
    if known is None:
        raise refuse(OFPBAC.BAD_EXP_TYPE, f"no action of Nicira's has the subtype {subtype}")
    return known
