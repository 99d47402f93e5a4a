"""Messages of every type of both versions: recorded ones of the os-ken wheel, and some made."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import os_ken.tests

from sdnvirt.addresses import Mac
from sdnvirt.openflow.channel import CODECS
from sdnvirt.openflow.errors import BAD_LENGTH, BAD_REQUEST
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import EchoReply, EchoRequest, Error, Hello
from sdnvirt.openflow.v10 import barrier as barrier10
from sdnvirt.openflow.v10 import features as features10
from sdnvirt.openflow.v10 import flow as flow10
from sdnvirt.openflow.v10 import ports as ports10
from sdnvirt.openflow.v10 import queues as queues10
from sdnvirt.openflow.v10.constants import OFPST
from sdnvirt.openflow.v10.match import ALL_PACKETS
from sdnvirt.openflow.v10.statistics import StatsReply, StatsRequest
from sdnvirt.openflow.v10.vendor import Vendor, VendorStats

FOLDER: Final = Path(os_ken.tests.__file__).parent / "packet_data"
RECORDED: Final = [*sorted(FOLDER.glob("of10/*.packet")), *sorted(FOLDER.glob("of13/*.packet"))]

MAC: Final = Mac(0x06 << 40 | 1)
PORT: Final = ports10.PortDesc(1, MAC, "h1")
MADE: Final[dict[str, Message]] = {
    "hello": Hello(),
    "error": Error(BAD_REQUEST, BAD_LENGTH, bytes(64)),
    "echo_request": EchoRequest(b"ping"),
    "echo_reply": EchoReply(b"ping"),
    "vendor": Vendor(0x2320, bytes(4)),
    "get_config_request": features10.GetConfigRequest(),
    "get_config_reply": features10.GetConfigReply(),
    "set_config": features10.SetConfig(),
    "flow_removed": flow10.FlowRemoved(ALL_PACKETS, 0, 1, 0, 1, 0, 0, 1, 60),
    "port_status": ports10.PortStatus(0, PORT),
    "port_mod": ports10.PortMod(1, MAC, 0, 1),
    "desc_request": StatsRequest(OFPST.DESC),
    "flow_request": StatsRequest(OFPST.FLOW, (flow10.FlowStatsRequest(),)),
    "aggregate_request": StatsRequest(OFPST.AGGREGATE, (flow10.FlowStatsRequest(),)),
    "table_request": StatsRequest(OFPST.TABLE),
    "port_request": StatsRequest(OFPST.PORT, (ports10.PortStatsRequest(),)),
    "queue_request": StatsRequest(OFPST.QUEUE, (queues10.QueueStatsRequest(),)),
    "vendor_request": StatsRequest(OFPST.VENDOR, (VendorStats(0x2320),)),
    "port_reply": StatsReply(OFPST.PORT, (ports10.PortStats(1), ports10.PortStats(2))),
    "barrier_request": barrier10.BarrierRequest(),
    "barrier_reply": barrier10.BarrierReply(),
    "queue_get_config_request": queues10.QueueGetConfigRequest(1),
    "queue_get_config_reply": queues10.QueueGetConfigReply(1, (queues10.PacketQueue(1),)),
}
"""Messages of OpenFlow 1.0 of which none is recorded."""

MESSAGES: Final[dict[str, bytes]] = {
    **{f"{path.parent.name}-{path.stem}": path.read_bytes() for path in RECORDED},
    **{f"of10-made-{name}": CODECS[1].encode(message, 7) for name, message in MADE.items()},
}
