"""Three ways to the same decision: cached, walked, and written down as naively as possible.

Whatever flow mods, link changes, expiries and packets come in whatever order, the cached path and
the walk through the tables must do what the reference below does: it searches a list from end to
end for every packet, counts at once, and has no cache, no subtables and no programs. With
``--nightly`` the campaign is a long one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from sdnvirt.datapath.consistency import check_consistent
from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.fields import packet_fields
from sdnvirt.datapath.flow import Emission, Loss, Punt
from sdnvirt.datapath.rewriting.ethernet import pop_vlan, push_vlan
from sdnvirt.datapath.rewriting.setters import SETTERS
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.openflow.action import Action
from sdnvirt.openflow.errors import OpenFlowError
from sdnvirt.openflow.nicira import fields as nxm
from sdnvirt.openflow.v13 import oxm
from sdnvirt.openflow.v13.actions import DecNwTtl, Output, PopVlan, PushVlan, SetField, SetNwTtl
from sdnvirt.openflow.v13.constants import (
    OFPFC,
    OFPFF,
    OFPG,
    OFPM,
    OFPMC,
    OFPMF,
    OFPP,
    OFPRR,
    OFPTT,
)
from sdnvirt.openflow.v13.error_codes import OFPET, OFPFMFC
from sdnvirt.openflow.v13.flow import FlowMod, FlowStatsRequest
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
from sdnvirt.openflow.v13.meters import Band, DropBand, DscpRemarkBand, MeterMod

NIGHTLY = settings.get_current_profile_name() == "nightly"
S = 1_000_000_000
PORTS = (1, 2, 3, OFPP.LOCAL)
NO_COOKIE = (1 << 64) - 1
ASSURED = {8 * family + 2 * precedence for family in (1, 2, 3, 4) for precedence in (1, 2, 3)}
"""DSCPs with a drop precedence (RFC 2597, 6)."""


# the reference


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


# a small universe


def _packets() -> list[bytes]:
    macs = ("02:00:00:00:00:01", "02:00:00:00:00:02")
    ethers = [Ether(src=src, dst=dst) for src, dst in product(macs, macs)]
    tags = [[], [Dot1Q(vlan=1)], [Dot1Q(vlan=2, prio=3)], [Dot1AD(vlan=1), Dot1Q(vlan=2)]]
    ips = [IP(src="10.0.0.1", dst=f"10.0.0.{n}", ttl=ttl) for n in (1, 2) for ttl in (1, 2, 64)]
    uppers = [
        UDP(sport=1, dport=2), UDP(sport=1, dport=2) / Raw(b"other payload"),
        UDP(sport=2, dport=1, chksum=0), TCP(sport=1, dport=2), TCP(sport=1, dport=2, seq=9),
        ICMP(type=8, seq=1), ICMP(type=8, seq=2), ICMP(type=0),
    ]  # fmt: skip
    networks = [ip / upper for ip, upper in product(ips, uppers)]
    networks += [IP(src="10.0.0.1", dst="10.0.0.2", frag=3, ttl=2, proto=17) / Raw(b"12345678")]
    networks += [IP(src="10.0.0.1", dst="10.0.0.2", options=b"\x01" * 4) / UDP(sport=1, dport=2)]
    networks += [IPv6(src="fd::1", dst="fd::2", hlim=h) / UDP(sport=1, dport=2) for h in (1, 9)]
    networks += [ARP(op=op, psrc="10.0.0.1", pdst="10.0.0.2") for op in (1, 2)]
    found = []
    for number, (ether, stack, network) in enumerate(product(ethers, tags, networks)):
        if number % 7 == 0:  # a spread of all combinations
            packet = ether.copy()
            for layer in (*stack, network):
                packet = packet / layer.copy()
            found.append(bytes(packet))
    return found + [found[0][:n] for n in (5, 14, 20, 33, 36)] + [bytes(60)]


def _coloured() -> list[bytes]:
    ether = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    dscps = (10, 12, 14, 18, 0)
    found = [ether / IP(tos=dscp << 2 | 1, ttl=2) / UDP(sport=1, dport=2) for dscp in dscps]
    found += [ether / IPv6(tc=dscp << 2) / UDP(sport=1, dport=2) for dscp in dscps]
    found.append(ether / Dot1Q(vlan=1) / IP(tos=10 << 2) / ICMP(type=8))
    return [bytes(packet) for packet in found]


PACKETS = st.sampled_from(_packets())
COLOURED = st.sampled_from(_coloured())
IN_PORTS = st.sampled_from(PORTS)
TUNNELS = st.sampled_from((0, 0, 0, 7, 7, (1 << 32 | 2) << 64 | 7, (1 << 32 | 3) << 64 | 7))
IP_TYPE = {"eth_type": 0x0800}
MATCHES = st.sampled_from([
    Match.of(**tests)
    for tests in (
        {}, {}, {"in_port": 1}, {"eth_dst": 0x020000000001}, {"eth_dst": 0x020000000002},
        {"eth_dst": 0x020000000001, "in_port": 1}, {"eth_dst": (0x020000000000, 0xFF0000000000)},
        {"vlan_vid": 0}, {"vlan_vid": 0x1001}, {"vlan_vid": (0x1000, 0x1000)},
        {"vlan_vid": 0x1002, "vlan_pcp": 3}, {"tunnel_id": 7}, {"metadata": 1},
        {"tun_ipv4_dst": 2}, {"tun_ipv4_src": 1, "tunnel_id": 7},
        {"metadata": (2, 2)}, {"eth_type": 0x0806}, {"eth_type": 0x0806, "arp_op": 1}, IP_TYPE,
        {**IP_TYPE, "ipv4_dst": 0x0A000002}, {**IP_TYPE, "ipv4_dst": (0x0A000000, 0xFFFFFF00)},
        {**IP_TYPE, "ip_proto": 17}, {**IP_TYPE, "ip_proto": 17, "udp_dst": 2},
        {**IP_TYPE, "ip_proto": 6, "tcp_src": 1}, {**IP_TYPE, "ip_proto": 1, "icmpv4_type": 8},
        {"eth_type": 0x86DD}, {**IP_TYPE, "ip_dscp": 12},
    )
])  # fmt: skip
COLOURS = st.builds(
    Match.of,
    eth_type=st.sampled_from((0x0800, 0x0800, 0x86DD)),
    ip_dscp=st.sampled_from((10, 12, 14)),
)
ACTIONS = st.sampled_from((
    *(Output(n) for n in (*PORTS, 9)), Output(OFPP.FLOOD), Output(OFPP.ALL), Output(OFPP.IN_PORT),
    Output(OFPP.CONTROLLER), Output(OFPP.CONTROLLER, 64), PushVlan(0x8100), PushVlan(0x88A8),
    PopVlan(), DecNwTtl(), SetNwTtl(2), SetField(oxm.TUNNEL_ID, 7), SetField(nxm.TUN_IPV4_DST, 2),
    SetField(oxm.VLAN_VID, 0x1001),
    SetField(oxm.ETH_DST, 0x020000000001), SetField(oxm.IPV4_DST, 0x0A000002),
    SetField(oxm.IP_DSCP, 10), SetField(oxm.UDP_DST, 2), SetField(oxm.ARP_OP, 1),
    SetField(oxm.ICMPV4_TYPE, 8),
))  # fmt: skip
ACTION_LISTS = st.lists(ACTIONS, max_size=4).map(tuple)
OUT_LISTS = st.lists(ACTIONS | st.just(Output(OFPP.TABLE)), max_size=4).map(tuple)


def fitting(match: Match, actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """The actions without those that cannot stand where they do, for packets of that match."""
    kept: tuple[Action, ...] = ()
    for action in actions:
        try:
            check_consistent(match, (ApplyActions((*kept, action)),))
        except OpenFlowError:
            continue
        kept += (action,)
    return kept


METERS = st.integers(1, 2)
BANDS = st.builds(DropBand, st.integers(1, 3), burst_size=st.integers(1, 3)) | st.builds(
    DscpRemarkBand, st.integers(1, 3), burst_size=st.integers(1, 3), prec_level=st.integers(1, 2)
)
METER_MODS = st.builds(
    MeterMod,
    st.just(OFPMC.ADD),
    st.sampled_from((OFPMF.PKTPS, OFPMF.PKTPS, OFPMF.KBPS)).map(OFPMF.BURST.__or__),
    METERS,
    st.lists(BANDS, max_size=3).map(tuple),
)


@st.composite
def flow_mods(draw: st.DrawFn, command: st.SearchStrategy[int]) -> FlowMod:
    table_id = draw(st.sampled_from((0, 0, 0, 1, 2)))
    match = draw(MATCHES)
    instructions: list[Instruction] = []
    if draw(st.integers(0, 2)) == 0:
        instructions.append(Meter(draw(METERS)))
    if draw(st.booleans()):
        instructions.append(ApplyActions(fitting(match, draw(ACTION_LISTS))))
    if draw(st.integers(0, 4)) == 0:
        instructions.append(ClearActions())
    if draw(st.integers(0, 2)) == 0:
        instructions.append(WriteActions(fitting(match, draw(ACTION_LISTS))))
    if draw(st.integers(0, 3)) == 0:
        instructions.append(WriteMetadata(draw(st.integers(0, 3)), draw(st.integers(1, 3))))
    if table_id < 2 and draw(st.booleans()):
        instructions.append(GotoTable(draw(st.integers(table_id + 1, 3))))
    chosen = draw(command)
    if chosen in (OFPFC.DELETE, OFPFC.DELETE_STRICT) and draw(st.booleans()):
        table_id = OFPTT.ALL
    return FlowMod(
        cookie=draw(st.integers(0, 3)),
        cookie_mask=draw(st.sampled_from((0, 0, 1, 3))),
        table_id=table_id,
        command=chosen,
        idle_timeout=draw(st.sampled_from((0, 0, 1, 2))),
        hard_timeout=draw(st.sampled_from((0, 0, 2, 3))),
        priority=draw(st.integers(0, 2)),
        out_port=draw(st.sampled_from((OFPP.ANY, OFPP.ANY, OFPP.ANY, 2))),
        out_group=OFPG.ANY,
        flags=draw(st.sampled_from((0, 1, 1, 1 | OFPFF.RESET_COUNTS, OFPFF.CHECK_OVERLAP))),
        match=match,
        instructions=tuple(instructions),
    )


CHANGES = st.sampled_from((
    OFPFC.MODIFY, OFPFC.MODIFY_STRICT, OFPFC.DELETE, OFPFC.DELETE_STRICT, OFPFC.DELETE_STRICT,
))  # fmt: skip


def seen(emissions: list[Emission]) -> list[Any]:
    """What is sent, or lost at a meter; of what goes nowhere else, the reference says nothing."""
    return [
        (sent.data, sent.tunnel, target)
        for sent, target in emissions
        if not isinstance(target, Loss) or target.reason is DropReason.METERED
    ]


class FastSlowReference(RuleBasedStateMachine):
    """Drives a datapath and the reference with the same events."""

    def __init__(self) -> None:
        super().__init__()
        self.datapath = Datapath()
        self.reference = Reference()
        self.now = 0
        for number in PORTS:
            self.datapath.set_port(number, True)
            self.reference.ports[number] = True
        remarking = (DscpRemarkBand(1, 1, 1),)
        self.change_meter(MeterMod(OFPMC.ADD, OFPMF.PKTPS | OFPMF.BURST, 1, remarking))

    @rule(mod=flow_mods(st.just(OFPFC.ADD)))
    def add(self, mod: FlowMod) -> None:
        self.modify(self.known(mod))

    @rule(mod=flow_mods(CHANGES))
    def change(self, mod: FlowMod) -> None:
        self.modify(self.known(mod))

    def known(self, mod: FlowMod) -> FlowMod:
        """The flow mod without meters that are not there."""
        kept = (
            one
            for one in mod.instructions
            if not isinstance(one, Meter) or one.meter_id in self.reference.meters
        )
        return replace(mod, instructions=tuple(kept))

    @rule(mod=METER_MODS)
    def change_meter(self, mod: MeterMod) -> None:
        if mod.meter_id in self.reference.meters:
            mod = replace(mod, command=OFPMC.MODIFY)
        self.reference.modify_meter(mod, self.now)
        assert self.datapath.modify_meter(mod, self.now) == []

    @rule(table_id=st.integers(0, 1), meter_id=METERS, actions=ACTION_LISTS)
    def police(self, table_id: int, meter_id: int, actions: tuple[Action, ...]) -> None:
        """Let everything in a table go through a meter to the next."""
        apply = ApplyActions(fitting(Match(), actions))
        instructions = Meter(meter_id), apply, GotoTable(table_id + 1)
        self.add(FlowMod(table_id=table_id, priority=3, instructions=instructions))

    @rule(table_id=st.integers(1, 2), match=COLOURS, port=IN_PORTS)
    def part(self, table_id: int, match: Match, port: int) -> None:
        """Let a table look at the drop precedence."""
        to = (ApplyActions((Output(port),)),)
        self.add(FlowMod(table_id=table_id, priority=4, match=match, instructions=to))

    @rule(meter_id=st.sampled_from((*range(1, 6), OFPM.ALL)))
    def delete_meter(self, meter_id: int) -> None:
        mod = MeterMod(OFPMC.DELETE, 0, meter_id)
        expected = self.reference.modify_meter(mod, self.now)
        self.check_removals(self.datapath.modify_meter(mod, self.now), expected)

    def modify(self, mod: FlowMod) -> None:
        try:
            expected = self.reference.modify(mod, self.now)
        except OverlapError:
            with pytest.raises(OpenFlowError) as caught:
                self.datapath.modify(mod, self.now)
            assert caught.value.error_type == OFPET.FLOW_MOD_FAILED
            assert caught.value.code == OFPFMFC.OVERLAP
            return
        except OpenFlowError as refused:
            with pytest.raises(OpenFlowError, match=re.escape(str(refused))):
                self.datapath.modify(mod, self.now)
            return
        self.check_removals(self.datapath.modify(mod, self.now), expected)

    @rule(number=IN_PORTS, up=st.booleans())
    def link(self, number: int, up: bool) -> None:
        self.datapath.set_port(number, up)
        self.reference.ports[number] = up

    @rule(step=st.sampled_from((1, S // 2, S, S, 2 * S)))
    def pass_time(self, step: int) -> None:
        end = self.now + step
        while (due := self.datapath.next_expiry()) is not None and due <= end:
            assert due > self.now or self.now == 0
            self.now = due
            self.check_removals(self.datapath.expire(due), self.reference.expire(due))
        self.now = end
        assert self.reference.expire(end) == []
        self.check_counters()

    @rule(data=PACKETS, in_port=IN_PORTS, tunnel=TUNNELS)
    def packet(self, data: bytes, in_port: int, tunnel: int) -> None:
        self.arrive(data, in_port, tunnel)

    @rule(data=COLOURED, in_port=IN_PORTS)
    def coloured(self, data: bytes, in_port: int) -> None:
        self.arrive(data, in_port, 0)

    def arrive(self, data: bytes, in_port: int, tunnel: int) -> None:
        walked = self.datapath.translate(in_port, Frame(data, tunnel=tunnel))
        for _ in range(2):
            expected = self.reference.receive(in_port, data, tunnel, self.now)
            frame = Frame(data, tunnel=tunnel)
            flow = self.datapath.classify(in_port, frame)
            assert flow == walked
            assert seen(flow.run(frame, self.now)) == expected
            flow.packets += 1
            flow.bytes += len(data)
            flow.used_ns = self.now

    @rule(data=PACKETS, in_port=st.sampled_from((*PORTS, OFPP.CONTROLLER)), actions=OUT_LISTS)
    def packet_out(self, data: bytes, in_port: int, actions: tuple[Action, ...]) -> None:
        expected = self.reference.packet_out(in_port, data, actions, self.now)
        frame = Frame(data)
        flow = self.datapath.packet_out(in_port, frame, actions, self.now)
        assert seen(flow.run(frame, self.now)) == expected

    @precondition(lambda self: self.reference.entries)
    @rule()
    def check_counters(self) -> None:
        ours = [
            (e.table_id, e.sequence, e.priority, e.match, e.cookie, e.instructions,
             e.created_ns, e.used_ns, e.packets, e.bytes)
            for e in self.datapath.entries(FlowStatsRequest())
        ]  # fmt: skip
        theirs = [
            (e.mod.table_id, e.order, e.mod.priority, e.mod.match, e.mod.cookie, e.instructions,
             e.created, e.used, e.packets, e.bytes)
            for e in sorted(self.reference.entries, key=lambda e: (e.mod.table_id, e.order))
        ]  # fmt: skip
        assert ours == theirs
        tables = self.datapath.tables.values()
        assert {t.number: [t.looked_up, t.matched] for t in tables} == self.reference.tables

    @invariant()
    def tables_are_in_order(self) -> None:
        assert list(self.datapath.tables) == sorted(self.datapath.tables)

    def check_removals(self, ours: list[Any], theirs: list[tuple[Entry, int]]) -> None:
        assert sorted((r.entry.sequence, r.reason, r.entry.packets) for r in ours) == sorted(
            (entry.order, reason, entry.packets) for entry, reason in theirs
        )
        assert not any(removal.entry.live for removal in ours)

    def teardown(self) -> None:
        self.check_counters()


TestFastSlowReference = FastSlowReference.TestCase
TestFastSlowReference.settings = settings(
    max_examples=2000 if NIGHTLY else 40,
    stateful_step_count=100 if NIGHTLY else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
