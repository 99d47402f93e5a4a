"""What each action may ask for and what it does: one rule for each class of action.

An action without a rule is refused. ``order`` is the action's place in an action set (OpenFlow
1.3.5, 5.10); actions of one place are executed as they were written.
"""

from __future__ import annotations

from typing import Final

from sdnvirt.datapath.actions import extensions, forwarding, nicira, packet, ttl
from sdnvirt.datapath.actions.rule import ActionRule
from sdnvirt.openflow.action import Action

RULES: Final[dict[type[Action], ActionRule]] = {
    **packet.RULES, **ttl.RULES, **forwarding.RULES,
    **nicira.RULES,
    **extensions.RULES,
}  # fmt: skip
"""The rule of each class of action."""
