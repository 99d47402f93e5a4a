"""What must hold after faults, of every kind of node, by timelines and by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sdnvirt.drops import DropReason
from sdnvirt.errors import InvariantError, UserError
from sdnvirt.frame import Frame
from sdnvirt.network.checks import Checks
from sdnvirt.network.network import Network
from sdnvirt.network.report import Report, make_report
from sdnvirt.openflow.v13.flow import FlowMod
from sdnvirt.openflow.v13.match import Match
from sdnvirt.units import NS_PER_S

ROW = """
    name: row
    switches:
      s[1-2]: {kind: openflow}
    hosts:
      h[1-4]: {address: '10.0.0.[1-4]/24'}
    links:
      - {between: ['h[1-4]', 's[1-2]']}
      - {between: [s1, s2]}
    controller: {app: controllers/learning_switch.py}
"""

OVERLAY = """
    name: overlay
    underlay: {leaf_spine: {spines: 1, leaves: 2}}
    hypervisors:
      hv[1-2]: {attach: 'leaf[1-2]'}
    tenants: {acme: {networks: {web: {vni: 70001, subnet: 10.0.0.0/24, dhcp: true}}}}
    vms:
      a: {network: acme/web, hypervisor: hv1}
      b: {network: acme/web, hypervisor: hv2}
    controller: {app: controllers/virtual_network.py}
"""

pytestmark = pytest.mark.topology(text=ROW)


def played(network: Network) -> Report:
    """Run a network as ``sdnvirt run`` does."""
    checks = Checks(network)
    network.invariants.ask_after_faults()
    network.run_while(lambda: checks.pending or network.invariants.pending, 600 * NS_PER_S)
    return make_report(network, checks.results(), "", 0.0, 0.0, interrupted=False)


def with_timeline(text: str, *events: str) -> Any:
    lines = "".join(f"      - {{{event}}}\n" for event in events)
    return pytest.mark.topology(text=f"{text}    timeline:\n{lines}")


# after the last fault of a timeline

FAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a switch": (ROW, ("at: 2s, crash: s1", "at: 4s, restart: s1")),
    "a host": (ROW, ("at: 2s, crash: h1", "at: 4s, restart: h1")),
    "a controller that dies": (ROW, ("at: 2s, controller: kill", "at: 9s, controller: restart")),
    "a controller that hangs": (ROW, ("at: 2s, controller: stall", "at: 4s, controller: resume")),
    "a network that falls apart": (ROW, ("at: 2s, partition: [s1, s2]", "at: 4s, heal: true")),
    "a function": (OVERLAY, ("at: 2s, crash: acme-web-dhcp", "at: 4s, restart: acme-web-dhcp")),
    "a VM": (OVERLAY, ("at: 2s, crash: b", "at: 4s, restart: b")),
    "a hypervisor": (OVERLAY, ("at: 2s, crash: hv2", "at: 4s, restart: hv2")),
    "a VM while its server is away": (
        OVERLAY,
        (
            "at: 2s, crash: acme-web-dhcp", "at: 2s, crash: b", "at: 3s, restart: b",
            "at: 4s, restart: acme-web-dhcp",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_a_network_recovers_from_the_fault_of(kind: str, load_network: Callable[..., Any]) -> None:
    text, events = FAULTS[kind]
    lines = "".join(f"      - {{{event}}}\n" for event in events)
    report = played(load_network(text=f"{text}    timeline:\n{lines}"))
    assert report.connectivity is not None
    pairs = 6 if text is ROW else 1
    assert report.connectivity.reached is not None
    assert report.connectivity.reached.figures == f"{pairs} of {pairs} pairs connected"
    assert report.connectivity.at_ns == report.timeline[-1].at_ns + 10 * NS_PER_S
    assert report.held


@with_timeline(ROW, "at: 2s, down: s1--s2", "at: 3s, crash: h1")
def test_one_that_stays_torn_apart_is_held_to_that(network: Network) -> None:
    report = played(network)
    assert report.connectivity is not None
    assert report.connectivity.reached is not None
    assert report.connectivity.reached.figures == "1 of 6 pairs connected"
    assert report.connectivity.held is True
    assert report.held


@with_timeline(ROW, "at: 2s, down: s1--s2", "at: 3s, up: s1--s2")
def test_one_that_does_not_recover_says_who_where_and_why(network: Network) -> None:
    network.run_until("12s")
    s2 = network.plant.switches["s2"]
    s2.modify_flow(FlowMod(priority=900, match=Match.of(eth_dst=network["h2"].port().mac)))
    report = played(network)
    assert report.connectivity is not None
    assert report.connectivity.reached is not None
    assert report.connectivity.held is False
    first, *others = report.connectivity.reached.wrong
    assert first.startswith("h1 does not reach h2, though links connect them: dropped at s2: ")
    assert DropReason.NO_OUTPUT.value in first
    assert [sentence.split(",")[0] for sentence in others] == [
        "h2 does not reach h3", "h2 does not reach h4",
    ]  # fmt: skip
    assert not report.held


@pytest.mark.topology(
    text=f"{ROW}    timeline:\n      - {{at: 2s, down: s1--s2}}\n"
    "    invariants: {connectivity: {settle: 3s, among: ['h[1-2]', h3], timeout: 100ms}}\n"
)
def test_a_file_says_how_long_to_wait_and_whom_to_ask(network: Network) -> None:
    report = played(network)
    assert report.connectivity is not None
    assert report.connectivity.at_ns == 5 * NS_PER_S
    assert report.connectivity.reached is not None
    assert report.connectivity.reached.figures == "1 of 3 pairs connected"


@pytest.mark.topology(
    text=f"{ROW}    timeline:\n      - {{at: 2s, down: s1--s2}}\n"
    "    invariants: {connectivity: false}\n"
)
def test_a_file_says_not_to_ask(network: Network) -> None:
    report = played(network)
    assert (report.connectivity, report.held) == (None, True)
    assert network.invariants.check() is None


@with_timeline(ROW, "at: 2s, run: {on: h1, command: ping -c 1 10.0.0.2}")
def test_a_timeline_without_faults_is_not_followed_by_questions(network: Network) -> None:
    assert played(network).connectivity is None


# by hand


def test_whoever_breaks_something_in_python_asks_by_hand(network: Network) -> None:
    network.faults.crash("s2")
    reached = network.invariants.check()
    assert reached is not None
    assert reached.figures == "1 of 6 pairs connected"
    network.faults.restart("s2")
    before = network.now
    reached = network.invariants.check(settle="9s")
    assert reached is not None
    assert reached.figures == "6 of 6 pairs connected"
    assert 9 * NS_PER_S <= network.now - before < 10 * NS_PER_S


@pytest.mark.topology(text=ROW, allow_violations=True)
def test_every_broken_invariant_is_told(network: Network) -> None:
    network.faults.change("h2--s2", loss=1.0)
    network.world.ledger.sent += 1
    with pytest.raises(InvariantError) as caught:
        network.invariants.check(settle=0)
    assert len(caught.value.broken) == 4
    assert str(caught.value).splitlines() == caught.value.broken
    assert caught.value.broken[0].startswith("the ledger is out of balance by 1: ")
    assert caught.value.broken[1].startswith("h1 does not reach h2, though links connect them: ")


def test_a_time_that_is_none_is_told(network: Network) -> None:
    with pytest.raises(UserError, match="soon"):
        network.invariants.check(settle="soon")


# what a function keeps


@pytest.mark.topology(text=OVERLAY)
def test_a_dhcp_server_keeps_its_leases_on_disk_and_loses_its_offers(network: Network) -> None:
    function: Any = network.plant.functions["acme-web-dhcp"]
    leases = function.server.leases()
    assert len(leases) == 2
    asked = network.port("acme-web-dhcp:eth0").rx_packets
    network.faults.crash("acme-web-dhcp")
    assert network["a"].ping("b").received == 3  # who has a lease needs no server
    network.run_for("5s")
    assert network.port("acme-web-dhcp:eth0").rx_packets == asked
    network.faults.restart("acme-web-dhcp")
    assert function.server.leases() == leases
    network.run_until("31min")  # half of an hour's lease is over: it is renewed
    assert min(function.server.leases().values()) > max(leases.values())
    network.invariants.check()


@pytest.mark.topology(text=OVERLAY)
def test_a_vm_without_its_server_gets_the_lease_when_it_is_back(network: Network) -> None:
    address = network["b"].address
    network.faults.crash("acme-web-dhcp")
    network.faults.crash("b")
    network.faults.restart("b")
    network.run_for("20s")
    with pytest.raises(InvariantError, match="a does not reach b, though links connect them"):
        network.invariants.check(settle=0)
    network.faults.restart("acme-web-dhcp")
    network.invariants.check(settle="70s")  # a client's longest pause (RFC 2131, 4.1)
    assert network["b"].address == address


def test_a_frame_at_a_port_is_counted_once(network: Network) -> None:
    made = network.world.originate(bytes(60), "x")
    network.port("h1:s1").receive(made)
    assert isinstance(made, Frame)
    assert made.provenance.arrivals == 1
