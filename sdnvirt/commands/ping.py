"""ping and ping6, as iputils has them: a line for each answer, and the summary."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from contextlib import suppress
from math import isqrt
from typing import Final

from sdnvirt.addresses import IpAddress, Ipv4
from sdnvirt.commands.command import Command, Failure, Surroundings, add_family
from sdnvirt.commands.options import Number, Options, seconds
from sdnvirt.commands.targets import Target, find_target
from sdnvirt.host.echo import HEADER_LENGTH, EchoReply, EchoSocket
from sdnvirt.host.icmp import Problem, Report
from sdnvirt.host.paths import Fragmentation, Path
from sdnvirt.host.ping import MAX_SIZE
from sdnvirt.host.routes import TooBig
from sdnvirt.units import NS_PER_S
from sdnvirt.wire import ipv4, ipv6

LINGER_NS: Final = 10 * NS_PER_S
"""How long answers are waited for behind the last request while there was none yet."""

TIMED_SIZE: Final = 16
"""Bytes of data from which on round trips are told: real pings carry the time in their data."""

ERRORS_V4: Final = {
    Problem.NETWORK: "Destination Net Unreachable",
    Problem.HOST: "Destination Host Unreachable",
    Problem.PROTOCOL: "Destination Protocol Unreachable",
    Problem.PORT: "Destination Port Unreachable",
    Problem.TOO_BIG: "Frag needed and DF set",
    Problem.NETWORK_PROHIBITED: "Destination Net Prohibited",
    Problem.HOST_PROHIBITED: "Destination Host Prohibited",
    Problem.PROHIBITED: "Packet filtered",
    Problem.HOP_LIMIT: "Time to live exceeded",
    Problem.REASSEMBLY: "Frag reassembly time exceeded",
    Problem.PARAMETER: "Parameter problem",
}
ERRORS_V6: Final = {
    Problem.NETWORK: "Destination unreachable: No route",
    Problem.HOST: "Destination unreachable: Address unreachable",
    Problem.PROTOCOL: "Parameter problem: Unknown header",
    Problem.PORT: "Destination unreachable: Port unreachable",
    Problem.TOO_BIG: "Packet too big",
    Problem.PROHIBITED: "Destination unreachable: Administratively prohibited",
    Problem.HOP_LIMIT: "Time exceeded: Hop limit",
    Problem.REASSEMBLY: "Time exceeded: Defragmentation failure",
    Problem.PARAMETER: "Parameter problem: Wrong header field",
    Problem.OPTION: "Parameter problem: Unknown option",
}
"""What is printed of each ICMP error."""

_DISCOVERY: Final = {
    "do": Fragmentation.NOBODY,
    "want": Fragmentation.SENDER,
    "dont": Fragmentation.ANYBODY,
}
_SEQUENCES: Final = 1 << 16
_PATTERN: Final = bytes(range(256))
_NS_PER_MS: Final = 1_000_000
_NS_PER_US: Final = 1_000


class Ping(Command):
    """ping: echo requests."""

    summary = "send ICMP echo requests"

    def options(self, name: str) -> Options:
        """Return the options of iputils' ping that mean something here."""
        options = Options(name, self.summary)
        add_family(options)
        options.add_argument("-c", dest="count", type=Number(1, 1 << 62), help="requests to send")
        options.add_argument(
            "-i", dest="interval", type=seconds, default=NS_PER_S, help="seconds between requests"
        )
        options.add_argument(
            "-s", dest="size", type=Number(0, MAX_SIZE), default=56, help="bytes of data"
        )
        options.add_argument(
            "-W", dest="linger", type=seconds, help="seconds to wait for the last answers"
        )
        options.add_argument("-w", dest="deadline", type=seconds, help="seconds to run at most")
        options.add_argument("-t", dest="ttl", type=Number(1, 255), help="time to live")
        options.add_argument(
            "-M", dest="discovery", choices=_DISCOVERY, default="want",
            help="path MTU discovery: whether packets may be fragmented",
        )  # fmt: skip
        options.add_argument("-I", dest="interface", help="interface or address to send from")
        options.add_argument("-q", dest="quiet", action="store_true", help="the summary only")
        options.add_argument("-n", action="store_true", help="no names: there never are any")
        options.add_argument("target")
        return options

    async def run(self, given: Namespace, at: Surroundings) -> int:
        """Ping until the count is reached or somebody stops it; then sum up."""
        if at_six(given):
            given.ipv6 = True
        target = await find_target(given, at, "ping")
        path = at.host.ip.path(target.address, target.source, target.interface)
        if not isinstance(path, Path):
            raise Failure("ping: connect: Network is unreachable", 2)
        run = _Run(given, at, target, path)
        with suppress(asyncio.CancelledError, TimeoutError):
            async with asyncio.timeout(_float(given.deadline)):
                await run.go()
        return run.finish()


class Ping6(Ping):
    """ping6: echo requests of IPv6."""

    summary = "send ICMPv6 echo requests"

    def options(self, name: str) -> Options:
        """Return those of ping, with IPv6 as the default."""
        options = super().options(name)
        options.set_defaults(six=True)
        return options


def at_six(given: Namespace) -> bool:
    """Whether the command was called by a name that means IPv6."""
    return getattr(given, "six", False) and not given.ipv4


def _float(time_ns: int | None) -> float | None:
    return None if time_ns is None else time_ns / NS_PER_S


class _Run:
    """A ping while it runs."""

    def __init__(self, given: Namespace, at: Surroundings, target: Target, path: Path) -> None:
        self._given = given
        self._at = at
        self._out = at.out
        self._target = target
        self._own = path.src
        self._data = (_PATTERN * (given.size // len(_PATTERN) + 1))[: given.size]
        self._timed = given.size >= TIMED_SIZE
        self._sent = self._received = self._duplicates = self._errors = 0
        self._pipe = 0
        self._started_ns = self._last_ns = at.now
        self._waiting: dict[int, int] = {}
        self._sent_ns: dict[int, int] = {}  # also of those that were answered: for duplicates
        self._rtts = self._total = self._squares = self._longest = 0
        self._shortest: int | None = None
        self._quiet = asyncio.Event()
        self._socket = EchoSocket(at.host, self._on_reply, self._on_error)

    async def go(self) -> None:
        """Send all requests, and wait for the answers."""
        given, at = self._given, self._at
        self._out.line(self._head())
        while given.count is None or self._sent < given.count:
            await at.sleep_until(self._started_ns + self._sent * given.interval)
            self._send()
        if self._waiting:
            self._quiet.clear()
            async with asyncio.timeout(self._linger_ns() / NS_PER_S):
                await self._quiet.wait()

    def finish(self) -> int:
        """Print the summary; return the exit status."""
        self._socket.close()
        out = self._out
        counts = [f"{self._sent} packets transmitted", f"{self._received} received"]
        if self._duplicates:
            counts.append(f"+{self._duplicates} duplicates")
        if self._errors:
            counts.append(f"+{self._errors} errors")
        lost = 100 * (self._sent - self._received) / self._sent if self._sent else 0
        counts.append(f"{lost:g}% packet loss")
        counts.append(f"time {(self._last_ns - self._started_ns) // _NS_PER_MS}ms")
        out.line()
        out.line(f"--- {self._target.name} ping statistics ---")
        out.line(", ".join(counts))
        tail = []
        if self._rtts and self._timed:
            tail.append(f"rtt min/avg/max/mdev = {self._figures()} ms")
        if self._pipe > 1:
            tail.append(f"pipe {self._pipe}")
        out.line(", ".join(tail))
        return 0 if self._received else 1

    def _head(self) -> str:
        size, target = self._given.size, self._target
        by = ""
        if self._given.interface is not None:
            by = f" from {self._own} {'' if target.interface is None else target.interface.name}"
            by = f"{by.rstrip()}:"
        if isinstance(target.address, Ipv4):
            total = size + HEADER_LENGTH + ipv4.HEADER_LENGTH
            return f"PING {target.name} ({target.address}){by} {size}({total}) bytes of data."
        return f"PING {target.name}({target.address}){by} {size} data bytes"

    def _linger_ns(self) -> int:
        given = self._given
        if given.linger is not None:
            return int(given.linger)
        return max(2 * self._longest, given.interval) if self._received else LINGER_NS

    def _send(self) -> None:
        self._sent += 1
        self._last_ns = self._at.now
        sequence = self._sent % _SEQUENCES
        target = self._target
        path = self._at.host.ip.path(target.address, target.source, target.interface)
        if not isinstance(path, Path):
            self._errors += 1
            self._out.line("ping: sendmsg: Network is unreachable")
            return
        self._own = path.src
        self._waiting[sequence] = self._sent_ns[sequence] = self._at.now
        refused = self._socket.send(
            path, sequence, self._data, hop_limit=self._given.ttl,
            fragmentation=_DISCOVERY[self._given.discovery],
            on_failure=lambda _: self._unreachable(sequence),
        )  # fmt: skip
        if refused is not None:
            self._refused(sequence, refused)

    def _refused(self, sequence: int, refused: TooBig) -> None:
        del self._waiting[sequence]
        self._errors += 1
        sign = "=" if isinstance(self._target.address, Ipv4) else ": "  # as the real one has it
        self._out.line(f"ping: local error: message too long, mtu{sign}{refused.mtu}")

    def _unreachable(self, sequence: int) -> None:
        """The next hop has no MAC address: this host says so itself."""
        self._failed(sequence, self._own, _words(self._target.address, Problem.HOST))

    def _on_error(self, sequence: int, target: IpAddress, report: Report) -> None:
        if target != self._target.address:
            return
        if report.problem is None:
            text = f"Bad ICMP type: {report.numbers[0]}"
        else:
            text = _words(target, report.problem)
        if report.problem is Problem.TOO_BIG:
            mtu = report.mtu or self._mtu()
            text += f" (mtu = {mtu})" if isinstance(target, Ipv4) else f": mtu={mtu}"
        self._failed(sequence, report.reporter, text)

    def _mtu(self) -> int:
        target = self._target
        path = self._at.host.ip.path(target.address, target.source, target.interface)
        return path.mtu if isinstance(path, Path) else ipv6.MIN_MTU

    def _failed(self, sequence: int, who: IpAddress, text: str) -> None:
        if self._waiting.pop(sequence, None) is None:
            return
        self._errors += 1
        self._acknowledge(sequence)
        if not self._given.quiet:
            self._out.line(f"From {who} icmp_seq={sequence} {text}")

    def _on_reply(self, reply: EchoReply) -> None:
        sent_ns = self._waiting.pop(reply.sequence, None)
        duplicate = sent_ns is None
        if sent_ns is None:
            self._duplicates += 1
        else:
            self._received += 1
            self._measure(self._at.now - sent_ns)
        self._acknowledge(reply.sequence)
        if self._given.quiet:
            return
        size = reply.length + HEADER_LENGTH
        text = f"{size} bytes from {reply.src}: icmp_seq={reply.sequence} ttl={reply.hop_limit}"
        if self._timed and reply.sequence in self._sent_ns:
            text += f" time={milliseconds(self._at.now - self._sent_ns[reply.sequence])} ms"
        self._out.line(text + (" (DUP!)" if duplicate else ""))

    def _acknowledge(self, sequence: int) -> None:
        """Note how many requests were on the way at once, and whether none is any more."""
        behind = (self._sent - sequence) % _SEQUENCES
        if behind < _SEQUENCES // 2:
            self._pipe = max(self._pipe, behind + 1)
        if not self._waiting:
            self._quiet.set()

    def _measure(self, rtt_ns: int) -> None:
        self._rtts += 1
        self._total += rtt_ns
        self._squares += rtt_ns * rtt_ns
        self._longest = max(self._longest, rtt_ns)
        self._shortest = rtt_ns if self._shortest is None else min(self._shortest, rtt_ns)

    def _figures(self) -> str:
        count, total = self._rtts, self._total
        deviation = isqrt(self._squares * count - total * total) // count
        figures = (self._shortest or 0, total // count, self._longest, deviation)
        return "/".join(f"{ns // _NS_PER_US / 1000:.3f}" for ns in figures)


def _words(target: IpAddress, problem: Problem) -> str:
    known = ERRORS_V4 if isinstance(target, Ipv4) else ERRORS_V6
    return known.get(problem, problem.value)


def milliseconds(ns: int) -> str:
    """Return a round trip in milliseconds with three digits or more, as ping prints it."""
    microseconds = ns // _NS_PER_US
    if microseconds >= 99_950:
        return str((microseconds + 500) // 1000)
    if microseconds >= 9_995:
        return f"{(microseconds + 50) // 100 / 10:.1f}"
    if microseconds >= 1000:
        return f"{(microseconds + 5) // 10 / 100:.2f}"
    return f"{microseconds / 1000:.3f}"
