"""Packets between the switch and the controller (OpenFlow 1.3.5, 7.3.7 and 7.4.1).

They are written out, and not declared as other messages are, since they come with every packet that
an entry does not take.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.element import pack_all
from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v13.action_lists import unpack_actions
from sdnvirt.openflow.v13.constants import NO_BUFFER, OFPP, OFPT
from sdnvirt.openflow.v13.match import ALL_PACKETS, Match, take_match

_PACKET_IN: Final = Struct("!IHBBQ")
_PAD: Final = 2  # so that the IP header of the packet is aligned
_PACKET_OUT: Final = Struct("!IIH6x")


@dataclass(frozen=True, slots=True)
class PacketIn(Message):
    """A packet that the switch hands to the controller.

    Attributes:
        buffer_id: where the switch keeps the packet, or NO_BUFFER.
        total_len: bytes of the whole packet; ``data`` may be its beginning only.
        reason: one of OFPR.
        table_id: table whose entry sent it.
        cookie: of that entry; all ones if there is none.
        match: the packet's in_port and other metadata.
    """

    buffer_id: int
    total_len: int
    reason: int
    table_id: int
    cookie: int
    match: Match = ALL_PACKETS
    data: bytes = b""

    TYPE: ClassVar[int] = OFPT.PACKET_IN

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start < _PACKET_IN.size:
            raise bad_length("a packet-in", end - start)
        buffer_id, total_len, reason, table_id, cookie = _PACKET_IN.unpack_from(data, start)
        match, stop = take_match(data, start + _PACKET_IN.size, end)
        if end - stop < _PAD:
            raise bad_length("a packet-in", end - start)
        packet = data[stop + _PAD : end]
        return cls(buffer_id, total_len, reason, table_id, cookie, match, packet)

    def pack(self) -> bytes:
        fixed = _PACKET_IN.pack(
            self.buffer_id, self.total_len, self.reason, self.table_id, self.cookie
        )
        return fixed + self.match.pack() + bytes(_PAD) + self.data


@dataclass(frozen=True, slots=True)
class PacketOut(Message):
    """A packet that the controller has the switch process by a list of actions.

    Attributes:
        buffer_id: a packet that the switch keeps, or NO_BUFFER for the one in ``data``.
        in_port: the port that it counts as received on, or OFPP.CONTROLLER.
    """

    buffer_id: int = NO_BUFFER
    in_port: int = OFPP.CONTROLLER
    actions: tuple[Action, ...] = ()
    data: bytes = b""

    TYPE: ClassVar[int] = OFPT.PACKET_OUT

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        first = start + _PACKET_OUT.size
        if first > end:
            raise bad_length("a packet-out", end - start)
        buffer_id, in_port, actions_len = _PACKET_OUT.unpack_from(data, start)
        stop = first + actions_len
        if stop > end:
            raise bad_length("the action list of a packet-out", actions_len)
        return cls(buffer_id, in_port, unpack_actions(data, first, stop), data[stop:end])

    def pack(self) -> bytes:
        actions = pack_all(self.actions)
        return _PACKET_OUT.pack(self.buffer_id, self.in_port, len(actions)) + actions + self.data
