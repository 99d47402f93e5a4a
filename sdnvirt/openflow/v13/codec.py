"""OpenFlow 1.3.5 messages, from and to bytes: the class of each type."""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.codec import Codec
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import EchoReply, EchoRequest, Error, Hello
from sdnvirt.openflow.v13.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v13.constants import VERSION
from sdnvirt.openflow.v13.experimenter import Experimenter
from sdnvirt.openflow.v13.features import (
    FeaturesReply,
    FeaturesRequest,
    GetConfigReply,
    GetConfigRequest,
    SetConfig,
)
from sdnvirt.openflow.v13.flow import FlowMod, FlowRemoved
from sdnvirt.openflow.v13.groups import GroupMod
from sdnvirt.openflow.v13.meters import MeterMod
from sdnvirt.openflow.v13.multipart import MultipartReply, MultipartRequest
from sdnvirt.openflow.v13.packets import PacketIn, PacketOut
from sdnvirt.openflow.v13.ports import PortMod, PortStatus
from sdnvirt.openflow.v13.queues import QueueGetConfigReply, QueueGetConfigRequest
from sdnvirt.openflow.v13.roles import (
    GetAsyncReply,
    GetAsyncRequest,
    RoleReply,
    RoleRequest,
    SetAsync,
)
from sdnvirt.openflow.v13.tables import TableMod

MESSAGES: Final[dict[int, type[Message]]] = {
    message.TYPE: message
    for message in (
        Hello, Error, EchoRequest, EchoReply, Experimenter,
        FeaturesRequest, FeaturesReply, GetConfigRequest, GetConfigReply, SetConfig,
        PacketIn, FlowRemoved, PortStatus, PacketOut, FlowMod, GroupMod, PortMod, TableMod,
        MultipartRequest, MultipartReply, BarrierRequest, BarrierReply,
        QueueGetConfigRequest, QueueGetConfigReply, RoleRequest, RoleReply,
        GetAsyncRequest, GetAsyncReply, SetAsync, MeterMod,
    )
}  # fmt: skip
"""The class of each message type."""


CODEC: Final = Codec(VERSION, MESSAGES)

decode = CODEC.decode
encode = CODEC.encode
