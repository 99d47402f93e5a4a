"""A datapath of OpenFlow, written down as naively as possible.

It searches a list from end to end for every packet, counts at once, and has no cache, no subtables
and no programs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from scapy.layers.inet import IP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from sdnvirt.datapath.consistency import check_consistent
from sdnvirt.datapath.fields import packet_fields
from sdnvirt.datapath.flow import Loss, Punt
from sdnvirt.datapath.rewriting.ethernet import pop_vlan, push_vlan
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.drops import DropReason
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import DecNwTtl, Output, PopVlan, PushVlan, SetField, SetNwTtl
from sdnvirt.openflow.v13.constants import OFPFC, OFPFF, OFPM, OFPMC, OFPMF, OFPP, OFPRR, OFPTT
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import (
    ApplyActions,
    ClearActions,
    GotoTable,
    Instruction,
    Meter,
    WriteActions,
    WriteMetadata,
)
from sdnvirt.openflow.v13.match import Match
from sdnvirt.openflow.v13.meters import Band, DscpRemarkBand, MeterMod

S = 1_000_000_000
NO_COOKIE = (1 << 64) - 1
ASSURED = {8 * family + 2 * precedence for family in (1, 2, 3, 4) for precedence in (1, 2, 3)}
"""DSCPs with a drop precedence (RFC 2597, 6)."""


@dataclass
class Entry:
    """A flow entry of the reference."""

    order: int
    mod: FlowMod
    instructions: tuple[Instruction, ...]
    created: int
    used: int
    packets: int = 0
    bytes: int = 0

    @property
    def deadlines(self) -> list[tuple[int, int]]:
        """When the entry expires and why, the earliest first; of two at once, the hard one."""
        found = []
        if self.mod.hard_timeout:
            found.append((self.created + self.mod.hard_timeout * S, -OFPRR.HARD_TIMEOUT))
        if self.mod.idle_timeout:
            found.append((self.used + self.mod.idle_timeout * S, -OFPRR.IDLE_TIMEOUT))
        return [(time, -reason) for time, reason in sorted(found)]


def bits_of(match: Match) -> dict[Any, tuple[int, int]]:
    return {f: (v, f.limit if mask is None else mask) for f, v, mask in match.fields}


def covers(general: Match, particular: Match) -> bool:
    given = bits_of(particular)
    return all(
        f in given and given[f][1] & mask == mask and given[f][0] & mask == value
        for f, (value, mask) in bits_of(general).items()
    )


def overlap(one: Match, other: Match) -> bool:
    a, b = bits_of(one), bits_of(other)
    return not any((a[f][0] ^ b[f][0]) & a[f][1] & b[f][1] for f in a if f in b)


def sends_to(entry: Entry, port: int) -> bool:
    lists = [i.actions for i in entry.instructions if isinstance(i, ApplyActions | WriteActions)]
    return port == OFPP.ANY or any(
        isinstance(action, Output) and action.port == port for one in lists for action in one
    )


@dataclass
class Bucket:
    """A band of a meter: full at first."""

    band: Band
    unit: int
    time: int
    level: Fraction

    def takes(self, amount: int, now: int) -> bool:
        gained = Fraction(self.band.rate * self.unit * (now - self.time), S)
        self.level = min(Fraction(self.band.burst_size * self.unit), self.level + gained)
        self.time = now
        if self.level < amount:
            return False
        self.level -= amount
        return True


def buckets_of(mod: MeterMod, now: int) -> list[Bucket]:
    unit = 1 if mod.flags & OFPMF.PKTPS else 1000
    return [Bucket(b, unit, now, Fraction(b.burst_size * unit)) for b in mod.bands]


def meters_of(entry: Entry) -> set[int]:
    return {one.meter_id for one in entry.instructions if isinstance(one, Meter)}


class OverlapError(Exception):
    """The flow mod overlaps."""


@dataclass
class Reference:
    """An OpenFlow datapath, written for the reader."""

    entries: list[Entry] = field(default_factory=list)
    ports: dict[int, bool] = field(default_factory=dict)
    meters: dict[int, list[Bucket]] = field(default_factory=dict)
    tables: dict[int, list[int]] = field(default_factory=dict)
    added: int = 0

    # changing entries

    def modify(self, mod: FlowMod, now: int) -> list[tuple[Entry, int]]:
        here = [e for e in self.entries if mod.table_id in (e.mod.table_id, OFPTT.ALL)]
        same = [e for e in here if (e.mod.priority, e.mod.match) == (mod.priority, mod.match)]
        if mod.command == OFPFC.ADD:
            check_consistent(mod.match, mod.instructions)
            self.add(mod, now, here, same)
            return []
        if mod.command in (OFPFC.MODIFY, OFPFC.DELETE):
            same = [e for e in here if covers(mod.match, e.mod.match)]
        chosen = [e for e in same if e.mod.cookie & mod.cookie_mask == mod.cookie & mod.cookie_mask]
        if mod.command in (OFPFC.MODIFY, OFPFC.MODIFY_STRICT):
            for entry in chosen:
                check_consistent(entry.mod.match, mod.instructions)
            for entry in chosen:
                entry.instructions = mod.instructions
                if mod.flags & OFPFF.RESET_COUNTS:
                    entry.packets = entry.bytes = 0
            return []
        return self.remove([(e, OFPRR.DELETE) for e in chosen if sends_to(e, mod.out_port)])

    def add(self, mod: FlowMod, now: int, here: list[Entry], same: list[Entry]) -> None:
        self.tables.setdefault(mod.table_id, [0, 0])
        if mod.flags & OFPFF.CHECK_OVERLAP and any(
            e.mod.priority == mod.priority and overlap(e.mod.match, mod.match) for e in here
        ):
            raise OverlapError
        self.added += 1
        new = Entry(self.added, mod, mod.instructions, now, now)
        for old in same:
            if not mod.flags & OFPFF.RESET_COUNTS:
                new.packets, new.bytes = old.packets, old.bytes
            self.entries.remove(old)
        self.entries.append(new)

    def remove(self, chosen: list[tuple[Entry, int]]) -> list[tuple[Entry, int]]:
        gone = {e.order for e, _ in chosen}
        self.entries = [e for e in self.entries if e.order not in gone]
        return [(e, reason) for e, reason in chosen if e.mod.flags & OFPFF.SEND_FLOW_REM]

    def modify_meter(self, mod: MeterMod, now: int) -> list[tuple[Entry, int]]:
        if mod.command != OFPMC.DELETE:
            self.meters[mod.meter_id] = buckets_of(mod, now)
            return []
        gone = {n for n in self.meters if mod.meter_id in (n, OFPM.ALL)}
        self.meters = {n: given for n, given in self.meters.items() if n not in gone}
        return self.remove([(e, OFPRR.DELETE) for e in self.entries if meters_of(e) & gone])

    def expire(self, now: int) -> list[tuple[Entry, int]]:
        due = [(e.deadlines[0], e) for e in self.entries if e.deadlines]
        return self.remove([(e, reason) for (time, reason), e in due if time <= now])

    # packets

    def receive(self, in_port: int, data: bytes, tunnel: int, now: int) -> list[Any]:
        """Return what is sent: ``(bytes, tunnel id, port or punt)``; count what matched."""
        return Run(self, in_port, data, tunnel, now).tables()

    def packet_out(
        self, in_port: int, data: bytes, actions: tuple[Action, ...], now: int
    ) -> list[Any]:
        run = Run(self, in_port, data, 0, now)
        for action in actions:
            if run.expired:
                break
            if action == Output(OFPP.TABLE):
                inner = Run(self, in_port, run.data, run.tunnel, now, counted=len(data))
                run.sent += inner.tables()
            else:
                run.act(action)
        return run.sent


class Run:
    """One packet on its way."""

    def __init__(
        self, reference: Reference, in_port: int, data: bytes, tunnel: int, now: int,
        counted: int | None = None,
    ) -> None:  # fmt: skip
        self.reference = reference
        self.in_port = in_port
        self.data = data
        self.size = len(data) if counted is None else counted
        self.tunnel = tunnel
        self.metadata = 0
        self.now = now
        self.sent: list[Any] = []
        self.set: list[Action] = []
        self.entry: Entry | None = None
        self.expired = False

    def best(self, table_id: int) -> Entry | None:
        fields = packet_fields(self.data, self.in_port, self.tunnel, self.metadata)
        found = [
            e
            for e in self.reference.entries
            if e.mod.table_id == table_id
            and all(
                f in fields and fields[f] & mask == value
                for f, (value, mask) in bits_of(e.mod.match).items()
            )
        ]
        return min(found, key=lambda e: (-e.mod.priority, e.order), default=None)

    def tables(self) -> list[Any]:
        table_id = 0
        while True:
            counts = self.reference.tables.get(table_id, [0, 0])
            counts[0] += 1
            entry = self.best(table_id)
            if entry is None:
                return self.sent
            counts[1] += 1
            entry.packets += 1
            entry.bytes += self.size
            entry.used = self.now
            self.entry = entry
            following = self.instruct(entry)
            if self.expired:
                return self.sent
            if following is None:
                break
            table_id = following
        self.end()
        return self.sent

    def instruct(self, entry: Entry) -> int | None:
        given = entry.instructions
        for one in given:
            if isinstance(one, Meter):
                self.meter(one.meter_id)
        if self.expired:
            return None
        for one in given:
            if isinstance(one, ApplyActions):
                for action in one.actions:
                    self.act(action)
        if any(isinstance(one, ClearActions) for one in given):
            self.set = []
        for one in given:
            if isinstance(one, WriteActions):
                for action in one.actions:
                    self.set = [a for a in self.set if not self.same_slot(a, action)] + [action]
        for one in given:
            if isinstance(one, WriteMetadata):
                kept = self.metadata & ~one.metadata_mask
                self.metadata = kept | (one.metadata & one.metadata_mask)
        for one in given:
            if isinstance(one, GotoTable):
                return one.table_id
        return None

    def meter(self, meter_id: int) -> None:
        over = [
            bucket
            for bucket in self.reference.meters[meter_id]
            if not bucket.takes(1 if bucket.unit == 1 else 8 * len(self.data), self.now)
        ]
        if not over:
            return
        band = max(over, key=lambda bucket: bucket.band.rate).band
        if isinstance(band, DscpRemarkBand):
            self.remark(band.prec_level)
            return
        loss = Loss(DropReason.METERED, f"meter {meter_id}, band of rate {band.rate}")
        self.sent.append((self.data, self.tunnel, loss))
        self.expired = True

    def remark(self, levels: int) -> None:
        if oxm.IP_PROTO not in packet_fields(self.data, 1, 0, 0):
            return
        packet = Ether(self.data)
        layer, name = (packet[IP], "tos") if IP in packet else (packet[IPv6], "tc")
        octet = getattr(layer, name)
        if octet >> 2 in ASSURED:
            family, precedence = divmod(octet >> 2, 8)
            raised = family * 8 + min(6, precedence + 2 * levels)
            setattr(layer, name, raised << 2 | octet & 3)
            if IP in packet:
                del packet[IP].chksum
            self.data = bytes(packet)

    @staticmethod
    def same_slot(one: Action, other: Action) -> bool:
        if isinstance(one, SetField) and isinstance(other, SetField):
            return one.field is other.field
        return type(one) is type(other)

    def end(self) -> None:
        if not any(isinstance(action, Output) for action in self.set):
            return
        for kind in (PopVlan, PushVlan, DecNwTtl, SetNwTtl, SetField, Output):
            for action in self.set:
                if isinstance(action, kind):
                    self.act(action)

    def act(self, action: Action) -> None:
        if self.expired:
            return
        if isinstance(action, Output):
            self.output(action)
        elif isinstance(action, PushVlan):
            self.data = push_vlan(self.data, action.ethertype)
        elif isinstance(action, PopVlan):
            self.data = pop_vlan(self.data, 0)
        elif isinstance(action, SetField) and action.field is oxm.TUNNEL_ID:
            self.tunnel = self.tunnel >> 64 << 64 | action.value
        elif isinstance(action, SetField) and action.field is nxm.TUN_IPV4_DST:
            source, tunnel_id = self.tunnel >> 96, self.tunnel % (1 << 64)
            self.tunnel = (source << 32 | action.value) << 64 | tunnel_id
        elif isinstance(action, SetField):
            self.data = SETTERS[action.field](self.data, action.value)
        else:
            self.set_ttl(action)

    def set_ttl(self, action: Action) -> None:
        # Too short a packet is no IP packet, whatever scapy makes of it.
        if oxm.IP_PROTO not in packet_fields(self.data, 1, 0, 0):
            return
        packet = Ether(self.data)
        layer, name = (packet[IP], "ttl") if IP in packet else (packet[IPv6], "hlim")
        ttl = getattr(layer, name)
        if isinstance(action, SetNwTtl):
            ttl = action.ttl
        elif ttl <= 1:
            self.punt(None, 2)  # as much as miss_send_len says
            self.expired = True
            return
        else:
            ttl -= 1
        setattr(layer, name, ttl)
        if IP in packet:
            del packet[IP].chksum
        self.data = bytes(packet)

    def output(self, action: Output) -> None:
        ports = self.reference.ports
        if action.port == OFPP.CONTROLLER:
            mod = None if self.entry is None else self.entry.mod
            miss = mod is not None and mod.priority == 0 and mod.match == Match()
            self.punt(action.max_len, 0 if miss else 1)
            return
        if action.port in (OFPP.FLOOD, OFPP.ALL):
            chosen = [n for n in sorted(ports) if ports[n] and n != self.in_port]
        elif action.port == OFPP.IN_PORT:
            chosen = [n for n in ports if n == self.in_port]
        else:
            chosen = [n for n in ports if n == action.port and n != self.in_port]
        self.sent += [(self.data, self.tunnel, port) for port in chosen]

    def punt(self, max_len: int | None, reason: int) -> None:
        mod = None if self.entry is None else self.entry.mod
        table_id, cookie = (0, NO_COOKIE) if mod is None else (mod.table_id, mod.cookie)
        self.sent.append((self.data, self.tunnel, Punt(max_len, reason, table_id, cookie)))
