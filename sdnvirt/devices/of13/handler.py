"""The shape of a handler: what is done for one type of request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sdnvirt.openflow.element import Packable
from sdnvirt.openflow.record import Message
from sdnvirt.units import NS_PER_S

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent
    from sdnvirt.devices.switch import OpenFlowSwitch

Handler = Callable[["Agent", Any], Message | None]
"""Takes the connection and the request; returns the answer, if there is one. May raise
OpenFlowError, which is the answer then."""

Handlers = dict[type[Message], Handler]

Entries = tuple[Packable, ...]
"""The body of a multipart message."""

Answer = Callable[["OpenFlowSwitch", Entries], Entries]
"""Takes a multipart request's body and returns that of the reply. May raise OpenFlowError."""

Answers = dict[int, Answer]
"""How each kind of multipart request (OFPMP) is answered."""


def age(switch: OpenFlowSwitch, since_ns: int) -> tuple[int, int]:
    """Return how long something has existed, in seconds and nanoseconds beyond."""
    return divmod(switch.world.scheduler.now - since_ns, NS_PER_S)
