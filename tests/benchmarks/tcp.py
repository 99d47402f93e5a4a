"""TCP between hosts: bulk data over one switch, and 1,000 connections at once.

*Bulk*: one connection writes as fast as it can, over an OpenFlow switch with a flow entry each way,
links of 1 Gbit/s and an MTU of 1500 bytes; every segment is made, sent, switched, checked and
acknowledged. *Connections*: 1,000 connections open at one time, each sends a question of 100
bytes, gets 1,000 bytes of answer, and closes.
"""

from __future__ import annotations

import time
import tracemalloc
from ipaddress import IPv4Interface, IPv6Interface
from typing import Final

from measurement import arguments, in_turns, report, summary

from sdnvirt.addresses import IpAddress, Ipv4, Ipv6, Mac
from sdnvirt.devices.link import Link, LinkParameters
from sdnvirt.devices.switch import OpenFlowSwitch
from sdnvirt.devices.world import World
from sdnvirt.engine.scheduler import relaxed_collector
from sdnvirt.host.stack import Host
from sdnvirt.host.tcp.endpoint import TcpConnection
from sdnvirt.openflow.v13.actions import Output
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.instructions import ApplyActions
from sdnvirt.openflow.v13.match import Match
from sdnvirt.units import NS_PER_S

LINK: Final = LinkParameters(rate_bps=10**9, delay_ns=5_000)
PORT: Final = 80
WRITE: Final = bytes(range(256)) * 256
QUESTION: Final = bytes(100)
ANSWER: Final = bytes(1000)
ADDRESSES: Final[dict[str, tuple[IpAddress, IpAddress]]] = {
    "IPv4": (Ipv4("10.0.0.1"), Ipv4("10.0.0.2")),
    "IPv6": (Ipv6("2001:db8::1"), Ipv6("2001:db8::2")),
}


def two_hosts(family: str) -> tuple[World, Host, Host]:
    """Return two hosts on one switch, with flow entries between them."""
    world = World(seed=1)
    switch = OpenFlowSwitch("s1", world, 1)
    hosts = []
    for number in (1, 2):
        host = Host(f"h{number}", world)
        Link(
            world, f"h{number}--s1", host.add_port(1, "s1", Mac(number << 1)),
            switch.add_port(number, host.name, Mac(0x100 + number)), LINK,
        )  # fmt: skip
        entry = (ApplyActions((Output(3 - number),)),)
        switch.modify_flow(FlowMod(priority=1, match=Match.of(in_port=number), instructions=entry))
        if family == "IPv4":
            host.configure(IPv4Interface(f"{ADDRESSES[family][number - 1]}/24"))
        else:
            host.interface.enable_ipv6(autoconfigure=False)
            host.configure(IPv6Interface(f"{ADDRESSES[family][number - 1]}/64"))
        hosts.append(host)
    world.scheduler.run_until(5 * NS_PER_S)  # duplicate address detection
    return world, hosts[0], hosts[1]


def bulk(family: str, size: int) -> dict[str, float]:
    """Send so many bytes over one connection; return Mbit for each second of wall and CPU time."""
    world, client, server = two_hosts(family)
    received = 0

    def count(data: bytes) -> None:
        nonlocal received
        received += len(data)
        if received >= size:
            world.scheduler.stop()

    client_side = client.tcp.connect(ADDRESSES[family][1], PORT)
    assert isinstance(client_side, TcpConnection)
    server.tcp.listen(PORT, lambda one: setattr(one, "on_data", count))
    connection: TcpConnection = client_side

    def fill() -> None:
        while connection.writable >= len(WRITE):
            connection.write(WRITE)
        connection.write(WRITE)

    connection.on_connected = connection.on_writable = fill
    wall, cpu = time.perf_counter(), time.process_time()
    with relaxed_collector():
        world.scheduler.run_until(world.scheduler.now + 1000 * NS_PER_S)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert received >= size
    return {"wall": received * 8 / 1e6 / wall, "cpu": received * 8 / 1e6 / cpu}


def many(count: int) -> dict[str, float]:
    """Ask and answer on so many connections at once; return seconds of CPU and bytes of memory."""
    world, client, server = two_hosts("IPv4")
    answered = 0

    def serve(connection: TcpConnection) -> None:
        connection.on_data = lambda _: connection.write(ANSWER) and connection.shutdown_write()
        connection.on_eof = connection.close

    def ask() -> TcpConnection:
        asked = client.tcp.connect(ADDRESSES["IPv4"][1], PORT)
        assert isinstance(asked, TcpConnection)
        connection: TcpConnection = asked

        def end() -> None:
            nonlocal answered
            answered += 1
            connection.close()

        connection.on_connected = lambda: connection.write(QUESTION) and None
        connection.on_eof = end
        return connection

    tracemalloc.start()
    server.tcp.listen(PORT, serve, backlog=count)
    before = tracemalloc.get_traced_memory()[0]
    connections = [ask() for _ in range(count)]
    memory = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    cpu = time.process_time()
    with relaxed_collector():
        world.scheduler.run_until(world.scheduler.now + 20 * NS_PER_S)
    cpu = time.process_time() - cpu
    assert answered == len(connections) == count
    return {"cpu": cpu, "bytes": memory / count}


def main() -> None:
    """Measure, and print the figures."""
    options = arguments(__doc__).parse_args()
    repeats = 1 if options.quick else options.repeats
    size = 1_000_000 if options.quick else 40_000_000
    count = 100 if options.quick else 1000
    rows = in_turns({family: lambda f=family: bulk(f, size) for family in ADDRESSES}, repeats)
    asked = in_turns({"": lambda: many(count)}, repeats)[""]
    report(
        "tcp",
        bulk_mbit_per_wall_s={
            family: summary(one["wall"] for one in row) for family, row in rows.items()
        },
        bulk_mbit_per_cpu_s={
            family: summary(one["cpu"] for one in row) for family, row in rows.items()
        },
        connections=count,
        connections_cpu_s=summary(one["cpu"] for one in asked),
        bytes_per_connection=summary((one["bytes"] for one in asked), None),
    )


if __name__ == "__main__":
    main()
