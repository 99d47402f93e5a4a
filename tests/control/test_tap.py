"""A device at whose far side is the kernel: a pair of sockets takes the part of a TAP device."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface

import pytest

from sdnvirt.addresses import BROADCAST, Ipv4, Mac
from sdnvirt.control.tap import BATCH, MAX_NAME, TapDevice, TapFile, open_tap
from sdnvirt.control.transport import Transport
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.drops import DropReason
from sdnvirt.errors import UserError
from sdnvirt.host.stack import Host
from sdnvirt.wire.arp import Arp, ArpOp

DELAY_NS = 3_000_000
MAC = Mac("02:00:00:00:00:01")
KERNEL = Mac("02:00:00:00:00:09")


@dataclass
class Joined:
    """A host, and the kernel's end of what it is joined to."""

    world: World
    host: Host
    transport: Transport
    kernel: socket.socket

    def run(self, ns: int) -> None:
        self.transport.pacer.run_until(self.world.scheduler.now + ns)


@pytest.fixture
def joined() -> Iterator[Joined]:
    world = World(seed=1)
    transport = Transport(world.scheduler)
    ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    kernel.setblocking(False)
    host = Host("h1", world)
    tap = TapDevice("tap", world, Mac("02:00:00:00:00:02"), TapFile(ours.detach()), transport)
    parameters = LinkParameters(delay_ns=DELAY_NS)
    Link(world, "h1--tap", host.add_port(1, "tap", MAC), tap.port, parameters)
    host.configure(IPv4Interface("10.0.0.1/24"))
    yield Joined(world, host, transport, kernel)
    transport.close()
    kernel.close()
    assert world.ledger.imbalance() == 0


def request() -> bytes:
    """Return an ARP request of the kernel's for the host."""
    return (
        BROADCAST
        + KERNEL
        + b"\x08\x06"
        + Arp(ArpOp.REQUEST, KERNEL, Ipv4("10.0.0.9"), Mac(0), Ipv4("10.0.0.1")).emit()
    )


def test_frames_go_both_ways(joined: Joined) -> None:
    joined.kernel.send(request())
    joined.run(10 * DELAY_NS)
    answer = joined.kernel.recv(2000)
    assert answer[:6] == KERNEL
    assert answer[6:12] == MAC
    assert joined.world.ledger.delivered == 2


def test_a_frame_arrives_by_the_clock_however_long_the_network_was_busy(joined: Joined) -> None:
    sent: list[int] = []

    def work(_: None) -> None:
        time.sleep(0.05)
        joined.kernel.send(request())
        sent.append(joined.transport.pacer.now)

    joined.world.scheduler.call_at(1, work)
    heard = Heard(joined.world)
    joined.host.interface.port.taps += (heard,)
    joined.run(100_000_000)
    [arrival] = heard.times
    assert arrival >= sent[0] + DELAY_NS


class Heard:
    """A tap that notes when frames arrive."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.times: list[int] = []

    def received(self, _port: object, _frame: object) -> None:
        self.times.append(self._world.scheduler.now)

    def sent(self, _port: object, _frame: object) -> None:
        pass


def test_what_the_kernel_cannot_take_is_a_counted_drop(joined: Joined) -> None:
    frame = joined.world.originate(request(), "h1")
    for _ in range(10_000):
        joined.host.interface.port.send(joined.world.originate(frame.data, "h1"))
    joined.host.interface.port.send(frame)
    joined.run(2 * DELAY_NS)
    reasons = joined.world.ledger.by_reason()
    assert set(reasons) == {DropReason.QUEUE_FULL}
    assert joined.world.ledger.delivered + reasons[DropReason.QUEUE_FULL] == 10_001


def test_a_kernel_that_has_the_device_down(joined: Joined) -> None:
    joined.kernel.close()
    joined.host.interface.port.send(joined.world.originate(request(), "h1"))
    joined.run(2 * DELAY_NS)
    assert joined.world.ledger.by_reason() == {DropReason.LINK_DOWN: 1}


def test_a_flood_from_outside_lets_the_network_go_on(joined: Joined) -> None:
    count = 0
    try:
        while count < 10 * BATCH:
            joined.kernel.send(request())
            count += 1
    except BlockingIOError:
        pass
    joined.run(1)  # one wait at most
    assert joined.world.ledger.sent <= BATCH
    joined.run(10 * DELAY_NS)
    assert joined.host.interface.port.rx_packets == count


def test_closing_the_transport_closes_the_descriptor() -> None:
    reading, writing = os.pipe()
    transport = Transport(World(seed=1).scheduler)
    file = TapFile(reading)
    TapDevice("tap", World(seed=1), MAC, file, transport)
    transport.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reading)
    file.close()
    os.close(writing)


@pytest.mark.parametrize("name", ["", "x" * (MAX_NAME + 1)])
def test_names_that_no_interface_has(name: str) -> None:
    with pytest.raises(UserError, match=f"found the name '{name}', expected 1 to 15 bytes"):
        open_tap(name)


def test_no_tun_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdnvirt.control.tap.CLONE_DEVICE", "/dev/net/none")
    with pytest.raises(UserError, match="TAP device t0: cannot open /dev/net/none: No such file"):
        open_tap("t0")


def test_no_right_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sdnvirt.control.tap.CLONE_DEVICE", "/dev/null")  # takes no such request
    with pytest.raises(UserError, match="TAP device t0: cannot be made: Inappropriate ioctl"):
        open_tap("t0")
