"""Ports: description, changes, configuration, statistics.

OpenFlow 1.3.5, 7.2.1 (port), 7.3.4.3 (port mod), 7.3.5.6 (statistics), 7.4.3 (port status).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar, Final

from sdnvirt.addresses import Mac
from sdnvirt.openflow.layout import MAC, Layout, text
from sdnvirt.openflow.record import Record, RecordMessage, nested
from sdnvirt.openflow.v13.constants import OFPP, OFPPC, OFPT
from sdnvirt.openflow.v13.error_codes import OFPPMFC, refuse

_ALL_CONFIG: Final = sum(OFPPC)


@dataclass(frozen=True, slots=True)
class PortDesc(Record):
    """A port of a switch (ofp_port).

    Attributes:
        name: for people; cut to 15 bytes.
        config: bits of OFPPC; ``state`` bits of OFPPS.
        curr: bits of OFPPF, as are ``advertised``, ``supported`` and ``peer``.
        curr_speed: kbit/s, as is ``max_speed``.
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
    curr_speed: int = 0
    max_speed: int = 0

    LAYOUT: ClassVar[Layout] = Layout("I4x", MAC, "2x", text(16), "8I")
    NOUN: ClassVar[str] = "a port"


@dataclass(frozen=True, slots=True)
class PortStatus(RecordMessage):
    """A port came, went or changed (ofp_port_status); ``reason`` is one of OFPPR."""

    reason: int
    desc: PortDesc

    TYPE: ClassVar[int] = OFPT.PORT_STATUS
    LAYOUT: ClassVar[Layout] = Layout("B7x", nested(PortDesc))
    NOUN: ClassVar[str] = "a port status"


@dataclass(frozen=True, slots=True)
class PortMod(RecordMessage):
    """Set the bits of a port's configuration that ``mask`` names (ofp_port_mod).

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
    LAYOUT: ClassVar[Layout] = Layout("I4x", MAC, "2xIII4x")
    NOUN: ClassVar[str] = "a port mod"

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        _, _, config, mask, _ = values
        if (config | mask) & ~_ALL_CONFIG:
            raise refuse(OFPPMFC.BAD_CONFIG, f"no port configuration {config | mask:#x}")


@dataclass(frozen=True, slots=True)
class PortStatsRequest(Record):
    """The port whose statistics are asked for, or OFPP.ANY for all (ofp_port_stats_request)."""

    port_no: int = OFPP.ANY

    LAYOUT: ClassVar[Struct] = Struct("!I4x")


@dataclass(frozen=True, slots=True)
class PortStats(Record):
    """The counters of a port since it exists (ofp_port_stats); all ones where it does not count."""

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
    duration_sec: int = 0
    duration_nsec: int = 0

    LAYOUT: ClassVar[Struct] = Struct("!I4x12QII")
