"""traceroute: which routers are on the way, as the Linux tool prints it.

Probes go out one after the other, by UDP to a port where nobody listens, or by ICMP echo requests.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from argparse import Namespace
from contextlib import suppress
from typing import Final, NamedTuple

from sdnvirt.addresses import ANY_IPV4, ANY_IPV6, IpAddress, Ipv4
from sdnvirt.commands.command import Command, Failure, Surroundings, add_family
from sdnvirt.commands.options import PORT, Number, Options, seconds
from sdnvirt.commands.targets import Target, find_target
from sdnvirt.host.echo import EchoReply, EchoSocket
from sdnvirt.host.icmp import Problem, Report
from sdnvirt.host.paths import Path
from sdnvirt.host.routes import Refusal, TooBig
from sdnvirt.host.udp import UdpSocket
from sdnvirt.units import NS_PER_S
from sdnvirt.wire import ipv4, ipv6, udp

FIRST_PORT: Final = 33434
"""UDP port of the first probe; each has the next."""

PAYLOAD: Final = 32
"""Bytes of data of a probe, which make packets of 60 bytes of IPv4 and 80 of IPv6."""

MARKS: Final = {
    Problem.NETWORK: "!N",
    Problem.HOST: "!H",
    Problem.PROTOCOL: "!P",
    Problem.TOO_BIG: "!F",
    Problem.NETWORK_PROHIBITED: "!X",
    Problem.HOST_PROHIBITED: "!X",
    Problem.PROHIBITED: "!X",
}
"""What stands behind the time of a probe that a router refused."""


class Answer(NamedTuple):
    """What came back for a probe.

    Attributes:
        who: its sender.
        mark: what is to be said of it, or "".
        last: whether nothing is to be looked for behind it.
        time_ns: when it came.
    """

    who: IpAddress
    mark: str
    last: bool
    time_ns: int


class Traceroute(Command):
    """traceroute: the routers on the way to a host."""

    summary = "print the routers on the way to a host"

    def options(self, name: str) -> Options:
        """Return the options of Linux's traceroute that mean something here."""
        options = Options(name, self.summary)
        add_family(options)
        options.add_argument("-I", "--icmp", action="store_true", help="probe by ICMP echo")
        options.add_argument("-n", dest="numeric", action="store_true", help="no names")
        options.add_argument(
            "-f", dest="first", type=Number(1, 255), default=1, help="hop to begin with"
        )
        options.add_argument(
            "-m", dest="hops", type=Number(1, 255), default=30, help="hops to try at most"
        )
        options.add_argument(
            "-q", dest="queries", type=Number(1, 10), default=3, help="probes for each hop"
        )
        options.add_argument(
            "-w", dest="wait", type=seconds, default=5 * NS_PER_S, help="seconds for an answer"
        )
        options.add_argument(
            "-p", dest="port", type=PORT, default=FIRST_PORT, help="port of the first probe"
        )
        options.add_argument("-i", dest="interface", help="interface or address to send from")
        options.add_argument("target")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Probe hop after hop until the target answers."""
        target = await find_target(given, at, "traceroute")
        path = at.host.ip.path(target.address, target.source, target.interface)
        if not isinstance(path, Path):
            raise Failure("connect: Network is unreachable", 1)
        header = ipv4.HEADER_LENGTH if isinstance(target.address, Ipv4) else ipv6.HEADER_LENGTH
        size = header + udp.HEADER_LENGTH + PAYLOAD
        at.out.line(
            f"traceroute to {target.name} ({target.address}), {given.hops} hops max, "
            f"{size} byte packets"
        )
        kind = _Echoes if given.icmp else _Datagrams
        probes = kind(at, target, path, given.port)
        with suppress(asyncio.CancelledError):
            try:
                await _trace(given, at, probes)
            finally:
                probes.close()
        return 0


async def _trace(given: Namespace, at: Surroundings, probes: _Probes) -> None:
    for hop in range(given.first, given.hops + 1):
        at.out.write(f"{hop:2} ")
        before: IpAddress | None = None
        last = False
        for _ in range(given.queries):
            sent_ns = at.now
            answer = await probes.ask(hop, given.wait)
            if answer is None:
                at.out.write(" *")
                continue
            if answer.who != before:
                name = "" if given.numeric else f" ({answer.who})"
                at.out.write(f" {answer.who}{name}")
                before = answer.who
            at.out.write(f"  {(answer.time_ns - sent_ns) // 1000 / 1000:.3f} ms")
            if answer.mark:
                at.out.write(f" {answer.mark}")
            last |= answer.last
        at.out.line()
        if last:
            return


class _Probes(ABC):
    """Probes of one kind; what they have in common."""

    def __init__(self, at: Surroundings, target: Target, path: Path, port: int) -> None:
        self._at = at
        self._target = target
        self._path = path
        self._port = port
        self._number = 0
        self._waiting: asyncio.Future[Answer] | None = None

    async def ask(self, hop_limit: int, wait_ns: int) -> Answer | None:
        """Send a probe; return what comes back, or None if nothing does in time."""
        self._number += 1
        self._waiting = asyncio.get_running_loop().create_future()
        refused = self._send(hop_limit)
        if isinstance(refused, TooBig):
            raise Failure(f"send: Message too long, mtu {refused.mtu}")
        if refused is not None:
            raise Failure("send: Network is unreachable")
        try:
            async with asyncio.timeout(wait_ns / NS_PER_S):
                return await self._waiting
        except TimeoutError:
            return None
        finally:
            self._waiting = None

    @abstractmethod
    def close(self) -> None:
        """Release what the probes hold."""

    @abstractmethod
    def _send(self, hop_limit: int) -> Refusal | None:
        """Send a probe; return why it was refused, or None."""

    def _answer(self, who: IpAddress, mark: str, last: bool) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(who, mark, last, self._at.now))

    def _reported(self, report: Report) -> None:
        problem = report.problem
        if problem is Problem.HOP_LIMIT:
            self._answer(report.reporter, "", False)
        elif problem is Problem.PORT:
            arrived = report.reporter == self._target.address
            self._answer(report.reporter, "" if arrived else "!p", True)
        else:
            mark = "!?" if problem is None else MARKS.get(problem, "!?")
            self._answer(report.reporter, mark, True)

    def _unresolved(self, _text: str) -> None:
        """The next hop has no MAC address: this host says so itself."""
        self._answer(self._path.src, "!H", True)


class _Datagrams(_Probes):
    """Probes by UDP, each to a port of its own: so errors tell which one they are about."""

    def __init__(self, at: Surroundings, target: Target, path: Path, port: int) -> None:
        super().__init__(at, target, path, port)
        anywhere = ANY_IPV4 if isinstance(target.address, Ipv4) else ANY_IPV6
        self._socket = UdpSocket(
            at.host, 0, self._arrived, address=target.source or anywhere,
            on_error=self._unresolved,
        )  # fmt: skip
        self._socket.on_report = self._heard

    def close(self) -> None:
        self._socket.close()

    @property
    def _probed(self) -> int:
        return (self._port + self._number - 2) % 0xFFFF + 1

    def _send(self, hop_limit: int) -> Refusal | None:
        self._socket.hop_limit = hop_limit
        return self._socket.send(self._target.address, self._probed, bytes(PAYLOAD))

    def _heard(self, dst: IpAddress, port: int, report: Report) -> None:
        if (dst, port) == (self._target.address, self._probed):
            self._reported(report)

    def _arrived(self, src: IpAddress, port: int, _data: bytes, _cause: int) -> None:
        if (src, port) == (self._target.address, self._probed):
            self._answer(src, "", True)


class _Echoes(_Probes):
    """Probes by ICMP echo requests, numbered in turn."""

    def __init__(self, at: Surroundings, target: Target, path: Path, port: int) -> None:
        super().__init__(at, target, path, port)
        self._socket = EchoSocket(at.host, self._replied, self._heard)

    def close(self) -> None:
        self._socket.close()

    def _send(self, hop_limit: int) -> Refusal | None:
        return self._socket.send(
            self._path, self._number, bytes(PAYLOAD), hop_limit=hop_limit,
            on_failure=self._unresolved,
        )  # fmt: skip

    def _heard(self, sequence: int, dst: IpAddress, report: Report) -> None:
        if (sequence, dst) == (self._number, self._target.address):
            self._reported(report)

    def _replied(self, reply: EchoReply) -> None:
        if reply.sequence == self._number:
            self._answer(reply.src, "", True)
