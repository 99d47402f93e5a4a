"""Actions on the time to live of IP and MPLS (OpenFlow 1.3.5, 5.12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sdnvirt.datapath.actions.rule import ActionRule, Order, admit_any
from sdnvirt.datapath.layout import MPLS_TYPES
from sdnvirt.datapath.rewriting.mpls import mpls_ttl_of, set_mpls_ttl
from sdnvirt.datapath.rewriting.patch import Rewrite
from sdnvirt.datapath.rewriting.ttl import copy_ttl_in, copy_ttl_out, set_ttl, ttl_of
from sdnvirt.datapath.walk import Walk
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.v13 import actions as act
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.constants import OFPR


def _setting(rewrite: Rewrite) -> Callable[[Walk, Any], None]:
    def execute(walk: Walk, action: act.SetNwTtl | act.SetMplsTtl) -> None:
        walk.change(rewrite, action.ttl)

    return execute


def _decrementing(read: Callable[[bytes], int | None], rewrite: Rewrite) -> Callable[..., None]:
    def execute(walk: Walk, _action: act.DecNwTtl | act.DecMplsTtl) -> None:
        ttl = read(walk.data)
        if ttl is None:
            return
        if ttl <= 1:
            walk.tell("  time to live expired: to the controller")
            walk.punt(None, OFPR.INVALID_TTL)  # miss_send_len bytes of it (7.3.2)
            walk.stopped = True
            return
        walk.change(rewrite, ttl - 1)  # the same for every packet of the flow: its key has the TTL

    return execute


def _copying(rewrite: Rewrite) -> Callable[[Walk, Any], None]:
    def execute(walk: Walk, _action: act.CopyTtlIn | act.CopyTtlOut) -> None:
        if walk.fields.get(oxm.ETH_TYPE) not in MPLS_TYPES:
            walk.look_deeper()  # IP in IP: the flow key does not cover the inner header
        walk.change(rewrite, 0)

    return execute


RULES: Final[dict[type[Action], ActionRule]] = {
    act.SetNwTtl: ActionRule(Order.SET, admit_any, _setting(set_ttl)),
    act.DecNwTtl: ActionRule(Order.DECREMENT_TTL, admit_any, _decrementing(ttl_of, set_ttl)),
    act.SetMplsTtl: ActionRule(Order.SET, admit_any, _setting(set_mpls_ttl)),
    act.DecMplsTtl: ActionRule(
        Order.DECREMENT_TTL, admit_any, _decrementing(mpls_ttl_of, set_mpls_ttl)
    ),
    act.CopyTtlIn: ActionRule(Order.COPY_TTL_IN, admit_any, _copying(copy_ttl_in)),
    act.CopyTtlOut: ActionRule(Order.COPY_TTL_OUT, admit_any, _copying(copy_ttl_out)),
}
