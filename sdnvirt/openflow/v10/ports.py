"""Ports: description, changes, configuration, statistics.

OpenFlow 1.0.0, 5.2.1 (port), 5.3.4 (port mod), 5.3.5 (statistics) and 5.4.3 (port status).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import ClassVar, Final, Self

from sdnvirt.addresses import Mac
from sdnvirt.openflow.errors import bad_length
from sdnvirt.openflow.record import Message, Record, text_field, text_of
from sdnvirt.openflow.v10.constants import OFPP, OFPT

_PORT: Final = Struct("!H6s16s6I")
_PORT_MOD: Final = Struct("!H6sIII4x")
_STATUS: Final = Struct("!B7x")
_NAME_SIZE: Final = 16


@dataclass(frozen=True, slots=True)
class PortDesc:
    """A port of a switch (ofp_phy_port).

    Attributes:
        name: for people; cut to 15 bytes.
        config: bits of OFPPC; ``state`` bits of OFPPS.
        curr: bits of OFPPF, as are ``advertised``, ``supported`` and ``peer``.
    """

    port_no: int
    hw_addr: Mac
    name: str
    config: int = 0
    state: int = 0
    curr: int = 0
    advertised: int = 0
    supported: int = 0
    peer: int = 0

    @classmethod
    def take(cls, data: bytes, start: int, end: int) -> tuple[Self, int]:
        """Return the port at ``start`` and the offset behind it."""
        stop = start + _PORT.size
        if stop > end:
            raise bad_length("a port", end - start)
        port_no, hw_addr, name, *numbers = _PORT.unpack_from(data, start)
        return cls(port_no, Mac(hw_addr), text_of(name), *numbers), stop

    def pack(self) -> bytes:
        """Return the port's bytes."""
        return _PORT.pack(
            self.port_no,
            self.hw_addr,
            text_field(self.name, _NAME_SIZE),
            self.config,
            self.state,
            self.curr,
            self.advertised,
            self.supported,
            self.peer,
        )


@dataclass(frozen=True, slots=True)
class PortStatus(Message):
    """A port came, went or changed; ``reason`` is one of OFPPR."""

    reason: int
    desc: PortDesc

    TYPE: ClassVar[int] = OFPT.PORT_STATUS

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start != _STATUS.size + _PORT.size:
            raise bad_length("a port status", end - start)
        (reason,) = _STATUS.unpack_from(data, start)
        return cls(reason, PortDesc.take(data, start + _STATUS.size, end)[0])

    def pack(self) -> bytes:
        return _STATUS.pack(self.reason) + self.desc.pack()


@dataclass(frozen=True, slots=True)
class PortMod(Message):
    """Set the bits of a port's configuration that ``mask`` names.

    Attributes:
        hw_addr: must be the port's, so that the wrong port is not changed.
        config: bits of OFPPC, as is ``mask``.
        advertise: bits of OFPPF, 0 for no change.
    """

    port_no: int
    hw_addr: Mac
    config: int = 0
    mask: int = 0
    advertise: int = 0

    TYPE: ClassVar[int] = OFPT.PORT_MOD

    @classmethod
    def unpack(cls, data: bytes, start: int, end: int) -> Self:
        if end - start != _PORT_MOD.size:
            raise bad_length("a port mod", end - start)
        port_no, hw_addr, config, mask, advertise = _PORT_MOD.unpack_from(data, start)
        return cls(port_no, Mac(hw_addr), config, mask, advertise)

    def pack(self) -> bytes:
        return _PORT_MOD.pack(self.port_no, self.hw_addr, self.config, self.mask, self.advertise)


@dataclass(frozen=True, slots=True)
class PortStatsRequest(Record):
    """The port whose statistics are asked for, or OFPP.NONE for all."""

    port_no: int = OFPP.NONE

    LAYOUT: ClassVar[Struct] = Struct("!H6x")


@dataclass(frozen=True, slots=True)
class PortStats(Record):
    """The counters of a port since it exists; all ones where it does not count."""

    port_no: int
    rx_packets: int = 0
    tx_packets: int = 0
    rx_bytes: int = 0
    tx_bytes: int = 0
    rx_dropped: int = 0
    tx_dropped: int = 0
    rx_errors: int = 0
    tx_errors: int = 0
    rx_frame_err: int = 0
    rx_over_err: int = 0
    rx_crc_err: int = 0
    collisions: int = 0

    LAYOUT: ClassVar[Struct] = Struct("!H6x12Q")
