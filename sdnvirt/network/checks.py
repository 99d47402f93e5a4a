"""The checks of a topology: what they find, whether that holds, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sdnvirt.engine.scheduler import NEVER
from sdnvirt.host.dhcp_states import Lease
from sdnvirt.host.ping import Ping, PingResult
from sdnvirt.network.diagnosis import why_unanswered
from sdnvirt.topology.resolved import Check, Expect, LeaseCheck, PingCheck
from sdnvirt.units import format_time

if TYPE_CHECKING:
    from sdnvirt.network.network import Network


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found.

    Attributes:
        title: what was checked, as ``ping acme-a > acme-b``.
        where: ``file:line`` of the check.
        at_ns: when it began.
        held: whether it found what was expected; None if it could not be finished.
        figures: what was measured.
        why: why it failed, or why a target was unreachable, as was expected; or "".
    """

    title: str
    where: str
    at_ns: int
    held: bool | None
    figures: str
    why: str = ""


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
        reached = check.node is None or any(
            self._network.stories.crossed(ping.cause, check.node).values()
        )
        answered = result.received > 0 and reached
        why = ""
        if check.expect is Expect.UNREACHABLE:
            held = not answered
            if held:
                why = why_unanswered(self._network, check, ping)
            else:
                why = f"{check.target} was to be unreachable, and answered"
        else:
            held = answered and result.loss <= check.max_loss
            if not answered:
                why = why_unanswered(self._network, check, ping)
            elif not held:
                why = f"lost {result.loss:.0%}, allowed are {check.max_loss:.0%}"
            elif check.via is not None and not self._all_crossed(ping.cause, check.via):
                held, why = False, f"not every request crossed {check.via}"
        return CheckResult(
            f"ping {check.source} > {check.target}",
            check.where,
            check.at_ns,
            held,
            _figures(check, result, reached),
            why,
        )

    def _all_crossed(self, cause: int, via: str) -> bool:
        """Whether every echo request of a ping crossed a node."""
        stories = self._network.stories
        requests = [hop for hop in stories.hops(cause) if _is_echo_request(hop.frame.data)]
        crossed = stories.crossed(cause, via)
        return bool(requests) and all(crossed[hop.frame.provenance.packet_id] for hop in requests)

    def _unfinished(self, index: int, check: Check) -> CheckResult:
        if isinstance(check, LeaseCheck):
            title, figures = f"lease {check.vm}", "not begun"
        else:
            title = f"ping {check.source} > {check.target}"
            begun = self._pings.get(index)
            figures = "not begun" if begun is None else _figures(check, begun[1].result(), True)
        return CheckResult(title, check.where, check.at_ns, None, figures, "the run ended before")


def _lasting(lease: Lease) -> str:
    return "ever" if lease.expire_ns == NEVER else format_time(lease.expire_ns - lease.since_ns)


def _is_echo_request(data: bytes) -> bool:
    """Whether an untagged frame without IP options is an echo request (RFC 792)."""
    return data[12:15] == b"\x08\x00\x45" and data[23:24] == b"\x01" and data[34:35] == b"\x08"


def _figures(check: PingCheck, result: PingResult, reached: bool) -> str:
    """Return what a ping measured, in one line."""
    counts = f"{result.received}/{result.sent} answered"
    if result.received and not reached:
        counts += ", by another node"
    if result.avg_ns is None:
        return counts
    via = f", via {check.via}" if check.via else ""
    return f"{counts}, rtt {_ms(result.min_ns)}/{_ms(result.avg_ns)}/{_ms(result.max_ns)} ms{via}"


def _ms(ns: int | None) -> str:
    return f"{(ns or 0) / 1e6:.3f}"
