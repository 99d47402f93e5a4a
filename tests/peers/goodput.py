"""Goodput of many flows at once: our TCP's in virtual time, the Linux kernel's in real time.

What lies between the two kernels is an emulated link, too: it takes the part of a second pair of
hosts with netem, which few kernels have built in. So both see the same loss, delay and queue, and
what differs is TCP.

The kernel's programs are threads that stay within one system call for the whole of the run. One
that went back to Python for each read would hold up the network, which needs the interpreter, and
the round trips of its flows with it.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface
from math import sqrt
from mmap import mmap
from threading import Event
from typing import Final

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.device import Port
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.frame import Frame
from sdnvirt.host.stack import Host
from sdnvirt.host.tcp.congestion import CongestionControl, NewReno
from sdnvirt.host.tcp.cubic import Cubic
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.parameters import TcpParameters

S: Final = 10**9
PORT: Final = 80
BLOCK: Final = bytes(1 << 16)
NAMES: Final = {NewReno: "reno", Cubic: "cubic"}

PLENTY: Final = 1 << 30
"""Bytes that a flow has to send: more than it can in a run. Their pages are never made."""

BYTES_RECEIVED: Final = slice(128, 136)
"""Where tcpi_bytes_received stands in struct tcp_info (linux/tcp.h, since Linux 4.1)."""

SO_TIMESTAMPNS: Final = 35
"""Packets come with the time at which the kernel received them (asm-generic/socket.h)."""

PING_INTERVAL_S: Final = 0.02
URGENT: Final = -10
"""Niceness while real time passes: what the machine does beside must not look like delay."""


@dataclass(frozen=True)
class Trial:
    """Flows over one way.

    Attributes:
        way: the bottleneck, in the direction of the data.
        strategy: congestion control.
        flows: how many there are at once; where no rate limits them, they are independent.
        warm_up_s, run_s: time until the counting begins, and of the counting.
    """

    way: LinkParameters
    strategy: type[CongestionControl]
    flows: int
    warm_up_s: int
    run_s: int

    @property
    def back(self) -> LinkParameters:
        """The direction of the acknowledgements: as long, and nothing else."""
        return LinkParameters(delay_ns=self.way.delay_ns)


@dataclass(frozen=True)
class Goodput:
    """What came of a trial.

    Attributes:
        bps: bits of data a second, of all flows together.
        loss: share of the frames that was lost, as chance would have it.
        rtt_ns: the mean round trip of pings, or what it must be in virtual time.
    """

    bps: float
    loss: float
    rtt_ns: int

    def at(self, loss: float) -> float:
        """Return the bits a second that it would be, had chance lost just this share.

        By the square-root formula (Mathis and others, 1997). For a few percent of difference any
        formula would do; it takes away most of what differs from run to run.
        """
        return self.bps * sqrt(self.loss / loss)


class Way:
    """A link that is watched: how many frames it takes, and how many of them it loses."""

    def __init__(self, world: World, link: Link) -> None:
        self._drops = world.ledger.drops
        self._name = link.name
        self._sent = self._taken = self._lost = 0
        link.ends[0].taps += (self,)

    def received(self, _port: Port, _frame: Frame) -> None:
        """Take no notice of what comes back."""

    def sent(self, _port: Port, _frame: Frame) -> None:
        self._sent += 1

    @property
    def _dropped(self) -> int:
        return self._drops[self._name, DropReason.LINK_LOSS]

    def begin(self) -> None:
        """Count from now on."""
        self._taken, self._lost = self._sent, self._dropped

    @property
    def loss(self) -> float:
        """The share of frames that was lost since :meth:`begin`."""
        return (self._dropped - self._lost) / (self._sent - self._taken)


def ours(trial: Trial, seed: int = 1) -> Goodput:
    """Measure our TCP."""
    world = World(seed)
    sender, receiver = Host("sender", world), Host("receiver", world)
    link = Link(
        world, "way",
        sender.add_port(1, "receiver", Mac(2)), receiver.add_port(1, "sender", Mac(4)),
        trial.way, trial.back,
    )  # fmt: skip
    way = Way(world, link)
    sender.configure(IPv4Interface("10.9.0.1/24"))
    receiver.configure(IPv4Interface("10.9.0.2/24"))
    total = 0

    def add(data: bytes) -> None:
        nonlocal total
        total += len(data)

    receiver.tcp.listen(PORT, lambda one: setattr(one, "on_data", add))
    for _ in range(trial.flows):
        connection = sender.tcp.connect(
            Ipv4("10.9.0.2"), PORT, parameters=TcpParameters(congestion=trial.strategy)
        )
        assert isinstance(connection, TcpConnection)
        _fill(connection)
    world.scheduler.run_until(trial.warm_up_s * S)
    before = total
    way.begin()
    world.scheduler.run_until((trial.warm_up_s + trial.run_s) * S)
    assert world.ledger.imbalance() == 0
    return Goodput((total - before) * 8 / trial.run_s, way.loss, 2 * trial.way.delay_ns)


def _fill(connection: TcpConnection) -> None:
    """Write as fast as the connection takes it."""

    def go_on() -> None:
        while connection.write(BLOCK) == len(BLOCK):
            pass

    connection.on_connected = connection.on_writable = go_on


class KernelFlows:
    """The flows of one trial between two kernels, over a bridge and a link of ours."""

    def __init__(self, peers, kernels, number: int, trial: Trial) -> None:
        self.trial = trial
        self._near, self._far = kernels
        self._far_address = f"10.9.{number}.2"
        bridge = Bridge(f"bridge{number}", peers.world)
        peers.tap(
            peers.port(bridge, f"near{number}"), f"10.9.{number}.1/24",
            parameters=LinkParameters(), kernel=self._near,
        )  # fmt: skip
        link = peers.tap(
            peers.port(bridge, f"far{number}"), f"{self._far_address}/24", kernel=self._far
        )
        link.change(link.ends[0], trial.way)
        link.change(link.ends[1], trial.back)
        self.way = Way(peers.world, link)
        self._bytes = mmap(-1, PLENTY)
        self._senders: list[socket.socket] = []
        self._receivers: list[socket.socket] = []
        self._trips: list[int] = []
        self._done, self._listening = Event(), Event()
        self._tasks = [self._far.start(self._accept)]
        self._listening.wait()
        self._tasks += [self._near.start(self._send) for _ in range(trial.flows)]
        self._tasks.append(self._near.start(self._ping))

    def begin(self) -> None:
        """Count from now on."""
        self.way.begin()
        self._trips.clear()
        self._before = self._received()

    def result(self, seconds: float) -> Goodput:
        """Return what came of the time since :meth:`begin`."""
        bits = (self._received() - self._before) * 8
        return Goodput(bits / seconds, self.way.loss, sum(self._trips) // len(self._trips))

    def close(self) -> None:
        """End the flows."""
        self._done.set()
        for one in self._receivers + self._senders:
            one.shutdown(socket.SHUT_RDWR)
        for task in self._tasks:
            task.result()
        for one in self._senders + self._receivers:
            one.close()

    def _received(self) -> int:
        counts = (
            one.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, BYTES_RECEIVED.stop)[BYTES_RECEIVED]
            for one in self._receivers
        )
        return sum(int.from_bytes(count, "little") for count in counts)

    def _accept(self) -> None:
        with socket.socket() as listener:
            listener.bind((self._far_address, PORT))
            listener.listen(self.trial.flows)
            self._listening.set()
            for _ in range(self.trial.flows):
                one = listener.accept()[0]
                self._receivers.append(one)
                self._tasks.append(self._far.start(lambda one=one: self._receive(one)))

    def _receive(self, one: socket.socket) -> None:
        # MSG_TRUNC: the bytes are taken, and not copied (tcp(7)).
        one.recv_into(self._bytes, PLENTY, socket.MSG_WAITALL | socket.MSG_TRUNC)

    def _send(self) -> None:
        one = socket.socket()
        name = NAMES[self.trial.strategy].encode()
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name)
        self._senders.append(one)
        one.connect((self._far_address, PORT))
        try:
            one.send(self._bytes)
        except BrokenPipeError:
            assert self._done.is_set()

    def _ping(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as one:
            one.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            one.settimeout(1)
            one.connect((self._far_address, 0))
            sequence = 0
            while not self._done.is_set():
                sequence += 1
                began_ns = time.time_ns()
                one.send(_echo(8, sequence))
                try:
                    packet, notes, _, _ = one.recvmsg(256, 256)
                    while packet[20:] != _echo(0, sequence):
                        packet, notes, _, _ = one.recvmsg(256, 256)
                except TimeoutError:
                    continue  # lost
                seconds, ns = struct.unpack("qq", notes[0][2])
                self._trips.append(seconds * S + ns - began_ns)
                time.sleep(PING_INTERVAL_S)


def _echo(kind: int, sequence: int) -> bytes:
    """Return an ICMP echo request (8) or reply (0) without data (RFC 792)."""
    checksum = 0xFFFF - ((kind << 8) + sequence) % 0xFFFF
    return struct.pack("!BBHHH", kind, 0, checksum, 0, sequence)


def kernels(peers, *trials: Trial) -> list[Goodput]:
    """Measure the kernel's TCP; trials of the same length run at the same time."""
    near, far = peers.kernel, peers.another_kernel()
    for kernel in (near, far):
        kernel.sysctl("ipv4/tcp_no_metrics_save", 1)
    with _urgent():
        flows = [KernelFlows(peers, (near, far), *each) for each in enumerate(trials)]
        scheduler = peers.world.scheduler
        start = scheduler.now
        peers.until(lambda: scheduler.now >= start + trials[0].warm_up_s * S)
        began = scheduler.now
        for one in flows:
            one.begin()
        peers.until(lambda: scheduler.now >= began + trials[0].run_s * S)
        results = [one.result((scheduler.now - began) / S) for one in flows]
        for one in flows:
            one.close()
    return results


@contextmanager
def _urgent() -> Iterator[None]:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, min(before, URGENT))
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, before)
