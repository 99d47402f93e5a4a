"""Small UDP packets through a chain of switches, beside the same chain in SimPy and in ns-3.

All sides: a source sends frames of 60 bytes every 10 us through N switches to a sink; the N + 1
links have 10 Gbit/s and 1 us of propagation delay each, so several frames are on the way at once.
A figure is packet-hops (packets times switches) a second of CPU, building not included.

* ``sdnvirt``: OpenFlow switches with a flow entry each that matches the UDP flow; every frame is
  its own object with its own bytes, its flow key is computed, and every frame must be accounted
  for at the end. The ends are bare devices.
* ``observed``: the same with the taps that every run of a topology file has: the trace (its digest,
  and the count that finds loops) and the packet stories.
* ``hosts``: the same with UDP sockets of hosts at the ends, which is what ns-3's side has.
* ``simpy``: each direction of a link is a Store and a process that takes frames from it and waits
  for their transmission; their propagation is a timeout whose callback is the next switch, which
  looks the flow key up in its table, counts and forwards. No bytes, no protocols.
* ``simpy_processes``: the same as beginners write it: a process for each frame waits for its
  propagation, as in the example "Event Latency" of SimPy's documentation, and puts it into the
  Store of the next switch, which is a process, too.
* ``ns3_bridge``, with ``--ns3 PATH`` of a chain program built on ns-3: it is run as
  ``PATH --kind=bridge --n=N --packets=P`` and prints JSON with ``pkt_hops_per_cpu_s``. Learning
  bridges on CSMA links, UDP over IP at the ends.

Python's sides run with the cycle collector relaxed, as a network relaxes it.
"""

from __future__ import annotations

import gc
import json
import subprocess
import time
from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Interface
from typing import Any, Final

import simpy
from measurement import arguments, in_turns, ratio, report, summary

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.capture.story import Stories
from sdnvirt.capture.taps import tap_all
from sdnvirt.capture.trace import TraceTap
from sdnvirt.devices.device import Device, Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.engine.scheduler import relaxed_collector
from sdnvirt.frame import Frame
from sdnvirt.host.stack import Host
from sdnvirt.host.udp import UdpSocket
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.units import NS_PER_S
from sdnvirt.wire.flowkey import flow_key

CHAINS: Final = (4, 16, 64)
HOPS: Final = {
    "sdnvirt": 320_000,
    "observed": 160_000,
    "hosts": 160_000,
    "simpy": 32_000,
    "simpy_processes": 16_000,
}
"""Packet-hops of a turn: each side takes some tenths of a second."""

NS3_HOPS: Final = 160_000

GAP_NS: Final = 10_000
RATE_BPS: Final = 10_000_000_000
DELAY_NS: Final = 1_000
QUEUE_FRAMES: Final = 8_000
"""Frames that may wait for a link of SimPy's chain: 512 KiB, as a link of ours has."""

SRC, DST = Mac("02:00:00:00:00:01"), Mac("02:00:00:00:00:02")
SRC_IP, DST_IP = Ipv4("10.0.0.1"), Ipv4("10.0.0.2")
PORT: Final = 9
PAYLOAD: Final = bytes(18)
DATA: Final = (
    bytes.fromhex(
        "020000000002 020000000001 0800"  # Ethernet
        "4500002e000040004011 26bd 0a000001 0a000002"  # IPv4
        "c0000009001a 0000"  # UDP, without a checksum
    )
    + PAYLOAD
)


class Sink(Device):
    """Takes every frame."""

    def __init__(self, name: str, world: World) -> None:
        super().__init__(name, world)
        self.received = 0

    def receive(self, port: Port, frame: Frame) -> None:
        """Count the frame as delivered."""
        self.received += 1
        self.world.ledger.delivered += 1


def lay_chain(world: World, length: int, ends: tuple[Port, Port]) -> list[OpenFlowSwitch]:
    """Put switches with a flow entry for each direction, and links, between two ports."""
    parameters = LinkParameters(RATE_BPS, DELAY_NS)
    switches: list[OpenFlowSwitch] = []
    last = ends[0]
    for number in range(1, length + 1):
        switch = OpenFlowSwitch(f"s{number}", world, number)
        left = switch.add_port(1, "left", Mac(number * 2 | 6 << 40))
        right = switch.add_port(2, "right", Mac(number * 2 + 1 | 6 << 40))
        Link(world, f"link{number}", last, left, parameters)
        switches.append(switch)
        last = right
    Link(world, "last", last, ends[1], parameters)
    for switch in switches:
        udp = Match.of(eth_type=0x0800, ip_proto=17, ipv4_dst=DST_IP, udp_dst=PORT)
        everything = Match.of()
        for priority, match, out in ((2, udp, 2), (1, Match.of(in_port=1), 2), (0, everything, 1)):
            forward = (ApplyActions((Output(out),)),)
            switch.modify_flow(FlowMod(match=match, priority=priority, instructions=forward))
    return switches


def check(world: World, switches: list[OpenFlowSwitch], sent: int, received: int) -> None:
    """Assert that every packet arrived, was accounted for, and was counted by every flow entry."""
    assert received == sent, f"{received} of {sent} packets arrived"
    assert world.ledger.imbalance() == 0
    for switch in switches:
        switch.datapath.settle()
        counted = max(entry.packets for entry in switch.datapath.tables[0])
        assert counted == sent, f"{switch.name} counted {counted} of {sent}"


def run_for_cpu(world: World, send: Callable[[], object], packets: int) -> float:
    """Send packets from now on and run until the last has arrived; return CPU seconds."""
    scheduler = world.scheduler
    left = packets

    def tick(_argument: None) -> None:
        nonlocal left
        send()
        left -= 1
        if left:
            scheduler.call_at(scheduler.now + GAP_NS, tick)

    scheduler.call_at(scheduler.now, tick)
    gc.collect()
    with relaxed_collector():
        begun = time.process_time()
        scheduler.run_until(scheduler.now + packets * GAP_NS + NS_PER_S)
        return time.process_time() - begun


def bare_chain(length: int, packets: int, observed: bool) -> float:
    """Run our chain between bare devices; return CPU seconds."""
    world = World()
    source, sink = Sink("source", world), Sink("sink", world)
    ends = source.add_port(1, "eth0", SRC), sink.add_port(1, "eth0", DST)
    switches = lay_chain(world, length, ends)
    if observed:
        ports = [port for device in (source, *switches, sink) for port in device.ports.values()]
        for tap in (TraceTap(world), Stories(world)):
            tap_all(ports, tap)
    port = ends[0]
    cpu = run_for_cpu(world, lambda: port.send(world.originate(DATA, "source")), packets)
    check(world, switches, packets, sink.received)
    return cpu


def host_chain(length: int, packets: int) -> float:
    """Run our chain between two hosts that have UDP sockets; return CPU seconds."""
    world = World()
    source, sink = Host("source", world), Host("sink", world)
    ends = source.add_port(1, "eth0", SRC), sink.add_port(1, "eth0", DST)
    switches = lay_chain(world, length, ends)
    source.configure(IPv4Interface(f"{SRC_IP}/24"))
    sink.configure(IPv4Interface(f"{DST_IP}/24"))
    received = 0

    def count(_address: Ipv4, _port: int, _payload: bytes, _cause: int) -> None:
        nonlocal received
        received += 1

    UdpSocket(sink, PORT, count)
    socket = UdpSocket(source, 0, count)
    socket.send(DST_IP, PORT, PAYLOAD)  # asks for the MAC address
    world.scheduler.run_until(NS_PER_S)
    cpu = run_for_cpu(world, lambda: socket.send(DST_IP, PORT, PAYLOAD), packets)
    check(world, switches, packets + 1, received)
    return cpu


class SimpyFrame:
    """A packet of SimPy's chain."""

    __slots__ = ("key", "size")

    def __init__(self, size: int, key: bytes) -> None:
        self.size = size
        self.key = key


class SimpyLink:
    """One direction of a link, for a switch that can be called back: a queue and a transmitter."""

    def __init__(self, env: simpy.Environment, arrive: Callable[[Any], object]) -> None:
        self.env = env
        self.arrive = arrive
        self.queue = simpy.Store(env)
        self.dropped = 0
        env.process(self.transmit())

    def send(self, frame: SimpyFrame) -> None:
        """Queue a frame."""
        if len(self.queue.items) < QUEUE_FRAMES:
            self.queue.put(frame)
        else:
            self.dropped += 1

    def transmit(self) -> Any:
        """Take frame after frame from the queue."""
        while True:
            frame = yield self.queue.get()
            yield self.env.timeout(frame.size * 8e9 / RATE_BPS)
            self.propagate(frame)

    def propagate(self, frame: SimpyFrame) -> None:
        """Let the frame arrive a little later."""
        self.env.timeout(DELAY_NS, frame).callbacks.append(self.arrive)


class SimpySwitch:
    """Looks frames up in a table, counts and forwards them."""

    def __init__(self, _env: simpy.Environment) -> None:
        self.table: dict[bytes, list[Any]] = {}
        self.ports: dict[int, SimpyLink] = {}

    def arrive(self, event: simpy.Event) -> None:
        """Handle a frame that comes out of a link."""
        self.forward(event.value)

    def forward(self, frame: SimpyFrame) -> None:
        """Look a frame up and send it on."""
        entry = self.table[frame.key]
        entry[1] += 1
        entry[2] += frame.size
        self.ports[entry[0]].send(frame)


class ProcessLink(SimpyLink):
    """One direction of a link, with a process for each frame on it."""

    def propagate(self, frame: SimpyFrame) -> None:
        """Let the frame arrive a little later."""
        self.env.process(self.latency(frame))

    def latency(self, frame: SimpyFrame) -> Any:
        """Wait for the propagation of one frame."""
        yield self.env.timeout(DELAY_NS)
        self.arrive(frame)


class ProcessSwitch(SimpySwitch):
    """A switch with a Store for what arrives, and a process that handles it."""

    def __init__(self, env: simpy.Environment) -> None:
        super().__init__(env)
        self.input = simpy.Store(env)
        self.arrive = self.input.put
        env.process(self.work())

    def work(self) -> Any:
        """Handle frame after frame."""
        while True:
            frame = yield self.input.get()
            self.forward(frame)


def simpy_chain(
    length: int, packets: int, switch_class: type[SimpySwitch], link_class: type[SimpyLink]
) -> float:
    """Run the chain in SimPy; return CPU seconds."""
    env = simpy.Environment()
    received = 0

    def arrive(_frame: object) -> None:
        nonlocal received
        received += 1

    switches = [switch_class(env) for _ in range(length)]
    first = link_class(env, switches[0].arrive)
    far_ends = [switch.arrive for switch in switches[1:]] + [arrive]
    for switch, far_end in zip(switches, far_ends, strict=True):
        switch.table[flow_key(DATA)] = [2, 0, 0]
        switch.ports[2] = link_class(env, far_end)

    def source() -> Any:
        for _ in range(packets):
            first.send(SimpyFrame(len(DATA), flow_key(DATA)))
            yield env.timeout(GAP_NS)

    env.process(source())
    gc.collect()
    with relaxed_collector():
        begun = time.process_time()
        env.run(until=packets * GAP_NS + NS_PER_S)
        cpu = time.process_time() - begun
    assert received == packets
    assert all(switch.table[flow_key(DATA)][1] == packets for switch in switches)
    return cpu


def ns3_chain(program: str, length: int, packets: int) -> float:
    """Run ns-3's chain of bridges; return packet-hops a second of CPU."""
    command = [program, "--kind=bridge", f"--n={length}", f"--packets={packets}"]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return float(answer["pkt_hops_per_cpu_s"])


def rate(chain: Callable[[int, int], float], length: int, hops: int) -> float:
    """Return packet-hops a second of CPU of one of Python's chains."""
    packets = max(1, hops // length)
    return packets * length / chain(length, packets)


def measure(length: int, repeats: int, scale: int, ns3: str | None) -> dict[str, list[float]]:
    """Return the figures of all sides for one length of chain."""
    chains: dict[str, Callable[[int, int], float]] = {
        "sdnvirt": partial(bare_chain, observed=False),
        "observed": partial(bare_chain, observed=True),
        "hosts": host_chain,
        "simpy": partial(simpy_chain, switch_class=SimpySwitch, link_class=SimpyLink),
        "simpy_processes": partial(simpy_chain, switch_class=ProcessSwitch, link_class=ProcessLink),
    }
    sides: dict[str, Callable[[], float]] = {
        name: partial(rate, chain, length, HOPS[name] // scale) for name, chain in chains.items()
    }
    if ns3 is not None:
        packets = NS3_HOPS // scale // length
        sides["ns3_bridge"] = partial(ns3_chain, ns3, length, packets)
    return in_turns(sides, repeats)


def main() -> None:
    """Measure, and print the figures."""
    parser = arguments(__doc__)
    parser.add_argument("--ns3", metavar="PATH", help="a chain program built on ns-3")
    options = parser.parse_args()
    repeats, scale = (1, 40) if options.quick else (options.repeats, 1)
    taken = {length: measure(length, repeats, scale, options.ns3) for length in CHAINS}
    names = list(taken[CHAINS[0]])
    pairs = [("sdnvirt", peer) for peer in ("simpy", "simpy_processes", "ns3_bridge")]
    pairs += [("hosts", "ns3_bridge")]
    report(
        "chain",
        unit="packet-hops a second of CPU",
        hops_per_s={
            name: {str(length): summary(taken[length][name], None) for length in CHAINS}
            for name in names
        },
        ratio={
            f"{side} / {peer}": {
                str(length): ratio(taken[length][side], taken[length][peer]) for length in CHAINS
            }
            for side, peer in pairs
            if peer in names
        },
    )


if __name__ == "__main__":
    main()
