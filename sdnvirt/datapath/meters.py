"""Meters: token buckets in virtual time (OpenFlow 1.3.5, 5.7 and 7.3.4.4).

Each band has a bucket of its own that fills at the band's rate. A packet that finds too little in
it exceeds the band; of the bands exceeded, the one of highest rate is applied. Amounts are kept as
integers: a token is a bit or a packet, times the nanoseconds of a second, so that nothing is lost
to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sdnvirt.datapath.tally import Tally
from sdnvirt.openflow.v13.constants import OFPM, OFPMC, OFPMF
from sdnvirt.openflow.v13.error_codes import OFPMMFC, refuse
from sdnvirt.openflow.v13.meters import Band, DscpRemarkBand, ExperimenterBand, MeterMod
from sdnvirt.units import NS_PER_S

MAX_METERS: Final = 65_536
"""Meters of one switch, some 50 MB at most."""

MAX_BANDS: Final = 16
"""Bands of one meter; each is looked at for every packet."""

DEFAULT_BURST_NS: Final = NS_PER_S // 10
"""Without OFPMF_BURST, a band's bucket holds what its rate gives in 100 ms (7.3.4.4 leaves it to
the switch), and at least one full frame or one packet."""

_FULL_FRAME_BITS: Final = 1_514 * 8

_BITS_PER_KILOBIT: Final = 1_000

_RATE_UNITS: Final = OFPMF.KBPS | OFPMF.PKTPS


class LiveBand:
    """A band at work.

    Attributes:
        spec: what the controller gave.
        tally: the packets that it was applied to.
    """

    __slots__ = ("_capacity", "_filled_ns", "_level", "_rate", "spec", "tally")

    def __init__(self, spec: Band, flags: int, now: int) -> None:
        unit = 1 if flags & OFPMF.PKTPS else _BITS_PER_KILOBIT
        self.spec = spec
        self.tally = Tally()
        self._rate = spec.rate * unit
        least = 1 if flags & OFPMF.PKTPS else _FULL_FRAME_BITS
        burst = spec.burst_size * unit * NS_PER_S if flags & OFPMF.BURST else 0
        self._capacity = burst or max(self._rate * DEFAULT_BURST_NS, least * NS_PER_S)
        self._level = self._capacity
        self._filled_ns = now

    def has(self, amount: int, now: int) -> bool:
        """Whether the band's rate would allow for this packet; see :meth:`takes`."""
        level = self._level + self._rate * (now - self._filled_ns)
        return min(level, self._capacity) >= amount * NS_PER_S

    def takes(self, amount: int, now: int) -> bool:
        """Whether the band's rate allows for this packet, which is then taken out of the bucket.

        Args:
            amount: bits, or 1 for a band in packets per second.
            now: virtual time, ns.
        """
        level = self._level + self._rate * (now - self._filled_ns)
        self._filled_ns = now
        if level > self._capacity:
            level = self._capacity
        cost = amount * NS_PER_S
        if level < cost:
            self._level = level
            return False
        self._level = level - cost
        return True


class Meter:
    """A meter.

    Attributes:
        meter_id: 1 to OFPM.MAX.
        flags: bits of OFPMF.
        bands: in the order given.
        levels: by how many levels it may raise a packet's drop precedence, in ascending order.
        tally: what went into it.
        created_ns: when it was added.
    """

    __slots__ = ("_by_rate", "bands", "created_ns", "flags", "levels", "meter_id", "tally")

    def __init__(self, mod: MeterMod, now: int) -> None:
        self.meter_id = mod.meter_id
        self.flags = mod.flags
        self.bands = tuple(LiveBand(band, mod.flags, now) for band in mod.bands)
        raising = {b.prec_level for b in mod.bands if isinstance(b, DscpRemarkBand)}
        self.levels = tuple(sorted(raising))
        self.tally = Tally()
        self.created_ns = now
        self._by_rate = sorted(self.bands, key=lambda band: -band.spec.rate)

    def carry_on(self, old: Meter) -> None:
        """Count on from the meter that this one replaces; its bands are new (6.6)."""
        self.tally = old.tally
        self.created_ns = old.created_ns

    def exceeded(self, size: int, now: int) -> LiveBand | None:
        """Count a packet of a size in bytes; return the band to be applied to it, or None."""
        self.tally.add(size)
        amount = 1 if self.flags & OFPMF.PKTPS else size * 8
        over = [band for band in self._by_rate if not band.takes(amount, now)]
        if not over:
            return None
        over[0].tally.add(size)
        return over[0]

    def would_exceed(self, size: int, now: int) -> LiveBand | None:
        """Return what :meth:`exceeded` would; nothing is counted."""
        amount = 1 if self.flags & OFPMF.PKTPS else size * 8
        return next((band for band in self._by_rate if not band.has(amount, now)), None)


class MeterTable:
    """The meters of one datapath.

    Args:
        invalidate: forgets cached flows.
    """

    def __init__(self, invalidate: Callable[[], None]) -> None:
        self._invalidate = invalidate
        self._meters: dict[int, Meter] = {}

    def __contains__(self, meter_id: int) -> bool:
        return meter_id in self._meters

    def __getitem__(self, meter_id: int) -> Meter:
        return self._meters[meter_id]

    def __iter__(self) -> Iterator[Meter]:
        """Iterate over the meters by ascending id."""
        return iter([self._meters[meter_id] for meter_id in sorted(self._meters)])

    def modify(self, mod: MeterMod, now: int) -> tuple[int, ...]:
        """Carry out a meter mod; return the ids of meters that are gone.

        Raises:
            OpenFlowError: it cannot be carried out (OFPET_METER_MOD_FAILED); nothing was changed.
        """
        if mod.command == OFPMC.DELETE:
            return self._delete(mod.meter_id)
        exists = mod.meter_id in self._meters
        if mod.command == OFPMC.ADD and exists:
            raise refuse(OFPMMFC.METER_EXISTS, f"meter {mod.meter_id} is there already")
        if mod.command == OFPMC.MODIFY and not exists:
            raise refuse(OFPMMFC.UNKNOWN_METER, f"no meter {mod.meter_id}")
        self._check(mod)
        if not exists and len(self._meters) >= MAX_METERS:
            raise refuse(OFPMMFC.OUT_OF_METERS, f"{MAX_METERS} meters are the most")
        meter = Meter(mod, now)
        if exists:
            meter.carry_on(self._meters[mod.meter_id])
        self._invalidate()
        self._meters[mod.meter_id] = meter
        return ()

    def _check(self, mod: MeterMod) -> None:
        if not 1 <= mod.meter_id <= OFPM.MAX:
            raise refuse(OFPMMFC.INVALID_METER, f"meter {mod.meter_id:#x} cannot be used")
        if mod.flags & _RATE_UNITS == _RATE_UNITS:
            raise refuse(OFPMMFC.BAD_FLAGS, "a rate in kbit/s and in packets per second")
        if len(mod.bands) > MAX_BANDS:
            raise refuse(OFPMMFC.OUT_OF_BANDS, f"{len(mod.bands)} bands")
        for band in mod.bands:
            if isinstance(band, ExperimenterBand):
                raise refuse(OFPMMFC.BAD_BAND, "experimenter bands are not supported")
            if not band.rate:
                raise refuse(OFPMMFC.BAD_RATE, "a band without a rate")
            if isinstance(band, DscpRemarkBand) and not 1 <= band.prec_level <= 2:
                raise refuse(OFPMMFC.BAD_BAND_VALUE, f"drop precedence plus {band.prec_level}")

    def _delete(self, meter_id: int) -> tuple[int, ...]:
        if meter_id == OFPM.ALL:
            gone = tuple(sorted(self._meters))
        else:
            gone = (meter_id,) if meter_id in self._meters else ()
        if gone:
            self._invalidate()
        for one in gone:
            del self._meters[one]
        return gone
