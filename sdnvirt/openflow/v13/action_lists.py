"""Lists of actions as they come in messages, experimenters' actions included.

OpenFlow 1.3.5, 7.2.5.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.action import WireAction, unknown_action
from sdnvirt.openflow.element import pack_all, remembered, take_elements
from sdnvirt.openflow.nicira.codec import nicira_class
from sdnvirt.openflow.nicira.constants import NICIRA
from sdnvirt.openflow.record import filling
from sdnvirt.openflow.v13.actions import ACTIONS
from sdnvirt.openflow.v13.constants import OFPAT

_EXPERIMENTER: Final = NICIRA.to_bytes(4, "big")


@remembered
def unpack_actions(data: bytes, start: int, end: int) -> tuple[WireAction, ...]:
    """Return the actions that fill ``data[start:end]``.

    Raises:
        OpenFlowError: one of them breaks the specification (OFPET_BAD_ACTION).
    """
    return take_elements(WireAction.FAMILY, data, start, end, _class_of)


def _class_of(kind: int, data: bytes, start: int, end: int) -> type[WireAction]:
    if kind == OFPAT.EXPERIMENTER and data[start + 4 : start + 8] == _EXPERIMENTER:
        return nicira_class(data, start, end)
    action = ACTIONS.get(kind)
    if action is None:
        raise unknown_action(kind)
    return action


ACTION_LIST: Final = filling(unpack_actions, pack_all)
"""The part of a structure that is a list of actions."""
