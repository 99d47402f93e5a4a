"""OpenFlow 1.0.0 messages, from and to bytes."""

from __future__ import annotations

from typing import Final

from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.header import HEADER_SIZE, MESSAGE_MAX, frame, read_header
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.symmetric import EchoReply, EchoRequest, Error
from sdnvirt.openflow.v10.barrier import BarrierReply, BarrierRequest
from sdnvirt.openflow.v10.constants import VERSION
from sdnvirt.openflow.v10.error_codes import OFPBRC, refuse
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
from sdnvirt.openflow.v10.statistics import Stats, StatsReply, StatsRequest, split
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


def decode(data: bytes) -> tuple[int, Message]:
    """Return the xid and the message that the bytes of exactly one message say.

    Raises:
        OpenFlowError: they break the specification; the error says how to answer.
    """
    version, kind, length, xid = read_header(data)
    if length != len(data):
        raise bad_length("a message", len(data))
    if version != VERSION:
        raise refuse(OFPBRC.BAD_VERSION, f"wire version {version} is not {VERSION}")
    return xid, unpack(kind, data)


def unpack(kind: int, data: bytes) -> Message:
    """Return the message of a type that bytes say, whose header was read already.

    Raises:
        OpenFlowError: the type is none, or the body breaks the specification.
    """
    message = MESSAGES.get(kind)
    if message is None:
        raise refuse(OFPBRC.BAD_TYPE, f"no message has the type {kind}")
    return message.unpack(data, HEADER_SIZE, len(data))


def encode(message: Message, xid: int) -> bytes:
    """Return a message's bytes, header included.

    A statistics message that the length field cannot count becomes several, one behind the other.
    """
    body = message.pack()
    if len(body) > MESSAGE_MAX - HEADER_SIZE and isinstance(message, Stats):
        parts = [frame(VERSION, part.TYPE, xid, part.pack()) for part in split(message)]
        return b"".join(parts)
    return frame(VERSION, message.TYPE, xid, body)
