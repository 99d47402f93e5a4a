"""The checks of a topology: what they find, whether that holds, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdnvirt.addresses import Ipv6
from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.dhcp_states import Lease
from sdnvirt.host.ping import Ping
from sdnvirt.network.connectivity import Connectivity, Reached
from sdnvirt.network.diagnosis import why_unanswered
from sdnvirt.topology.checks import Check, ConnectivityCheck, Expect, LeaseCheck, PingCheck
from sdnvirt.topology.reachability import MAX_PAIRS
from sdnvirt.units import format_time

if TYPE_CHECKING:
    from sdnvirt.network.network import Network


@dataclass(frozen=True, slots=True)
class PingFigures:
    """What a ping measured.

    Attributes:
        sent: requests made.
        received: requests answered in time.
        by_target: whether it was the target that they reached.
        rtt_min_ns, rtt_avg_ns, rtt_max_ns: round trip times, or None without an answer.
    """

    sent: int
    received: int
    by_target: bool
    rtt_min_ns: int | None
    rtt_avg_ns: int | None
    rtt_max_ns: int | None

    def __str__(self) -> str:
        parts = [f"{self.received}/{self.sent} answered"]
        if self.received and not self.by_target:
            parts[0] += " by another node"
        if 0 < self.received < self.sent:
            parts.append(f"{_percent(1 - self.received / self.sent)} lost")
        if self.received:
            rtts = (self.rtt_min_ns, self.rtt_avg_ns, self.rtt_max_ns)
            parts.append(f"rtt {'/'.join(map(_ms, rtts))} ms")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found.

    Attributes:
        title: what was checked, as ``ping acme-a > acme-b``.
        where: ``file:line`` of the check.
        at_ns: when it began.
        held: whether it found what was expected; None if it could not be finished.
        figures: what was found, in words.
        why: why it failed, or why a target was unreachable, as was expected; or "".
        ping: what a ping measured so far; None for other checks.
    """

    title: str
    where: str
    at_ns: int
    held: bool | None
    figures: str
    why: str = ""
    ping: PingFigures | None = None


class Checks:
    """The checks of one run. They start by themselves at their times."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._results: dict[int, CheckResult] = {}
        self._pings: dict[int, tuple[PingCheck, Ping]] = {}
        self._pending = set(range(len(network.topology.checks)))
        for index, check in enumerate(network.topology.checks):
            network.world.scheduler.call_at(check.at_ns, self._begin, (index, check))

    @property
    def pending(self) -> bool:
        """Whether some check is not over yet."""
        return bool(self._pending)

    def results(self) -> list[CheckResult]:
        """Return what was found, in the order of the file; also of checks that are not over."""
        return [
            self._results.get(index) or self._unfinished(index, check)
            for index, check in enumerate(self._network.topology.checks)
        ]

    def _begin(self, job: tuple[int, Check]) -> None:
        index, check = job
        if isinstance(check, LeaseCheck):
            self._finish(index, self._lease(check))
            return
        if isinstance(check, ConnectivityCheck):
            Connectivity(
                self._network,
                check.segments,
                MAX_PAIRS,
                check.timeout_ns,
                lambda reached: self._finish(index, _compared(check, reached)),
            )
            return
        host = self._network.plant.hosts[check.source]
        ping = host.start_ping(
            check.address,
            check.count,
            interval_ns=check.interval_ns,
            size=check.size,
            timeout_ns=check.timeout_ns,
            cause=self._network.next_cause(),
            on_done=lambda ping: self._finish(index, self._judge(check, ping)),
        )
        self._pings[index] = check, ping

    def _finish(self, index: int, result: CheckResult) -> None:
        self._results[index] = result
        self._pending.discard(index)
        if not self._pending:
            self._network.wake()

    def _lease(self, check: LeaseCheck) -> CheckResult:
        lease = self._network.plant.hosts[check.vm].lease
        title = f"lease {check.vm}"
        if lease is None:
            return CheckResult(title, check.where, check.at_ns, False, "no lease")
        text = f"{lease.address} from {lease.server}, for {_lasting(lease)}"
        return CheckResult(title, check.where, check.at_ns, True, text)

    def _judge(self, check: PingCheck, ping: Ping) -> CheckResult:
        """Say whether a ping that is over found what was expected, and why not."""
        result = ping.result()
        figures = self._measured(check, ping)
        answered = figures.received > 0 and figures.by_target
        text, why = str(figures), ""
        if not answered:
            why = why_unanswered(self._network, check, ping)
        if check.expect is Expect.UNREACHABLE:
            held = not answered
            if held:
                text = "unreachable, as expected"
            else:
                why = f"{check.target} was to be unreachable, and answered"
        else:
            held = answered and result.loss <= check.max_loss
            if answered and not held:
                why = f"lost {_percent(result.loss)}, allowed are {_percent(check.max_loss)}"
            elif held and check.via is not None:
                why = self._strays(ping.cause, check.via)
                held = not why
                if held:
                    text += f", via {check.via}"
        title = _ping_title(check)
        return CheckResult(title, check.where, check.at_ns, held, text, why, figures)

    def _measured(self, check: PingCheck, ping: Ping) -> PingFigures:
        result = ping.result()
        by_target = check.node is None or any(
            self._network.stories.crossed(ping.cause, check.node).values()
        )
        return PingFigures(
            result.sent, result.received, by_target, result.min_ns, result.avg_ns, result.max_ns
        )

    def _strays(self, cause: int, via: str) -> str:
        """Tell how many echo requests of a ping did not cross a node, or ""."""
        stories = self._network.stories
        crossed = stories.crossed(cause, via)
        requests = {
            hop.frame.provenance.packet_id
            for hop in stories.hops(cause)
            if _is_echo_request(hop.frame.data)
        }
        if not requests:
            return f"no request is known to have crossed {via}"
        strays = sum(not crossed[request] for request in requests)
        return f"{strays} of {len(requests)} requests did not cross {via}" if strays else ""

    def _unfinished(self, index: int, check: Check) -> CheckResult:
        figures = None
        if isinstance(check, LeaseCheck):
            title = f"lease {check.vm}"
        elif isinstance(check, ConnectivityCheck):
            title = "connectivity"
        else:
            title = _ping_title(check)
            begun = self._pings.get(index)
            figures = None if begun is None else self._measured(*begun)
        text = f"{figures} so far" if figures else "not begun"
        return CheckResult(title, check.where, check.at_ns, None, text, ping=figures)


def _compared(check: ConnectivityCheck, reached: Reached) -> CheckResult:
    wrong = reached.wrong
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    why = wrong[0] + more if wrong else ""
    return CheckResult("connectivity", check.where, check.at_ns, not wrong, reached.figures, why)


def _ping_title(check: PingCheck) -> str:
    by_name = check.node is not None and isinstance(check.address, Ipv6)
    return f"ping {check.source} > {check.target}" + (" (IPv6)" if by_name else "")


def _lasting(lease: Lease) -> str:
    return "ever" if lease.expire_ns == NEVER else format_time(lease.expire_ns - lease.since_ns)


def _is_echo_request(data: bytes) -> bool:
    """Whether an untagged frame without IP options is an echo request (RFC 792; RFC 4443, 4.1)."""
    if data[12:14] == b"\x86\xdd":
        return data[20:21] == b"\x3a" and data[54:55] == b"\x80"
    return data[12:15] == b"\x08\x00\x45" and data[23:24] == b"\x01" and data[34:35] == b"\x08"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _ms(ns: int | None) -> str:
    return f"{(ns or 0) / 1e6:.3f}"
