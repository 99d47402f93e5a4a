"""Statistics: those of OpenFlow 1.3, asked for and told in the words of 1.0 (1.0.0, 5.3.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sdnvirt.datapath.table import TABLE_LIMIT
from sdnvirt.devices.of13.dialect import ANSWERS
from sdnvirt.devices.of13.handler import Entries
from sdnvirt.openflow.record import Structure
from sdnvirt.openflow.v10.constants import OFPST
from sdnvirt.openflow.v10.error_codes import OFPBRC, refuse
from sdnvirt.openflow.v10.features import TableStats
from sdnvirt.openflow.v10.statistics import StatsReply, StatsRequest
from sdnvirt.openflow.v10.translate import replies, requests
from sdnvirt.openflow.v13 import tables
from sdnvirt.openflow.v13.constants import OFPMP

if TYPE_CHECKING:
    from sdnvirt.devices.switch import OpenFlowSwitch


class _Translation(NamedTuple):
    """How one kind of statistics is told.

    Attributes:
        kind: what OpenFlow 1.3 calls it, one of OFPMP.
        told: turns an entry of the reply into one of 1.0.
        asked: turns the entry of the request into one of 1.3; None if there is no such entry.
    """

    kind: int
    told: Callable[[Any], Structure]
    asked: Callable[[Any], Structure] | None = None


def _table(entry: tables.TableStats) -> TableStats:
    return replies.table_stats(entry, TABLE_LIMIT)


_TRANSLATIONS: Final[dict[int, _Translation]] = {
    OFPST.DESC: _Translation(OFPMP.DESC, replies.desc),
    OFPST.FLOW: _Translation(OFPMP.FLOW, replies.flow_stats, requests.flow_stats_request),
    OFPST.AGGREGATE: _Translation(
        OFPMP.AGGREGATE, replies.aggregate_stats, requests.flow_stats_request
    ),
    OFPST.TABLE: _Translation(OFPMP.TABLE, _table),
    OFPST.PORT: _Translation(OFPMP.PORT_STATS, replies.port_stats, requests.port_stats_request),
    OFPST.QUEUE: _Translation(OFPMP.QUEUE, replies.queue_stats, requests.queue_stats_request),
}


def statistics(switch: OpenFlowSwitch, request: StatsRequest) -> StatsReply:
    """Return the answer to a request for statistics.

    Raises:
        OpenFlowError: they are a vendor's, or about something that is not there.
    """
    translation = _TRANSLATIONS.get(request.kind)
    if translation is None:
        raise refuse(OFPBRC.BAD_VENDOR, "no vendor's statistics are known")
    asked: Entries = ()
    if translation.asked is not None:
        asked = tuple(map(translation.asked, request.entries))
    answer = ANSWERS.get(translation.kind)
    if answer is None:
        raise refuse(OFPBRC.BAD_STAT, f"no statistics of type {request.kind} are kept")
    return StatsReply(request.kind, tuple(map(translation.told, answer(switch, asked))))
