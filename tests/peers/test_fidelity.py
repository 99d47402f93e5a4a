"""How fast TCP is: ours in virtual time against the Linux kernel's in real time, over one way.

What lies between the two kernels is an emulated link, too: it takes the part of a second pair of
hosts with netem, which few kernels have built in. So both see the same loss, delay and queue, and
what differs is TCP.
"""

from __future__ import annotations

import selectors
import socket
from dataclasses import dataclass
from ipaddress import IPv4Interface
from threading import Event
from typing import Final

import pytest

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.host.stack import Host
from sdnvirt.host.tcp.congestion import CongestionControl, NewReno
from sdnvirt.host.tcp.cubic import Cubic
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.parameters import TcpParameters

MS: Final = 10**6
S: Final = 10**9
PORT: Final = 80
BLOCK: Final = bytes(1 << 16)
NAMES: Final = {NewReno: "reno", Cubic: "cubic"}


@dataclass(frozen=True)
class Trial:
    """Flows over one way.

    Attributes:
        way: the bottleneck, in the direction of the data.
        flows: how many there are at once; where no rate limits them, they are independent.
        warm_up_s, run_s: time until the counting begins, and of the counting.
    """

    way: LinkParameters
    flows: int
    warm_up_s: int
    run_s: int

    @property
    def back(self) -> LinkParameters:
        """The direction of the acknowledgements: as long, and nothing else."""
        return LinkParameters(delay_ns=self.way.delay_ns)


def ours(trial: Trial, strategy: type[CongestionControl], seed: int = 1) -> float:
    """Return the bits of data a second that our TCP brings over."""
    world = World(seed)
    sender, receiver = Host("sender", world), Host("receiver", world)
    Link(
        world, "way",
        sender.add_port(1, "receiver", Mac(2)), receiver.add_port(1, "sender", Mac(4)),
        trial.way, trial.back,
    )  # fmt: skip
    sender.configure(IPv4Interface("10.9.0.1/24"))
    receiver.configure(IPv4Interface("10.9.0.2/24"))
    total = 0

    def add(data: bytes) -> None:
        nonlocal total
        total += len(data)

    receiver.tcp.listen(PORT, lambda one: setattr(one, "on_data", add))
    for _ in range(trial.flows):
        connection = sender.tcp.connect(
            Ipv4("10.9.0.2"), PORT, parameters=TcpParameters(congestion=strategy)
        )
        assert isinstance(connection, TcpConnection)
        fill(connection)
    world.scheduler.run_until(trial.warm_up_s * S)
    before = total
    world.scheduler.run_until((trial.warm_up_s + trial.run_s) * S)
    assert world.ledger.imbalance() == 0
    return (total - before) * 8 / trial.run_s


def fill(connection: TcpConnection) -> None:
    """Write as fast as the connection takes it."""

    def go_on() -> None:
        while connection.write(BLOCK) == len(BLOCK):
            pass

    connection.on_connected = connection.on_writable = go_on


def kernels(peers, trial: Trial, strategy: type[CongestionControl]) -> float:
    """Return the bits of data a second that the kernel's TCP brings over."""
    bridge = Bridge("bridge", peers.world)
    near, far = peers.kernel, peers.another_kernel()
    peers.tap(peers.port(bridge, "tap0"), "10.9.0.1/24", parameters=LinkParameters(), kernel=near)
    way = peers.tap(peers.port(bridge, "tap1"), "10.9.0.2/24", kernel=far)
    way.change(way.ends[0], trial.way)
    way.change(way.ends[1], trial.back)
    for kernel in (near, far):
        kernel.sysctl("ipv4/tcp_no_metrics_save", 1)
    total = 0
    done = Event()

    def listen() -> socket.socket:
        listener = socket.socket()
        listener.bind(("10.9.0.2", PORT))
        listener.listen(trial.flows)
        return listener

    def receive() -> None:
        nonlocal total
        selector = selectors.DefaultSelector()
        selector.register(listener, selectors.EVENT_READ)
        sockets = []
        while not done.is_set():
            for key, _ in selector.select(0.1):
                if key.fileobj is listener:
                    sockets.append(listener.accept()[0])
                    selector.register(sockets[-1], selectors.EVENT_READ)
                else:
                    total += len(key.fileobj.recv(1 << 20))
        for one in sockets:
            one.close()

    def send() -> None:
        selector = selectors.DefaultSelector()
        sockets = []
        for _ in range(trial.flows):
            one = socket.socket()
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, NAMES[strategy].encode())
            one.setblocking(False)
            one.connect_ex(("10.9.0.2", PORT))
            selector.register(one, selectors.EVENT_WRITE)
            sockets.append(one)
        while not done.is_set():
            for key, _ in selector.select(0.1):
                key.fileobj.send(BLOCK)
        for one in sockets:
            one.close()

    listener = far.do(listen)
    tasks = [far.start(receive), near.start(send)]
    scheduler = peers.world.scheduler
    start = scheduler.now
    peers.until(lambda: scheduler.now >= start + trial.warm_up_s * S)
    before, began = total, scheduler.now
    peers.until(lambda: scheduler.now >= began + trial.run_s * S)
    after, ended = total, scheduler.now
    done.set()
    for task in tasks:
        task.result()
    listener.close()
    return (after - before) * 8 * S / (ended - began)


DEEP: Final = Trial(LinkParameters(rate_bps=10**7, delay_ns=20 * MS, queue_bytes=50_000), 1, 2, 4)
"""A queue as long as the product of rate and round trip: one flow fills the link."""

SHALLOW: Final = Trial(
    LinkParameters(rate_bps=10**7, delay_ns=20 * MS, queue_bytes=15_000), 1, 5, 12
)
"""A queue of a third of that: what is lost at its tail costs something."""


@pytest.mark.parametrize("strategy", NAMES, ids=lambda one: one.__name__)
@pytest.mark.parametrize(
    "trial", [DEEP, pytest.param(SHALLOW, marks=pytest.mark.nightly)], ids=["deep", "shallow"]
)
def test_as_fast_as_the_kernels(peers, trial: Trial, strategy: type[CongestionControl]) -> None:
    assert ours(trial, strategy) == pytest.approx(kernels(peers, trial, strategy), rel=0.1)
