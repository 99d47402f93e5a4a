"""``iperf -s``: receives whatever comes to its port, and tells how fast it came."""

from __future__ import annotations

import asyncio
import os
from argparse import Namespace
from contextlib import suppress
from typing import Any, Final

from sdnvirt.commands.command import Failure, Surroundings
from sdnvirt.commands.iperf import datagram
from sdnvirt.commands.iperf.report import (
    HEAD,
    HEAD_UDP,
    RULE,
    Datagrams,
    Flow,
    Reporter,
    window,
)
from sdnvirt.host.tcp.parameters import DEFAULT_PARAMETERS
from sdnvirt.units import NS_PER_S

CHUNK: Final = 1 << 18
"""Bytes that are read at once."""

PEERS_LIMIT: Final = 1000
"""Streams of datagrams that are counted at once; more are ignored."""

LATE_NS: Final = NS_PER_S
"""How long behind its last datagram those of a stream may come that it overtook; they begin no
stream of their own."""


async def server(given: Namespace, at: Surroundings) -> int:
    """Receive until somebody stops it; return the exit status."""
    protocol = "UDP" if given.udp else "TCP"
    at.out.line(RULE)
    at.out.line(f"Server listening on {protocol} port {given.port}")
    if not given.udp:
        at.out.line(window(DEFAULT_PARAMETERS.receive_buffer))
    at.out.line(RULE)
    reporter = Reporter(at, HEAD_UDP if given.udp else HEAD)
    listen = _listen_udp if given.udp else _listen_tcp
    try:
        endpoints = await listen(given, at, reporter)
    except OSError as error:
        raise Failure(f"bind failed: {os.strerror(error.errno or 0)}") from None
    try:
        await asyncio.Event().wait()  # until somebody stops it
    except asyncio.CancelledError:
        for flow in list(reporter.flows):
            reporter.close(flow)
    finally:
        for one in endpoints:
            one.close()
    return 0


async def _report(given: Namespace, at: Surroundings, reporter: Reporter, flow: Flow) -> None:
    """Tell of a stream in intervals."""
    n = 1
    while True:
        await at.sleep_until(flow.start_ns + n * given.interval)
        n += 1
        if flow.end_ns is not None:
            return
        reporter.intervals([flow])


def _open(given: Namespace, at: Surroundings, reporter: Reporter, local: Any, remote: Any) -> Flow:
    flow = reporter.open(local[:2], remote[:2])
    if given.interval is not None:
        report = asyncio.get_running_loop().create_task(_report(given, at, reporter, flow))
        flow.task = report
    return flow


async def _listen_tcp(given: Namespace, at: Surroundings, reporter: Reporter) -> list[Any]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = (writer.get_extra_info(one) for one in ("sockname", "peername"))
        flow = _open(given, at, reporter, *ends)
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                flow.size += len(data)
        writer.close()
        if flow in reporter.flows:
            reporter.close(flow)

    return [await asyncio.start_server(serve, port=given.port)]


async def _listen_udp(given: Namespace, at: Surroundings, reporter: Reporter) -> list[Any]:
    loop = asyncio.get_running_loop()
    made: list[Any] = []
    try:
        for anywhere in ("0.0.0.0", "::"):
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Receiver(given, at, reporter), local_addr=(anywhere, given.port)
            )
            made.append(transport)
    except OSError:
        for one in made:
            one.close()
        raise
    return made


class _Receiver(asyncio.DatagramProtocol):
    """Counts the datagrams of each peer."""

    def __init__(self, given: Namespace, at: Surroundings, reporter: Reporter) -> None:
        self._given = given
        self._at = at
        self._reporter = reporter
        self._transport: Any = None
        self._flows: dict[Any, Flow] = {}
        self._told: dict[Any, tuple[bytes, int]] = {}

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        found = datagram.read(data)
        if found is None:
            return
        number, sent_ns = found
        flow = self._flows.get(addr)
        if number < 0:
            self._finish(data, addr, flow)
        elif number > 0:
            if flow is None:
                _, ended_ns = self._told.get(addr, (b"", -LATE_NS))
                late = number > 1 and self._at.now < ended_ns + LATE_NS
                if late or len(self._flows) >= PEERS_LIMIT:
                    return
                flow = self._begin(addr)
            assert flow.datagrams is not None
            flow.size += len(data)
            flow.datagrams.take(number, sent_ns, self._at.now)

    def _begin(self, addr: Any) -> Flow:
        from sdnvirt.programs.endpoint import address_of

        local = (str(self._at.host.ip.source_for(address_of(addr[0]))), self._port())
        flow = _open(self._given, self._at, self._reporter, local, addr)
        self._flows[addr] = flow
        flow.datagrams = Datagrams()
        self._told.pop(addr, None)
        return flow

    def _port(self) -> int:
        port: int = self._transport.get_extra_info("sockname")[1]
        return port

    def _finish(self, data: bytes, addr: Any, flow: Flow | None) -> None:
        """Answer the last datagram, also when it comes again since the answer was lost."""
        if flow is not None:
            del self._flows[addr]
            assert flow.datagrams is not None
            one = flow.datagrams
            if flow in self._reporter.flows:
                self._reporter.close(flow)
            duration_ns = self._at.now - flow.start_ns
            report = datagram.ServerReport(
                flow.size, duration_ns, one.missing, one.late, one.last, round(one.jitter_ns)
            )
            if len(self._told) >= PEERS_LIMIT:
                del self._told[next(iter(self._told))]
            self._told[addr] = (datagram.emit_report(data, report), self._at.now)
        if addr in self._told:
            self._transport.sendto(self._told[addr][0], addr)
