"""Multipart messages: questions and answers too long for one message (OpenFlow 1.3.5, 7.3.5).

::

    0      2       4
    kind   flags   zeros, then entries of the one class that the kind has in each direction
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final

from sdnvirt.openflow.entries import NOTHING, Body, EntriesMessage, Terms
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.v13.constants import OFPMP, OFPT
from sdnvirt.openflow.v13.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v13.experimenter import ExperimenterMultipart
from sdnvirt.openflow.v13.features import Desc
from sdnvirt.openflow.v13.flow import AggregateStats, FlowStats, FlowStatsRequest
from sdnvirt.openflow.v13.groups import GroupDesc, GroupFeatures, GroupStats, GroupStatsRequest
from sdnvirt.openflow.v13.meters import MeterConfig, MeterFeatures, MeterRequest, MeterStats
from sdnvirt.openflow.v13.ports import PortDesc, PortStats, PortStatsRequest
from sdnvirt.openflow.v13.queues import QueueStats, QueueStatsRequest
from sdnvirt.openflow.v13.table_features import TableFeatures
from sdnvirt.openflow.v13.tables import TableStats

REQUESTS: Final[dict[int, Body]] = {
    OFPMP.DESC: NOTHING,
    OFPMP.FLOW: Body(FlowStatsRequest, single=True),
    OFPMP.AGGREGATE: Body(FlowStatsRequest, single=True),
    OFPMP.TABLE: NOTHING,
    OFPMP.PORT_STATS: Body(PortStatsRequest, single=True),
    OFPMP.QUEUE: Body(QueueStatsRequest, single=True),
    OFPMP.GROUP: Body(GroupStatsRequest, single=True),
    OFPMP.GROUP_DESC: NOTHING,
    OFPMP.GROUP_FEATURES: NOTHING,
    OFPMP.METER: Body(MeterRequest, single=True),
    OFPMP.METER_CONFIG: Body(MeterRequest, single=True),
    OFPMP.METER_FEATURES: NOTHING,
    OFPMP.TABLE_FEATURES: Body(TableFeatures),
    OFPMP.PORT_DESC: NOTHING,
    OFPMP.EXPERIMENTER: Body(ExperimenterMultipart, single=True),
}
"""The body of each kind of request."""

REPLIES: Final[dict[int, Body]] = {
    OFPMP.DESC: Body(Desc, single=True),
    OFPMP.FLOW: Body(FlowStats),
    OFPMP.AGGREGATE: Body(AggregateStats, single=True),
    OFPMP.TABLE: Body(TableStats),
    OFPMP.PORT_STATS: Body(PortStats),
    OFPMP.QUEUE: Body(QueueStats),
    OFPMP.GROUP: Body(GroupStats),
    OFPMP.GROUP_DESC: Body(GroupDesc),
    OFPMP.GROUP_FEATURES: Body(GroupFeatures, single=True),
    OFPMP.METER: Body(MeterStats),
    OFPMP.METER_CONFIG: Body(MeterConfig),
    OFPMP.METER_FEATURES: Body(MeterFeatures, single=True),
    OFPMP.TABLE_FEATURES: Body(TableFeatures),
    OFPMP.PORT_DESC: Body(PortDesc),
    OFPMP.EXPERIMENTER: Body(ExperimenterMultipart, single=True),
}
"""The body of each kind of reply."""


def _unknown(kind: int) -> OpenFlowError:
    return refuse(OFPBRC.BAD_MULTIPART, f"no multipart message has the type {kind}")


@dataclass(frozen=True, slots=True)
class Multipart(EntriesMessage):
    """A multipart message; ``kind`` is one of OFPMP."""

    HEADER: ClassVar[Struct] = Struct("!HH4x")
    TERMS: ClassVar[Terms] = Terms(
        kinds=OFPMP,
        noun="a multipart message",
        question="a multipart request for {}",
        single="a multipart message of {}",
        unknown=_unknown,
    )


@dataclass(frozen=True, slots=True)
class MultipartRequest(Multipart):
    """A question (ofp_multipart_request)."""

    TYPE: ClassVar[int] = OFPT.MULTIPART_REQUEST
    BODIES: ClassVar[dict[int, Body]] = REQUESTS


@dataclass(frozen=True, slots=True)
class MultipartReply(Multipart):
    """An answer (ofp_multipart_reply)."""

    TYPE: ClassVar[int] = OFPT.MULTIPART_REPLY
    BODIES: ClassVar[dict[int, Body]] = REPLIES
