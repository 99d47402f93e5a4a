"""A run with everything switched on that can go wrong; prints its digest and what programs found.

Two hosts and a router of hosts speak TCP and UDP over IPv4 and IPv6, over links with every
impairment and discipline, while links, directions, nodes and the controller fail.
"""

from __future__ import annotations

import asyncio
import sys
from ipaddress import IPv6Interface
from typing import Any

from sdnvirt import topology
from sdnvirt.session import open_network

TOPOLOGY = """
name: everything
switches:
  s[1-3]: {kind: openflow}
hosts:
  h[1-3]: {address: '10.0.0.[1-3]/24'}
links:
  - {between: ['h[1-3]', 's[1-3]'], rate: 100Mbit/s, delay: 50us}
  - between: [s1, s2]
    rate: 10Mbit/s
    delay: 2ms
    jitter: 300us
    loss: {to_bad: 1%, to_good: 50%}
    duplicate: 1%
    discipline: {codel: {ecn: true}}
    back: {jitter: {table: [-1ms, 0, 2ms]}, discipline: {red: {min: 5kB, max: 30kB, ecn: true}}}
  - between: [s2, s3]
    rate: 8Mbit/s
    delay: 1ms
    loss: 1%
    corrupt: 1%
    reorder: 2%
    jitter: {uniform: 500us, keep_order: false}
    discipline: {token_bucket: {rate: 6Mbit/s, burst: 15kB}}
    back: {discipline: priority}
controller: {app: controllers/learning_switch.py, delay: 1ms}
timeline:
  - {at: 4s, flap: {link: s1--s2, down: 50ms, up: 200ms, times: 3}}
  - {at: 6s, break: {link: s2--s3, from: s3}}
  - {at: 7s, mend: {link: s2--s3, from: s3}}
  - {at: 8s, controller: stall}
  - {at: 9s, controller: resume}
  - {at: 10s, crash: s2}
  - {at: 11s, restart: s2}
  - {at: 12s, controller: kill}
  - {at: 13s, controller: restart}
  - {at: 14s, partition: [s1, 's[2-3]']}
  - {at: 15s, heal: true}
  - {at: 16s, change: {link: s2--s3, loss: 3%, discipline: tail_drop}}
"""

ADDRESSES = {"h2": ("10.0.0.2", "2001:db8::2"), "h3": ("10.0.0.3", "2001:db8::3")}
SIZE = 2_000_000


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    writer.close()


async def transfer(address: str, found: list[str]) -> None:
    """Send bytes to an echo server, and note how many came back and when."""
    reader, writer = await asyncio.open_connection(address, 7)
    data = bytes(range(250)) * (SIZE // 250)
    writer.write(data)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    right = answer == data
    found.append(f"{address} {right} {asyncio.get_running_loop().time():.9f}")


def main() -> None:
    """Run for five minutes of virtual time, longer than anything takes."""
    found: list[str] = []
    with open_network(topology.loads(TOPOLOGY, "everything.yaml")) as net:
        for number in (1, 2, 3):
            host: Any = net[f"h{number}"].host
            host.add_address(IPv6Interface(f"2001:db8::{number}/64"))
        net.run_until("3s")
        for name in ADDRESSES:
            net[name].run(asyncio.start_server(echo, port=7))
        for addresses in ADDRESSES.values():
            for address in addresses:
                net["h1"].run(transfer(address, found))
        net.run_until("300s")
        drops = {reason.name: count for reason, count in net.world.ledger.by_reason().items()}
        imbalance = net.world.ledger.imbalance()
        sys.stdout.write(f"{net.trace.digest.hexdigest()} {imbalance} {sorted(found)}\n{drops}\n")


if __name__ == "__main__":
    main()
