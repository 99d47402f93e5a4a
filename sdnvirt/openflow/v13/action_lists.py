"""Lists of actions as they come in messages, experimenters' actions included.

OpenFlow 1.3.5, 7.2.5.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from sdnvirt.openflow.action import Action, pack_actions, take_actions
from sdnvirt.openflow.nicira.codec import nicira_class
from sdnvirt.openflow.nicira.constants import NICIRA
from sdnvirt.openflow.record import filling
from sdnvirt.openflow.v13.actions import ACTIONS
from sdnvirt.openflow.v13.constants import OFPAT

_HEADER: Final = Struct("!HH")
_EXPERIMENTER: Final = NICIRA.to_bytes(4, "big")


def unpack_actions(data: bytes, start: int, end: int) -> tuple[Action, ...]:
    """Return the actions that fill ``data[start:end]``.

    Raises:
        OpenFlowError: one of them breaks the specification (OFPET_BAD_ACTION).
    """
    return take_actions(data, start, end, _class_of)


def _class_of(kind: int, data: bytes, start: int) -> type[Action] | None:
    """Return the class of the action at ``start``, or None if its type is unknown."""
    if kind == OFPAT.EXPERIMENTER and data[start + 4 : start + 8] == _EXPERIMENTER:
        return nicira_class(data, start)
    return ACTIONS.get(kind)


ACTION_LIST: Final = filling(unpack_actions, pack_actions)
"""The part of a structure that is a list of actions."""
