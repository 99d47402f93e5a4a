"""The connections that a datapath remembers, and what is known of each packet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from sdnvirt.datapath.conntrack.connection import (
    Connection,
    advance,
    begins_anew,
    breaks_rules,
    lifetime,
    may_begin,
)
from sdnvirt.datapath.conntrack.packets import (
    Endpoints,
    Packet,
    read_packet,
    translate,
    translate_error,
)
from sdnvirt.datapath.conntrack.translation import candidates
from sdnvirt.openflow.nicira.conntrack import Nat
from sdnvirt.openflow.nicira.constants import CtState
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.ipv4 import IpProtocol

CONNECTIONS_LIMIT: Final = 1 << 16
"""Connections that one switch remembers, about 40 MB. Packets that would begin one more are
dropped, as Linux does."""

SWEEP_INTERVAL_NS: Final = NS_PER_S
"""A full table is swept no more often than this, so that a flood of connections stays cheap."""

_FEW: Final = 1 << 10
"""So many connections whose time may be over are not worth a sweep."""


class Request(NamedTuple):
    """What a connection tracking action asks for.

    Attributes:
        zone: of the connection, 16 bits.
        commit: whether a new connection is remembered.
        force: whether a packet that comes back begins the connection anew.
        nat: translation, or None.
        mark, label: value and mask for the connection, where it is committed.
    """

    zone: int = 0
    commit: bool = False
    force: bool = False
    nat: Nat | None = None
    mark: tuple[int, int] = (0, 0)
    label: tuple[int, int] = (0, 0)


class Verdict(NamedTuple):
    """What is known of a packet.

    Attributes:
        state: CtState bits.
        zone: where it was looked up.
        mark, label: of its connection.
        data: the frame, translated if that was asked for.
        full: whether the packet is lost, because no more connections can be remembered.
    """

    state: int
    zone: int
    mark: int
    label: int
    data: bytes
    full: bool = False


class _Change(NamedTuple):
    """What a packet changes: the connection that it ends, and the one that there is afterwards."""

    old: int | None
    new: Connection | None


_NO_CHANGE: Final = _Change(None, None)
_Key = tuple[int, Endpoints]


class ConnectionTable:
    """The connections of one datapath."""

    __slots__ = ("_connections", "_full_until", "_keys", "_next", "_now", "_sweep_at")

    def __init__(self) -> None:
        self._connections: dict[int, Connection] = {}
        self._keys: dict[_Key, int] = {}
        self._next = 0
        self._now = 0
        self._full_until = 0
        self._sweep_at = _FEW

    def __iter__(self) -> Iterator[Connection]:
        """Iterate over the connections that live, in the order in which they began."""
        return (one for one in self._connections.values() if one.expires_ns > self._now)

    def track(self, data: bytes, request: Request, now: int) -> Verdict:
        """Return what is known of a packet, and remember that it came.

        Args:
            data: the frame.
            request: what is asked for.
            now: virtual time, ns; never before that of an earlier call.
        """
        self._now = now
        verdict, change = self._judge(data, request)
        self._carry_out(change)
        return verdict

    def peek(self, data: bytes, request: Request) -> Verdict:
        """Return what :meth:`track` would, had the packet come with the last one tracked."""
        return self._judge(data, request)[0]

    # what becomes of a packet

    def _judge(self, data: bytes, request: Request) -> tuple[Verdict, _Change]:
        zone = request.zone
        packet = read_packet(data)
        if packet is None:
            return _unknown(data, zone), _NO_CHANGE
        if packet.about is not None:
            return self._judge_error(data, packet.about, request), _NO_CHANGE
        number = self._find(zone, packet.endpoints)
        if number is not None:
            old = self._connections[number]
            backward = packet.endpoints != old.original
            anew = backward and request.force and request.commit
            if not (anew or begins_anew(old, packet)):
                return _known(data, packet, request, (number, old), backward, self._now)
        return self._judge_new(data, packet, request, number)

    def _judge_error(self, data: bytes, about: Endpoints, request: Request) -> Verdict:
        """Return what is known of an ICMP error: it is related to what it is about."""
        number = self._find(request.zone, about.reverse())
        if number is None:
            return _unknown(data, request.zone)
        connection = self._connections[number]
        # The packet that it is about went as the reverse of this direction says.
        forward = about.reverse() == connection.original
        state = CtState.TRK | CtState.REL | (0 if forward else CtState.RPL)
        if request.nat is not None:
            there = connection.reply if forward else connection.original
            if there != about:
                data = translate_error(data, about, there)
                state |= _translation_bits(about.reverse(), there.reverse())
        return Verdict(int(state), request.zone, connection.mark, connection.label, data)

    def _judge_new(
        self, data: bytes, packet: Packet, request: Request, old: int | None
    ) -> tuple[Verdict, _Change]:
        endpoints, zone = packet.endpoints, request.zone
        change = _Change(old, None)
        if not may_begin(packet):
            return _unknown(data, zone), change
        state = CtState.TRK | CtState.NEW
        if not request.commit:
            return Verdict(int(state), zone, 0, 0, data), change
        if old is None and self._is_full():
            return Verdict(int(state), zone, 0, 0, data, full=True), change
        translated = self._translated(endpoints, request, old)
        if translated is None:
            return _unknown(data, zone), change
        if translated != endpoints:
            data = translate(data, endpoints, translated)
            state |= _translation_bits(endpoints, translated)
        new = Connection(
            zone, endpoints, translated.reverse(), 0,
            mark=_masked(0, request.mark), label=_masked(0, request.label),
        )  # fmt: skip
        new = replace(new, expires_ns=self._now + lifetime(new))
        return Verdict(int(state), zone, new.mark, new.label, data), _Change(old, new)

    def _translated(
        self, endpoints: Endpoints, request: Request, old: int | None
    ) -> Endpoints | None:
        """Return the direction that a new connection's packets get, or None if none is free."""
        if request.nat is None:
            return endpoints if self._is_free(request.zone, endpoints, old) else None
        for candidate in candidates(endpoints, request.nat):
            if self._is_free(request.zone, candidate, old):
                return candidate
        return None

    # what is remembered

    def _find(self, zone: int, endpoints: Endpoints) -> int | None:
        number = self._keys.get((zone, endpoints))
        if number is None or self._connections[number].expires_ns <= self._now:
            return None
        return number

    def _is_free(self, zone: int, translated: Endpoints, old: int | None) -> bool:
        """Whether answers to such packets belong to no other connection."""
        return self._find(zone, translated.reverse()) in (None, old)

    def _is_full(self) -> bool:
        if len(self._connections) >= CONNECTIONS_LIMIT and self._now >= self._full_until:
            self._sweep()
            self._full_until = self._now + SWEEP_INTERVAL_NS
        return len(self._connections) >= CONNECTIONS_LIMIT

    def _carry_out(self, change: _Change) -> None:
        number, new = change
        if number is not None:
            before = self._connections[number]
            if new is not None and new.original == before.original and new.reply == before.reply:
                self._connections[number] = new
                return
            self._forget(number)
        if new is not None:
            self._add(new)

    def _add(self, new: Connection) -> None:
        if len(self._connections) >= self._sweep_at:
            self._sweep()
        for endpoints in (new.original, new.reply):
            stale = self._keys.get((new.zone, endpoints))
            if stale is not None:
                self._forget(stale)
        number = self._next = self._next + 1
        self._connections[number] = new
        self._keys[new.zone, new.original] = number
        self._keys[new.zone, new.reply] = number

    def _forget(self, number: int) -> None:
        connection = self._connections.pop(number)
        for endpoints in (connection.original, connection.reply):
            self._keys.pop((connection.zone, endpoints), None)

    def _sweep(self) -> None:
        """Forget the connections whose time is over."""
        for number, one in list(self._connections.items()):
            if one.expires_ns <= self._now:
                self._forget(number)
        self._sweep_at = max(_FEW, 2 * len(self._connections))


def _known(
    data: bytes,
    packet: Packet,
    request: Request,
    found: tuple[int, Connection],
    backward: bool,
    now: int,
) -> tuple[Verdict, _Change]:
    """Return what is known of a packet of a connection, and how it changes that."""
    number, old = found
    if packet.endpoints.protocol == IpProtocol.TCP and breaks_rules(packet.flags):
        return _unknown(data, request.zone), _NO_CHANGE
    new = replace(old, answered=old.answered or backward, ends=advance(old, packet, backward))
    new = replace(new, expires_ns=now + lifetime(new))
    if request.commit:
        mark, label = _masked(old.mark, request.mark), _masked(old.label, request.label)
        new = replace(new, mark=mark, label=label)
    state = CtState.TRK | (CtState.EST if new.answered else CtState.NEW)
    if backward:
        state |= CtState.RPL
    if request.nat is not None:
        there = old.original.reverse() if backward else old.reply.reverse()
        if there != packet.endpoints:
            data = translate(data, packet.endpoints, there)
            state |= _translation_bits(packet.endpoints, there)
    verdict = Verdict(int(state), request.zone, new.mark, new.label, data)
    return verdict, _Change(number, new)


def _unknown(data: bytes, zone: int) -> Verdict:
    return Verdict(int(CtState.TRK | CtState.INV), zone, 0, 0, data)


def _masked(value: int, change: tuple[int, int]) -> int:
    new, mask = change
    return value & ~mask | new & mask


def _translation_bits(before: Endpoints, after: Endpoints) -> CtState:
    bits = CtState(0)
    if (before.src, before.src_port) != (after.src, after.src_port):
        bits |= CtState.SNAT
    if (before.dst, before.dst_port) != (after.dst, after.dst_port):
        bits |= CtState.DNAT
    return bits
