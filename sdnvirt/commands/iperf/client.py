"""``iperf -c``: sends for a while or an amount, over TCP or UDP."""

from __future__ import annotations

import asyncio
import os
import socket
from argparse import Namespace
from typing import Any, Final

from sdnvirt.addresses import IpAddress, Ipv4
from sdnvirt.commands.command import Failure, Surroundings
from sdnvirt.commands.iperf import datagram
from sdnvirt.commands.iperf.report import HEAD, HEAD_UDP, RULE, Flow, Reporter, loss, row, window
from sdnvirt.host.tcp.parameters import DEFAULT_PARAMETERS
from sdnvirt.host.tcp.send_buffer import SendBuffer
from sdnvirt.programs.endpoint import address_of
from sdnvirt.units import NS_PER_S

BLOCK: Final = 128 * 1024
"""Bytes of a write over TCP, iperf's own."""

DATAGRAM: Final = {4: 1470, 16: 1450}
"""Bytes of a datagram by the length of the address: they fit an Ethernet frame."""

FIN_TIMES: Final = 10
FIN_WAIT_S: Final = 0.25
"""How often the end is told, and how long each time an answer is waited for."""

DEFAULT_RATE: Final = 1 << 20
"""Bits a second of UDP."""

_NS_PER_US: Final = 1000


async def client(given: Namespace, at: Surroundings) -> int:
    """Send to a server; return the exit status."""
    try:
        peer = await at.resolve(given.client)
    except socket.gaierror:
        raise Failure(f"error: Name or service not known\n{given.client}") from None
    protocol = "UDP" if given.udp else "TCP"
    at.out.line(RULE)
    at.out.line(f"Client connecting to {given.client}, {protocol} port {given.port}")
    if given.udp:
        length = given.length or DATAGRAM[len(peer)]
        gap_us = length * 8 * 10**6 / given.bandwidth
        target = f"IPG target: {gap_us:.2f} us (kalman adjust)"
        at.out.line(f"Sending {length} byte datagrams, {target}")
    else:
        at.out.line(window(DEFAULT_PARAMETERS.send_buffer))
    at.out.line(RULE)
    reporter = Reporter(at, HEAD)
    send = _send_datagrams if given.udp else _send_stream
    flows: list[Flow] = []
    reports = asyncio.get_running_loop().create_task(_report(given, at, reporter))
    senders = [send(given, at, peer, reporter, flows) for _ in range(given.parallel)]
    try:
        done = await asyncio.gather(*senders, return_exceptions=True)
    finally:
        reports.cancel()
    for error in done:
        if isinstance(error, OSError):
            raise Failure(f"tcp connect failed: {os.strerror(error.errno or 0)}")
        if isinstance(error, BaseException):
            raise error
    reporter.total(flows)
    return 1 if any(flow.lost for flow in flows) else 0


async def _report(given: Namespace, at: Surroundings, reporter: Reporter) -> None:
    """Tell of the streams in intervals, if that is asked for."""
    if given.interval is None:
        return
    await reporter.opened.wait()
    n, begun_ns = 1, at.now
    while True:
        await at.sleep_until(begun_ns + n * given.interval)
        n += 1
        shown = [
            one
            for one in reporter.flows
            if one.active or at.now == one.start_ns + given.time  # the last one ends just now
        ]
        reporter.intervals(shown)


async def _send_stream(
    given: Namespace, at: Surroundings, peer: IpAddress, reporter: Reporter, flows: list[Flow]
) -> None:
    reader, writer = await asyncio.open_connection(str(peer), given.port)
    flow = reporter.open(*_ends(writer))
    flows.append(flow)
    sending = _send_buffer(at, writer)
    first = sending.start
    block = bytes(given.length or BLOCK)
    end_ns = flow.start_ns + given.time
    try:
        while given.amount is not None or at.now < end_ns:
            if given.amount is not None:
                block = block[: given.amount - flow.size]
                if not block:
                    break
            writer.write(block)
            flow.size += len(block)
            if given.amount is not None:
                await writer.drain()
            else:
                async with asyncio.timeout_at(end_ns / NS_PER_S):
                    await writer.drain()
    except OSError as error:
        _tell_lost(error, at, flow)  # or the time is over
    try:
        flow.active = False
        if not flow.lost:
            writer.write_eof()
            await reader.read()  # the server ends its stream when it has all
    except OSError as error:
        _tell_lost(error, at, flow)
    finally:
        if flow.lost:  # what waited in buffers went nowhere
            flow.size = sending.start - first
        writer.close()
        reporter.close(flow)


def _send_buffer(at: Surroundings, writer: asyncio.StreamWriter) -> SendBuffer:
    """Return what waits for the peer's acknowledgement, which begins where that ends."""
    (own, port), (peer, peer_port) = _ends(writer)
    connection = at.host.tcp.connections[address_of(own), port, address_of(peer), peer_port]
    return connection.machine.sender.buffer


def _tell_lost(error: OSError, at: Surroundings, flow: Flow) -> None:
    """Tell why a connection was lost; asyncio's own TimeoutError has no number."""
    if error.errno is not None:
        flow.lost = True
        at.out.line(f"write failed: {os.strerror(error.errno)}")


def _ends(transport: Any) -> tuple[tuple[str, int], tuple[str, int]]:
    return (
        transport.get_extra_info("sockname")[:2],
        transport.get_extra_info("peername")[:2],
    )


async def _send_datagrams(
    given: Namespace, at: Surroundings, peer: IpAddress, reporter: Reporter, flows: list[Flow]
) -> None:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        _Answers, remote_addr=(str(peer), given.port)
    )
    local, remote = _ends(transport)
    if local[0] in ("0.0.0.0", "::"):
        local = (str(at.host.ip.source_for(peer)), local[1])
    flow = reporter.open(local, remote)
    flows.append(flow)
    length = given.length or DATAGRAM[4 if isinstance(peer, Ipv4) else 16]
    sent = 0
    try:
        while _goes_on(given, at, flow, sent, length):
            sent += 1
            transport.sendto(datagram.stamp(sent, at.now, length))
            flow.size += length
            gap_ns = sent * length * 8 * NS_PER_S // given.bandwidth
            await at.sleep_until(flow.start_ns + gap_ns)
        reporter.close(flow)
        at.out.line(f"[{flow.number:3}] Sent {sent} datagrams")
        await _ask(transport, protocol, at, flow, sent, length)
    finally:
        transport.close()


def _goes_on(given: Namespace, at: Surroundings, flow: Flow, sent: int, length: int) -> bool:
    if given.amount is not None:
        return bool(sent * length < given.amount)
    return bool(at.now < flow.start_ns + given.time)


async def _ask(
    transport: Any, protocol: _Answers, at: Surroundings, flow: Flow, sent: int, length: int
) -> None:
    """Tell the server that this was all, and print what it found out."""
    for _ in range(FIN_TIMES):
        transport.sendto(datagram.stamp(-(sent + 1), at.now, length))
        try:
            async with asyncio.timeout(FIN_WAIT_S):
                await protocol.answered.wait()
        except TimeoutError:
            continue
        break
    report = protocol.report
    if report is None:
        at.out.line(
            f"[{flow.number:3}] WARNING: did not receive ack of last datagram after "
            f"{FIN_TIMES} tries."
        )
        return
    at.out.line(f"[{flow.number:3}] Server Report:")
    at.out.line(HEAD_UDP)
    told = row(flow.number, 0, report.duration_ns, report.size)
    at.out.line(told + loss(report.jitter_ns, report.lost, report.total))
    if report.late:
        time = f"{0:4.4f}-{report.duration_ns / NS_PER_S:4.4f} sec"
        late = f"{report.late} datagrams received out-of-order"
        at.out.line(f"[{flow.number:3}] {time}  {late}")


class _Answers(asyncio.DatagramProtocol):
    """Waits for the server's report."""

    def __init__(self) -> None:
        self.report: datagram.ServerReport | None = None
        self.answered = asyncio.Event()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.report = datagram.parse_report(data)
        if self.report is not None:
            self.answered.set()
