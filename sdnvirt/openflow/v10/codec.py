"""OpenFlow 1.0.0 messages, from and to bytes: the class of each type."""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.codec import Codec
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import EchoReply, EchoRequest, Error
from sdnvirt.openflow.v10.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v10.constants import VERSION
from sdnvirt.openflow.v10.features import (
    FeaturesReply,
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    SetConfig,
)
from sdnvirt.openflow.v10.flow import FlowMod, FlowRemoved
from sdnvirt.openflow.v10.hello import Hello
from sdnvirt.openflow.v10.packets import PacketIn, PacketOut
from sdnvirt.openflow.v10.ports import PortMod, PortStatus
from sdnvirt.openflow.v10.queues import QueueGetConfigReply, QueueGetConfigRequest
from sdnvirt.openflow.v10.statistics import StatsReply, StatsRequest
from sdnvirt.openflow.v10.vendor import Vendor

MESSAGES: Final[dict[int, type[Message]]] = {
    message.TYPE: message
    for message in (
        Hello, Error, EchoRequest, EchoReply, Vendor,
        FeaturesRequest, FeaturesReply, GetConfigRequest, GetConfigReply, SetConfig,
        PacketIn, FlowRemoved, PortStatus, PacketOut, FlowMod, PortMod,
        StatsRequest, StatsReply, BarrierRequest, BarrierReply,
        QueueGetConfigRequest, QueueGetConfigReply,
    )
}  # fmt: skip
"""The class of each message type."""


CODEC: Final = Codec(VERSION, MESSAGES)

decode = CODEC.decode
encode = CODEC.encode
