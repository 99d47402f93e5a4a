"""Barriers: everything before the request is done before the reply (OpenFlow 1.0.0, 5.3.7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sdnvirt.openflow.record import EmptyMessage
from sdnvirt.openflow.v10.constants import OFPT


@dataclass(frozen=True, slots=True)
class BarrierRequest(EmptyMessage):
    """Finish all that came before this."""

    TYPE: ClassVar[int] = OFPT.BARRIER_REQUEST


@dataclass(frozen=True, slots=True)
class BarrierReply(EmptyMessage):
    """All that came before the request is done."""

    TYPE: ClassVar[int] = OFPT.BARRIER_REPLY
