"""The shape of a handler: what is done for one type of request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sdnvirt.openflow.record import Message

if TYPE_CHECKING:
    from sdnvirt.devices.agent import Agent

Handler = Callable[["Agent", Any], Message | None]
"""Takes the connection and the request; returns the answer, if there is one. May raise
OpenFlowError, which is the answer then."""

Handlers = dict[type[Message], Handler]
