"""Meters: bands, the message that changes them, configuration and statistics.

OpenFlow 1.3.5, 7.3.4.4 (meter mod) and 7.3.5.12 to 7.3.5.14 (multipart).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar, Final

from sdnvirt.openflow.element import (
    DataElement,
    Element,
    Family,
    FixedElement,
    pack_all,
    take_elements,
)
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.record import Part, Record, RecordMessage, SizedRecord, filling, many
from sdnvirt.openflow.v13.constants import OFPM, OFPMBT, OFPMC, OFPMF, OFPT
from sdnvirt.openflow.v13.error_codes import OFPMMFC, refuse

_ALL_FLAGS: Final = sum(OFPMF)


class _Band(Element):
    """What a meter does above a rate; ``TYPE`` is its OFPMBT number."""

    __slots__ = ()

    FAMILY: ClassVar[Family] = Family(
        "a meter band", 16, 8, lambda detail: refuse(OFPMMFC.BAD_BAND, detail)
    )

    @classmethod
    def wrong_size(cls, size: int) -> OpenFlowError:
        return _no_band(cls.TYPE, size)


def _no_band(kind: int, size: int) -> OpenFlowError:
    return refuse(OFPMMFC.BAD_BAND, f"no meter band has the type {kind} and {size} bytes")


@dataclass(frozen=True, slots=True)
class DropBand(FixedElement, _Band):
    """Above ``rate``, drop (ofp_meter_band_drop).

    Attributes:
        rate: kbit/s, or packets per second with OFPMF.PKTPS.
        burst_size: kbit or packets likewise; counts with OFPMF.BURST.
    """

    rate: int
    burst_size: int = 0

    TYPE: ClassVar[int] = OFPMBT.DROP
    LAYOUT: ClassVar[Struct] = Struct("!HHII4x")


@dataclass(frozen=True, slots=True)
class DscpRemarkBand(FixedElement, _Band):
    """Above ``rate``, raise the drop precedence in the DSCP field by ``prec_level``.

    ofp_meter_band_dscp_remark.
    """

    rate: int
    burst_size: int = 0
    prec_level: int = 1

    TYPE: ClassVar[int] = OFPMBT.DSCP_REMARK
    LAYOUT: ClassVar[Struct] = Struct("!HHIIB3x")


@dataclass(frozen=True, slots=True)
class ExperimenterBand(DataElement, _Band):
    """A band that is not the specification's (ofp_meter_band_experimenter)."""

    rate: int
    burst_size: int
    experimenter: int
    data: bytes = b""

    TYPE: ClassVar[int] = OFPMBT.EXPERIMENTER
    LAYOUT: ClassVar[Struct] = Struct("!HHIII")


Band = DropBand | DscpRemarkBand | ExperimenterBand

_CLASSES: Final[dict[int, type[Band]]] = {
    band.TYPE: band for band in (DropBand, DscpRemarkBand, ExperimenterBand)
}


def _band_class(kind: int, _data: bytes, start: int, end: int) -> type[Band]:
    band = _CLASSES.get(kind)
    if band is None:
        raise _no_band(kind, end - start)
    return band


def _unpack_bands(data: bytes, start: int, end: int) -> tuple[Band, ...]:
    return take_elements(_Band.FAMILY, data, start, end, _band_class)


_BANDS: Final = filling(_unpack_bands, pack_all)


@dataclass(frozen=True, slots=True)
class MeterMod(RecordMessage):
    """Add, change or delete a meter (ofp_meter_mod).

    Attributes:
        command: one of OFPMC.
        flags: bits of OFPMF.
        meter_id: the meter, or OFPM.ALL to delete all.
    """

    command: int
    flags: int
    meter_id: int
    bands: tuple[Band, ...] = ()

    TYPE: ClassVar[int] = OFPT.METER_MOD
    LAYOUT: ClassVar[Struct] = Struct("!HHI")
    TAIL: ClassVar[tuple[Part, ...]] = (_BANDS,)
    NOUN: ClassVar[str] = "a meter mod"

    @classmethod
    def check(cls, values: Sequence[Any]) -> None:
        command, flags, _ = values
        if command > OFPMC.DELETE:
            raise refuse(OFPMMFC.BAD_COMMAND, f"no meter mod command {command}")
        if flags & ~_ALL_FLAGS:
            raise refuse(OFPMMFC.BAD_FLAGS, f"no meter flags {flags:#x}")


@dataclass(frozen=True, slots=True)
class MeterRequest(Record):
    """The meter whose statistics or configuration is asked for, or OFPM.ALL for all.

    Both are ofp_meter_multipart_request.
    """

    meter_id: int = OFPM.ALL

    LAYOUT: ClassVar[Struct] = Struct("!I4x")


@dataclass(frozen=True, slots=True)
class BandStats(Record):
    """What one band was applied to (ofp_meter_band_stats)."""

    packet_band_count: int
    byte_band_count: int

    LAYOUT: ClassVar[Struct] = Struct("!QQ")


@dataclass(frozen=True, slots=True)
class MeterStats(SizedRecord):
    """What went through a meter (ofp_meter_stats).

    Attributes:
        flow_count: flow entries that use it.
        duration_sec: seconds since it exists, and ``duration_nsec`` the nanoseconds beyond.
        band_stats: in the order of the bands.
    """

    meter_id: int
    flow_count: int
    packet_in_count: int
    byte_in_count: int
    duration_sec: int
    duration_nsec: int
    band_stats: tuple[BandStats, ...] = ()

    LAYOUT: ClassVar[Struct] = Struct("!IH6xIQQII")
    LENGTH_AT: ClassVar[int] = 1
    TAIL: ClassVar[tuple[Part, ...]] = (many(BandStats),)
    NOUN: ClassVar[str] = "meter statistics"


@dataclass(frozen=True, slots=True)
class MeterConfig(SizedRecord):
    """A meter as it was made (ofp_meter_config); ``flags`` are bits of OFPMF."""

    flags: int
    meter_id: int
    bands: tuple[Band, ...] = ()

    LAYOUT: ClassVar[Struct] = Struct("!HHI")
    TAIL: ClassVar[tuple[Part, ...]] = (_BANDS,)
    NOUN: ClassVar[str] = "a meter configuration"


@dataclass(frozen=True, slots=True)
class MeterFeatures(Record):
    """What meters a switch can have (ofp_meter_features).

    Attributes:
        max_meter: the most meters.
        band_types: bit n for the band type n of OFPMBT.
        capabilities: bits of OFPMF.
        max_bands: the most bands of a meter.
        max_color: the most colours.
    """

    max_meter: int
    band_types: int
    capabilities: int
    max_bands: int
    max_color: int

    LAYOUT: ClassVar[Struct] = Struct("!IIIBB2x")
