"""Statistics messages: questions, and answers that may need several messages.

OpenFlow 1.0.0, 5.3.5::

    0      2
    kind   flags   entries of the one class that the kind has in each direction
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from sdnvirt.openflow.entries import NOTHING, Body, EntriesMessage, Terms
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v10.constants import OFPST, OFPT
from sdnvirt.openflow.v10.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v10.features import Desc, TableStats
from sdnvirt.openflow.v10.flow import AggregateStats, FlowStats, FlowStatsRequest
from sdnvirt.openflow.v10.ports import PortStats, PortStatsRequest
from sdnvirt.openflow.v10.queues import QueueStats, QueueStatsRequest
from sdnvirt.openflow.v10.vendor import VendorStats

REQUESTS: Final[dict[int, Body]] = {
    OFPST.DESC: NOTHING,
    OFPST.FLOW: Body(FlowStatsRequest, single=True),
    OFPST.AGGREGATE: Body(FlowStatsRequest, single=True),
    OFPST.TABLE: NOTHING,
    OFPST.PORT: Body(PortStatsRequest, single=True),
    OFPST.QUEUE: Body(QueueStatsRequest, single=True),
    OFPST.VENDOR: Body(VendorStats, single=True),
}
"""The body of each kind of request."""

REPLIES: Final[dict[int, Body]] = {
    OFPST.DESC: Body(Desc, single=True),
    OFPST.FLOW: Body(FlowStats),
    OFPST.AGGREGATE: Body(AggregateStats, single=True),
    OFPST.TABLE: Body(TableStats),
    OFPST.PORT: Body(PortStats),
    OFPST.QUEUE: Body(QueueStats),
    OFPST.VENDOR: Body(VendorStats, single=True),
}
"""The body of each kind of reply."""


def _unknown(kind: int) -> OpenFlowError:
    return refuse(OFPBRC.BAD_STAT, f"no statistics have the type {kind}")


@dataclass(frozen=True, slots=True)
class Stats(EntriesMessage):
    """A statistics message; ``kind`` is one of OFPST, and only replies are continued."""

    HEADER: ClassVar[Struct] = Struct("!HH")
    TERMS: ClassVar[Terms] = Terms(
        kinds=OFPST,
        noun="a statistics message",
        question="a request for {} statistics",
        single="a message of {} statistics",
        unknown=_unknown,
    )


@dataclass(frozen=True, slots=True)
class StatsRequest(Stats):
    """A question (ofp_stats_request)."""

    TYPE: ClassVar[int] = OFPT.STATS_REQUEST
    BODIES: ClassVar[dict[int, Body]] = REQUESTS


@dataclass(frozen=True, slots=True)
class StatsReply(Stats):
    """An answer (ofp_stats_reply)."""

    TYPE: ClassVar[int] = OFPT.STATS_REPLY
    BODIES: ClassVar[dict[int, Body]] = REPLIES
