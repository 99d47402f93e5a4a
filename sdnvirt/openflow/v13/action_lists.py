"""Lists of actions as they come in messages, experimenters' actions included.

OpenFlow 1.3.5, 7.2.5.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from sdnvirt.openflow.nicira.codec import nicira_class
from sdnvirt.openflow.nicira.constants import NICIRA
from sdnvirt.openflow.v13.actions import ACTIONS, MIN_SIZE, Action
from sdnvirt.openflow.v13.constants import OFPAT
from sdnvirt.openflow.v13.error_codes import OFPBAC, refuse

_HEADER: Final = Struct("!HH")
_EXPERIMENTER: Final = NICIRA.to_bytes(4, "big")


def unpack_actions(data: bytes, start: int, end: int) -> tuple[Action, ...]:
    """Return the actions that fill ``data[start:end]``.

    Raises:
        OpenFlowError: one of them breaks the specification (OFPET_BAD_ACTION).
    """
    actions = []
    while start < end:
        if end - start < MIN_SIZE:
            raise refuse(OFPBAC.BAD_LEN, f"an action cannot have {end - start} bytes")
        kind, length = _HEADER.unpack_from(data, start)
        if length < MIN_SIZE or length % 8 or length > end - start:
            raise refuse(OFPBAC.BAD_LEN, f"an action of {length} bytes in {end - start}")
        action = _class_of(kind, data, start)
        if action is None:
            raise refuse(OFPBAC.BAD_TYPE, f"no action has the type {kind}")
        actions.append(action.unpack(data, start, start + length))
        start += length
    return tuple(actions)


def _class_of(kind: int, data: bytes, start: int) -> type[Action] | None:
    """Return the class of the action at ``start``, or None if its type is unknown."""
    if kind == OFPAT.EXPERIMENTER and data[start + 4 : start + 8] == _EXPERIMENTER:
        return nicira_class(data, start)
    return ACTIONS.get(kind)
