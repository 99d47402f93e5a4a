"""The shape of an action's rule."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

from sdnvirt.datapath.walk import Walk


class Order(IntEnum):
    """The order in which an action set is executed (OpenFlow 1.3.5, 5.10)."""

    COPY_TTL_IN = 1
    POP = 2
    PUSH_MPLS = 3
    PUSH_PBB = 4
    PUSH_VLAN = 5
    COPY_TTL_OUT = 6
    DECREMENT_TTL = 7
    SET = 8
    QUEUE = 9
    GROUP = 10
    OUTPUT = 11


class ActionRule(NamedTuple):
    """What there is to say of one class of action.

    Attributes:
        order: its place in an action set.
        admit: raises OpenFlowError when the action asks for what cannot be done.
        execute: does it to a packet on its walk.
    """

    order: Order
    admit: Callable[[Any], None]
    execute: Callable[[Walk, Any], None]


def admit_any(_action: object) -> None:
    """Admit every action of the class."""
