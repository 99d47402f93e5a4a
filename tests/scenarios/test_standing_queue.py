"""What a queue discipline does to the delay of others while TCP fills a slow link."""

from __future__ import annotations

import asyncio

import pytest

from sdnvirt.devices.disciplines import CoDel, Discipline, Red
from sdnvirt.network.network import Network

SLOW = """
    name: slow
    switches:
      b[1-2]: {kind: bridge}
    hosts:
      h[1-4]: {address: '10.0.0.[1-4]/24'}
    links:
      - {between: ['h[1-2]', b1], rate: 1Gbit/s}
      - {between: [b1, b2], rate: 10Mbit/s, delay: 10ms, queue: 256kB}
      - {between: ['h[3-4]', b2], rate: 1Gbit/s}
"""

BASE_MS = 20
"""Round trip time without a queue."""


def queueing_ms(network: Network, discipline: Discipline | None) -> float:
    """Return what the queue adds to the round trips of a ping, in the mean, while TCP sends."""
    network.faults.change("b1--b2", start="b1", discipline=discipline)

    async def sink(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            pass

    async def source() -> None:
        _, writer = await asyncio.open_connection("10.0.0.3", 9)
        while True:
            writer.write(bytes(1 << 16))
            await writer.drain()

    network["h3"].run(asyncio.start_server(sink, port=9))
    network["h1"].run(source())
    network.run_for("10s")
    result = network["h2"].ping("h4", count=100, interval="97ms")
    assert result.received >= 90
    assert result.avg_ns is not None
    return result.avg_ns / 1e6 - BASE_MS


@pytest.mark.topology(text=SLOW)
def test_tail_drop_lets_a_queue_stand_as_long_as_it_holds(network: Network) -> None:
    assert queueing_ms(network, None) > 100  # of 205 ms that fit


@pytest.mark.topology(text=SLOW)
def test_codel_keeps_the_queue_near_its_target(network: Network) -> None:
    codel = CoDel()
    assert queueing_ms(network, codel) < 2 * codel.target_ns / 1e6


@pytest.mark.topology(text=SLOW)
def test_red_keeps_the_queue_between_its_thresholds(network: Network) -> None:
    red = Red(min_bytes=15_000, max_bytes=45_000)  # 12 and 36 ms
    assert queueing_ms(network, red) < 36
