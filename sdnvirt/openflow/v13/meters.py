"""Meters: bands, the message that changes them, configuration and statistics.

OpenFlow 1.3.5, 7.3.4.4 (meter mod) and 7.3.5.12 to 7.3.5.14 (multipart).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, ClassVar, Final

from sdnvirt.openflow.record import Part, Record, RecordMessage, SizedRecord, filling, many
from sdnvirt.openflow.v13.constants import OFPM, OFPMBT, OFPMC, OFPMF, OFPT
from sdnvirt.openflow.v13.error_codes import OFPMMFC, refuse

_BAND: Final = Struct("!HHII")
_DROP: Final = Struct("!HHII4x")
_REMARK: Final = Struct("!HHIIB3x")
_EXPERIMENTER: Final = Struct("!HHIII")

_BAND_SIZE: Final = 16
_ALL_FLAGS: Final = sum(OFPMF)


@dataclass(frozen=True, slots=True)
class DropBand:
    """Above ``rate``, drop.

    Attributes:
        rate: kbit/s, or packets per second with OFPMF.PKTPS.
        burst_size: kbit or packets likewise; counts with OFPMF.BURST.
    """

    rate: int
    burst_size: int = 0

    def pack(self) -> bytes:
        """Return the band's bytes."""
        return _DROP.pack(OFPMBT.DROP, _BAND_SIZE, self.rate, self.burst_size)


@dataclass(frozen=True, slots=True)
class DscpRemarkBand:
    """Above ``rate``, raise the drop precedence in the DSCP field by ``prec_level``."""

    rate: int
    burst_size: int = 0
    prec_level: int = 1

    def pack(self) -> bytes:
        """Return the band's bytes."""
        return _REMARK.pack(
            OFPMBT.DSCP_REMARK, _BAND_SIZE, self.rate, self.burst_size, self.prec_level
        )


@dataclass(frozen=True, slots=True)
class ExperimenterBand:
    """A band that is not the specification's."""

    rate: int
    burst_size: int
    experimenter: int
    data: bytes = b""

    def pack(self) -> bytes:
        """Return the band's bytes."""
        length = _EXPERIMENTER.size + len(self.data)
        fixed = _EXPERIMENTER.pack(
            OFPMBT.EXPERIMENTER, length, self.rate, self.burst_size, self.experimenter
        )
        return fixed + self.data


Band = DropBand | DscpRemarkBand | ExperimenterBand


def _unpack_bands(data: bytes, start: int, end: int) -> tuple[Band, ...]:
    bands = []
    while start < end:
        if end - start < _BAND_SIZE:
            raise refuse(OFPMMFC.BAD_BAND, f"a meter band cannot have {end - start} bytes")
        kind, length, _, _ = _BAND.unpack_from(data, start)
        if length < _BAND_SIZE or length % 8 or length > end - start:
            raise refuse(OFPMMFC.BAD_BAND, f"a meter band of {length} bytes in {end - start}")
        bands.append(_unpack_band(kind, data, start, start + length))
        start += length
    return tuple(bands)


def _unpack_band(kind: int, data: bytes, start: int, end: int) -> Band:
    if kind == OFPMBT.EXPERIMENTER:
        _, _, rate, burst_size, experimenter = _EXPERIMENTER.unpack_from(data, start)
        rest = data[start + _EXPERIMENTER.size : end]
        return ExperimenterBand(rate, burst_size, experimenter, rest)
    if end - start == _BAND_SIZE and kind == OFPMBT.DROP:
        return DropBand(*_DROP.unpack_from(data, start)[2:])
    if end - start == _BAND_SIZE and kind == OFPMBT.DSCP_REMARK:
        return DscpRemarkBand(*_REMARK.unpack_from(data, start)[2:])
    raise refuse(OFPMMFC.BAD_BAND, f"no meter band has the type {kind} and {end - start} bytes")


def _pack_bands(bands: tuple[Band, ...]) -> bytes:
    return b"".join([band.pack() for band in bands])


_BANDS: Final = filling(_unpack_bands, _pack_bands)


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
