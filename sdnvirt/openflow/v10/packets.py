"""Packets between the switch and the controller (OpenFlow 1.0.0, 5.3.6 and 5.4.1).

They are written out, and not declared as other messages are, since they come with every packet that
an entry does not take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.openflow.action import Action
from sdnvirt.openflow.element import pack_all
from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import Message
from sdnvirt.openflow.v10.actions import unpack_actions
from sdnvirt.openflow.v10.constants import NO_BUFFER, OFPP, OFPT

_PACKET_IN: Final = Struct("!IHHBx")
"""Without the two bytes by which a C compiler lengthens the specification's structure: the packet
follows the padding byte at once, in all implementations."""
_PACKET_OUT: Final = Struct("!IHH")


@dataclass(frozen=True, slots=True)
class PacketIn(Message):
    """A packet that the switch hands to the controller.

    Attributes:
        buffer_id: where the switch keeps the packet, or NO_BUFFER.
        total_len: bytes of the whole packet; ``data`` may be its beginning only.
        in_port: where it arrived.
        reason: one of OFPR.
    """

    buffer_id: int
    total_len: int
    in_port: int
    reason: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPT.PACKET_IN

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        first = start + _PACKET_IN.size
        if first > end:
            raise bad_length("a packet-in", end - start)
        make: Callable[..., Self] = cls
        return make(*_PACKET_IN.unpack_from(data, start), data[first:end])

    def pack(self) -> bytes:
        fixed = _PACKET_IN.pack(self.buffer_id, self.total_len, self.in_port, self.reason)
        return fixed + self.data


@dataclass(frozen=True, slots=True)
class PacketOut(Message):
    """A packet that the controller has the switch process by a list of actions.

    Attributes:
        buffer_id: a packet that the switch keeps, or NO_BUFFER for the one in ``data``.
        in_port: the port that it counts as received on, or OFPP.NONE.
    """

    buffer_id: int = NO_BUFFER
    in_port: int = OFPP.NONE
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
