"""Roles of controllers, and which messages each gets (OpenFlow 1.3.5, 7.3.9 and 7.3.10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar

from sdnvirt.openflow.record import EmptyMessage, RecordMessage
from sdnvirt.openflow.v13.constants import OFPCR, OFPT
from sdnvirt.openflow.v13.error_codes import OFPRRFC, refuse


@dataclass(frozen=True, slots=True)
class _Role(RecordMessage):
    role: int
    generation_id: int = 0

    LAYOUT: ClassVar[Struct] = Struct("!I4xQ")


@dataclass(frozen=True, slots=True)
class RoleRequest(_Role):
    """Have the role ``role`` of OFPCR; ``generation_id`` counts the elections of a master."""

    TYPE: ClassVar[int] = OFPT.ROLE_REQUEST
    NOUN: ClassVar[str] = "a role request"

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        role, _ = values
        if role > OFPCR.SLAVE:
            raise refuse(OFPRRFC.BAD_ROLE, f"no role {role}")


@dataclass(frozen=True, slots=True)
class RoleReply(_Role):
    """The controller's role now, one of OFPCR."""

    TYPE: ClassVar[int] = OFPT.ROLE_REPLY


@dataclass(frozen=True, slots=True)
class GetAsyncRequest(EmptyMessage):
    """Which asynchronous messages do I get?"""

    TYPE: ClassVar[int] = OFPT.GET_ASYNC_REQUEST


@dataclass(frozen=True, slots=True)
class _AsyncConfig(RecordMessage):
    packet_in_mask: int
    packet_in_mask_slave: int
    port_status_mask: int
    port_status_mask_slave: int
    flow_removed_mask: int
    flow_removed_mask_slave: int

    LAYOUT: ClassVar[Struct] = Struct("!6I")


@dataclass(frozen=True, slots=True)
class GetAsyncReply(_AsyncConfig):
    """The messages that the controller gets: bit n of a mask for the reason n.

    The first mask of each pair is for a controller in the role of equal or master.
    """

    TYPE: ClassVar[int] = OFPT.GET_ASYNC_REPLY


@dataclass(frozen=True, slots=True)
class SetAsync(_AsyncConfig):
    """Send me these messages: bit n of a mask for the reason n.

    The first mask of each pair is for the time that I am equal or master.
    """

    TYPE: ClassVar[int] = OFPT.SET_ASYNC
