"""How fast TCP is in a network, held against what is known of it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Interface
from math import sqrt

import pytest

from sdnvirt.addresses import Ipv4, Mac
from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.world import World
from sdnvirt.host.stack import Host
from sdnvirt.host.tcp.congestion import NewReno
from sdnvirt.host.tcp.cubic import Cubic
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.host.tcp.parameters import TcpParameters

S = 10**9
MS = 10**6
BLOCK = bytes(1 << 16)
MSS = 1448
"""Bytes of data in a segment of Ethernet, with timestamps."""


def fill(connection: TcpConnection) -> None:
    """Write as fast as the connection takes it."""

    def go_on() -> None:
        while connection.write(BLOCK) == len(BLOCK):
            pass

    connection.on_connected = connection.on_writable = go_on


def count(host: Host, port: int, **parameters) -> list[int]:
    """Listen; return the number of bytes that have arrived, in a list of one."""
    total = [0]

    def add(data: bytes) -> None:
        total[0] += len(data)

    host.tcp.listen(
        port, lambda one: setattr(one, "on_data", add), parameters=TcpParameters(**parameters)
    )
    return total


def lossy_goodput(p: float, rtt_ms: int, events: int, strategy=NewReno, seed: int = 1) -> float:
    """Return bytes a second over a way that loses with probability p, over so many losses."""
    world = World(seed)
    sender, receiver = Host("sender", world), Host("receiver", world)
    port = sender.add_port(1, "receiver", Mac(2))
    clean = LinkParameters(delay_ns=rtt_ms * MS // 2)
    link = Link(world, "link", port, receiver.add_port(1, "sender", Mac(4)), clean)
    sender.configure(IPv4Interface("10.0.0.1/24"))
    receiver.configure(IPv4Interface("10.0.0.2/24"))
    total = count(receiver, 80, delayed_ack_ns=0)
    connection = sender.tcp.connect(
        Ipv4("10.0.0.2"), 80, parameters=TcpParameters(congestion=strategy)
    )
    assert isinstance(connection, TcpConnection)
    fill(connection)
    world.scheduler.run_until(S)
    link.change(port, replace(clean, loss=p))
    window = sqrt(1.5 / p)  # segments, by the formula
    trip_ns = rtt_ms * MS
    warm_up_ns, run_ns = int(40 * window * trip_ns), int(events / p / window * trip_ns)
    world.scheduler.run_until(S + warm_up_ns)
    before = total[0]
    world.scheduler.run_until(S + warm_up_ns + run_ns)
    assert world.ledger.imbalance() == 0
    return (total[0] - before) / (run_ns / S)


def mathis(p: float, rtt_ms: int) -> float:
    """Return bytes a second by the square-root formula of Mathis and others (1997).

    The constant is that for a receiver which acknowledges every segment, as ours is told to.
    """
    return MSS / (rtt_ms / 1000) * sqrt(1.5) / sqrt(p)


@pytest.mark.parametrize("p", [0.003, 0.006, 0.01])
def test_newreno_follows_the_square_root_formula(p: float) -> None:
    assert lossy_goodput(p, rtt_ms=50, events=200) == pytest.approx(mathis(p, 50), rel=0.15)


@pytest.mark.nightly
@pytest.mark.parametrize("p", [0.0003, 0.0005, 0.001, 0.002])
def test_newreno_follows_the_square_root_formula_with_large_windows(p: float) -> None:
    assert lossy_goodput(p, rtt_ms=50, events=400) == pytest.approx(mathis(p, 50), rel=0.15)


def test_cubic_is_faster_than_newreno_on_long_ways() -> None:
    """RFC 9438, 5.1: where the product of bandwidth and delay is large."""
    cubic, reno = (
        lossy_goodput(0.001, rtt_ms=400, events=30, strategy=strategy)
        for strategy in (Cubic, NewReno)
    )
    assert cubic > 1.3 * reno


def bottleneck(strategy, flows: int, seconds: int, rate_bps: int = 10**7) -> list[int]:
    """Return the bytes of flows that share a link of a bridge for some seconds of virtual time."""
    world = World(seed=3)
    bridge, receiver = Bridge("bridge", world), Host("receiver", world)
    Link(
        world, "bottleneck", bridge.add_port(100, "receiver", Mac(0x1000)),
        receiver.add_port(1, "bridge", Mac(0x200)),
        LinkParameters(rate_bps=rate_bps, delay_ns=10 * MS, queue_bytes=80_000),
    )  # fmt: skip
    receiver.configure(IPv4Interface("10.0.0.100/24"))
    totals = []
    for number in range(flows):
        sender = Host(f"h{number}", world)
        Link(
            world, f"l{number}", sender.add_port(1, "bridge", Mac(2 + 2 * number)),
            bridge.add_port(1 + number, sender.name, Mac(0x1002 + 2 * number)),
            LinkParameters(rate_bps=10**9, delay_ns=MS),
        )  # fmt: skip
        sender.configure(IPv4Interface(f"10.0.0.{number + 1}/24"))
        totals.append(count(receiver, 80 + number))
        connection = sender.tcp.connect(
            Ipv4("10.0.0.100"), 80 + number, parameters=TcpParameters(congestion=strategy)
        )
        assert isinstance(connection, TcpConnection)
        fill(connection)
        world.scheduler.run_until(world.scheduler.now + S)  # the next one begins later
    world.scheduler.run_until(world.scheduler.now + 5 * S)
    before = [total[0] for total in totals]
    world.scheduler.run_until(world.scheduler.now + seconds * S)
    assert world.ledger.imbalance() == 0
    return [total[0] - old for total, old in zip(totals, before, strict=True)]


def jain(shares: list[int]) -> float:
    """Return Jain's fairness index: 1 if all are alike, 1/n if one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


@pytest.mark.parametrize("strategy", [NewReno, Cubic])
def test_two_flows_share_fairly_and_fill_the_link(strategy) -> None:
    shares = bottleneck(strategy, flows=2, seconds=60)
    assert jain(shares) > 0.95
    full = 10**7 / 8 * 60 * MSS / 1514
    assert sum(shares) > 0.95 * full


def test_one_flow_fills_the_link() -> None:
    [share] = bottleneck(Cubic, flows=1, seconds=10)
    assert share > 0.97 * 10**7 / 8 * 10 * MSS / 1514
