"""The OpenFlow switch alone: cached hops, misses of the cache, flow mods, and memory an entry.

*Cached*: packets of known flows through one switch with 1, 100 and 10,000 entries, and of 10,000
live flows in turn. *Misses*: every packet is the first of its flow; there are 10,000 wildcard
entries over 20 masks. One row finds a decision that rests on the same bits (the packets differ in
what no entry asks for), one walks through the tables. *Flow mods*: entries with distinct
matches, as messages of OpenFlow 1.3 into the agent of a switch. A linear search through the same
entries is the reference that the misses are compared with, in the same run.
"""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable
from typing import Any, Final

from measurement import arguments, in_turns, ratio, report, summary

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.datapath.datapath import Datapath
from sdnvirt.datapath.fields import packet_fields
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.engine.scheduler import relaxed_collector
from sdnvirt.frame import Frame
from sdnvirt.openflow.channel import Channel
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.wire.ethernet import Ethernet, EtherType
from sdnvirt.wire.ipv4 import IpProtocol, Ipv4Packet
from sdnvirt.wire.udp import Udp

TO_2: Final = (ApplyActions((Output(2),)),)
NETWORK: Final = 0x0A000000
MASKS: Final = 20


class Sink(Device):
    """Takes frames and forgets them."""

    def receive(self, port: Port, frame: Frame) -> None:
        """Count the frame as delivered."""
        self.world.ledger.delivered += 1


class _Wire:
    """An egress that hands frames over at once, so that only the switch is measured."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def carry(self, frame: Frame) -> None:
        """Deliver the frame."""
        self._sink.world.ledger.delivered += 1


def packet(source: int, destination: int, port: int = 1) -> bytes:
    """Return a small UDP packet between two IPv4 addresses given as numbers."""
    src, dst = Ipv4(source), Ipv4(destination)
    datagram = Udp(port, 9, b"x" * 18).emit(src, dst)
    inner = Ipv4Packet(src, dst, IpProtocol.UDP, datagram).emit()
    return Ethernet(Mac(2), Mac(1), EtherType.IPV4, inner).emit()


def a_switch() -> OpenFlowSwitch:
    """Return a switch with two ports."""
    world = World()
    switch = OpenFlowSwitch("s1", world, 1)
    sink = Sink("sink", world)
    for number in (1, 2):
        switch.add_port(number, f"p{number}", Mac(number)).attach(_Wire(sink), up=True)
    return switch


def cached(entries: int, flows: int, packets: int) -> Callable[[], float]:
    """Return a measurement of hops a second, once every flow is known."""
    switch = a_switch()
    for number in range(entries):
        match = Match.of(eth_type=0x0800, ipv4_dst=NETWORK + number)
        switch.modify_flow(FlowMod(priority=10, match=match, instructions=TO_2))
    frames = [
        Frame(packet(NETWORK + 0x10000 + n, NETWORK + n % entries, 1 + n % 50_000))
        for n in range(flows)
    ]
    port = switch.ports[1]
    for frame in frames:
        port.receive(frame)

    def measure() -> float:
        begun = time.process_time()
        for _ in range(packets // flows):
            for frame in frames:
                port.receive(frame)
        return packets // flows * flows / (time.process_time() - begun)

    return measure


def wildcards(entries: int) -> Datapath:
    """Return a datapath whose entries test prefixes and ports in MASKS different ways."""
    datapath = Datapath()
    datapath.set_port(1, True)
    datapath.set_port(2, True)
    for number in range(entries):
        kind, value = number % MASKS, number // MASKS
        mask = 0xFFFFFFFF << (kind % 10) & 0xFFFFFFFF
        fields: dict[str, Any] = {
            "eth_type": 0x0800, "ipv4_dst": ((NETWORK + (value << 10)) & mask, mask),
        }  # fmt: skip
        if kind >= MASKS // 2:
            fields |= {"ip_proto": 17, "udp_dst": 9}
        mod = FlowMod(priority=100 + kind, match=Match.of(**fields), instructions=TO_2)
        datapath.modify(mod, 0)
    return datapath


def misses(entries: int, packets: int, shared: bool) -> dict[str, Callable[[], float]]:
    """Return measurements of a miss in microseconds: ours, and a search from end to end."""
    datapath = wildcards(entries)
    # Packets that differ only in what no entry asks for share the decision of the first.
    values = entries // MASKS
    if shared:
        frames = [packet(NETWORK + n, NETWORK, 1 + n) for n in range(packets)]
    else:
        frames = [packet(7, NETWORK + (n % values << 10), 1 + n) for n in range(packets)]
    rank = sorted(datapath.tables[0], key=lambda entry: (-entry.priority, entry.sequence))

    def ours() -> float:
        datapath.set_port(1, True)  # empties the cache
        fresh = [Frame(data) for data in frames]
        begun = time.process_time()
        for frame in fresh:
            datapath.classify(1, frame)
        return (time.process_time() - begun) / packets * 1e6

    def linear() -> float:
        some = frames[: max(1, packets // 100)]
        begun = time.process_time()
        for data in some:
            fields = packet_fields(data, 1, 0, 0)
            for entry in rank:
                if all(
                    (known := fields.get(one.field)) is not None
                    and known & (one.field.limit if one.mask is None else one.mask) == one.value
                    for one in entry.match.fields
                ):
                    break
        return (time.process_time() - begun) / len(some) * 1e6

    return {"ours": ours, "linear": linear}


class _Controller:
    """A controller side that takes what the switch says and keeps none of it."""

    def __init__(self) -> None:
        self.channel = Channel(versions=(4,), echo_idle_ns=None)
        self.deliver: Callable[[bytes], None] = bytes

    def connect(self, _dpid: int, deliver: Any, _closed: Any) -> _Controller:
        self.deliver = deliver
        return self

    def feed(self, data: bytes) -> None:
        """Take bytes from the switch."""
        self.channel.receive(data)

    def close(self) -> None:
        """Do nothing."""


def load(entries: int) -> tuple[float, float, float]:
    """Load entries by messages; return flow mods a second of CPU, wall seconds, bytes an entry."""
    switch = a_switch()
    controller = _Controller()
    controller.channel.start()
    switch.connect(controller)
    controller.deliver(controller.channel.outgoing())
    for number in range(entries):
        match = Match.of(in_port=1, eth_type=0x0800, ipv4_dst=NETWORK + number)
        controller.channel.send(FlowMod(priority=10, match=match, instructions=TO_2))
    messages = controller.channel.outgoing()
    gc.collect()
    before = resident()
    begun, wall = time.process_time(), time.perf_counter()
    chunk = 1 << 16
    with relaxed_collector():  # as in every run of a network
        for start in range(0, len(messages), chunk):
            controller.deliver(messages[start : start + chunk])
    cpu, wall = time.process_time() - begun, time.perf_counter() - wall
    assert len(switch.datapath.tables[0]) == entries
    gc.collect()
    return entries / cpu, wall, (resident() - before) / entries


def resident() -> int:
    """Return the bytes that the process has in memory."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def main() -> None:
    """Measure, and print the figures."""
    options = arguments(__doc__).parse_args()
    quick = options.quick
    repeats = 1 if quick else options.repeats
    packets = 2_000 if quick else 200_000
    many = 200 if quick else 10_000
    rows = {
        "1 entry": cached(1, 1, packets),
        "100 entries": cached(100, 100, packets),
        f"{many} entries": cached(many, 100, packets),
        f"{many} entries, {many} flows": cached(many, many, packets),
    }
    taken = in_turns(rows, repeats)
    missed = {}
    for name, shared in (("shared decision", True), ("walk", False)):
        sides = in_turns(misses(many, 200 if quick else 5_000, shared), repeats)
        missed[name] = {
            "us": summary(sides["ours"]),
            "linear search, us": summary(sides["linear"]),
            "linear / ours": ratio(sides["linear"], sides["ours"]),
        }
    loads = [load(1_000 if quick else 100_000) for _ in range(repeats)]
    report(
        "switch",
        cached_hops_per_s={name: summary(values, None) for name, values in taken.items()},
        miss=missed,
        flow_mods_per_s=summary((one[0] for one in loads), None),
        load_wall_s=summary(one[1] for one in loads),
        bytes_per_entry=summary((one[2] for one in loads), None),
    )


if __name__ == "__main__":
    main()
