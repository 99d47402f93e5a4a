"""The filtering database of a bridge: where each station of each VLAN was last seen.

Learning is independent for each VLAN (IEEE 802.1Q, 8.7 and 8.8); entries that have not been
refreshed for the ageing time count as gone. They are removed when their room is needed, so ageing
costs no events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sdnvirt.addresses import Mac
from sdnvirt.devices.device import Port
from sdnvirt.units import NS_PER_S

AGEING_NS: Final = 300 * NS_PER_S
"""The default that the standard recommends (802.1Q, 8.8)."""

FDB_LIMIT: Final = 32_768
"""Entries, what the table of a small data-centre switch holds. It bounds the memory that a sender
of random source addresses can take, to some 8 MB; stations beyond it are flooded to, not cut off.
"""

SWEEP_INTERVAL_NS: Final = NS_PER_S
"""A full database looks for aged entries this often, not at every frame that it cannot learn."""


@dataclass(slots=True, eq=False)
class _Station:
    port: Port
    seen_ns: int


@dataclass(frozen=True, slots=True)
class FdbEntry:
    """One learned address.

    Attributes:
        port: name of the port on the bridge.
        vlan: VLAN identifier.
        mac: the station's address.
        age_ns: time since its last frame.
    """

    port: str
    vlan: int
    mac: Mac
    age_ns: int


class FilteringDatabase:
    """Learned addresses by VLAN.

    Args:
        ageing_ns: after how long an idle address is forgotten, from 1.
        limit: how many addresses are kept at most, from 1.
    """

    __slots__ = ("_next_sweep_ns", "_size", "_vlans", "ageing_ns", "limit")

    def __init__(self, ageing_ns: int = AGEING_NS, limit: int = FDB_LIMIT) -> None:
        self.ageing_ns = ageing_ns
        self.limit = limit
        self._vlans: dict[int, dict[bytes, _Station]] = {}
        self._size = 0
        self._next_sweep_ns = 0

    def __len__(self) -> int:
        """How many entries take room, aged ones included that nobody has looked at."""
        return self._size

    def learn(self, vid: int, mac: bytes, port: Port, now: int) -> None:
        """Remember that a frame from an individual address arrived at a port, now (ns)."""
        stations = self._vlans.get(vid)
        if stations is None:
            stations = self._vlans[vid] = {}
        station = stations.get(mac)
        if station is not None:
            station.port = port
            station.seen_ns = now
        elif self._size < self.limit or self._make_room(now):
            stations[mac] = _Station(port, now)
            self._size += 1

    def lookup(self, vid: int, mac: bytes, now: int) -> Port | None:
        """Return the port where an address was last seen, or None if it is unknown by now (ns)."""
        stations = self._vlans.get(vid)
        if stations is None:
            return None
        station = stations.get(mac)
        if station is None or now - station.seen_ns >= self.ageing_ns:
            return None
        return station.port

    def flush(self, port: Port) -> None:
        """Forget every address that was learned at a port."""
        for stations in self._vlans.values():
            gone = [mac for mac, station in stations.items() if station.port is port]
            for mac in gone:
                del stations[mac]
            self._size -= len(gone)

    def entries(self, now: int) -> list[FdbEntry]:
        """Return the live entries by VLAN and address, with their ages now (ns)."""
        return [
            FdbEntry(station.port.name, vid, Mac(mac), now - station.seen_ns)
            for vid, stations in sorted(self._vlans.items())
            for mac, station in sorted(stations.items())
            if now - station.seen_ns < self.ageing_ns
        ]

    def _make_room(self, now: int) -> bool:
        """Remove aged entries, unless that was tried a moment ago; return whether there is room."""
        if now < self._next_sweep_ns:
            return False
        self._next_sweep_ns = now + SWEEP_INTERVAL_NS
        for stations in self._vlans.values():
            aged = [
                mac for mac, station in stations.items() if now - station.seen_ns >= self.ageing_ns
            ]
            for mac in aged:
                del stations[mac]
            self._size -= len(aged)
        return self._size < self.limit


def format_fdb(entries: list[FdbEntry]) -> str:
    """Return entries as a table like that of ``ovs-appctl fdb/show``; ages in whole seconds."""
    width = max([4, *(len(entry.port) for entry in entries)])
    lines = [f" {'port':>{width}}  VLAN  MAC                Age"]
    lines += [
        f" {entry.port:>{width}}  {entry.vlan:4}  {entry.mac}  {entry.age_ns // NS_PER_S:3}"
        for entry in entries
    ]
    return "\n".join(lines)
