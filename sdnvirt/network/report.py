"""What a run found, as plain data; how it is printed is the command line's affair."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sdnvirt.devices.bridge import Bridge
from sdnvirt.devices.device import Port
from sdnvirt.devices.vlan import Access
from sdnvirt.network.checks import CheckResult
from sdnvirt.network.commands import CommandRun
from sdnvirt.network.connectivity import Reached
from sdnvirt.network.switch_state import SwitchState, states
from sdnvirt.topology.events import RunCommand

if TYPE_CHECKING:
    from sdnvirt.network.network import Network


EXAMPLES: Final = 3
"""Violations of isolation, and loops, that are told in words; one is enough to find the mistake."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Frames of one network.

    Attributes:
        name: ``acme/web``, ``VLAN 10`` or ``underlay``.
        kind: what tells it apart, as ``VNI 70001``.
        sent, sent_bytes: what its stations sent.
        received, received_bytes: what arrived at its stations.
        tunnelled: frames that crossed the underlay, for tenant networks.
    """

    name: str
    kind: str
    sent: int
    sent_bytes: int
    received: int
    received_bytes: int
    tunnelled: int | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """What the timeline did, and when (ns of virtual time)."""

    at_ns: int
    what: str


@dataclass(frozen=True, slots=True)
class DropLine:
    """Frames lost for one reason; ``places`` says how many where, the most frequent first."""

    reason: str
    count: int
    places: dict[str, int]


@dataclass(frozen=True, slots=True)
class Totals:
    """What became of every frame: sent + copied = delivered + dropped + in flight."""

    sent: int
    copied: int
    delivered: int
    dropped: int
    in_flight: int

    @property
    def balanced(self) -> bool:
        """Whether no frame got lost without a reason; if one did, that is a bug of ours."""
        return self.sent + self.copied == self.delivered + self.dropped + self.in_flight


@dataclass(frozen=True, slots=True)
class Isolation:
    """Whether tenants are kept apart.

    Attributes:
        deliveries: frames whose origin was compared with the network they were delivered in.
        foreign: those of them that came from outside that network.
        examples: a few of these, in words.
    """

    deliveries: int
    foreign: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Loops:
    """Whether packets ran in a loop.

    Attributes:
        count: packets that came back to a port again and again.
        allowed: whether the file allows it.
        examples: a few of these, in words.
    """

    count: int
    allowed: bool
    examples: tuple[str, ...]

    @property
    def broken(self) -> bool:
        """Whether they fail the run."""
        return self.count > 0 and not self.allowed


@dataclass(frozen=True, slots=True)
class Settled:
    """Whether nodes reach each other as links connect them, when the timeline is over.

    Attributes:
        at_ns: when that was asked, or would have been.
        settle_ns: how long after the last fault that is.
        held: whether it is so; None if the run ended before.
        reached: what was found, or None.
    """

    at_ns: int
    settle_ns: int
    held: bool | None
    reached: Reached | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found.

    Attributes:
        name, description, seed: of the topology.
        built: how many there are of each kind of thing.
        controller: the apps, or the remote controller's address, or "".
        timeline: what broke, changed and was repaired, as far as the run went.
        checks: what each check found.
        traffic: frames and bytes of each network.
        drops: lost frames by reason.
        ledger: what became of every frame.
        isolation: whether tenants are kept apart.
        loops: whether packets ran in a loop.
        connectivity: whether nodes reach each other after the last fault; None if that is not
            asked, since the timeline has none or the file says so.
        switches: what each OpenFlow switch held at the end.
        virtual_ns: how long the run was, in virtual time.
        wall_s: how long it took in all; ``run_s``, without building.
        hops: frames received by any port.
        digest: of the trace.
        interrupted: whether the user ended the run.
        commands: what the timeline ran on hosts.
    """

    name: str
    description: str
    seed: int
    built: dict[str, int]
    controller: str
    timeline: tuple[Happening, ...]
    checks: tuple[CheckResult, ...]
    traffic: tuple[Traffic, ...]
    drops: tuple[DropLine, ...]
    ledger: Totals
    isolation: Isolation
    loops: Loops
    connectivity: Settled | None
    switches: dict[str, SwitchState]
    virtual_ns: int
    wall_s: float
    run_s: float
    hops: int
    digest: str
    interrupted: bool
    commands: tuple[CommandRun, ...] = ()

    @property
    def held(self) -> bool:
        """Whether every check and every invariant held."""
        checks = all(check.held is True for check in self.checks)
        settled = self.connectivity is None or self.connectivity.held is True
        kept = self.ledger.balanced and self.isolation.foreign == 0 and not self.loops.broken
        return checks and settled and kept

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dicts and lists, for JSON (docs/report.md)."""
        return {"held": self.held, **asdict(self)}


def make_report(
    network: Network,
    checks: list[CheckResult],
    controller: str,
    wall_s: float,
    run_s: float,
    interrupted: bool,
) -> Report:
    """Return what a network's run found."""
    topology, ledger = network.topology, network.world.ledger
    monitor = network.plant.monitor
    return Report(
        name=topology.name,
        description=topology.description,
        seed=topology.seed,
        built=_built(network),
        controller=controller,
        timeline=tuple(
            Happening(event.at_ns, str(event))
            for event in topology.timeline
            if event.at_ns <= network.now and not isinstance(event, RunCommand)
        ),
        checks=tuple(checks),
        traffic=(*_tenant_traffic(network), *_vlan_traffic(network), *_underlay(network)),
        drops=_drops(network),
        ledger=Totals(
            ledger.sent, ledger.copied, ledger.delivered, ledger.dropped, ledger.in_flight()
        ),
        isolation=Isolation(
            monitor.deliveries,
            monitor.count,
            tuple(str(violation) for violation in monitor.violations[:EXAMPLES]),
        ),
        loops=_loops(network),
        connectivity=_settled(network),
        switches=states(network.plant.switches),
        virtual_ns=network.now,
        wall_s=wall_s,
        run_s=run_s,
        hops=network.trace.hops,
        digest=network.trace.digest.hexdigest(),
        interrupted=interrupted,
        commands=network.commands.results(),
    )


def _built(network: Network) -> dict[str, int]:
    topology = network.topology
    kinds = {
        "routers": len(topology.routers),
        "hypervisors": len(topology.hypervisors),
        "switches": len(topology.switches),
        "tenants": len(topology.tenants),
        "networks": len(topology.networks),
        "VMs": len(topology.vms),
        "functions": len(topology.functions),
        "hosts": len(topology.hosts),
        "links": len(topology.links),
    }
    return {kind: count for kind, count in kinds.items() if count}


def _loops(network: Network) -> Loops:
    found = network.trace.loops
    examples = tuple(str(loop) for loop in found.loops[:EXAMPLES])
    return Loops(found.count, not network.topology.invariants.loops, examples)


def _settled(network: Network) -> Settled | None:
    at_ns, reached = network.invariants.asks_at_ns, network.invariants.reached
    settling = network.topology.invariants.connectivity
    if at_ns is None or settling is None:
        return None
    held = None if reached is None else not reached.wrong
    return Settled(at_ns, settling.settle_ns, held, reached)


def _sum(name: str, kind: str, ports: list[Port], tunnelled: int | None = None) -> Traffic:
    return Traffic(
        name,
        kind,
        sum(port.tx_packets for port in ports),
        sum(port.tx_bytes for port in ports),
        sum(port.rx_packets for port in ports),
        sum(port.rx_bytes for port in ports),
        tunnelled,
    )


def _tenant_traffic(network: Network) -> list[Traffic]:
    tunnelled: Counter[int] = Counter()
    for hypervisor in network.plant.hypervisors.values():
        for vni, traffic in hypervisor.vtep.traffic().items():
            tunnelled[vni] += traffic.tx_frames
    ports: dict[str, list[Port]] = {}
    for vnic in network.topology.vnics:
        host = network.plant.hosts[vnic.owner]
        ports.setdefault(vnic.network, []).append(host.interface.port)
    return [
        _sum(one.name, f"VNI {one.vni}", ports.get(one.name, []), tunnelled[one.vni])
        for one in network.topology.networks
    ]


def _vlan_traffic(network: Network) -> list[Traffic]:
    """Sum up hosts by the VLAN of the access port they are on; other hosts are one group."""
    ports: dict[int, list[Port]] = {}
    others: list[Port] = []
    for spec in network.topology.hosts:
        for port in network.plant.hosts[spec.name].ports.values():
            far = network.plant.peers[port]
            bridge = far.device
            membership = bridge.membership(far.number) if isinstance(bridge, Bridge) else None
            if isinstance(membership, Access):
                ports.setdefault(membership.vlan, []).append(port)
            else:
                others.append(port)
    found = [_sum(f"VLAN {vlan}", "802.1Q", ports[vlan]) for vlan in sorted(ports)]
    return [*found, _sum("hosts", "Ethernet", others)] if others else found


def _underlay(network: Network) -> list[Traffic]:
    ports = [port for vtep in network.plant.hypervisors.values() for port in (vtep.vtep.nic,)]
    return [_sum("underlay", "IPv4", ports)] if ports else []


def _drops(network: Network) -> tuple[DropLine, ...]:
    ledger = network.world.ledger
    lines = []
    for reason, count in ledger.by_reason().items():
        places = Counter({p: n for (p, r), n in ledger.drops.items() if r is reason})
        lines.append(DropLine(reason.value, count, dict(places.most_common())))
    return tuple(sorted(lines, key=lambda line: -line.count))
