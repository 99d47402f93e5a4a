"""Ports that are chosen by chance (RFC 6056)."""

from __future__ import annotations

import errno
from random import Random

import pytest

from sdnvirt.addresses import Ipv4
from sdnvirt.devices.world import World
from sdnvirt.host.ephemeral import EPHEMERAL_PORTS, choose_port
from sdnvirt.host.stack import Host
from sdnvirt.host.udp import UdpSocket


def udp_ports(seed: int, count: int = 20) -> list[int]:
    host, ports = Host("alice", World(seed)), []
    for _ in range(count):
        socket = UdpSocket(host, 0, lambda *_: None)
        ports.append(socket.port)
        socket.close()
    return ports


def test_they_are_spread_over_the_whole_range() -> None:
    random = Random(1)
    chosen = [choose_port(random, lambda _: True) for _ in range(16_000)]
    assert all(port in EPHEMERAL_PORTS for port in chosen)
    # Of 16 parts each gets 1000, with a standard deviation of 31: five of them are enough.
    parts = [0] * 16
    for port in chosen:
        parts[(port - EPHEMERAL_PORTS.start) * 16 // len(EPHEMERAL_PORTS)] += 1
    assert all(845 < part < 1155 for part in parts)


def test_one_that_is_taken_is_left_out() -> None:
    free = {50_000}
    assert choose_port(Random(1), free.__contains__) == 50_000
    assert choose_port(Random(1), lambda _: False) is None


def test_clients_that_follow_each_other_do_not_share_one() -> None:
    ports = udp_ports(seed=1)
    assert len(set(ports)) == len(ports)


def test_a_run_can_be_repeated() -> None:
    assert udp_ports(seed=1) == udp_ports(seed=1) != udp_ports(seed=2)


def test_tcp_chooses_so_too(pair) -> None:
    dst = Ipv4("10.0.0.2")
    ports = [pair.alice.tcp.connect(dst, 80).local[1] for _ in range(20)]
    listening = [pair.bob.tcp.listen(0, lambda _: None).port for _ in range(20)]
    for chosen in (ports, listening):
        assert len(set(chosen)) == 20
        assert all(port in EPHEMERAL_PORTS for port in chosen)
        assert chosen != sorted(chosen)
    pair.run(1)


def test_there_may_be_none_left(pair) -> None:
    for port in EPHEMERAL_PORTS:
        UdpSocket(pair.alice, port, lambda *_: None)
    with pytest.raises(OSError, match="all ephemeral UDP ports of alice are in use") as raised:
        UdpSocket(pair.alice, 0, lambda *_: None)
    assert raised.value.errno == errno.EADDRINUSE
