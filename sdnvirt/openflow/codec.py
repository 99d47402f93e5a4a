"""Messages of one version, from and to bytes."""

from __future__ import annotations

from collections.abc import Mapping

from sdnvirt.openflow.entries import EntriesMessage
from sdnvirt.openflow.errors import (
    BAD_REQUEST,
    BAD_TYPE,
    BAD_VERSION,
    OpenFlowError,
    bad_length,
)
from sdnvirt.openflow.header import HEADER_SIZE, frame, read_header
from sdnvirt.openflow.record import Message


class Codec:
    """The codec of a version: its number on the wire, and the class of each message type."""

    __slots__ = ("_messages", "_version")

    def __init__(self, version: int, messages: Mapping[int, type[Message]]) -> None:
        self._version = version
        self._messages = messages

    def decode(self, data: bytes) -> tuple[int, Message]:
        """Return the xid and the message that the bytes of exactly one message say.

        Raises:
            OpenFlowError: they break the specification; the error says how to answer.
        """
        version, kind, length, xid = read_header(data)
        if length != len(data):
            raise bad_length("a message", len(data))
        if version != self._version:
            detail = f"wire version {version} is not {self._version}"
            raise OpenFlowError(BAD_REQUEST, BAD_VERSION, detail)
        return xid, self.unpack(kind, data)

    def unpack(self, kind: int, data: bytes) -> Message:
        """Return the message of a type that bytes say, whose header was read already.

        Raises:
            OpenFlowError: the type is none, or the body breaks the specification.
        """
        message = self._messages.get(kind)
        if message is None:
            raise OpenFlowError(BAD_REQUEST, BAD_TYPE, f"no message has the type {kind}")
        return message.unpack(data, HEADER_SIZE, len(data))

    def encode(self, message: Message, xid: int) -> bytes:
        """Return a message's bytes, header included.

        A message of entries that the length field cannot count becomes several, one behind the
        other.
        """
        version, kind = self._version, message.TYPE
        if isinstance(message, EntriesMessage):
            return b"".join([frame(version, kind, xid, body) for body in message.bodies()])
        return frame(version, kind, xid, message.pack())
